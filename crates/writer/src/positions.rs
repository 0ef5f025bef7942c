//! When a position may be committed. A store that syncs before it answers: at once. One that keeps its last seconds in memory:
//! once that time has passed and the store then shows that it is still the same process; had it started anew, what was written
//! since the position committed last is to be sent once more.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use journal::Ahead;
use model::Seq;

/// Most positions that wait to be committed, one a second.
const WAITING_MAX: usize = 120;

/// Positions reached and not committed yet.
#[derive(Debug)]
pub(crate) struct Positions {
    durable_after: Duration,
    waiting: VecDeque<Reached>,
    /// What the store said of its process, when it said something the last time.
    incarnation: Option<String>,
    was_seen: bool,
    /// It failed without telling whether it is the same process.
    doubtful: bool,
}

#[derive(Debug, Clone, Copy)]
struct Reached {
    position: Position,
    at: Instant,
}

/// How far the lanes have come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Position {
    /// Everything up to here is in the store,
    pub(crate) seq: Seq,
    /// and some of what comes behind it.
    pub(crate) ahead: Option<Ahead>,
    /// How far the fresh lane has come, if there is one.
    pub(crate) fresh: Option<Seq>,
}

/// What a look at the store means for what was written before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// It is as it was.
    Same,
    /// What was written after the committed position may be lost.
    StartedAnew,
}

impl Positions {
    pub(crate) fn new(durable_after: Duration) -> Self {
        Self { durable_after, waiting: VecDeque::new(), incarnation: None, was_seen: false, doubtful: false }
    }

    /// The lanes have come so far.
    pub(crate) fn reached(&mut self, position: Position, now: Instant) {
        if self.waiting.back().is_some_and(|last| last.position == position) {
            return;
        }
        if self.waiting.len() >= WAITING_MAX {
            self.waiting.pop_back();
        }
        self.waiting.push_back(Reached { position, at: now });
    }

    /// The position to be committed without asking the store.
    pub(crate) fn committable(&mut self) -> Option<Position> {
        if !self.durable_after.is_zero() {
            return None;
        }
        self.waiting.drain(..).next_back().map(|reached| reached.position)
    }

    /// True when a look at the store would allow a position to be committed.
    pub(crate) fn wants_look(&self, now: Instant) -> bool {
        !self.durable_after.is_zero() && self.waiting.front().is_some_and(|first| first.at + self.durable_after <= now)
    }

    /// A request failed, and the store may have started anew.
    pub(crate) fn failed(&mut self) {
        self.doubtful = true;
    }

    /// The store was seen, and may have said what process it is.
    pub(crate) fn looked(&mut self, incarnation: Option<&str>) -> Verdict {
        let is_same = match (&self.incarnation, incarnation) {
            _ if !self.was_seen => true,
            (Some(known), Some(now)) => known == now,
            _ => !self.doubtful,
        };
        self.was_seen = true;
        self.doubtful = false;
        if let Some(incarnation) = incarnation {
            self.incarnation = Some(incarnation.to_owned());
        }
        if is_same || self.durable_after.is_zero() { Verdict::Same } else { Verdict::StartedAnew }
    }

    /// The position to be committed after a look, begun at `since`, that found the store as it was.
    pub(crate) fn confirmed(&mut self, since: Instant) -> Option<Position> {
        let safe = self.waiting.iter().take_while(|reached| reached.at + self.durable_after <= since).count();
        self.waiting.drain(..safe).next_back().map(|reached| reached.position)
    }

    /// The lanes start again from the committed position.
    pub(crate) fn start_over(&mut self) {
        self.waiting.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const S: Duration = Duration::from_secs(1);

    fn at(seq: u64) -> Position {
        Position { seq: Seq(seq), ahead: None, fresh: None }
    }

    #[test]
    fn a_store_that_syncs_has_the_newest_position_committed_at_once() {
        let (mut positions, now) = (Positions::new(Duration::ZERO), Instant::now());
        positions.reached(at(4), now);
        positions.reached(at(6), now);
        assert_eq!(positions.committable(), Some(at(6)));
        assert_eq!(positions.committable(), None);
        assert!(!positions.wants_look(now + S * 100));
        assert_eq!(positions.looked(Some("a")), Verdict::Same);
        assert_eq!(positions.looked(Some("b")), Verdict::Same);
    }

    #[test]
    fn one_that_does_not_has_it_committed_when_it_is_still_the_same_process_later() {
        let (mut positions, now) = (Positions::new(S * 10), Instant::now());
        positions.looked(Some("a"));
        for s in 0..20 {
            positions.reached(at(s), now + S * s as u32);
        }
        assert_eq!(positions.committable(), None);
        assert!(!positions.wants_look(now + S * 9));
        assert!(positions.wants_look(now + S * 10));
        assert_eq!(positions.looked(Some("a")), Verdict::Same);
        assert_eq!(positions.confirmed(now + S * 12), Some(at(2)));
        assert_eq!(positions.confirmed(now + S * 12), None);
        assert_eq!(positions.looked(Some("b")), Verdict::StartedAnew);
        positions.start_over();
        assert_eq!(positions.confirmed(now + S * 99), None);
    }

    #[test]
    fn one_that_does_not_tell_its_process_is_doubted_after_each_failure() {
        let mut positions = Positions::new(S * 10);
        assert_eq!(positions.looked(None), Verdict::Same);
        assert_eq!(positions.looked(None), Verdict::Same);
        positions.failed();
        assert_eq!(positions.looked(None), Verdict::StartedAnew);
        assert_eq!(positions.looked(None), Verdict::Same);
    }

    #[test]
    fn one_that_tells_its_process_now_and_then_is_compared_with_what_it_told_last() {
        let mut positions = Positions::new(S * 10);
        assert_eq!(positions.looked(Some("a")), Verdict::Same);
        assert_eq!(positions.looked(None), Verdict::Same);
        positions.failed();
        assert_eq!(positions.looked(Some("a")), Verdict::Same);
        assert_eq!(positions.looked(None), Verdict::Same);
        assert_eq!(positions.looked(Some("b")), Verdict::StartedAnew);
        positions.failed();
        assert_eq!(positions.looked(None), Verdict::StartedAnew);
    }

    #[test]
    fn waiting_positions_are_bounded_and_the_newest_is_among_them() {
        let (mut positions, now) = (Positions::new(S * 10), Instant::now());
        (0..1_000).for_each(|seq| positions.reached(at(seq), now));
        assert_eq!(positions.waiting.len(), WAITING_MAX);
        assert_eq!(positions.confirmed(now + S * 10), Some(at(999)));
    }
}
