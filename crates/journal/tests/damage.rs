//! Damaged files: opening succeeds, what is intact is delivered, the rest is reported.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]

mod common;

use std::path::{Path, PathBuf};

use common::{DIR, append, drain, open, open_with_report, payload, records, segment_files, seqs, small_from_files};
use journal::{Delivery, Finding, GapReason, TornTail, verify};
use model::{ByteSize, Seq};
use vfs::{FaultFs, Fs};

/// A record of `payload` takes this many bytes, and a segment header that many.
const RECORD: u64 = 120;
const HEADER: u64 = 24;

/// Ten records, three in a segment.
fn written() -> FaultFs {
    let fs = FaultFs::new();
    let journal = open(&fs, &small_from_files());
    append(&journal, 1..11);
    journal.close();
    assert_eq!(segment_files(&fs).len(), 4);
    fs
}

fn overwrite(fs: &FaultFs, path: &Path, offset: u64, bytes: &[u8]) {
    let file = fs.open(path).unwrap();
    file.write_at(bytes, offset).unwrap();
    file.sync().unwrap();
}

fn flip(fs: &FaultFs, path: &Path, offset: u64) {
    let mut byte = [0];
    fs.open(path).unwrap().read_at(&mut byte, offset).unwrap();
    overwrite(fs, path, offset, &[byte[0] ^ 0x40]);
}

fn findings(fs: &FaultFs) -> Vec<Finding> {
    verify(fs, Path::new(DIR)).unwrap()
}

/// What a new consumer gets.
fn read_all(fs: &FaultFs) -> Vec<Delivery> {
    drain(&mut open(fs, &small_from_files()).consumer("new").unwrap())
}

#[test]
fn an_intact_journal_has_no_findings_and_verifying_changes_nothing() {
    let fs = written();
    let before = fs.operations();
    assert_eq!(findings(&fs), []);
    assert_eq!(fs.operations(), before);
}

#[test]
fn any_flipped_byte_costs_at_most_one_record_and_is_found() {
    let pristine = written();
    for path in segment_files(&pristine) {
        for offset in 0..pristine.read(&path).unwrap().len() as u64 {
            let fs = pristine.crash(0);
            flip(&fs, &path, offset);
            let case = format!("{} at {offset}", path.display());
            assert!(!findings(&fs).is_empty(), "{case}");
            let found = records(&read_all(&fs));
            let first: u64 = path.file_stem().unwrap().to_str().unwrap().parse().unwrap();
            let lost = offset.checked_sub(HEADER).map(|within| first + within / RECORD);
            let expected: Vec<_> = (1..11).filter(|n| Some(*n) != lost).map(|n| (n, payload(n))).collect();
            assert_eq!(found, expected, "{case}");
        }
    }
}

#[test]
fn damage_in_the_middle_is_reported_and_delivered_as_a_gap() {
    let fs = written();
    let path = &segment_files(&fs)[1];
    flip(&fs, path, HEADER + RECORD + 50);
    let (journal, report) = open_with_report(&fs, &small_from_files());
    assert_eq!((report.records, report.torn), (9, None));
    assert_eq!((report.damage.len(), &report.damage[0].path, report.damage[0].offset), (1, path, HEADER + RECORD));
    assert!(report.damage[0].what.contains("record 5"), "{}", report.damage[0]);
    let deliveries = drain(&mut journal.consumer("new").unwrap());
    let gap = Delivery::Gap { from: Seq(5), to: Seq(5), points: None, reason: GapReason::Corrupt };
    assert_eq!(deliveries[4], gap);
    assert_eq!(seqs(&deliveries), [1, 2, 3, 4, 6, 7, 8, 9, 10]);
    assert_eq!(journal.stats().corrupt_records, 1);
}

#[test]
fn damage_that_appears_while_running_is_passed_over() {
    let fs = written();
    let journal = open(&fs, &small_from_files());
    let mut consumer = journal.consumer("new").unwrap();
    for index in [0, 2] {
        flip(&fs, &segment_files(&fs)[index], HEADER + 2 * RECORD + 2);
    }
    assert_eq!(seqs(&drain(&mut consumer)), [1, 2, 4, 5, 6, 7, 8, 10]);
    append(&journal, 11..12);
    assert_eq!(seqs(&drain(&mut consumer)), [11]);
}

#[test]
fn recovery_truncates_torn_tail_and_keeps_valid_prefix() {
    let tails: [&[u8]; 4] = [b"x", &[0; 5000], &[0xff; 300], b"\x64\0\0\0 a record that was not written to its end"];
    for tail in tails {
        let fs = written();
        let path = segment_files(&fs).pop().unwrap();
        let end = fs.read(&path).unwrap().len() as u64;
        overwrite(&fs, &path, end, tail);
        assert_eq!(findings(&fs).len(), 1);
        let (journal, report) = open_with_report(&fs, &small_from_files());
        let torn = TornTail { path: path.clone(), offset: end, bytes: ByteSize(tail.len() as u64) };
        assert_eq!((report.torn, report.damage.len(), report.records), (Some(torn), 0, 10));
        assert_eq!(journal.append_wait(payload(11), 1).unwrap(), Seq(11));
        drop(journal);
        assert_eq!(findings(&fs), []);
        assert_eq!(seqs(&read_all(&fs)), (1..12).collect::<Vec<_>>());
    }
}

