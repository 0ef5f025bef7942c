//! Deletions: many of single points, those that are about nothing, and which files are merged for them.

use engine::Engine;
use model::TimeRange;
use vfs::FaultFs;

use crate::support::{Column, Journal, Record, add, check_all, define, open, open_catalog, poll, quiet, range};

fn plant() -> (FaultFs, Engine, Vec<Column>) {
    let fs = FaultFs::new();
    let columns = define(&open_catalog(&fs));
    (fs.clone(), open(&fs, quiet()), columns)
}

fn settle(engine: &Engine) {
    engine.flush().unwrap();
    engine.compact_all().unwrap();
}

#[test]
fn many_deletions_of_single_points_hold_in_memory_in_files_after_a_power_cut_and_merged() {
    let (fs, engine, columns) = plant();
    let mut journal = Journal::default();
    add(&engine, &mut journal, poll(&columns, (0..900).step_by(3)));
    settle(&engine);
    add(&engine, &mut journal, poll(&columns[2..], 850..950));
    for n in 0..1200 {
        let column = columns[n % 10].id;
        let time = (n as i64 * 7) % 1000;
        add(&engine, &mut journal, Record::Delete(vec![column], range(time, time + 1)));
        if n % 400 == 399 {
            add(&engine, &mut journal, poll(&columns[..3], 300..320));
            check_all(&engine, &columns, &journal.model(), "in memory");
            engine.flush().unwrap();
            check_all(&engine, &columns, &journal.model(), "in files");
        }
    }
    add(&engine, &mut journal, Record::Delete(vec![columns[4].id], TimeRange::ALL));
    drop(engine);
    let fs = fs.crash(7);
    let engine = open(&fs, quiet());
    journal.replay(&engine);
    check_all(&engine, &columns, &journal.model(), "replayed");
    settle(&engine);
    check_all(&engine, &columns, &journal.model(), "merged");
    assert_eq!(engine.stats().tombstones, 0);
    assert_eq!(engine.stats().file_values, journal.model().0.len() as u64);
}

#[test]
fn a_deletion_repeated_is_kept_once() {
    let (_fs, engine, columns) = plant();
    let mut journal = Journal::default();
    add(&engine, &mut journal, poll(&columns, 0..50));
    engine.flush().unwrap();
    for n in 0..30 {
        add(&engine, &mut journal, Record::Delete(vec![columns[0].id], range(10, 20)));
        if n % 10 == 0 {
            engine.flush().unwrap();
        }
    }
    engine.flush().unwrap();
    assert_eq!(engine.stats().tombstones, 1);
    check_all(&engine, &columns, &journal.model(), "flushed");
}

#[test]
fn only_files_that_hold_what_is_deleted_are_merged_for_it() {
    let (_fs, engine, columns) = plant();
    let mut journal = Journal::default();
    add(&engine, &mut journal, poll(&columns, 0..50));
    settle(&engine);
    let merges = engine.stats().merges;
    assert_eq!(merges, 2, "one for each bucket");
    add(&engine, &mut journal, Record::Delete(vec![columns[0].id], range(10, 20)));
    settle(&engine);
    assert_eq!((engine.stats().merges, engine.stats().tombstones), (merges + 1, 0));
    check_all(&engine, &columns, &journal.model(), "merged");
}

#[test]
fn a_deletion_of_what_is_not_there_is_forgotten_without_a_merge() {
    let (_fs, engine, columns) = plant();
    let mut journal = Journal::default();
    add(&engine, &mut journal, poll(&columns[..1], 0..50));
    add(&engine, &mut journal, poll(&columns[1..2], 500..550));
    settle(&engine);
    let merges = engine.stats().merges;
    add(&engine, &mut journal, Record::Delete(vec![columns[0].id, columns[9].id], range(300, 600)));
    settle(&engine);
    add(&engine, &mut journal, poll(&columns[..1], 2000..2001));
    engine.flush().unwrap();
    assert_eq!((engine.stats().merges, engine.stats().tombstones), (merges, 0));
    check_all(&engine, &columns, &journal.model(), "flushed");
}

#[test]
fn deletions_of_values_that_were_in_memory_only_are_forgotten_when_they_are_flushed() {
    let (_fs, engine, columns) = plant();
    let mut journal = Journal::default();
    add(&engine, &mut journal, poll(&columns, 0..50));
    for time in 0..40 {
        add(&engine, &mut journal, Record::Delete(vec![columns[0].id], range(time, time + 1)));
    }
    assert_eq!(engine.stats().tombstones, 1);
    engine.flush().unwrap();
    assert_eq!(engine.stats().tombstones, 0);
    check_all(&engine, &columns, &journal.model(), "flushed");
}
