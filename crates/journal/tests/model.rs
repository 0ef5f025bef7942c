//! The journal against a model of it, a vector, over random histories.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]

mod common;

use std::sync::Arc;
use std::time::Duration;

use common::{open, small};
use journal::{Consumer, Delivery, FsyncPolicy, GapReason, Journal, JournalConfig, WhenFull};
use model::{ByteSize, Seq};
use proptest::prelude::*;
use vfs::FaultFs;

/// A segment without records.
const EMPTY: ByteSize = ByteSize(24);

#[derive(Debug, Clone)]
enum Op {
    Append { len: usize, points: u32 },
    AppendTogether { count: u32 },
    Consume { count: usize },
    Commit,
    Seek { back: u64 },
    Restart,
}

fn any_op() -> impl Strategy<Value = Op> {
    prop_oneof![
        4 => (0usize..300, 0u32..50).prop_map(|(len, points)| Op::Append { len, points }),
        2 => (1u32..20).prop_map(|count| Op::AppendTogether { count }),
        3 => (1usize..15).prop_map(|count| Op::Consume { count }),
        2 => Just(Op::Commit),
        1 => (0u64..10).prop_map(|back| Op::Seek { back }),
        1 => Just(Op::Restart),
    ]
}

/// The journal under test beside what it should hold.
struct World {
    fs: FaultFs,
    config: JournalConfig,
    journal: Arc<Journal>,
    consumer: Consumer,
    /// Points and content of record n at index n - 1.
    records: Vec<(u32, Vec<u8>)>,
    read: u64,
    committed: u64,
    read_since_move: bool,
}

impl World {
    fn new(config: JournalConfig) -> Self {
        let fs = FaultFs::new();
        let journal = open(&fs, &config);
        let consumer = journal.consumer("store").unwrap();
        Self { fs, config, journal, consumer, records: Vec::new(), read: 0, committed: 0, read_since_move: false }
    }

    fn apply(&mut self, op: &Op) {
        match *op {
            Op::Append { len, points } => self.append(len, points),
            Op::AppendTogether { count } => self.append_together(count),
            Op::Consume { count } => (0..count).for_each(|_| {
                self.consume();
            }),
            Op::Commit => self.commit(),
            Op::Seek { back } => self.seek(back),
            Op::Restart => self.restart(),
        }
    }

    fn append(&mut self, len: usize, points: u32) {
        let payload = vec![self.records.len() as u8; len];
        let seq = self.journal.append_wait(payload.clone(), points).unwrap();
        self.records.push((points, payload));
        assert_eq!(seq.0, self.records.len() as u64);
    }

    fn append_together(&mut self, count: u32) {
        let (sender, receiver) = std::sync::mpsc::sync_channel(100);
        let before = self.records.len() as u64;
        for points in 0..count {
            let (sender, payload) = (sender.clone(), vec![points as u8; 30]);
            self.journal.append(payload.clone(), points, move |outcome| sender.send(outcome.unwrap()).unwrap());
            self.records.push((points, payload));
        }
        drop(sender);
        let done: Vec<u64> = receiver.iter().map(|seq| seq.0).collect();
        assert_eq!(done, (before + 1..=before + u64::from(count)).collect::<Vec<_>>());
    }

    /// One delivery, checked; false when there was none.
    fn consume(&mut self) -> bool {
        match self.consumer.next(Duration::ZERO).unwrap() {
            Delivery::Record { seq, points, payload } => {
                assert_eq!(seq.0, self.read + 1);
                let (expected_points, expected) = &self.records[seq.0 as usize - 1];
                assert_eq!((points, &payload[..]), (*expected_points, &expected[..]));
                self.read = seq.0;
                self.read_since_move = true;
            }
            Delivery::Gap { from, to, points, reason } => {
                assert_eq!((from.0, reason), (self.read + 1, GapReason::Dropped));
                assert_eq!(self.config.when_full, WhenFull::DropOldest);
                let lost = &self.records[from.0 as usize - 1..to.0 as usize];
                let lost: u64 = lost.iter().map(|(points, _)| u64::from(*points)).sum();
                assert_eq!(points.unwrap_or(lost), lost);
                assert!(points.is_some() || !self.read_since_move);
                self.read = to.0;
                self.read_since_move = true;
            }
            Delivery::Idle => {
                assert_eq!(self.read, self.records.len() as u64);
                return false;
            }
            Delivery::Closed => panic!("the journal is open"),
        }
        true
    }

    fn commit(&mut self) {
        self.consumer.commit(Seq(self.read)).unwrap();
        self.committed = self.committed.max(self.read);
        assert_eq!(self.consumer.committed_seq().0, self.committed);
    }

    /// Not before the committed position: what is there may be deleted.
    fn seek(&mut self, back: u64) {
        self.read = self.read.saturating_sub(back).max(self.committed.min(self.read));
        self.consumer.seek(Seq(self.read));
        self.read_since_move = false;
    }

    /// A clean stop, after which even a power cut takes nothing.
    fn restart(&mut self) {
        self.journal.close();
        let (last, stats) = (self.records.len() as u64, self.journal.stats());
        if last > 0 && self.committed.min(self.read) == last {
            assert_eq!((stats.segments, stats.disk), (1, EMPTY), "all of it was committed");
        }
        self.fs = self.fs.crash(0);
        self.journal = open(&self.fs, &self.config);
        self.consumer = self.journal.consumer("store").unwrap();
        self.read = self.committed;
        self.read_since_move = false;
        assert_eq!(self.consumer.committed_seq().0, self.committed);
    }
}

fn play(config: JournalConfig, ops: &[Op]) {
    let mut world = World::new(config);
    ops.iter().for_each(|op| world.apply(op));
    while world.consume() {}
    world.restart();
    while world.consume() {}
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(150))]

    #[test]
    fn every_record_is_delivered_once_in_order_across_restarts(
        ops in prop::collection::vec(any_op(), 1..60),
        tail_max in prop::sample::select(vec![0u64, 500, 1 << 20]),
        interval in any::<bool>(),
    ) {
        let fsync = if interval { FsyncPolicy::Interval(Duration::from_millis(1)) } else { FsyncPolicy::Always };
        play(JournalConfig { tail_max: ByteSize(tail_max), fsync, ..small() }, &ops);
    }

    #[test]
    fn what_is_dropped_is_reported_with_its_exact_number_of_points(
        ops in prop::collection::vec(any_op(), 1..60),
        tail_max in prop::sample::select(vec![0u64, 500]),
    ) {
        let when_full = WhenFull::DropOldest;
        play(JournalConfig { tail_max: ByteSize(tail_max), when_full, max_disk: ByteSize(2000), ..small() }, &ops);
    }
}
