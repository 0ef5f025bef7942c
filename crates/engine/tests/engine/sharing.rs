//! Columns that were polled together keep their times once.

use catalog::Catalog;
use engine::Engine;
use model::wire::BatchEncoder;
use model::{ColumnId, FieldType, FieldValue, Seq, TimestampNs, WindowNs};
use vfs::FaultFs;

use crate::support::{open, open_catalog, quiet};

fn define_many(catalog: &Catalog, count: usize) -> Vec<ColumnId> {
    let bucket = catalog.ensure_bucket("plant", "autogen").unwrap();
    let fields: Vec<String> = (0..count).map(|i| format!("f{i}")).collect();
    let wanted: Vec<_> =
        fields.iter().map(|field| catalog::Wanted { key: b"bms", field, kind: FieldType::Float }).collect();
    catalog.define(bucket, &wanted).unwrap();
    (0..count as u32).map(ColumnId).collect()
}

/// Bytes of the merged file when column `c` has the times `time(c, 0..points)` and values of no size.
fn stored_bytes(columns: usize, points: i64, time: impl Fn(usize, i64) -> i64) -> u64 {
    let fs = FaultFs::new();
    let ids = define_many(&open_catalog(&fs), columns);
    let mut config = quiet();
    config.partition = WindowNs::new(86_400_000_000_000).unwrap();
    config.head_max = model::ByteSize(1 << 30);
    let engine: Engine = open(&fs, config);
    let mut encoder = BatchEncoder::default();
    for i in 0..points {
        ids.iter().enumerate().for_each(|(c, id)| encoder.push(*id, TimestampNs(time(c, i)), FieldValue::Float(1.0)));
    }
    engine.apply(Seq(1), &encoder.finish()).unwrap();
    engine.flush().unwrap();
    engine.compact_all().unwrap();
    assert_eq!(engine.stats().file_values, columns as u64 * points as u64);
    engine.stats().file_bytes
}

fn jittered(seed: i64, i: i64) -> i64 {
    i * 1_000_000_000 + (i * 7919 + seed * 104_729) % 977 * 1_000_000
}

#[test]
fn equal_times_of_many_columns_are_stored_once() {
    let shared = stored_bytes(50, 1000, |_, i| jittered(0, i));
    let own = stored_bytes(50, 1000, |c, i| jittered(c as i64, i));
    assert!(shared * 10 < own, "{shared} bytes with shared times, {own} with their own");
}

#[test]
fn times_are_shared_also_when_columns_have_many_chunks() {
    let one = stored_bytes(1, 80_000, |_, i| jittered(0, i));
    let five = stored_bytes(5, 80_000, |_, i| jittered(0, i));
    assert!(five < one + one / 10, "{one} bytes for one column, {five} for five with the same times");
}