#[test]
fn a_last_record_cut_at_any_byte_is_torn_and_its_number_is_used_again() {
    let pristine = written();
    let path = segment_files(&pristine).pop().unwrap();
    let end = pristine.read(&path).unwrap().len() as u64;
    for cut in 1..RECORD {
        let fs = pristine.crash(0);
        fs.open(&path).unwrap().set_len(end - cut).unwrap();
        let (journal, report) = open_with_report(&fs, &small_from_files());
        assert_eq!(report.torn.unwrap().bytes, ByteSize(RECORD - cut));
        assert_eq!(journal.append_wait(payload(10), 1).unwrap(), Seq(10));
        drop(journal);
        assert_eq!(seqs(&read_all(&fs)), (1..11).collect::<Vec<_>>());
    }
}

#[test]
fn an_unfinished_new_segment_is_removed() {
    for content in [&b""[..], b"hisj", &[0; 24]] {
        let fs = written();
        let path = Path::new(DIR).join("00000000000000000011.seg");
        fs.create(&path).unwrap();
        overwrite(&fs, &path, 0, content);
        let (journal, report) = open_with_report(&fs, &small_from_files());
        assert_eq!(report.torn, Some(TornTail { path, offset: 0, bytes: ByteSize(content.len() as u64) }));
        assert_eq!(journal.append_wait(payload(11), 1).unwrap(), Seq(11));
        drop(journal);
        assert_eq!(seqs(&read_all(&fs)), (1..12).collect::<Vec<_>>());
    }
}

#[test]
fn a_missing_segment_is_found_and_delivered_as_a_gap() {
    let fs = written();
    fs.remove(&segment_files(&fs)[1]).unwrap();
    let found = findings(&fs);
    assert_eq!(found.len(), 1);
    assert!(found[0].what.contains("records 4 to 6 are missing"), "{}", found[0]);
    let deliveries = read_all(&fs);
    assert_eq!(deliveries[3], Delivery::Gap { from: Seq(4), to: Seq(6), points: None, reason: GapReason::Corrupt });
    assert_eq!(seqs(&deliveries), [1, 2, 3, 7, 8, 9, 10]);
}

#[test]
fn a_segment_of_a_later_version_is_refused_untouched() {
    let fs = written();
    let path = segment_files(&fs).pop().unwrap();
    let mut header = fs.read(&path).unwrap()[..20].to_vec();
    header[8] = 2;
    let crc = crc32c::crc32c(&header).to_le_bytes();
    overwrite(&fs, &path, 0, &[header.as_slice(), &crc].concat());
    let before = fs.read(&path).unwrap();
    let opened = journal::Journal::open(std::sync::Arc::new(fs.clone()), Path::new(DIR), small_from_files(), Seq(0));
    assert!(matches!(opened.err().unwrap(), journal::OpenError::Version { version: 2, .. }));
    assert_eq!(fs.read(&path).unwrap(), before);
    assert!(findings(&fs)[0].what.contains("version 2"));
}

#[test]
fn a_cursor_file_of_version_1_is_read_and_becomes_one_of_version_2() {
    let fs = written();
    let slot = |generation: u64, seq: u64| {
        let slot = [&b"hcur"[..], &generation.to_le_bytes(), &seq.to_le_bytes()].concat();
        [slot.as_slice(), &crc32c::crc32c(&slot).to_le_bytes()].concat()
    };
    let path = Path::new(DIR).join("store.cursor");
    fs.create(&path).unwrap();
    overwrite(&fs, &path, 0, &slot(8, 2));
    overwrite(&fs, &path, 4096, &slot(7, 1));
    assert_eq!(findings(&fs), []);
    let journal = open(&fs, &small_from_files());
    assert!(journal.knows_consumer("store"));
    let consumer = journal.consumer("store").unwrap();
    assert_eq!((consumer.committed_seq(), consumer.ahead()), (Seq(2), None));
    assert_eq!(&fs.read(&path).unwrap()[..4], b"hcu2");
    assert_eq!(findings(&fs), []);
}

#[test]
fn a_cursor_with_one_broken_slot_counts_and_one_with_two_starts_over() {
    let fs = written();
    let journal = open(&fs, &small_from_files());
    let mut consumer = journal.consumer("store").unwrap();
    drain(&mut consumer);
    // Both of the first segment, so that none is deleted.
    consumer.commit(Seq(1)).unwrap();
    consumer.commit(Seq(2)).unwrap();
    drop((consumer, journal));
    let path: PathBuf = Path::new(DIR).join("store.cursor");
    let position = |fs: &FaultFs| open(fs, &small_from_files()).consumer("store").unwrap().committed_seq();
    for (broken, expected) in [(0, 2), (4096, 1)] {
        let fs = fs.crash(0);
        flip(&fs, &path, broken + 12);
        assert_eq!(findings(&fs).len(), 1);
        assert_eq!(position(&fs), Seq(expected), "slot at {broken}");
    }
    flip(&fs, &path, 5);
    flip(&fs, &path, 4096 + 5);
    assert_eq!(findings(&fs).len(), 2);
    let (journal, report) = open_with_report(&fs, &small_from_files());
    assert_eq!(report.broken_cursors, ["store"]);
    assert_eq!(seqs(&drain(&mut journal.consumer("store").unwrap())), (1..11).collect::<Vec<_>>());
}
