//! One request's worth of values with what is left to do of it. A task is with a worker or waits for its retry, and keeps what
//! it has reached in between.

use std::ops::Range;
use std::time::{Duration, Instant};

use backend::Written;

use crate::account::Fates;
use crate::batch::Batch;
use crate::dead_letters::Letter;
use crate::size::SIZE_MIN;

/// Values to be written, and how far that is.
pub(crate) struct Task {
    pub(crate) batch: Batch,
    /// Of which lane.
    pub(crate) lane: LaneId,
    /// Where the values waited.
    pub(crate) slots: Vec<usize>,
    /// Values that get their fate here; the others had one before and are sent once more.
    pub(crate) first_time: u64,
    /// Memory they take.
    pub(crate) bytes: usize,
    /// Parts still to be written, the next one last.
    pub(crate) todo: Vec<Range<usize>>,
    /// Most values of a part.
    part_max: usize,
    /// Something of it was written,
    pub(crate) begun: bool,
    /// also since it was given out the last time.
    pub(crate) advanced: bool,
    /// Points refused for good that are not in the dead letters yet.
    pub(crate) dead: Vec<Dead>,
    /// Fates of the values that have one.
    pub(crate) fates: Fates,
    /// Values sent once more.
    pub(crate) resent: u64,
    /// Tries that failed.
    pub(crate) failures: u32,
    pub(crate) not_before: Instant,
    /// Its place was missing, and was asked to be made.
    pub(crate) asked_for_place: bool,
    /// How long the last write took since it was given out; zero when there was none.
    pub(crate) latency: Duration,
    /// A request of so many of its values was larger than the store takes.
    pub(crate) too_large: Option<usize>,
}

/// Which of two lanes a task belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum LaneId {
    /// The one that takes everything in order: the only one, or the one that catches up.
    Main,
    /// The one that brings live values while the other catches up.
    Fresh,
}

/// A point that is to become a dead letter.
pub(crate) struct Dead {
    pub(crate) letter: Letter,
    /// It had a fate already.
    pub(crate) again: bool,
}

impl Task {
    pub(crate) fn new(batch: Batch, lane: LaneId, slots: Vec<usize>, now: Instant) -> Self {
        let (first_time, bytes) = (batch.values.first_time() as u64, batch.values.bytes());
        let mut task = Self {
            batch,
            lane,
            slots,
            first_time,
            bytes,
            todo: Vec::new(),
            part_max: usize::MAX,
            begun: false,
            advanced: false,
            dead: Vec::new(),
            fates: Fates::default(),
            resent: 0,
            failures: 0,
            not_before: now,
            asked_for_place: false,
            latency: Duration::ZERO,
            too_large: None,
        };
        task.start_over();
        task
    }

    /// All values it has are to be written, in one go if that was not too much before.
    pub(crate) fn start_over(&mut self) {
        let (values, part) = (self.batch.values.len(), self.part_max);
        let parts = (0..values).step_by(part).map(|start| start..values.min(start + part));
        self.todo = parts.rev().collect();
    }

    /// The points of `range` were taken by the store, but for those it has no type for.
    pub(crate) fn written(&mut self, range: Range<usize>, written: Written) {
        self.begun = true;
        self.advanced = true;
        let again = self.batch.values.again_in(range.clone());
        let first_time = (range.len() - again) as u64;
        let filtered = written.filtered.min(first_time);
        self.resent += again as u64;
        self.fates += Fates { filtered, stored: first_time - filtered, ..Fates::default() };
    }

    /// Goes on with the two halves of `range`, the first one first.
    pub(crate) fn split(&mut self, range: Range<usize>) {
        let middle = range.start + range.len() / 2;
        self.todo.push(middle..range.end);
        self.todo.push(range.start..middle);
    }

    /// Goes on with a smaller part than before.
    pub(crate) fn halve(&mut self) {
        if let Some(range) = self.todo.pop_if(|range| range.len() > SIZE_MIN) {
            self.part_max = range.len().div_ceil(2);
            self.split(range);
        }
    }

    /// What was found dead is in the dead letters, or lost so many for want of space.
    pub(crate) fn buried(&mut self, lost: u64) {
        let again = self.dead.iter().filter(|dead| dead.again).count() as u64;
        let first_time = self.dead.len() as u64 - again;
        let lost_dead = lost.min(first_time);
        self.resent += again;
        self.fates += Fates { lost_dead, dead: first_time - lost_dead, ..Fates::default() };
        self.dead.clear();
    }
}
