//! Power is cut at every operation and at every sync; whatever was acknowledged must be there afterwards.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]

mod common;

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use common::{DIR, drain, open, payload, records, small_from_files};
use journal::{Ahead, Consumer, Delivery, FsyncPolicy, Journal, JournalConfig};
use model::{Seq, TimestampNs};
use vfs::{FaultFs, Fs};

const APPENDS: u64 = 14;
const SEEDS: u64 = 6;

/// What a run was told.
#[derive(Debug, Default)]
struct Told {
    acknowledged: Vec<(u64, Vec<u8>)>,
    committed: Seq,
    maybe_committed: Seq,
    durable: Seq,
}

/// Appends, reads and commits until the end or until the power is cut.
fn run(fs: &FaultFs, config: &JournalConfig) -> Told {
    let mut told = Told::default();
    let Ok((journal, _)) = Journal::open(Arc::new(fs.clone()), Path::new(DIR), config.clone(), Seq(0)) else {
        return told;
    };
    let mut consumer = journal.consumer("store").ok();
    for n in 1..=APPENDS {
        if let Ok(seq) = journal.append_wait(payload(n), 1) {
            told.acknowledged.push((seq.0, payload(n)));
        }
        if let Some(consumer) = consumer.as_mut().filter(|_| n % 4 == 0) {
            read_and_commit(consumer, &mut told);
        }
    }
    told.durable = journal.durable_seq();
    journal.close();
    // As in a shutdown: what is read and committed after the close still frees its space.
    if let Some(consumer) = consumer.as_mut() {
        read_and_commit(consumer, &mut told);
    }
    told
}

fn read_and_commit(consumer: &mut Consumer, told: &mut Told) {
    while let Ok(Delivery::Record { seq, .. }) = consumer.next(Duration::ZERO) {
        told.maybe_committed = seq;
    }
    if consumer.commit(told.maybe_committed).is_ok() {
        told.committed = told.maybe_committed;
    }
}

/// Opens the journal after a crash and checks it against what was promised: everything up to `promised`.
fn check(fs: &FaultFs, config: &JournalConfig, told: &Told, promised: Seq, case: &str) {
    let journal = open(fs, config);
    let mut consumer = journal.consumer("store").unwrap();
    let start = consumer.committed_seq();
    assert!(told.committed <= start && start <= told.maybe_committed, "{case}: cursor at {start}, {told:?}");
    let found = records(&drain(&mut consumer));
    assert!(found.is_sorted_by(|a, b| a.0 < b.0), "{case}: order of {found:?}");
    for acknowledged in told.acknowledged.iter().filter(|(seq, _)| *seq > start.0 && *seq <= promised.0) {
        assert_eq!(found.iter().filter(|f| *f == acknowledged).count(), 1, "{case}: {acknowledged:?} in {found:?}");
    }
    // The n-th append has the payload n, and none was retried: nothing else can be there, and nothing twice.
    let invented = found.iter().find(|(seq, content)| *content != payload(*seq) || *seq > APPENDS);
    assert_eq!(invented, None, "{case}");
    let appended = journal.append_wait(payload(99), 1).unwrap();
    let highest = start.max(promised).0.max(found.last().map_or(0, |(seq, _)| *seq));
    assert!(appended.0 > highest, "{case}: position {appended} is used again");
    assert_eq!(records(&drain(&mut consumer)), [(appended.0, payload(99))], "{case}");
    consumer.commit(appended).unwrap();
}

/// Runs into every cut, crashes with several seeds, and checks; also with a second power cut during the recovery.
fn check_every_cut(config: &JournalConfig, cuts: u64, cut: impl Fn(&FaultFs, u64)) {
    for at in 0..=cuts {
        let fs = FaultFs::new();
        cut(&fs, at);
        let told = run(&fs, config);
        let acknowledged = Seq(told.acknowledged.last().map_or(0, |(seq, _)| *seq));
        let promised = if config.fsync == FsyncPolicy::Always { acknowledged } else { told.durable };
        for seed in 0..SEEDS {
            let crashed = fs.crash(seed);
            check(&crashed.crash(0), config, &told, promised, &format!("cut {at} seed {seed}"));
            for again in 0..5 {
                let recovering = crashed.crash(0);
                recovering.stop_after_operations(again);
                drop(Journal::open(Arc::new(recovering.clone()), Path::new(DIR), config.clone(), Seq(0)));
                let case = format!("cut {at} seed {seed}, then cut {again}");
                check(&recovering.crash(seed), config, &told, promised, &case);
            }
        }
    }
}

fn count(config: &JournalConfig) -> FaultFs {
    let fs = FaultFs::new();
    let told = run(&fs, config);
    assert_eq!(told.acknowledged.len() as u64, APPENDS);
    assert_eq!(told.committed, Seq(APPENDS), "the run commits and deletes segments");
    assert_eq!(common::segment_files(&fs).len(), 1);
    fs
}

