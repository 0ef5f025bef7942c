//! A backfill over thousands of partitions stays inside its memory and does not drown in files.

use engine::EngineConfig;
use model::{ByteSize, Seq, TimeRange};
use vfs::FaultFs;

use crate::support::{Record, Value, WIDTH, define, open, open_catalog, quiet, read};

const PARTITIONS: i64 = 1000;
const HEAD_MAX: u64 = 256 << 10;

/// One value a partition and column, column by column: what importing a sparse archive looks like.
#[test]
fn a_sparse_backfill_keeps_to_its_memory_and_ends_in_one_file_a_partition() {
    let fs = FaultFs::new();
    let columns = define(&open_catalog(&fs));
    let engine = open(&fs, EngineConfig { head_max: ByteSize(HEAD_MAX), merge_at: 4, ..quiet() });
    let (mut seq, mut most_bytes, mut most_files) = (0, 0, 0);
    for column in &columns[..5] {
        for partitions in (0..PARTITIONS).collect::<Vec<_>>().chunks(100) {
            let point = |p: &i64| (*column, p * WIDTH + 5, Value::from_seed(column.kind, *p));
            seq += 1;
            engine.apply(Seq(seq), &Record::Points(partitions.iter().map(point).collect()).encode()).unwrap();
            let stats = engine.stats();
            most_bytes = most_bytes.max(stats.head_bytes);
            most_files = most_files.max(stats.files);
        }
    }
    engine.flush().unwrap();
    // Two heads, and what one batch may add to a full one: a hundred partitions of a column each.
    assert!(most_bytes < 2 * HEAD_MAX + 100 * 1000, "{most_bytes} bytes");
    assert!(most_files <= 6 * PARTITIONS as usize, "{most_files} files");
    engine.compact_all().unwrap();
    assert_eq!(engine.stats().files, PARTITIONS as usize);
    for column in &columns[..5] {
        assert_eq!(read(&engine, column.id, TimeRange::ALL).0.len(), PARTITIONS as usize);
    }
    engine.close().unwrap();
}
