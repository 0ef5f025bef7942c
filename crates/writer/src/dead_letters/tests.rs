//! What dead letters promise, over files that lose power, fail and run full, and over real ones.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use model::{ByteSize, TimestampNs};
use vfs::{FaultFs, Fs, RealFs};

use super::*;

const DIR: &str = "/data";

/// The n-th letter; its line is padded to a length that differs from one to the next.
fn letter(n: u64) -> Letter {
    Letter {
        time: TimestampNs(n.cast_signed() * 1_000_000_000),
        store: "influxdb".to_owned(),
        database: if n.is_multiple_of(2) { "even" } else { "odd" }.to_owned(),
        policy: "autogen".to_owned(),
        line: format!("m,n={n} text=\"{}\" {n}", "x".repeat(n as usize * 37 % 900)),
        reason: format!("reason {}", n % 3),
    }
}

fn letters(numbers: impl IntoIterator<Item = u64>) -> Vec<Letter> {
    numbers.into_iter().map(letter).collect()
}

/// Eight files of at most 2 kB.
fn small() -> Limits {
    Limits { max_bytes: ByteSize(16_000) }
}

fn open(fs: &FaultFs, limits: Limits) -> DeadLetters {
    DeadLetters::open(Arc::new(fs.clone()), Path::new(DIR), "influxdb", limits).unwrap()
}

fn shared(fs: &FaultFs) -> Arc<dyn Fs> {
    Arc::new(fs.clone())
}

/// All entries, none damaged.
fn entries(dead: &DeadLetters) -> Vec<Entry> {
    dead.read(Filter::default()).unwrap().collect::<Result<_, _>>().unwrap()
}

fn all(dead: &DeadLetters) -> Vec<Letter> {
    entries(dead).into_iter().map(|entry| entry.letter).collect()
}

fn add_all(dead: &DeadLetters, numbers: impl IntoIterator<Item = u64>) {
    for n in numbers {
        assert_eq!(dead.add(&[letter(n)]).unwrap(), Added { kept: 1, lost: 0 });
    }
}

fn files(fs: &dyn Fs, dir: &Path) -> Vec<PathBuf> {
    let folder = dir.join("dead-letter/influxdb");
    fs.list(&folder).unwrap().iter().map(|name| folder.join(name)).collect()
}

#[test]
fn letters_are_read_back_in_order_across_files_and_restarts() {
    let fs = FaultFs::new();
    let dead = open(&fs, small());
    assert_eq!(dead.add(&[]).unwrap(), Added::default());
    assert_eq!(dead.add(&letters(1..11)).unwrap(), Added { kept: 10, lost: 0 });
    add_all(&dead, 11..21);
    assert_eq!(all(&dead), letters(1..21));
    assert!(files(&fs, Path::new(DIR)).len() > 3, "several files");
    assert!(files(&fs, Path::new(DIR)).iter().all(|path| fs.read(path).unwrap().len() <= 2000));
    drop(dead);
    let dead = open(&fs.crash(0), small());
    assert_eq!(all(&dead), letters(1..21));
    add_all(&dead, 21..22);
    assert_eq!(all(&dead), letters(1..22));
}

#[test]
fn a_filter_and_the_statistics_see_what_is_there() {
    let fs = FaultFs::new();
    let dead = open(&fs, small());
    add_all(&dead, 1..13);
    let filter = Filter { database: Some("even".to_owned()), before: Some(letter(7).time), ..Filter::default() };
    let found: Vec<_> = dead.read(filter).unwrap().map(|entry| entry.unwrap().letter).collect();
    assert_eq!(found, letters([2, 4, 6]));
    let stats = dead.stats();
    let on_disk: u64 = files(&fs, Path::new(DIR)).iter().map(|path| fs.read(path).unwrap().len() as u64).sum();
    assert_eq!((stats.letters, stats.bytes, stats.damaged, stats.lost), (12, ByteSize(on_disk), 0, 0));
    assert!(stats.reasons.iter().all(|count| count.letters == 4) && stats.reasons.len() == 3);
    assert_eq!(survey(&shared(&fs), Path::new(DIR), "influxdb").unwrap(), stats);
    drop(dead);
    assert_eq!(open(&fs, small()).stats(), stats);
}