#[test]
fn what_was_acknowledged_survives_a_cut_at_every_operation() {
    let config = small_from_files();
    check_every_cut(&config, count(&config).operations(), FaultFs::stop_after_operations);
}

#[test]
fn what_was_acknowledged_survives_a_cut_at_every_sync() {
    let config = common::small();
    check_every_cut(&config, count(&config).syncs(), FaultFs::stop_after_syncs);
}

#[test]
fn what_was_called_durable_survives_also_under_the_interval_policy() {
    let config = JournalConfig { fsync: FsyncPolicy::Interval(Duration::from_micros(50)), ..small_from_files() };
    check_every_cut(&config, count(&config).operations(), FaultFs::stop_after_operations);
}

#[test]
fn a_power_cut_after_a_failed_sync_loses_nothing_acknowledged() {
    let config = small_from_files();
    let operations = count(&config).operations();
    for at in 0..operations {
        let fs = FaultFs::new();
        let journal = open(&fs, &config);
        common::append(&journal, 1..1 + at % 7);
        fs.fail_next_sync();
        assert!(journal.append_wait(payload(50), 1).is_err());
        drop(journal);
        let crashed = open(&fs.crash(at), &config);
        let found = records(&drain(&mut crashed.consumer("store").unwrap()));
        let expected: Vec<_> = (1..1 + at % 7).map(|n| (n, payload(n))).collect();
        assert_eq!(found, expected, "after {at}");
    }
}

#[test]
fn what_a_killed_process_left_unsynced_is_durable_once_the_journal_is_open() {
    let complete = FaultFs::new();
    common::append(&open(&complete, &JournalConfig::default()), 1..4);
    let path = &common::segment_files(&complete)[0];
    let killed = FaultFs::new();
    killed.create_dir_all(Path::new(DIR)).unwrap();
    killed.create(path).unwrap().write_at(&complete.read(path).unwrap(), 0).unwrap();
    let journal = open(&killed, &small_from_files());
    assert_eq!(journal.durable_seq(), Seq(3));
    let after_power_cut = open(&killed.crash(0), &small_from_files());
    assert_eq!(records(&drain(&mut after_power_cut.consumer("store").unwrap())).len(), 3);
}

/// A range that tells with which position it was committed.
fn ahead_of(seq: Seq) -> Ahead {
    Ahead { after: Seq(7), to: Seq(8), since: TimestampNs(seq.0.cast_signed()) }
}

/// Commits the records 1 to 6 one by one, each with a range, until the end or until the power is cut; returns the last one
/// confirmed.
fn commit_six(fs: &FaultFs, cut_after: u64) -> Seq {
    let journal = open(fs, &common::small());
    common::append(&journal, 1..9);
    let mut consumer = journal.consumer("store").unwrap();
    fs.stop_after_operations(cut_after);
    let mut confirmed = Seq(0);
    for seq in (1..7).map(Seq) {
        let read = consumer.next(Duration::ZERO).is_ok();
        if read && consumer.commit_ahead(seq, Some(ahead_of(seq))).is_ok() {
            confirmed = seq;
        }
    }
    confirmed
}

#[test]
fn a_cut_leaves_a_position_with_the_range_that_was_committed_with_it() {
    for at in 0.. {
        let fs = FaultFs::new();
        let confirmed = commit_six(&fs, at);
        for seed in 0..SEEDS {
            let journal = open(&fs.crash(seed), &common::small());
            let consumer = journal.consumer("store").unwrap();
            let (seq, case) = (consumer.committed_seq(), format!("cut {at} seed {seed}"));
            assert!(confirmed <= seq && seq <= Seq(6), "{case}: {seq}, confirmed {confirmed}");
            assert_eq!(consumer.ahead(), (seq > Seq(0)).then(|| ahead_of(seq)), "{case}");
            assert_eq!(journal.append_wait(payload(9), 1).unwrap(), Seq(9), "{case}");
        }
        if confirmed == Seq(6) {
            assert!(at >= 12, "every commit writes and syncs");
            return;
        }
    }
}

#[test]
fn numbers_of_records_done_ahead_are_not_given_out_again_when_the_records_are_lost() {
    let fs = FaultFs::new();
    let config = JournalConfig { fsync: FsyncPolicy::Interval(Duration::from_secs(3600)), ..JournalConfig::default() };
    let journal = open(&fs, &config);
    common::append(&journal, 1..9);
    let mut consumer = journal.consumer("store").unwrap();
    consumer.next(Duration::ZERO).unwrap();
    consumer.commit_ahead(Seq(1), Some(ahead_of(Seq(1)))).unwrap();
    let crashed = fs.crash(0);
    let (journal, report) = common::open_with_report(&crashed, &config);
    assert_eq!(report.records, 0, "nothing was synced");
    assert_eq!(journal.append_wait(payload(9), 1).unwrap(), Seq(9));
}
