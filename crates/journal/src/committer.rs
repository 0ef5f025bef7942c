//! The one thread that writes, syncs and deletes segments. It takes what is queued, writes it in one piece, syncs once and
//! then reports to all who wait: the slower the disk, the larger the groups.
//!
//! IMPORTANT: after a failed write or sync nothing is known of the file any more; a second sync may succeed without having
//! written anything. The journal is poisoned then, and what is durable is found out by the recovery of the next start.

mod space;

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use model::Seq;
use vfs::File;

use crate::config::FsyncPolicy;
use crate::error::AppendError;
use crate::queue::{Pending, cost_of};
use crate::record::Record;
use crate::segment::{self, HEADER_LEN};
use crate::shared::{Phase, Shared, State};
use crate::tail::TailRecord;
use space::is_no_space;

/// Most that is written at once, unless a single record is larger. Beyond some MiB a sync costs by the byte anyway.
const BATCH_MAX: u64 = 4 << 20;

/// State of the committer thread.
pub(crate) struct Committer {
    shared: Arc<Shared>,
    active: Option<Active>,
    /// Longest a segment file may become.
    capacity: u64,
    buffer: Vec<u8>,
    /// Since when something is written that is not synced.
    unsynced_since: Option<Instant>,
}

/// The segment being written.
struct Active {
    file: Arc<dyn File>,
    path: PathBuf,
    /// Where the next record goes.
    end: u64,
}

enum Work {
    Commit(Vec<Pending>),
    Sync,
    Trim,
    Stop,
}

impl Committer {
    /// `file` is that of the last segment, if it can be continued.
    pub(crate) fn new(shared: Arc<Shared>, file: Option<Arc<dyn File>>, capacity: u64) -> Self {
        let last = shared.lock().segments.last().map(|s| (s.start().seq, s.end().offset));
        let active =
            file.zip(last).map(|(file, (first, end))| Active { file, path: segment::path(&shared.dir, first), end });
        Self { shared, active, capacity, buffer: Vec::new(), unsynced_since: None }
    }

    /// Works until the journal is closed and everything queued is committed.
    pub(crate) fn run(mut self) {
        let ending = Ending(Arc::clone(&self.shared));
        loop {
            match self.wait() {
                Work::Commit(batch) => self.commit(batch),
                Work::Sync => self.sync_late(),
                Work::Trim => self.trim(),
                Work::Stop => break,
            }
        }
        self.sync_late();
        drop(ending);
        // IMPORTANT: after the phase has changed. A consumer that committed before saw an open journal and left the
        // trimming to this thread; one that commits from now on does it itself.
        self.shared.trim_closed();
    }

    fn wait(&self) -> Work {
        let mut state = self.shared.lock();
        loop {
            let sync_in = self.sync_due_in();
            if sync_in.is_some_and(|left| left.is_zero()) {
                return Work::Sync;
            }
            if std::mem::take(&mut state.trim) {
                return Work::Trim;
            }
            if !state.queue.is_empty() {
                return Work::Commit(self.take_batch(&mut state));
            }
            if state.phase != Phase::Open {
                return Work::Stop;
            }
            state = self.shared.wait(&self.shared.work, state, sync_in);
        }
    }

    /// Records that fit into one segment: the active one, or a new one.
    fn take_batch(&self, state: &mut State) -> Vec<Pending> {
        let left = self.active.as_ref().map_or(0, |a| self.capacity.saturating_sub(a.end));
        let whole = self.capacity - HEADER_LEN as u64;
        state.queue.take(left.min(BATCH_MAX), whole.min(BATCH_MAX))
    }

    fn sync_due_in(&self) -> Option<Duration> {
        match self.shared.config.fsync {
            FsyncPolicy::Always => None,
            FsyncPolicy::Interval(interval) => {
                self.unsynced_since.map(|since| interval.saturating_sub(since.elapsed()))
            }
        }
    }

    fn commit(&mut self, batch: Vec<Pending>) {
        let cost = cost_of(&batch);
        let stored = self.store(&batch);
        if let Ok(first) = stored {
            self.publish(&batch, first);
        }
        self.shared.lock().queue.release(cost);
        self.shared.room.notify_all();
        let mut seq = stored.as_ref().map_or(Seq(0), |first| *first);
        for pending in batch {
            (pending.done)(stored.clone().map(|_| seq));
            seq = seq.next();
        }
    }

    /// Writes a batch, and syncs it if the policy says so; the first record's number on success.
    fn store(&mut self, batch: &[Pending]) -> Result<Seq, AppendError> {
        self.make_room(batch.iter().map(Pending::encoded_len).sum())?;
        let first = self.shared.lock().next;
        self.encode(batch, first);
        while let Err(error) = self.write() {
            if !self.drops_for(&error) {
                return Err(error);
            }
        }
        self.unsynced_since.get_or_insert_with(Instant::now);
        if self.shared.config.fsync == FsyncPolicy::Always {
            self.sync()?;
        }
        Ok(first)
    }

