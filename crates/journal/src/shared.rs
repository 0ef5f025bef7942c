//! What the appenders, the committer and the consumers of one journal share, under one lock. No I/O happens under it.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use model::{ByteSize, Seq};
use vfs::Fs;

use crate::config::{JournalConfig, WhenFull};
use crate::cursor::Progress;
use crate::error::AppendError;
use crate::queue::Queue;
use crate::segment::Segment;
use crate::segments::{Lag, Segments, lag_in};
use crate::stats::{Appended, ConsumerStats, Stats};
use crate::tail::Tail;

/// The parts of a journal that its threads share.
pub(crate) struct Shared {
    pub(crate) fs: Arc<dyn Fs>,
    pub(crate) dir: PathBuf,
    pub(crate) config: JournalConfig,
    state: Mutex<State>,
    /// Held while segments are begun or deleted after the committer has ended; see [`Shared::trim_closed`].
    pub(crate) trimming: Mutex<()>,
    /// The committer has something to do.
    pub(crate) work: Condvar,
    /// The queue has room again.
    pub(crate) room: Condvar,
    /// There are new records, or there will be none any more.
    pub(crate) news: Condvar,
}

impl Shared {
    pub(crate) fn new(fs: Arc<dyn Fs>, dir: PathBuf, config: JournalConfig, state: State) -> Self {
        let (work, room, news) = (Condvar::new(), Condvar::new(), Condvar::new());
        Self { fs, dir, config, state: Mutex::new(state), trimming: Mutex::new(()), work, room, news }
    }

    pub(crate) fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits on one of the conditions, at most `timeout` if there is one. May return early.
    pub(crate) fn wait<'a>(
        &self,
        condition: &Condvar,
        state: MutexGuard<'a, State>,
        timeout: Option<Duration>,
    ) -> MutexGuard<'a, State> {
        match timeout {
            None => condition.wait(state).unwrap_or_else(PoisonError::into_inner),
            Some(timeout) => condition.wait_timeout(state, timeout).unwrap_or_else(PoisonError::into_inner).0,
        }
    }
}

/// Whether a journal takes records.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Phase {
    Open,
    /// What is queued is committed, nothing new is taken.
    Closing,
    Closed,
}

/// Where a consumer is.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Position {
    pub(crate) open: bool,
    pub(crate) progress: Progress,
    pub(crate) read: Seq,
}

impl Position {
    pub(crate) fn at(progress: Progress) -> Self {
        Self { open: false, progress, read: progress.seq }
    }

    /// What is needed from here on must be kept. Behind the cursor after seeking back.
    fn needed_after(&self) -> Seq {
        self.progress.seq.min(self.read)
    }
}

/// How an append of some bytes can be given space.
pub(crate) enum Room {
    Enough,
    /// Delete this segment, which was taken off the list.
    Delete(Segment),
    /// Begin another segment, so that the one in use can be deleted.
    Roll,
    None(AppendError),
}

/// Everything that changes.
pub(crate) struct State {
    pub(crate) queue: Queue,
    pub(crate) tail: Tail,
    pub(crate) segments: Segments,
    pub(crate) consumers: BTreeMap<String, Position>,
    /// Sequence number of the next record.
    pub(crate) next: Seq,
    pub(crate) durable: Seq,
    pub(crate) phase: Phase,
    pub(crate) poisoned: bool,
    /// The committer is asked to delete what all consumers have passed.
    pub(crate) trim: bool,
    /// While the journal is open, the last segment is retired once it is longer than this and all of it is passed.
    pub(crate) retire_above: u64,
    pub(crate) counters: Counters,
}

/// Counters since the journal was opened, and the last outcome.
#[derive(Debug, Default)]
pub(crate) struct Counters {
    pub(crate) appended: Appended,
    pub(crate) fsyncs: u64,
    pub(crate) fsync_sum: Duration,
    pub(crate) fsync_max: Duration,
    pub(crate) dropped: Lag,
    pub(crate) corrupt_records: u64,
    pub(crate) full: bool,
}

impl State {
    /// Why nothing can be appended at all.
    pub(crate) fn refusal(&self) -> Option<AppendError> {
        if self.poisoned {
            return Some(AppendError::Poisoned);
        }
        (self.phase != Phase::Open).then_some(AppendError::Closed)
    }

