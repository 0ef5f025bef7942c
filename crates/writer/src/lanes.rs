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
        self.split.as_ref().map_or(self.consumer.position(), Split::read_to)
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
