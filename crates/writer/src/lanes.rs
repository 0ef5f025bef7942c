//! One lane as a rule; two after an outage, so that live values need not wait for those that wait since. Which takes what: see
//! [`crate::rule`]. When the backlog lane has come to where the fresh one is, they become one again.

use journal::{Ahead, Consumer, Follower};
use model::{Seq, TimestampNs};

use crate::lane::Lane;
use crate::positions::Position;
use crate::rule::Rule;
use crate::seen::Seen;
use crate::task::LaneId;

/// The lanes of a store.
pub(crate) struct Lanes {
    pub(crate) consumer: Consumer,
    /// Takes everything in order, and the backlog while there is another one.
    pub(crate) main: Lane,
    pub(crate) split: Option<Split>,
    shards: usize,
}

/// The lane of live values, and what goes with it.
pub(crate) struct Split {
    pub(crate) follower: Follower,
    pub(crate) lane: Lane,
    pub(crate) rule: Rule,
    /// Records that its values were counted of.
    pub(crate) seen: Seen,
    /// Everything up to here is in the store for good, as far as the lane is concerned.
    safe: Seq,
    /// Where the other lane was at the beginning, and where it had to go at least.
    pub(crate) backlog: (Seq, Seq),
}

impl Lanes {
    /// The lanes as they were left: two, when the cursor says that values were sent ahead.
    pub(crate) fn new(consumer: Consumer, follow: impl Fn(Seq) -> Follower, shards: usize) -> Self {
        let split = consumer.ahead().map(|ahead| {
            let rule = Rule::new(ahead.after, ahead.since);
            Split::new(follow(ahead.to), rule, (consumer.committed_seq(), ahead.after), shards)
        });
        Self { consumer, main: Lane::new(shards), split, shards }
    }

    /// The lane that a task belongs to: those of the fresh lane are the main one's after the two became one.
    pub(crate) fn lane(&mut self, id: LaneId) -> &mut Lane {
        match (id, &mut self.split) {
            (LaneId::Fresh, Some(split)) => &mut split.lane,
            _ => &mut self.main,
        }
    }

    pub(crate) fn all(&self) -> impl Iterator<Item = &Lane> {
        [Some(&self.main), self.split.as_ref().map(|split| &split.lane)].into_iter().flatten()
    }

    pub(crate) fn all_mut(&mut self) -> impl Iterator<Item = &mut Lane> {
        [Some(&mut self.main), self.split.as_mut().map(|split| &mut split.lane)].into_iter().flatten()
    }

    /// The last record that any of them has read.
    pub(crate) fn read_to(&self) -> Seq {
        self.split.as_ref().map_or(self.main_read_to(), Split::read_to)
    }

    /// The last record that the main one has read, also when it reads some once more.
    pub(crate) fn main_read_to(&self) -> Seq {
        self.main.repairs_to().unwrap_or_default().max(self.consumer.position())
    }

    /// True when no values are on their way, but with workers.
    pub(crate) fn are_idle(&self) -> bool {
        self.all().all(Lane::is_idle)
    }

    /// True while the main lane has to wait for the fresh one before it reads on.
    pub(crate) fn main_waits(&self) -> bool {
        let Some(split) = &self.split else { return false };
        let read = self.consumer.position();
        read >= split.follower.position() || (read >= split.rule.start() && split.done_to() < split.rule.settled())
    }

    /// True when the main lane has come to where the fresh one is, and only has to end what it has: at most `few` values. The fresh
    /// lane does not read on meanwhile.
    pub(crate) fn are_joining(&self, few: usize) -> bool {
        let Some(split) = &self.split else { return false };
        let is_there = self.consumer.position() >= split.follower.position();
        is_there && !self.main.is_repairing() && !split.lane.is_repairing() && self.main.len() <= few
    }

    /// Makes one lane of two, if the main one has nothing more to do.
    pub(crate) fn join(&mut self) {
        if !self.main.is_empty() {
            return;
        }
        if let Some(mut split) = self.split.take() {
            split.lane.held.iter_mut().for_each(|task| task.lane = LaneId::Main);
            self.main = split.lane;
        }
    }

    /// Begins a fresh lane after the record `last`. Nothing may be under way.
    pub(crate) fn split(&mut self, follower: Follower, since: TimestampNs) {
        let last = follower.position();
        let mut rule = Rule::new(last, since);
        for item in self.main.values() {
            if rule.clashes(&rule.of(last), item.column, item.time) {
                rule.give_back(item.column, item.time, last);
            }
        }
        self.split = Some(Split::new(follower, rule, (self.consumer.position(), last), self.shards));
    }

    /// How far everything has its fate.
    pub(crate) fn position(&self) -> Position {
        let main = self.main.done_to(self.consumer.position());
        let Some(split) = &self.split else { return Position { seq: main, ahead: None, fresh: None } };
        let fresh = split.done_to();
        let seq = main.min(fresh);
        let ahead =
            split.rule.last_start().map(|start| Ahead { after: start.max(seq), to: fresh, since: split.rule.since() });
        Position { seq, ahead: ahead.filter(|ahead| ahead.after < ahead.to), fresh: Some(fresh) }
    }

