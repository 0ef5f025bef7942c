//! Values whose names were dropped, across flushes, merges, restarts and power cuts.

use std::path::Path;
use std::sync::Arc;

use catalog::Catalog;
use engine::{Engine, ScanCache};
use model::{SeriesId, TimeRange};
use vfs::FaultFs;

use crate::support::{
    Column, ENGINE, Journal, Record, add, block_files, check_all, define, open_catalog, poll, quiet, range, read,
};

/// A store over its catalog; the same disk has both.
fn open(fs: &FaultFs) -> (Engine, Arc<Catalog>) {
    let catalog = open_catalog(fs);
    let (engine, report) =
        Engine::open(Arc::new(fs.clone()), Path::new(ENGINE), Arc::clone(&catalog), quiet()).unwrap();
    assert_eq!(report.findings, Vec::<String>::new());
    (engine, catalog)
}

fn plant() -> (FaultFs, Engine, Arc<Catalog>, Vec<Column>) {
    let fs = FaultFs::new();
    let (engine, catalog) = open(&fs);
    let columns = define(&catalog);
    (fs, engine, catalog, columns)
}

fn series_of(catalog: &Catalog, column: Column) -> SeriesId {
    catalog.read().column_info(column.id).unwrap().series
}

fn is_gone(engine: &Engine, columns: &[Column]) -> bool {
    columns.iter().all(|c| read(engine, c.id, TimeRange::ALL).0.is_empty())
}

#[test]
fn values_of_a_dropped_series_vanish_from_memory_and_from_files() {
    let (fs, engine, catalog, columns) = plant();
    let (gone, kept) = columns.split_at(5);
    let mut journal = Journal::default();
    add(&engine, &mut journal, poll(&columns, 0..50));
    engine.flush().unwrap();
    engine.compact_all().unwrap();
    add(&engine, &mut journal, poll(&columns, 25..80));
    catalog.drop_series(&[series_of(&catalog, gone[0])]).unwrap();
    let model = journal.model();
    assert!(is_gone(&engine, gone));
    check_all(&engine, kept, &model, "in memory");
    engine.flush().unwrap();
    assert_eq!(engine.stats().file_values, 10 * 50 + 5 * 55);
    engine.compact_all().unwrap();
    check_all(&engine, kept, &model, "merged");
    assert_eq!((engine.stats().file_values, block_files(&fs).len()), (5 * 80, 1));
    drop((engine, catalog));
    let (engine, _catalog) = open(&fs);
    assert!(is_gone(&engine, gone));
    check_all(&engine, kept, &model, "restarted");
}

#[test]
fn one_merged_file_is_merged_again_once_for_what_was_dropped() {
    let (_fs, engine, catalog, columns) = plant();
    add(&engine, &mut Journal::default(), poll(&columns, 0..50));
    engine.flush().unwrap();
    engine.compact_all().unwrap();
    let merges = engine.stats().merges;
    catalog.drop_series(&[series_of(&catalog, columns[0])]).unwrap();
    for _ in 0..3 {
        engine.compact_all().unwrap();
    }
    assert_eq!(engine.stats().merges, merges + 1);
    assert_eq!(engine.stats().file_values, 250);
}

#[test]
fn records_of_dropped_columns_are_counted_apart_when_they_are_replayed() {
    let (fs, engine, catalog, columns) = plant();
    let mut journal = Journal::default();
    add(&engine, &mut journal, poll(&columns, 0..10));
    catalog.drop_series(&[series_of(&catalog, columns[0])]).unwrap();
    drop((engine, catalog));
    let (engine, _catalog) = open(&fs);
    journal.replay(&engine);
    let stats = engine.stats();
    assert_eq!((stats.dropped_values, stats.refused_values, stats.head_values), (50, 0, 50));
    check_all(&engine, &columns[5..], &journal.model(), "replayed");
}

#[test]
fn a_dropped_bucket_loses_its_files_and_its_values_in_memory_at_once() {
    let (fs, engine, catalog, columns) = plant();
    let (gone, kept) = columns.split_at(5);
    let mut journal = Journal::default();
    add(&engine, &mut journal, poll(&columns, 0..50));
    engine.flush().unwrap();
    add(&engine, &mut journal, poll(&columns, 900..1100));
    let before = engine.stats().head_bytes;
    let buckets = catalog.drop_database("plant").unwrap();
    assert_eq!(buckets, [gone[0].bucket]);
    let removed = engine.drop_bucket(buckets[0]).unwrap();
    assert_eq!((removed.files, removed.values), (1, 250));
    let stats = engine.stats();
    assert_eq!((stats.head_values, block_files(&fs).len()), (1000, 1));
    assert!(stats.head_bytes < before * 2 / 3, "{} of {before}", stats.head_bytes);
    add(&engine, &mut journal, poll(gone, 0..10));
    assert_eq!(engine.stats().dropped_values, 50);
    add(&engine, &mut journal, poll(kept, 1100..1200));
    engine.flush().unwrap();
    assert!(block_files(&fs).iter().all(|name| name.starts_with(&format!("{:04}_", kept[0].bucket.0))));
    check_all(&engine, kept, &journal.model(), "flushed");
}

