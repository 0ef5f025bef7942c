//! Reads the records in order, and remembers durably how far they were taken care of.

mod claim;

use std::io;
use std::sync::Arc;
use std::time::{Duration, Instant};

use model::Seq;

use crate::cursor::{self, CursorFile};
use crate::error::{CommitError, ConsumerError, ReadError};
use crate::reader::{Found, Reader};
use crate::segment;
use crate::segments::Place;
use crate::shared::{Phase, Position, Shared, State};
use claim::{AtEnd, Claim};

/// What comes next.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Delivery {
    /// A record.
    Record {
        /// Its position.
        seq: Seq,
        /// Points in it, as said when it was appended.
        points: u32,
        /// Its content.
        payload: Arc<[u8]>,
    },
    /// Records that will never be delivered. Reported once per reading.
    Gap {
        /// The first of them.
        from: Seq,
        /// The last of them.
        to: Seq,
        /// Points lost; `None` when that is not known.
        points: Option<u64>,
        /// Why they are gone.
        reason: GapReason,
    },
    /// Nothing came within the timeout.
    Idle,
    /// The journal is closed and everything in it was delivered.
    Closed,
}

/// Why records are gone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum GapReason {
    /// Deleted unread because the disk space was used up.
    Dropped,
    /// Damaged on the disk, or lost with a damaged file.
    Corrupt,
}

/// A named reader with a durable cursor. Dropping it lets somebody else open it.
pub struct Consumer {
    shared: Arc<Shared>,
    name: String,
    cursor: CursorFile,
    reader: Option<Reader>,
}

impl Consumer {
    pub(crate) fn open(shared: &Arc<Shared>, name: &str) -> Result<Self, ConsumerError> {
        let mut claim = Claim::take(shared, name)?;
        let path = cursor::path(&shared.dir, name);
        let cursor = CursorFile::create(&*shared.fs, path.clone(), claim.committed)
            .map_err(ConsumerError::io("create cursor", &path))?;
        claim.at_end = AtEnd::Keep;
        Ok(Self { shared: Arc::clone(shared), name: name.to_owned(), cursor, reader: None })
    }

    pub(crate) fn remove(shared: &Arc<Shared>, name: &str) -> Result<(), ConsumerError> {
        let mut claim = Claim::take(shared, name)?;
        let path = cursor::path(&shared.dir, name);
        if shared.fs.exists(&path) {
            let removed = shared.fs.remove(&path).and_then(|()| shared.fs.sync_dir(&shared.dir));
            removed.map_err(ConsumerError::io("remove cursor", &path))?;
        }
        claim.at_end = AtEnd::Forget;
        Ok(())
    }

    /// The next record in order, from memory when the consumer keeps up, else from the files; waits for it at most
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

    /// Continues after this position: the store may know better than the cursor. Seeking back before the cursor gives
    /// what is still retained, and a gap for the rest.
    pub fn seek(&mut self, after: Seq) {
        self.reader = None;
        self.move_to(after, None);
    }

    /// Moves the cursor, durably; never back. Segments that all consumers have passed are deleted soon after; once the
    /// journal is closed, by this call.
    ///
    /// # Errors
    /// [`CommitError`]; the cursor is then where it was.
    pub fn commit(&mut self, seq: Seq) -> Result<(), CommitError> {
        let position = self.position();
        if seq > position.read {
            return Err(CommitError::NotRead { seq, read: position.read });
        }
        if seq <= position.committed {
            return Ok(());
        }
        let written = self.cursor.write(seq);
        written.map_err(|source| CommitError::Io { path: self.cursor.path().to_owned(), source })?;
        let mut state = self.shared.lock();
        if let Some(position) = state.consumers.get_mut(&self.name) {
            position.committed = seq;
        }
        drop(state);
        self.shared.trim_soon();
        Ok(())
    }

    /// Its name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The durable position.
    pub fn committed_seq(&self) -> Seq {
        self.position().committed
    }

    fn position(&self) -> Position {
        let state = self.shared.lock();
        state.consumers.get(&self.name).copied().unwrap_or(Position::at(Seq(0)))
    }

    fn move_to(&self, read: Seq, read_points: Option<u64>) {
        if let Some(position) = self.shared.lock().consumers.get_mut(&self.name) {
            position.read = read;
            position.read_points = read_points;
        }
    }

    fn step(&self, deadline: Option<Instant>) -> Step {
        let mut state = self.shared.lock();
        loop {
            if let Some(step) = state.step(&self.name) {
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
    fn damaged(&self, from: Seq, next: Seq) -> Delivery {
        let to = Seq(next.0 - 1);
        self.move_to(to, None);
        self.shared.lock().counters.corrupt_records += next.0 - from.0;
        Delivery::Gap { from, to, points: None, reason: GapReason::Corrupt }
    }
}

impl Drop for Consumer {
    fn drop(&mut self) {
        if let Some(position) = self.shared.lock().consumers.get_mut(&self.name) {
            *position = Position::at(position.committed);
        }
    }
}

/// How a consumer gets on.
enum Step {
    Deliver(Delivery),
    /// The record is to be read from a file.
    Read {
        seq: Seq,
        place: Place,
    },
}

impl State {
    /// What the consumer gets next; `None` when it has to wait.
    fn step(&mut self, name: &str) -> Option<Step> {
        let oldest = self.segments.oldest().map_or((self.next, None), |mark| (mark.seq, Some(mark.points)));
        let position = self.consumers.get_mut(name)?;
        let wanted = position.read.next();
        if wanted >= self.next {
            return None;
        }
        if let Some(record) = self.tail.get(wanted) {
            position.read = wanted;
            position.read_points = Some(record.points_end);
            let (points, payload) = (record.points, Arc::clone(&record.payload));
            return Some(Step::Deliver(Delivery::Record { seq: wanted, points, payload }));
        }
        let (first, points_before) = oldest;
        if wanted < first {
            let points = points_before.zip(position.read_points).map(|(before, read)| before.saturating_sub(read));
            let to = Seq(first.0 - 1);
            position.read = to;
            position.read_points = points_before;
            return Some(Step::Deliver(Delivery::Gap { from: wanted, to, points, reason: GapReason::Dropped }));
        }
        let place = self.segments.place_of(wanted, self.next)?;
        Some(Step::Read { seq: wanted, place })
    }
}