    /// A position is committed.
    pub(crate) fn committed(&mut self, position: Position) {
        if let Some((split, fresh)) = self.split.as_mut().zip(position.fresh) {
            split.safe = split.safe.max(fresh);
        }
    }

    /// Everything since the committed position is read and sent once more. Nothing may be under way.
    pub(crate) fn repair(&mut self) {
        self.main.repair(self.consumer.position());
        self.consumer.seek(self.consumer.committed_seq());
        if let Some(split) = &mut self.split {
            split.lane.repair(split.follower.position());
            split.follower.seek(split.safe);
        }
    }

    /// Lanes that have repaired everything go on as before. True when that was the fresh lane.
    pub(crate) fn end_repairs(&mut self) -> bool {
        self.main.end_repair(self.consumer.position());
        let Some(split) = &mut self.split else { return false };
        split.lane.is_repairing() && split.lane.end_repair(split.follower.position())
    }

    /// Gives up everything up to `last`; the values that had no fate. Nothing may be under way.
    pub(crate) fn give_up(&mut self, last: Seq) -> u64 {
        let fresh = self.split.take().map_or(0, |mut split| split.lane.give_up());
        self.consumer.seek(last);
        fresh + self.main.give_up()
    }
}

impl Split {
    fn new(follower: Follower, rule: Rule, backlog: (Seq, Seq), shards: usize) -> Self {
        let safe = follower.position();
        Self { follower, lane: Lane::new(shards), rule, seen: Seen::default(), safe, backlog }
    }

    /// The last record that the lane has read, also when it reads some once more.
    pub(crate) fn read_to(&self) -> Seq {
        self.lane.repairs_to().unwrap_or_default().max(self.follower.position())
    }

    /// Up to here all values of the fresh lane have their fates.
    fn done_to(&self) -> Seq {
        self.lane.done_to(self.follower.position())
    }