#[test]
fn files_of_a_dropped_bucket_that_a_crash_left_behind_are_removed_by_the_next_merge() {
    let (fs, engine, catalog, columns) = plant();
    add(&engine, &mut Journal::default(), poll(&columns, 0..50));
    engine.flush().unwrap();
    catalog.drop_database("plant").unwrap();
    drop((engine, catalog));
    let (engine, _catalog) = open(&fs.crash(1));
    engine.compact_all().unwrap();
    assert_eq!((engine.stats().files, engine.stats().file_values), (1, 250));
}

#[test]
fn a_column_whose_name_was_lost_keeps_its_values() {
    let (fs, engine, _, columns) = plant();
    add(&engine, &mut Journal::default(), poll(&columns, 0..50));
    engine.flush().unwrap();
    drop(engine);
    let empty = FaultFs::new();
    let catalog = open_catalog(&empty);
    let (engine, _) = Engine::open(Arc::new(fs), Path::new(ENGINE), catalog, quiet()).unwrap();
    engine.compact_all().unwrap();
    assert_eq!(engine.stats().file_values, 500);
}

#[test]
fn a_column_has_values_where_some_are_left() {
    let (_fs, engine, _catalog, columns) = plant();
    let mut journal = Journal::default();
    let has = |column: Column, from, to| engine.has_values(column.id, range(from, to), &mut ScanCache::default());
    assert!(!has(columns[0], 0, 1000));
    add(&engine, &mut journal, poll(&columns, [100, 200, 300].into_iter()));
    for place in ["memory", "files"] {
        assert!(has(columns[0], 0, 1000) && has(columns[0], 150, 250) && has(columns[4], 300, 301), "{place}");
        assert!(!has(columns[0], 101, 200) && !has(columns[0], 301, 1000), "{place}");
        engine.flush().unwrap();
    }
    add(&engine, &mut journal, Record::Delete(vec![columns[0].id], range(0, 250)));
    assert!(has(columns[0], 0, 1000) && !has(columns[0], 0, 300) && has(columns[1], 0, 250));
    add(&engine, &mut journal, Record::Delete(vec![columns[0].id], range(300, 301)));
    assert!(!has(columns[0], 0, 1000));
    add(&engine, &mut journal, poll(&columns[..1], [150].into_iter()));
    assert!(has(columns[0], 0, 1000));
}

/// Writes, drops a bucket and a series, and goes on, until the power is off. Tells how far it came.
fn run_until_power_is_off(fs: &FaultFs, journal: &mut Journal, columns: &[Column], catalog: &Arc<Catalog>) -> usize {
    let engine = Engine::open(Arc::new(fs.clone()), Path::new(ENGINE), Arc::clone(catalog), quiet());
    let Ok((engine, _)) = engine else { return 0 };
    add(&engine, journal, poll(columns, (0..1500).step_by(50)));
    if engine.flush().is_err() {
        return 1;
    }
    add(&engine, journal, poll(columns, (1500..1600).step_by(10)));
    for bucket in catalog.drop_database("plant").unwrap() {
        if engine.drop_bucket(bucket).is_err() {
            return 2;
        }
    }
    add(&engine, journal, poll(columns, (1600..1700).step_by(10)));
    usize::from(engine.flush().and_then(|()| engine.compact_all()).is_ok()) + 2
}

#[test]
fn a_power_cut_at_any_operation_of_a_drop_brings_nothing_back_and_loses_nothing_else() {
    let whole = FaultFs::new();
    let run = |fs: &FaultFs| {
        // The names are on another disk, so that only the engine meets the power cut.
        let catalog = open_catalog(&FaultFs::new());
        let columns = define(&catalog);
        let mut journal = Journal::default();
        let reached = run_until_power_is_off(fs, &mut journal, &columns, &catalog);
        (catalog, columns, journal, reached)
    };
    assert_eq!(run(&whole).3, 3);
    for stop in 0..=whole.operations() {
        let fs = FaultFs::new();
        fs.stop_after_operations(stop);
        let (catalog, columns, journal, reached) = run(&fs);
        let disk = Arc::new(fs.crash(stop));
        let (engine, _) = Engine::open(disk, Path::new(ENGINE), catalog, quiet()).unwrap();
        journal.replay(&engine);
        engine.flush().unwrap();
        engine.compact_all().unwrap();
        let context = format!("stop {stop}");
        check_all(&engine, &columns[5..], &journal.model(), &context);
        if reached >= 2 {
            assert!(is_gone(&engine, &columns[..5]), "{context}");
            let values = journal.model().0.keys().filter(|(id, _)| columns[5..].iter().any(|c| c.id == *id)).count();
            assert_eq!(engine.stats().file_values, values as u64, "{context}");
        }
    }
}