    fn encode(&mut self, batch: &[Pending], first: Seq) {
        self.buffer.clear();
        self.buffer.shrink_to(BATCH_MAX as usize);
        let mut seq = first;
        for pending in batch {
            Record { seq, points: pending.points, payload: &pending.payload }.encode(&mut self.buffer);
            seq = seq.next();
        }
    }

    /// Writes the buffer behind the last record, in a new segment if it does not fit there. Nothing has changed when the
    /// error is retryable.
    fn write(&mut self) -> Result<(), AppendError> {
        let bytes = self.buffer.len() as u64;
        if self.active.as_ref().is_none_or(|a| a.end + bytes > self.capacity) {
            self.roll()?;
        }
        let Some(active) = &mut self.active else { return Err(AppendError::Poisoned) };
        match active.file.write_at(&self.buffer, active.end) {
            Ok(()) => {
                active.end += bytes;
                Ok(())
            }
            Err(e) if is_no_space(&e) && active.file.set_len(active.end).is_ok() => Err(self.full()),
            Err(e) => {
                let path = active.path.clone();
                Err(self.poison("write segment", &path, e))
            }
        }
    }

    /// Makes everything written durable.
    fn sync(&mut self) -> Result<(), AppendError> {
        let Some(active) = &self.active else { return Ok(()) };
        let started = Instant::now();
        if let Err(e) = active.file.sync() {
            let path = active.path.clone();
            return Err(self.poison("sync segment", &path, e));
        }
        let took = started.elapsed();
        self.unsynced_since = None;
        let mut state = self.shared.lock();
        state.durable = Seq(state.next.0 - 1);
        state.counters.fsyncs += 1;
        state.counters.fsync_sum += took;
        state.counters.fsync_max = state.counters.fsync_max.max(took);
        Ok(())
    }

    /// Syncs what was acknowledged as written. Nobody waits for the outcome; a failure is logged where it poisons.
    fn sync_late(&mut self) {
        if self.unsynced_since.is_some() {
            self.sync().ok();
        }
    }

    /// Seals the active segment and begins the next one.
    fn roll(&mut self) -> Result<(), AppendError> {
        if self.unsynced_since.is_some() {
            self.sync()?;
        }
        let first = self.shared.lock().next;
        let path = segment::path(&self.shared.dir, first);
        match segment::create(&*self.shared.fs, &self.shared.dir, first) {
            Ok(file) => {
                self.shared.lock().segments.start(first);
                self.active = Some(Active { file, path, end: HEADER_LEN as u64 });
                Ok(())
            }
            Err(e) if is_no_space(&e) && self.remove_if_there(&path).is_ok() => Err(self.full()),
            Err(e) => Err(self.poison("create segment", &path, e)),
        }
    }

    fn remove_if_there(&self, path: &Path) -> io::Result<()> {
        if self.shared.fs.exists(path) { self.shared.fs.remove(path) } else { Ok(()) }
    }

    /// Shows committed records to the consumers.
    fn publish(&self, batch: &[Pending], first: Seq) {
        let mut state = self.shared.lock();
        debug_assert_eq!(state.next, first);
        for pending in batch {
            state.add(pending);
        }
        if self.unsynced_since.is_none() {
            state.durable = Seq(state.next.0 - 1);
        }
        state.counters.full = false;
        self.shared.news.notify_all();
    }

    /// Refuses everything from now on; returns the error for those concerned.
    fn poison(&mut self, op: &'static str, path: &Path, source: io::Error) -> AppendError {
        tracing::error!(op, path = %path.display(), error = %source, "the journal is poisoned until restart");
        self.active = None;
        self.unsynced_since = None;
        let mut state = self.shared.lock();
        state.poisoned = true;
        let waiting = state.queue.take_all();
        drop(state);
        refuse(waiting, &AppendError::Poisoned);
        self.shared.room.notify_all();
        AppendError::io(op, path, source)
    }
}

impl State {
    /// Takes note of a record that was written.
    fn add(&mut self, pending: &Pending) {
        self.segments.push_record(pending.points, pending.encoded_len());
        self.tail.push(TailRecord {
            seq: self.next,
            points: pending.points,
            points_end: self.segments.points(),
            payload: Arc::clone(&pending.payload),
        });
        self.next = self.next.next();
        self.counters.appended.records += 1;
        self.counters.appended.points += u64::from(pending.points);
        self.counters.appended.bytes += pending.payload.len() as u64;
    }
}

fn refuse(waiting: Vec<Pending>, error: &AppendError) {
    for pending in waiting {
        (pending.done)(Err(error.clone()));
    }
}

/// Tells everybody that the committer is gone, also when it panicked.
struct Ending(Arc<Shared>);

impl Drop for Ending {
    fn drop(&mut self) {
        let mut state = self.0.lock();
        state.poisoned |= std::thread::panicking();
        state.phase = Phase::Closed;
        // Nothing is queued unless the thread panicked; what is dropped here wakes `append_wait`.
        let waiting = state.queue.take_all();
        drop(state);
        drop(waiting);
        self.0.room.notify_all();
        self.0.news.notify_all();
    }
}