    /// What to do so that `bytes` more fit within the disk space.
    pub(crate) fn room(&mut self, bytes: u64, config: &JournalConfig) -> Room {
        let used = self.segments.used();
        if used.0 + bytes <= config.max_disk.0 {
            return Room::Enough;
        }
        let dropping = config.when_full == WhenFull::DropOldest;
        let only = self.segments.oldest_limit().is_none();
        let limit = self.segments.oldest_limit().unwrap_or(self.next);
        if !dropping && !self.all_passed(limit) {
            return self.full(used, config);
        }
        if only && self.segments.last().is_some_and(|s| !s.is_empty()) {
            return Room::Roll;
        }
        match self.pop_oldest() {
            Some(segment) => Room::Delete(segment),
            None => self.full(used, config),
        }
    }

    fn full(&mut self, used: ByteSize, config: &JournalConfig) -> Room {
        self.counters.full = true;
        Room::None(AppendError::Full { used, limit: config.max_disk })
    }

    /// The oldest segment, if all consumers have passed it. It is off the list then.
    pub(crate) fn pop_passed(&mut self) -> Option<Segment> {
        let limit = self.segments.oldest_limit()?;
        if self.all_passed(limit) { self.pop_oldest() } else { None }
    }

    /// The oldest segment, whether it was passed or not, unless it is the only one. It is off the list then.
    pub(crate) fn pop_oldest(&mut self) -> Option<Segment> {
        let segment = self.segments.pop_oldest()?;
        let lost = self.unread_of(&segment);
        self.counters.dropped.records += lost.records;
        self.counters.dropped.points += lost.points;
        self.counters.full = false;
        Some(segment)
    }

    /// Puts a segment back that could not be deleted.
    pub(crate) fn restore_oldest(&mut self, segment: Segment) {
        let lost = self.unread_of(&segment);
        // Saturating: a consumer may have moved since it was counted.
        self.counters.dropped.records = self.counters.dropped.records.saturating_sub(lost.records);
        self.counters.dropped.points = self.counters.dropped.points.saturating_sub(lost.points);
        self.segments.restore_oldest(segment);
    }

    fn unread_of(&self, segment: &Segment) -> Lag {
        lag_in(segment, self.needed_after().unwrap_or(Seq(0)))
    }

    /// True when every consumer has committed all before `limit`. Without consumers nothing is passed: one may come.
    fn all_passed(&self, limit: Seq) -> bool {
        self.needed_after().is_some_and(|seq| seq.next() >= limit)
    }

    /// The position of the consumer that is furthest behind.
    fn needed_after(&self) -> Option<Seq> {
        self.consumers.values().map(Position::needed_after).min()
    }

    /// True when the last segment holds records, is longer than `above`, and all consumers have committed all of it:
    /// with an empty one begun behind it, it can be deleted.
    pub(crate) fn can_retire(&self, above: u64) -> bool {
        let large = self.segments.last().is_some_and(|s| !s.is_empty() && s.end().offset > above);
        large && !self.poisoned && self.all_passed(self.next)
    }

    /// True when retiring the last segment of an open journal is worth the syncs.
    pub(crate) fn should_retire(&self) -> bool {
        self.can_retire(self.retire_above)
    }

    /// Asks for trimming if there is something to trim.
    pub(crate) fn request_trim(&mut self) -> bool {
        let oldest_passed = self.segments.oldest_limit().is_some_and(|limit| self.all_passed(limit));
        self.trim = oldest_passed || self.should_retire();
        self.trim
    }

    /// First retained position.
    pub(crate) fn first(&self) -> Seq {
        self.segments.oldest().map_or(self.next, |mark| mark.seq)
    }

    pub(crate) fn stats(&self) -> Stats {
        Stats {
            segments: self.segments.len(),
            disk: self.segments.used(),
            queue_items: self.queue.len(),
            queue: self.queue.bytes(),
            first_seq: self.first(),
            last_seq: Seq(self.next.0 - 1),
            durable_seq: self.durable,
            appended: self.counters.appended,
            fsyncs: self.counters.fsyncs,
            fsync_sum: self.counters.fsync_sum,
            fsync_max: self.counters.fsync_max,
            dropped_records: self.counters.dropped.records,
            dropped_points: self.counters.dropped.points,
            corrupt_records: self.counters.corrupt_records,
            poisoned: self.poisoned,
            full: self.counters.full,
            consumers: self.consumers.iter().map(|(name, p)| self.consumer_stats(name, p)).collect(),
        }
    }

    fn consumer_stats(&self, name: &str, position: &Position) -> ConsumerStats {
        let lag = self.segments.lag(position.progress.seq);
        ConsumerStats {
            name: name.to_owned(),
            open: position.open,
            committed_seq: position.progress.seq,
            read_seq: position.read,
            lag_records: lag.records,
            lag: ByteSize(lag.bytes),
            lag_points: lag.points,
        }
    }
}