#[test]
fn when_the_space_is_used_up_the_newest_are_lost_and_counted() {
    let fs = FaultFs::new();
    let dead = open(&fs, small());
    let added = dead.add(&letters(1..101)).unwrap();
    assert!(added.kept > 20 && added.lost > 20 && added.kept + added.lost == 100, "{added:?}");
    assert_eq!(all(&dead), letters(1..=added.kept));
    assert!(dead.stats().bytes <= small().max_bytes);
    assert_eq!(dead.stats().lost, added.lost);
    assert_eq!(dead.add(&letters([95, 96])).unwrap().kept, 0);
    let old = Filter { before: Some(letter(9).time), ..Filter::default() };
    assert_eq!(dead.purge(&old).unwrap(), 8);
    assert_eq!(dead.add(&[letter(9)]).unwrap(), Added { kept: 1, lost: 0 });
}

#[test]
fn a_full_disk_is_an_error_and_nothing_is_lost_by_it() {
    let fs = FaultFs::new();
    let dead = open(&fs, small());
    add_all(&dead, 1..4);
    let before = dead.stats();
    fs.limit_space(before.bytes.0 + 20);
    assert!(matches!(dead.add(&letters(4..7)), Err(Error::Io { .. })));
    assert_eq!(dead.stats(), before);
    assert_eq!(all(&dead), letters(1..4));
    fs.limit_space(u64::MAX);
    add_all(&dead, 4..7);
    assert_eq!(all(&open(&fs.crash(0), small())), letters(1..7));
}

#[test]
fn a_failed_sync_is_an_error_and_what_was_kept_before_stays() {
    let fs = FaultFs::new();
    let dead = open(&fs, small());
    add_all(&dead, 1..3);
    for _ in 0..5 {
        fs.fail_next_sync();
        assert!(matches!(dead.add(&[letter(3)]), Err(Error::Io { .. })));
    }
    assert!(files(&fs, Path::new(DIR)).len() <= 2, "a disk that fails again and again gets no pile of files");
    assert_eq!(all(&dead), letters(1..3));
    add_all(&dead, 3..5);
    for seed in 0..20 {
        let found = all(&open(&fs.crash(seed), small()));
        assert_eq!(found, letters(1..5), "seed {seed}");
    }
}

#[test]
fn removed_letters_are_gone_and_others_keep_their_ids() {
    let fs = FaultFs::new();
    let dead = open(&fs, small());
    add_all(&dead, 1..13);
    let before = entries(&dead);
    let id = |n: usize| before[n - 1].id;
    assert_eq!(dead.remove(&[id(2), id(5), id(12), id(2), LetterId { file: 77, line: 1 }]).unwrap(), 3);
    let left: Vec<_> = before.iter().filter(|e| ![id(2), id(5), id(12)].contains(&e.id)).cloned().collect();
    assert_eq!(entries(&dead), left);
    assert_eq!(dead.remove(&[id(5)]).unwrap(), 0);
    add_all(&dead, 13..15);
    assert_eq!(entries(&dead)[..left.len()], left);
    assert_eq!(dead.stats().letters, 11);
    drop(dead);
    let dead = open(&fs.crash(0), small());
    assert_eq!(entries(&dead)[..left.len()], left);
    assert_eq!(dead.stats().letters, 11);
    assert_eq!(dead.remove(&[id(1)]).unwrap(), 1);
}

#[test]
fn removing_all_leaves_one_empty_file_and_its_number_is_not_used_again() {
    let fs = FaultFs::new();
    let dead = open(&fs, small());
    add_all(&dead, 1..13);
    let last = entries(&dead).last().unwrap().id;
    assert_eq!(dead.purge(&Filter::default()).unwrap(), 12);
    assert_eq!((all(&dead), dead.stats()), (vec![], Stats::default()));
    assert_eq!(files(&fs, Path::new(DIR)).len(), 1);
    drop(dead);
    let dead = open(&fs.crash(0), small());
    assert_eq!(dead.purge(&Filter::default()).unwrap(), 0);
    add_all(&dead, 13..14);
    assert!(entries(&dead)[0].id.file > last.file);
}