    /// Goes on after the record `last`; what comes before is left to the other lane. False when it cannot, as during a repair.
    pub(crate) fn jump(&mut self, last: Seq, since: TimestampNs) -> bool {
        let jumps = !self.lane.is_repairing() && self.rule.jump(self.follower.position(), last, since);
        if jumps {
            self.follower.seek(last);
            self.backlog.1 = last;
        }
        jumps
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::slots::{Arrival, Due};
    use crate::values::Item;
    use journal::{Delivery, Journal, JournalConfig};
    use model::{ColumnId, FieldValue};
    use std::path::Path;
    use std::sync::Arc;
    use std::time::{Duration, Instant};
    use vfs::FaultFs;

    const LIVE: TimestampNs = TimestampNs(1_000);

    struct Bench {
        journal: Arc<Journal>,
        lanes: Lanes,
    }

    impl Bench {
        /// A journal of so many records, none of them read.
        fn new(records: u64) -> Self {
            let (journal, _) =
                Journal::open(Arc::new(FaultFs::new()), Path::new("j"), JournalConfig::default(), Seq(0)).unwrap();
            let lanes = Lanes::new(journal.consumer("store").unwrap(), |after| journal.follower(after), 1);
            let bench = Self { journal, lanes };
            bench.append(records);
            bench
        }

        fn append(&self, records: u64) {
            (0..records).for_each(|_| _ = self.journal.append_wait(vec![0], 1).unwrap());
        }

        fn split(&mut self) {
            let last = self.journal.stats().last_seq;
            self.lanes.split(self.journal.follower(last), LIVE);
        }

        fn read(&mut self, id: LaneId, records: u64) {
            for _ in 0..records {
                let delivery = match (id, &mut self.lanes.split) {
                    (LaneId::Fresh, Some(split)) => split.follower.next(Duration::ZERO),
                    _ => self.lanes.consumer.next(Duration::ZERO),
                };
                assert!(matches!(delivery.unwrap(), Delivery::Record { .. }));
            }
        }

        fn add(&mut self, id: LaneId, seq: u64, time: TimestampNs) {
            let arrival = Arrival { seq: Seq(seq), now: Instant::now(), size: 10 };
            let item = Item { column: ColumnId(0), time, value: FieldValue::Float(0.0), again: false };
            self.lanes.lane(id).slots.push(0, arrival, item);
        }

        fn send(&mut self, id: LaneId) {
            let slots = &mut self.lanes.lane(id).slots;
            while let Some(taken) = slots.take(10, Due::All) {
                slots.release(&taken.slots);
            }
        }

        fn ahead(&self) -> Option<(u64, u64)> {
            self.lanes.position().ahead.map(|ahead| (ahead.after.0, ahead.to.0))
        }
    }

    #[test]
    fn a_single_lane_is_done_up_to_its_oldest_value() {
        let mut bench = Bench::new(5);
        bench.read(LaneId::Main, 5);
        bench.add(LaneId::Main, 3, LIVE);
        assert_eq!(bench.lanes.position(), Position { seq: Seq(2), ahead: None, fresh: None });
        bench.send(LaneId::Main);
        assert_eq!(bench.lanes.position().seq, Seq(5));
    }

    #[test]
    fn two_lanes_are_done_up_to_where_both_are_and_the_fresh_one_is_ahead() {
        let mut bench = Bench::new(5);
        bench.split();
        bench.append(4);
        bench.read(LaneId::Main, 2);
        bench.read(LaneId::Fresh, 4);
        assert_eq!((bench.lanes.position().seq, bench.ahead()), (Seq(2), Some((5, 9))));
        bench.add(LaneId::Fresh, 8, LIVE);
        assert_eq!(bench.ahead(), Some((5, 7)));
        bench.read(LaneId::Main, 4);
        assert_eq!((bench.lanes.position().seq, bench.ahead()), (Seq(6), Some((6, 7))));
        bench.read(LaneId::Main, 3);
        assert_eq!((bench.lanes.position().seq, bench.ahead()), (Seq(7), None));
    }

    #[test]
    fn what_the_cursor_says_is_how_the_lanes_go_on() {
        let mut bench = Bench::new(5);
        bench.split();
        bench.append(4);
        bench.read(LaneId::Main, 2);
        bench.read(LaneId::Fresh, 3);
        let position = bench.lanes.position();
        bench.lanes.consumer.commit_ahead(position.seq, position.ahead).unwrap();
        let Bench { journal, lanes } = bench;
        drop(lanes);
        let lanes = Lanes::new(journal.consumer("store").unwrap(), |after| journal.follower(after), 1);
        let split = lanes.split.as_ref().unwrap();
        assert_eq!((lanes.consumer.position(), split.follower.position()), (Seq(2), Seq(8)));
        assert_eq!((split.rule.start(), split.rule.since()), (Seq(5), LIVE));
        assert_eq!(lanes.position(), position);
    }

    #[test]
    fn the_main_lane_never_passes_the_fresh_one() {
        let mut bench = Bench::new(2);
        bench.split();
        bench.append(2);
        bench.read(LaneId::Main, 2);
        assert!(bench.lanes.main_waits());
        bench.read(LaneId::Fresh, 1);
        assert!(!bench.lanes.main_waits());
    }

    #[test]
    fn what_was_given_back_is_done_by_the_fresh_lane_before_the_main_one_sends_it_again() {
        let mut bench = Bench::new(2);
        bench.split();
        bench.append(3);
        bench.read(LaneId::Fresh, 2);
        bench.add(LaneId::Fresh, 4, LIVE);
        bench.read(LaneId::Main, 1);
        bench.lanes.split.as_mut().unwrap().rule.give_back(ColumnId(0), LIVE, Seq(4));
        assert!(!bench.lanes.main_waits());
        bench.read(LaneId::Main, 1);
        assert!(bench.lanes.main_waits());
        bench.send(LaneId::Fresh);
        assert!(!bench.lanes.main_waits());
    }

    #[test]
    fn values_that_wait_when_the_lanes_are_split_may_clash_as_well() {
        let mut bench = Bench::new(2);
        bench.read(LaneId::Main, 1);
        bench.add(LaneId::Main, 1, TimestampNs(LIVE.0 + 5));
        bench.split();
        assert!(bench.lanes.split.as_ref().unwrap().rule.since() > TimestampNs(LIVE.0 + 5));
    }

    #[test]
    fn the_lanes_become_one_when_the_main_one_is_there_and_has_ended_what_it_had() {
        let mut bench = Bench::new(2);
        bench.split();
        bench.append(2);
        bench.read(LaneId::Fresh, 2);
        bench.add(LaneId::Fresh, 4, LIVE);
        bench.read(LaneId::Main, 3);
        assert!(!bench.lanes.are_joining(10));
        bench.read(LaneId::Main, 1);
        (0..3).for_each(|_| bench.add(LaneId::Main, 4, TimestampNs(0)));
        assert!(!bench.lanes.are_joining(2));
        assert!(bench.lanes.are_joining(3));
        bench.lanes.join();
        assert!(bench.lanes.split.is_some());
        bench.send(LaneId::Main);
        bench.lanes.join();
        assert!(bench.lanes.split.is_none());
        assert_eq!((bench.lanes.main.first_time(), bench.lanes.position().seq), (1, Seq(3)));
    }

    #[test]
    fn each_lane_repairs_what_it_had_read_since_it_was_safe() {
        let mut bench = Bench::new(3);
        bench.split();
        bench.append(4);
        bench.read(LaneId::Main, 2);
        bench.read(LaneId::Fresh, 2);
        let position = bench.lanes.position();
        bench.lanes.consumer.commit_ahead(position.seq, position.ahead).unwrap();
        bench.lanes.committed(position);
        bench.read(LaneId::Main, 1);
        bench.read(LaneId::Fresh, 2);
        bench.lanes.repair();
        assert_eq!((bench.lanes.consumer.position(), bench.lanes.main_read_to()), (Seq(2), Seq(3)));
        let split = bench.lanes.split.as_mut().unwrap();
        assert_eq!((split.follower.position(), split.read_to()), (Seq(5), Seq(7)));
        assert!(!split.jump(Seq(7), LIVE));
        bench.read(LaneId::Fresh, 2);
        assert!(bench.lanes.end_repairs());
        assert!(!bench.lanes.end_repairs());
    }
}
