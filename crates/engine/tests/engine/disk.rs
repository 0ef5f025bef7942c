//! Disks that run full or fail: nothing is lost, nothing piles up, and work goes on afterwards.

use vfs::FaultFs;

use crate::support::{
    Column, Journal, Record, Value, block_files, check_all, define, open, open_catalog, quiet, range,
};

fn points(columns: &[Column], seed: i64) -> Record {
    let point = |c: &Column, i: i64| (*c, i * 90, Value::from_seed(c.kind, seed * 31 + i * i));
    Record::Points(columns.iter().flat_map(|c| (0..50).map(move |i| point(c, i))).collect())
}

#[test]
fn a_full_disk_keeps_values_in_memory_and_leaves_no_files_behind() {
    let fs = FaultFs::new();
    let columns = define(&open_catalog(&fs));
    let engine = open(&fs, quiet());
    let mut journal = Journal::default();
    for round in 0..6 {
        let record = points(&columns, round);
        let batch = record.encode();
        engine.apply(journal.append(record), &batch).unwrap();
        let before = block_files(&fs);
        fs.limit_space(4000 + round as u64 * 2500);
        assert!(engine.flush().is_err(), "round {round}");
        assert_eq!(block_files(&fs), before, "round {round}");
        check_all(&engine, &columns, &journal.model(), "disk full");
        fs.limit_space(u64::MAX);
        while engine.flush().is_err() {}
        check_all(&engine, &columns, &journal.model(), "space again");
    }
    fs.limit_space(0);
    assert!(engine.compact_all().is_err());
    assert_eq!(block_files(&fs).len(), engine.stats().files);
    fs.limit_space(u64::MAX);
    engine.compact_all().unwrap();
    assert_eq!(block_files(&fs).len(), engine.stats().files);
    check_all(&engine, &columns, &journal.model(), "merged");
}

#[test]
fn a_failed_sync_is_never_taken_for_a_good_one() {
    let fs = FaultFs::new();
    let columns = define(&open_catalog(&fs));
    let engine = open(&fs, quiet());
    let mut journal = Journal::default();
    for round in 0..4 {
        let record = points(&columns, round);
        let batch = record.encode();
        engine.apply(journal.append(record), &batch).unwrap();
        fs.fail_next_sync();
        assert!(engine.flush().is_err());
        while engine.flush().is_err() {}
        fs.fail_next_sync();
        assert!(engine.compact_all().is_err());
        engine.compact_all().unwrap();
        let restarted = open(&fs.crash(0), quiet());
        assert_eq!(restarted.flushed_seq().0, journal.0.len() as u64);
        check_all(&restarted, &columns, &journal.model(), "after a power cut");
    }
    assert_eq!(block_files(&fs).len(), engine.stats().files);
}

#[test]
fn deletions_are_forgotten_once_they_are_merged_in() {
    let fs = FaultFs::new();
    let columns = define(&open_catalog(&fs));
    let engine = open(&fs, quiet());
    let mut journal = Journal::default();
    for record in [points(&columns, 1), Record::Delete(vec![columns[0].id, columns[7].id], range(-5, 1400))] {
        let batch = record.encode();
        engine.apply(journal.append(record), &batch).unwrap();
        engine.flush().unwrap();
    }
    assert_eq!(engine.stats().tombstones, 2);
    engine.compact_all().unwrap();
    assert_eq!(engine.stats().tombstones, 0);
    let merges = engine.stats().merges;
    engine.compact_all().unwrap();
    assert_eq!(engine.stats().merges, merges, "what is merged stays as it is");
    check_all(&engine, &columns, &journal.model(), "merged");
    engine.close().unwrap();
    check_all(&open(&fs, quiet()), &columns, &journal.model(), "reopened");
}

#[test]
fn records_without_a_value_that_is_taken_are_flushed_too() {
    let fs = FaultFs::new();
    let columns = define(&open_catalog(&fs));
    let mut config = quiet();
    config.head_max_age = std::time::Duration::from_millis(300);
    let engine = open(&fs, config);
    let wrong = Record::Points(vec![(columns[0], 1, Value::Integer(1))]);
    let started = std::time::Instant::now();
    let mut seq = 0;
    while engine.flushed_seq().0 == 0 {
        assert!(started.elapsed().as_secs() < 20, "records of refused values keep the journal from being trimmed");
        seq += 1;
        assert_eq!(engine.apply(model::Seq(seq), &wrong.encode()).unwrap().wrong_types, 1);
        std::thread::sleep(std::time::Duration::from_millis(20));
    }
}