#[test]
fn damaged_lines_are_named_passed_over_counted_and_can_be_removed() {
    let fs = FaultFs::new();
    add_all(&open(&fs, small()), 1..13);
    let path = files(&fs, Path::new(DIR)).remove(1);
    let content = fs.read(&path).unwrap();
    let second = content.iter().position(|b| *b == b'\n').unwrap() as u64 + 1;
    fs.open(&path).unwrap().write_at(b"???", second).unwrap();
    let dead = open(&fs, small());
    let (found, problems): (Vec<_>, Vec<_>) = dead.read(Filter::default()).unwrap().partition(Result::is_ok);
    assert_eq!((found.len(), problems.len(), dead.stats().damaged), (11, 1, 1));
    let problem = problems.into_iter().next().unwrap().unwrap_err();
    let expected = format!("{}, line 2: not a dead letter: expected value at line 1 column 1", path.display());
    assert_eq!(problem.to_string(), expected);
    assert_eq!(dead.purge(&Filter { store: Some("influxdb".to_owned()), ..Filter::default() }).unwrap(), 11);
    assert_eq!(dead.stats().damaged, 1, "a filter does not mean what cannot be read");
    assert_eq!(dead.remove(&[LetterId { file: 2, line: 2 }]).unwrap(), 1);
    assert_eq!(dead.stats(), Stats::default());
}

#[test]
fn an_unfinished_end_is_cut_from_the_last_file_only_and_not_reported_while_it_is_written() {
    for torn in [&b"{\"time\":\"20"[..], b"\0\0\0", b"\0\0\0\0\":\"r\"}\n", b"x\0\n\0\0\n{"] {
        let fs = FaultFs::new();
        add_all(&open(&fs, small()), 1..5);
        let path = files(&fs, Path::new(DIR)).pop().unwrap();
        let end = fs.read(&path).unwrap().len() as u64;
        fs.open(&path).unwrap().write_at(torn, end).unwrap();
        let read = read(&shared(&fs), Path::new(DIR), "influxdb", Filter::default()).unwrap();
        assert_eq!(read.filter_map(Result::ok).count(), 4);
        let dead = open(&fs, small());
        assert_eq!(fs.read(&path).unwrap().len() as u64, end);
        add_all(&dead, 5..6);
        assert_eq!(all(&dead), letters(1..6));
    }
    let fs = FaultFs::new();
    add_all(&open(&fs, small()), 1..13);
    let first = files(&fs, Path::new(DIR)).remove(0);
    let end = fs.read(&first).unwrap().len() as u64;
    fs.open(&first).unwrap().write_at(b"{", end).unwrap();
    let dead = open(&fs, small());
    assert_eq!((dead.stats().letters, dead.stats().damaged), (12, 1));
    assert_eq!(survey(&shared(&fs), Path::new(DIR), "influxdb").unwrap(), dead.stats());
    assert_eq!(dead.read(Filter::default()).unwrap().filter(Result::is_err).count(), 1);
}

#[test]
fn the_name_of_a_file_that_a_killed_process_made_is_durable_once_the_folder_is_open() {
    let fs = FaultFs::new();
    fs.create_dir_all(&Path::new(DIR).join("dead-letter/influxdb")).unwrap();
    fs.create(&Path::new(DIR).join("dead-letter/influxdb/00000001.jsonl")).unwrap();
    add_all(&open(&fs, small()), 1..3);
    assert_eq!(all(&open(&fs.crash(0), small())), letters(1..3));
}

#[test]
fn reading_where_there_never_was_a_letter_gives_none() {
    let fs = shared(&FaultFs::new());
    assert_eq!(read(&fs, Path::new(DIR), "influxdb", Filter::default()).unwrap().count(), 0);
    assert_eq!(survey(&fs, Path::new(DIR), "influxdb").unwrap(), Stats::default());
    assert!(matches!(read(&fs, Path::new(DIR), "../x", Filter::default()), Err(Error::Name(_))));
}

/// What a run was told.
#[derive(Default)]
struct Told {
    /// Letters that were added, and not to be removed.
    kept: Vec<u64>,
    /// Letters that are gone for good.
    removed: Vec<u64>,
}

