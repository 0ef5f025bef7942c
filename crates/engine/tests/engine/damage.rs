//! Flipped bytes: everything that is whole stays readable, everything else is named.

use std::path::Path;

use engine::EngineError;
use model::TimeRange;
use vfs::{FaultFs, Fs};

use crate::support::{
    BLOCKS, Column, ENGINE, Journal, Model, Record, Value, WIDTH, block_files, check_all, define, open, open_catalog,
    quiet, range, read, try_open,
};

/// Two partitions in a bucket, one in the other, one deletion not merged in, everything flushed.
fn store() -> (FaultFs, Vec<Column>, Model) {
    let fs = FaultFs::new();
    let columns = define(&open_catalog(&fs));
    let engine = open(&fs, quiet());
    let mut journal = Journal::default();
    let point = |c: &Column, i: i64| (*c, i * 37, Value::from_seed(c.kind, i * i % 91));
    let points = columns[..5].iter().flat_map(|c| (0..40).map(move |i| point(c, i)));
    let other = columns[5..].iter().flat_map(|c| (0..20).map(move |i| point(c, i)));
    let records = [Record::Points(points.chain(other).collect()), Record::Delete(vec![columns[1].id], range(0, 100))];
    for record in records {
        let batch = record.encode();
        engine.apply(journal.append(record), &batch).unwrap();
        engine.flush().unwrap();
    }
    engine.close().unwrap();
    (fs, columns, journal.model())
}

fn flip(fs: &FaultFs, path: &str, at: u64, mask: u8) {
    let file = fs.open(Path::new(path)).unwrap();
    let mut byte = [0];
    file.read_at(&mut byte, at).unwrap();
    file.write_at(&[byte[0] ^ mask], at).unwrap();
    file.sync().unwrap();
}

fn len(fs: &FaultFs, path: &str) -> u64 {
    fs.open(Path::new(path)).unwrap().len().unwrap()
}

#[test]
fn a_flipped_byte_of_a_manifest_is_reported_and_mended_from_the_other_copy() {
    let (intact, columns, model) = store();
    for path in ["engine/manifest.1", "engine/manifest.2"] {
        for at in 0..len(&intact, path) {
            let fs = intact.crash(1);
            flip(&fs, path, at, 0x20);
            assert!(engine::verify(&fs, Path::new(ENGINE)).unwrap().iter().any(|f| f.contains(path)), "{path} {at}");
            let (engine, report) = try_open(&fs, quiet()).unwrap();
            assert!(report.findings.iter().any(|f| f.contains(path)), "{path} {at}");
            check_all(&engine, &columns, &model, path);
            drop(engine);
            assert_eq!(engine::verify(&fs, Path::new(ENGINE)).unwrap(), Vec::<String>::new(), "not mended");
        }
    }
}

#[test]
fn two_damaged_manifests_are_refused_by_name_and_nothing_is_removed() {
    let (fs, ..) = store();
    let before = block_files(&fs);
    ["engine/manifest.1", "engine/manifest.2"].iter().for_each(|path| flip(&fs, path, 20, 1));
    let refused = try_open(&fs, quiet()).err().unwrap();
    assert!(matches!(&refused, EngineError::Stored(what) if what.contains("engine/manifest.1")), "{refused}");
    assert_eq!(block_files(&fs), before);
}

#[test]
fn missing_manifests_beside_block_files_are_refused() {
    let (fs, ..) = store();
    ["engine/manifest.1", "engine/manifest.2"].iter().for_each(|path| fs.remove(Path::new(path)).unwrap());
    assert!(matches!(try_open(&fs, quiet()), Err(EngineError::Stored(_))));
    assert_eq!(block_files(&fs).len(), 3);
}

#[test]
fn a_missing_block_file_is_reported_at_every_start_and_the_rest_is_read() {
    let (fs, columns, mut model) = store();
    let gone = block_files(&fs).into_iter().find(|name| name.starts_with("0000_0_")).unwrap();
    fs.remove(&Path::new(BLOCKS).join(&gone)).unwrap();
    let first: Vec<_> = model.0.keys().filter(|(c, t)| *c <= columns[4].id && *t < WIDTH).copied().collect();
    // Partitions of a nanosecond length all start at second 0: take the file's values to be those that are missing.
    for _ in 0..2 {
        let (engine, report) = try_open(&fs, quiet()).unwrap();
        assert_eq!(report.findings.len(), 1);
        assert!(report.findings[0].contains(&gone));
        let missing: Vec<_> =
            model.0.keys().filter(|(c, t)| !read(&engine, *c, TimeRange::ALL).0.iter().any(|p| p.0 == *t)).collect();
        assert!(!missing.is_empty() && missing.len() <= first.len());
        engine.close().unwrap();
    }
    model.0.clear();
}

#[test]
fn a_flipped_byte_of_a_block_file_damages_what_it_is_in_and_nothing_else() {
    let (intact, columns, model) = store();
    for name in block_files(&intact) {
        let path = format!("{BLOCKS}/{name}");
        let mut damaged_in_part = 0;
        for at in 0..len(&intact, &path) {
            let fs = intact.crash(1);
            flip(&fs, &path, at, 1 << (at % 8));
            let context = format!("{path} {at}");
            assert!(engine::verify(&fs, Path::new(ENGINE)).unwrap().iter().any(|f| f.contains(&path)), "{context}");
            let (engine, report) = try_open(&fs, quiet()).unwrap();
            assert!(report.findings.iter().all(|f| f.contains(&path)), "{context}");
            let left_out = !report.findings.is_empty();
            let hurt = columns.iter().filter(|c| is_hurt(&engine, **c, &model, &path, left_out, &context)).count();
            damaged_in_part += usize::from(hurt == 1);
        }
        assert!(damaged_in_part > 20, "{path}: damage to one column's values should leave the others");
    }
}

/// Compares a column with the model; true when points are missing, which then must have been said.
fn is_hurt(engine: &engine::Engine, column: Column, model: &Model, path: &str, left_out: bool, context: &str) -> bool {
    let expected = model.column(column.id, TimeRange::ALL);
    let (points, damaged) = read(engine, column.id, TimeRange::ALL);
    assert!(points.iter().all(|p| expected.contains(p)), "{context}: something else than was written");
    assert!(damaged.iter().all(|d| d.contains(path)), "{context}");
    let missing = points.len() < expected.len();
    assert_eq!(missing && !left_out, !damaged.is_empty(), "{context}: {column:?}: {damaged:?}");
    missing
}

#[test]
fn a_damaged_file_is_not_merged_and_the_rest_of_the_store_is() {
    let (fs, columns, model) = store();
    let name = block_files(&fs).remove(0);
    flip(&fs, &format!("{BLOCKS}/{name}"), 30, 1);
    let (engine, _) = try_open(&fs, quiet()).unwrap();
    engine.compact_all().unwrap();
    let merges = engine.stats().merges;
    assert_eq!(merges, 2);
    engine.compact_all().unwrap();
    assert_eq!(engine.stats().merges, merges, "what is merged stays as it is");
    let lost: usize = columns
        .iter()
        .map(|c| model.column(c.id, TimeRange::ALL).len() - read(&engine, c.id, TimeRange::ALL).0.len())
        .sum();
    assert!((1..=200).contains(&lost), "{lost}");
    assert!(block_files(&fs).contains(&name));
}
