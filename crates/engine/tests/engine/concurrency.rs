//! One writer, several readers, flushes and merges all the time.

use std::ops::ControlFlow;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::sync::mpsc::sync_channel;
use std::time::Duration;

use engine::{Engine, Piece, ScanCache};
use model::{ByteSize, ColumnId, FieldType, Seq, TimeRange, TimestampNs, WindowNs};
use vfs::FaultFs;

use crate::support::{Record, Value, define, open, open_catalog, quiet};

const BATCHES: i64 = 3000;
const LIMIT: Duration = Duration::from_secs(120);

/// Times of a column, each of which must be there once.
fn times(engine: &Engine, column: ColumnId, cache: &mut ScanCache) -> Vec<i64> {
    let mut all: Vec<i64> = Vec::new();
    let report = engine.scan(column, TimeRange::ALL, cache, &|_, _| false, &mut |piece| {
        if let Piece::Points { times, .. } = piece {
            all.extend(times.iter().map(|t| t.0));
        }
        ControlFlow::Continue(())
    });
    assert_eq!(report.damaged, Vec::<String>::new());
    all
}

/// Reads until told to stop. Batch `n` is the time `n` in every column, so a reader must see 0, 1, 2 and so on without gaps.
fn watch(engine: &Engine, columns: &[ColumnId], done: &AtomicBool) -> usize {
    let (mut seen, mut rounds) = (0, 0);
    while !done.load(Relaxed) {
        for column in columns {
            let found = times(engine, *column, &mut ScanCache::default());
            assert!(found.iter().copied().eq(0..found.len() as i64), "a gap or a repetition");
            assert!(found.len() >= seen, "points went away: {} after {seen}", found.len());
            seen = found.len();
            let mut last = None;
            engine.latest(*column, TimeRange::ALL, &mut ScanCache::default(), &mut |time, _| last = Some(time.0));
            assert!(last >= found.last().copied(), "the latest point went back");
            rounds += 1;
        }
    }
    rounds
}

fn race() {
    let fs = FaultFs::new();
    let columns = define(&open_catalog(&fs));
    let mut config = quiet();
    config.head_max = ByteSize(64 << 10);
    config.partition = WindowNs::new(400).unwrap();
    (config.merge_at, config.cold_after) = (3, Duration::ZERO);
    let engine = open(&fs, config);
    let ids: Vec<ColumnId> = columns.iter().filter(|c| c.kind != FieldType::String).map(|c| c.id).collect();
    let done = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let readers: Vec<_> = (0..3).map(|_| scope.spawn(|| watch(&engine, &ids, &done))).collect();
        let merger = scope.spawn(|| {
            while !done.load(Relaxed) {
                engine.compact_all().unwrap();
            }
        });
        for batch in 0..BATCHES {
            let points = columns.iter().map(|c| (*c, batch, Value::from_seed(c.kind, batch))).collect();
            engine.apply(Seq(batch as u64 + 1), &Record::Points(points).encode()).unwrap();
            assert!(engine.stats().head_bytes < 4 * (64 << 10), "{} bytes", engine.stats().head_bytes);
        }
        done.store(true, Relaxed);
        assert!(readers.into_iter().all(|r| r.join().unwrap() > 0));
        merger.join().unwrap();
    });
    assert!(engine.stats().flushes > 3 && engine.stats().merges > 3);
    engine.flush().unwrap();
    assert_eq!(times(&engine, ids[0], &mut ScanCache::default()).len() as i64, BATCHES);
    engine.close().unwrap();
}

#[test]
fn readers_see_a_growing_prefix_while_all_is_written_flushed_and_merged() {
    let (ended, end) = sync_channel(1);
    let racer = std::thread::spawn(move || {
        race();
        ended.send(()).unwrap();
    });
    if end.recv_timeout(LIMIT).is_err() && !racer.is_finished() {
        panic!("still not done after {LIMIT:?}: a deadlock?");
    }
    racer.join().unwrap();
}

#[test]
fn a_flush_from_many_threads_at_once_returns_to_all_of_them() {
    let fs = FaultFs::new();
    let columns = define(&open_catalog(&fs));
    let engine = Arc::new(open(&fs, quiet()));
    std::thread::scope(|scope| {
        for batch in 0..50 {
            let record = Record::Points(vec![(columns[1], batch, Value::Integer(batch))]);
            engine.apply(Seq(batch as u64 + 1), &record.encode()).unwrap();
            scope.spawn(|| {
                let wanted = engine.applied_seq();
                engine.flush().unwrap();
                assert!(engine.flushed_seq() >= wanted);
            });
        }
    });
    assert_eq!(engine.flushed_seq(), Seq(50));
    let mut last = None;
    engine.latest(columns[1].id, TimeRange::ALL, &mut ScanCache::default(), &mut |time, _| last = Some(time));
    assert_eq!(last, Some(TimestampNs(49)));
}