/// Adds one by one and in batches, removes and purges, until the end or until the power is cut.
fn run(fs: &FaultFs) -> Told {
    let mut told = Told::default();
    let Ok(dead) = DeadLetters::open(shared(fs), Path::new(DIR), "influxdb", small()) else { return told };
    for numbers in [1..2, 2..3, 3..9, 9..10] {
        if dead.add(&letters(numbers.clone())).is_ok_and(|added| added.lost == 0) {
            told.kept.extend(numbers);
        }
    }
    let ids = |wanted: &[u64]| {
        let entries = dead.read(Filter::default()).into_iter().flatten().flatten();
        entries.filter(|e| letters(wanted.iter().copied()).contains(&e.letter)).map(|e| e.id).collect::<Vec<_>>()
    };
    let mut gone = |numbers: &[u64], done: bool| {
        told.kept.retain(|n| !numbers.contains(n));
        told.removed.extend(numbers.iter().filter(|_| done));
    };
    let wanted = ids(&[2, 9]);
    gone(&[2, 9], dead.remove(&wanted).is_ok_and(|removed| removed == 2));
    let old = Filter { before: Some(letter(6).time), ..Filter::default() };
    gone(&[1, 3, 4, 5], dead.purge(&old).is_ok_and(|removed| removed == 4));
    if dead.add(&letters(10..13)).is_ok_and(|added| added.lost == 0) {
        told.kept.extend(10..13);
    }
    told
}

#[test]
fn what_was_confirmed_survives_a_cut_at_every_operation() {
    let complete = FaultFs::new();
    let told = run(&complete);
    assert_eq!((told.kept.as_slice(), told.removed.len()), (&[6, 7, 8, 10, 11, 12][..], 6));
    for at in 0..complete.operations() {
        let fs = FaultFs::new();
        fs.stop_after_operations(at);
        let told = run(&fs);
        for seed in 0..12 {
            let crashed = fs.crash(seed);
            let again = crashed.crash(0);
            again.stop_after_operations(seed % 6);
            drop(DeadLetters::open(shared(&again), Path::new(DIR), "influxdb", small()));
            for fs in [crashed, again.crash(seed)] {
                check(&fs, &told, &format!("cut {at} seed {seed}"));
            }
        }
    }
}

fn check(fs: &FaultFs, told: &Told, case: &str) {
    let dead = open(fs, small());
    let found: Vec<Letter> = dead.read(Filter::default()).unwrap().flatten().map(|entry| entry.letter).collect();
    assert!(told.kept.iter().all(|n| found.contains(&letter(*n))), "{case}: {:?} kept, {found:?}", told.kept);
    assert!(!told.removed.iter().any(|n| found.contains(&letter(*n))), "{case}: {:?} removed, {found:?}", told.removed);
    let known = letters(1..13);
    assert!(found.iter().all(|letter| known.contains(letter)), "{case}: {found:?}");
    assert!(found.is_sorted_by(|a, b| a.time < b.time), "{case}: order of {found:?}");
    let stats = dead.stats();
    assert_eq!(stats.letters, found.len() as u64, "{case}");
    assert_eq!(dead.add(&letters(50..52)).unwrap(), Added { kept: 2, lost: 0 }, "{case}");
    assert_eq!(dead.stats(), survey(&shared(fs), Path::new(DIR), "influxdb").unwrap(), "{case}");
}

#[test]
fn a_reader_beside_a_real_service_sees_whole_letters_in_order() {
    let dir = tempfile::tempdir().unwrap();
    let fs: Arc<dyn Fs> = Arc::new(RealFs);
    let limits = Limits { max_bytes: ByteSize(80_000) };
    let dead = Arc::new(DeadLetters::open(Arc::clone(&fs), dir.path(), "influxdb", limits).unwrap());
    let service = {
        let dead = Arc::clone(&dead);
        std::thread::spawn(move || {
            for n in 1..120 {
                assert_eq!(dead.add(&[letter(n)]).unwrap(), Added { kept: 1, lost: 0 });
                if n % 7 == 0 {
                    let old = letter(n.saturating_sub(30)).time;
                    dead.purge(&Filter { before: Some(old), ..Filter::default() }).unwrap();
                }
            }
        })
    };
    while !service.is_finished() {
        let found: Vec<Entry> =
            read(&fs, dir.path(), "influxdb", Filter::default()).unwrap().collect::<Result<_, _>>().unwrap();
        assert!(found.is_sorted_by(|a, b| a.id < b.id && a.letter.time < b.letter.time));
        survey(&fs, dir.path(), "influxdb").unwrap();
    }
    service.join().unwrap();
    assert_eq!(all(&dead), letters(89..120));
    assert_eq!(survey(&fs, dir.path(), "influxdb").unwrap(), dead.stats());
    assert!(files(&*fs, dir.path()).len() < 8, "{:?}", files(&*fs, dir.path()));
}
