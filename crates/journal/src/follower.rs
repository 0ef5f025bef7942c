//! Reads the records in order from some position on. Remembers nothing durably and holds nothing back from deletion: what
//! is deleted before its turn is a gap. A [`crate::Consumer`] is a follower with a durable cursor.

use std::io;
use std::sync::Arc;
use std::time::{Duration, Instant};

use model::Seq;

use crate::delivery::{Delivery, GapReason};
use crate::error::ReadError;
use crate::reader::{Found, Reader};
use crate::segment;
use crate::segments::Place;
use crate::shared::{Phase, Shared, State};

/// Reads the records in order. The journal does not know where it is, and [`crate::Stats`] do not show it.
pub struct Follower {
    shared: Arc<Shared>,
    at: Position,
    reader: Option<Reader>,
}

/// How far a follower has come.
#[derive(Debug, Clone, Copy)]
struct Position {
    /// Last position delivered or sought.
    read: Seq,
    /// Points of all retained records up to there; `None` until something was read.
    points: Option<u64>,
}

impl Follower {
    pub(crate) fn new(shared: &Arc<Shared>, after: Seq) -> Self {
        Self { shared: Arc::clone(shared), at: Position { read: after, points: None }, reader: None }
    }

    /// The next record in order, from memory when the follower keeps up, else from the files; waits for it at most
    /// `timeout`.
    ///
    /// # Errors
    /// [`ReadError`] when a segment cannot be read. The position is unchanged.
    pub fn next(&mut self, timeout: Duration) -> Result<Delivery, ReadError> {
        let deadline = Instant::now().checked_add(timeout);
        loop {
            let delivery = match self.step(deadline) {
                Step::Deliver(delivery) => Some(delivery),
                Step::Read { seq, place } => self.read(seq, place)?,
            };
            if let Some(delivery) = delivery {
                return Ok(delivery);
            }
        }
    }

    /// Continues after this position. What is not retained any more is delivered as a gap.
    pub fn seek(&mut self, after: Seq) {
        self.reader = None;
        self.move_to(after, None);
    }

    /// The last position delivered or sought.
    pub fn position(&self) -> Seq {
        self.at.read
    }

    pub(crate) fn shared(&self) -> &Arc<Shared> {
        &self.shared
    }

    fn move_to(&mut self, read: Seq, points: Option<u64>) {
        self.at = Position { read, points };
    }

    fn step(&mut self, deadline: Option<Instant>) -> Step {
        let mut state = self.shared.lock();
        loop {
            if let Some(step) = state.step(&mut self.at) {
                return step;
            }
            if state.phase == Phase::Closed {
                return Step::Deliver(Delivery::Closed);
            }
            let left = deadline.map(|deadline| deadline.saturating_duration_since(Instant::now()));
            if left.is_some_and(|left| left.is_zero()) {
                return Step::Deliver(Delivery::Idle);
            }
            state = self.shared.wait(&self.shared.news, state, left);
        }
    }

    /// Reads `wanted` from its segment; `None` when that segment was deleted in the meantime.
    fn read(&mut self, wanted: Seq, place: Place) -> Result<Option<Delivery>, ReadError> {
        let mut reader = match self.reader.take().filter(|r| r.is_at(place.first, wanted)) {
            Some(reader) => reader,
            None => match self.open_segment(&place)? {
                Some(reader) => reader,
                None => return Ok(None),
            },
        };
        let delivery = loop {
            match reader.next(place.end, place.limit)? {
                Found::Record { seq, .. } if seq < wanted => {}
                Found::Record { seq, points, points_end, payload } => {
                    self.move_to(seq, Some(points_end));
                    break Delivery::Record { seq, points, payload };
                }
                Found::Resynced(seq) if seq <= wanted => {}
                Found::Resynced(seq) => break self.damaged(wanted, seq),
                Found::End => break self.damaged(wanted, place.limit),
            }
        };
        self.reader = Some(reader);
        Ok(Some(delivery))
    }

    fn open_segment(&self, place: &Place) -> Result<Option<Reader>, ReadError> {
        let path = segment::path(&self.shared.dir, place.first);
        match Reader::open(&*self.shared.fs, path, place) {
            Err(e) if e.source.kind() == io::ErrorKind::NotFound && self.shared.lock().first() > place.first => {
                Ok(None)
            }
            outcome => outcome.map(Some),
        }
    }

    /// The records from `from` up to, not including, `next` cannot be read.
    fn damaged(&mut self, from: Seq, next: Seq) -> Delivery {
        let to = Seq(next.0 - 1);
        self.move_to(to, None);
        Delivery::Gap { from, to, points: None, reason: GapReason::Corrupt }
    }
}

/// How a follower gets on.
enum Step {
    Deliver(Delivery),
    /// The record is to be read from a file.
    Read {
        seq: Seq,
        place: Place,
    },
}

impl State {
    /// What comes after `at`, which moves along; `None` when there is nothing yet.
    fn step(&self, at: &mut Position) -> Option<Step> {
        let wanted = at.read.next();
        if wanted >= self.next {
            return None;
        }
        if let Some(record) = self.tail.get(wanted) {
            *at = Position { read: wanted, points: Some(record.points_end) };
            let (points, payload) = (record.points, Arc::clone(&record.payload));
            return Some(Step::Deliver(Delivery::Record { seq: wanted, points, payload }));
        }
        let (first, before) = self.segments.oldest().map_or((self.next, None), |mark| (mark.seq, Some(mark.points)));
        if wanted < first {
            let points = before.zip(at.points).map(|(before, read)| before.saturating_sub(read));
            let to = Seq(first.0 - 1);
            *at = Position { read: to, points: before };
            return Some(Step::Deliver(Delivery::Gap { from: wanted, to, points, reason: GapReason::Dropped }));
        }
        let place = self.segments.place_of(wanted, self.next)?;
        Some(Step::Read { seq: wanted, place })
    }
}
