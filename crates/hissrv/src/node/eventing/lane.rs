//! The journal's consumer for events: one thread that reads records, looks at their samples and writes what there is to tell.
//!
//! The cursor moves only past records whose events are durable, in the journal or in the saved state, and whose samples are in the saved
//! state. After a crash what came since is read once more: the same events, under the same ids, which changes nothing. Where records are passed
//! over, the cursor stays before them, unless the journal needs the room.

use std::io;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::Relaxed};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use ::events::{Detector, Event, Standpoint};
use journal::{Consumer, Delivery, Journal};
use model::{ColumnId, Seq};
use pipeline::{Intake, Target};

use super::columns::Columns;
use super::counts::Counts;
use super::hooks::Hooks;
use super::outbox::{Outbox, Points};
use super::passing::{FromNow, Passing};
use super::samples::Samples;
use super::saved::{Saved, State};
use crate::node::now;

/// Longest wait for a record before events are written and a stop is noticed.
const IDLE: Duration = Duration::from_millis(50);
/// Longest time that an event waits for a fuller batch.
const WAIT_MAX: Duration = Duration::from_millis(500);
/// The state is saved so often, ...
const SAVE_EVERY: Duration = Duration::from_secs(60);
/// ... but so often where the journal needs the room, ...
const SAVE_IN_NEED: Duration = Duration::from_secs(1);
/// ... or after so many bytes of records, ...
const SAVE_BYTES: u64 = 256 << 20;
/// ... and never more than this part of the time.
const SAVE_SHARE: u32 = 20;
/// Pause after an error that may pass, such as a read error of the disk.
const PAUSE: Duration = Duration::from_millis(500);
/// Columns handed over that may wait for the lane: some 8 MB.
const HANDED_MAX: usize = 4_096;
/// Longest time for what the journal still has, at a stop.
const STOP_PATIENCE: Duration = Duration::from_secs(4);

/// What the lane is made of.
pub(super) struct Parts {
    pub(super) journal: Arc<Journal>,
    pub(super) consumer: Consumer,
    pub(super) intake: Intake,
    pub(super) target: Target,
    pub(super) columns: Columns,
    pub(super) saved: Saved,
    pub(super) hooks: Arc<Hooks>,
    pub(super) counts: Arc<Counts>,
    pub(super) from_now: FromNow,
}

/// The running thread.
pub(super) struct Lane {
    orders: Arc<Orders>,
    /// Records were passed over, by an earlier process, whose events were not made.
    found_debt: bool,
    handing: SyncSender<(ColumnId, Standpoint)>,
    thread: Mutex<Option<JoinHandle<()>>>,
}

#[derive(Default)]
struct Orders {
    is_asked: AtomicBool,
    deadline: Mutex<Option<Instant>>,
    /// Columns handed over that the thread has not looked at yet.
    handed: AtomicUsize,
    /// The events of what was passed over up to here are made.
    released: Mutex<Option<Seq>>,
}

impl Orders {
    fn is_over(&self) -> bool {
        let deadline = *self.deadline.lock().unwrap_or_else(PoisonError::into_inner);
        deadline.is_some_and(|deadline| Instant::now() >= deadline)
    }
}

impl Lane {
    /// Goes on where the saved state is; without one, where the cursor is.
    pub(super) fn start(parts: Parts) -> io::Result<Self> {
        let orders = Arc::<Orders>::default();
        let (handing, handed) = sync_channel(HANDED_MAX);
        let (worker, found_debt) = Worker::new(parts, Arc::clone(&orders), handed)?;
        let thread = std::thread::Builder::new().name("events".to_owned()).spawn(move || worker.run())?;
        Ok(Self { orders, found_debt, handing, thread: Mutex::new(Some(thread)) })
    }

    /// Whether an earlier process has passed over records and their events were not made.
    pub(super) fn has_found_debt(&self) -> bool {
        self.found_debt
    }

    /// The events of all that was passed over up to here are made.
    pub(super) fn release(&self, until: Seq) {
        *self.orders.released.lock().unwrap_or_else(PoisonError::into_inner) = Some(until);
    }

    /// Tells where a column stands by all that is stored. The lane goes on from there, unless it has seen newer samples: of those that came late
    /// it knows nothing. It has not seen those that it passed over.
    pub(super) fn hand_over(&self, column: ColumnId, standpoint: Standpoint) {
        self.orders.handed.fetch_add(1, Relaxed);
        // A lane that has ended needs nothing.
        self.handing.send((column, standpoint)).ok();
    }

    /// Whether the lane has looked at everything that was handed over.
    pub(super) fn has_taken_over(&self) -> bool {
        self.orders.handed.load(Relaxed) == 0
    }

    pub(super) fn has_ended(&self) -> bool {
        let thread = self.thread.lock().unwrap_or_else(PoisonError::into_inner);
        thread.as_ref().is_none_or(JoinHandle::is_finished)
    }

    /// Ends the thread once it has read all there is, or soon.
    pub(super) fn stop(&self, deadline: Instant) {
        let deadline = deadline.min(Instant::now() + STOP_PATIENCE);
        *self.orders.deadline.lock().unwrap_or_else(PoisonError::into_inner) = Some(deadline);
        self.orders.is_asked.store(true, Relaxed);
        let thread = self.thread.lock().unwrap_or_else(PoisonError::into_inner).take();
        if thread.is_some_and(|thread| thread.join().is_err()) {
            tracing::error!("the thread of the events had panicked");
        }
    }
}

struct Worker {
    journal: Arc<Journal>,
    consumer: Consumer,
    samples: Samples,
    passing: Passing,
    /// The state that says what is owed was saved, or could not be.
    is_debt_saved: bool,
    /// Columns made of all that is stored, and whether the state has any that is not saved.
    handed: Receiver<(ColumnId, Standpoint)>,
    has_adopted: bool,
    outbox: Outbox,
    saved: Saved,
    counts: Arc<Counts>,
    orders: Arc<Orders>,
    found: Vec<Event>,
    /// When the oldest of the events that wait for a fuller batch came.
    oldest: Option<Instant>,
    /// When the state was saved, how long that took, and what was read since.
    saved_at: Instant,
    save_took: Duration,
    unsaved_bytes: u64,
    told_full: bool,
}

impl Worker {
    /// And whether events are owed by an earlier process.
    fn new(parts: Parts, orders: Arc<Orders>, handed: Receiver<(ColumnId, Standpoint)>) -> io::Result<(Self, bool)> {
        let Parts { journal, mut consumer, intake, target, columns, saved, hooks, counts, from_now } = parts;
        let Start { detector, mut waiting, passing, found_debt } =
            resume(&saved, &columns, &journal, &mut consumer, from_now)?;
        let mut outbox = Outbox::new(Points::new(intake, target), hooks, Arc::clone(&counts));
        outbox.take(&mut waiting);
        let worker = Self {
            journal,
            consumer,
            samples: Samples::new(columns, detector, now),
            passing,
            is_debt_saved: false,
            handed,
            has_adopted: false,
            outbox,
            saved,
            counts,
            orders,
            found: Vec::new(),
            oldest: None,
            saved_at: Instant::now(),
            save_took: Duration::ZERO,
            unsaved_bytes: 0,
            told_full: false,
        };
        Ok((worker, found_debt))
    }

    fn run(mut self) {
        loop {
            let is_asked = self.orders.is_asked.load(Relaxed);
            let is_idle = match self.consumer.next(IDLE) {
                Ok(Delivery::Record { seq, .. } | Delivery::Gap { from: seq, .. }) if self.passing.holds(seq) => {
                    self.show();
                    false
                }
                Ok(Delivery::Record { seq, payload, .. }) => {
                    self.take(seq, &payload);
                    false
                }
                Ok(Delivery::Gap { from, to, .. }) => {
                    self.note_gap(from, to);
                    false
                }
                Ok(Delivery::Idle) => {
                    self.show();
                    true
                }
                Ok(Delivery::Closed) => return self.finish(),
                Err(e) => {
                    tracing::error!(error = %e, "the journal cannot be read for events; trying again");
                    std::thread::sleep(PAUSE);
                    false
                }
            };
            // What the events themselves are in the journal as is read, too, so a stop waits for events of samples only.
            if is_asked && (is_idle || self.orders.is_over()) {
                return self.finish();
            }
            self.deliver(is_idle);
            self.adopt();
            self.note_release();
            if self.is_save_due() {
                self.save();
            }
        }
    }

    fn take(&mut self, seq: Seq, payload: &[u8]) {
        self.unsaved_bytes += payload.len() as u64;
        if let Err(e) = self.samples.take(payload, &mut self.found) {
            tracing::error!(%seq, error = %e, "a journal record could not be read for events");
            self.counts.book(|counts| counts.lost_records += 1);
        }
        if self.samples.is_full && !self.told_full {
            self.told_full = true;
            tracing::warn!("more columns than events.max_columns would be watched; the further ones are not");
        }
        if !self.found.is_empty() {
            self.oldest.get_or_insert_with(Instant::now);
            self.outbox.take(&mut self.found);
        }
        self.show();
    }

    fn adopt(&mut self) {
        let has_passed = self.passing.owes(self.consumer.position());
        for (column, standpoint) in self.handed.try_iter() {
            self.has_adopted |= match has_passed {
                true => self.samples.overtake(column, standpoint),
                false => self.samples.detector.adopt(column.0, standpoint),
            };
            self.orders.handed.fetch_sub(1, Relaxed);
        }
    }

    fn note_release(&mut self) {
        let released = *self.orders.released.lock().unwrap_or_else(PoisonError::into_inner);
        self.has_adopted |= released.is_some_and(|until| self.passing.end(until));
    }

    fn note_gap(&self, from: Seq, to: Seq) {
        tracing::warn!(%from, %to, "records of the journal were lost before events were made of them");
        self.counts.book(|counts| counts.lost_records += to.0.saturating_sub(from.0) + 1);
    }

    fn show(&self) {
        let (stats, columns, waiting) = (self.samples.detector.stats(), self.samples.detector.len(), self.outbox.len());
        let (ahead, seen) = (self.samples.ahead, self.consumer.position());
        self.counts.book(|counts| {
            counts.ahead = ahead;
            counts.seen = seen;
            counts.samples = stats;
            counts.columns = columns;
            counts.waiting = waiting;
        });
    }

    fn deliver(&mut self, is_idle: bool) {
        let is_old = self.oldest.is_some_and(|oldest| oldest.elapsed() >= WAIT_MAX);
        if self.outbox.len() > 0 && (is_idle || is_old || self.outbox.is_full()) {
            self.outbox.deliver();
            self.oldest = None;
            self.show();
        }
    }

    /// Soon where somebody waits for room in the journal: its records up to the cursor can go only then.
    fn is_save_due(&self) -> bool {
        let since = self.saved_at.elapsed();
        let read = self.consumer.position();
        let is_new = self.has_adopted || read > self.consumer.committed_seq();
        if !is_new || since < self.save_took * SAVE_SHARE {
            return false;
        }
        let is_needed = since >= SAVE_IN_NEED && (self.outbox.is_stuck() || self.journal.is_half_full());
        if self.passing.owes(read) {
            return is_needed || !self.is_debt_saved;
        }
        is_needed
            || since >= SAVE_EVERY
            || self.unsaved_bytes >= SAVE_BYTES
            || (since >= SAVE_IN_NEED && self.has_adopted)
    }

    /// Saves the state, then moves the cursor.
    fn save(&mut self) {
        let begun = Instant::now();
        self.outbox.deliver();
        self.samples.forget_dropped();
        let read = self.consumer.position();
        let position = self.passing.settled(read);
        // IMPORTANT: never before the cursor, or the state would be taken for that of another journal.
        let reach = read.max(self.consumer.committed_seq());
        let state = State { position, reach, detector: self.samples.detector.save(), waiting: self.outbox.all() };
        let cursor = if self.journal.is_half_full() { read } else { position };
        // A state must not know of records that a power cut could take.
        let durable = self.outbox.until_durable().map_err(|e| e.to_string());
        let stored = durable.and_then(|()| self.saved.store(&state).map_err(|e| e.to_string()));
        let moved = stored.and_then(|()| self.consumer.commit(cursor).map_err(|e| e.to_string()));
        match moved {
            Ok(()) => {
                self.counts.book(|counts| counts.saves += 1);
                self.outbox.hurry();
            }
            Err(error) => tracing::warn!(error, "the state of the events could not be saved; trying again"),
        }
        self.save_took = begun.elapsed();
        self.saved_at = Instant::now();
        self.unsaved_bytes = 0;
        self.has_adopted = false;
        self.is_debt_saved |= position < reach;
        self.show();
    }

    fn finish(mut self) {
        self.note_release();
        self.outbox.deliver_now();
        self.save();
    }
}

/// What the lane begins with.
struct Start {
    detector: Detector,
    /// Events that were not written yet.
    waiting: Vec<Event>,
    passing: Passing,
    /// Records were passed over whose events were not made.
    found_debt: bool,
}

/// The detector as it was saved, and the consumer behind what it has seen, or passed over. A state that does not fit the rules or the journal is
/// left out.
fn resume(
    saved: &Saved,
    columns: &Columns,
    journal: &Journal,
    consumer: &mut Consumer,
    from_now: FromNow,
) -> io::Result<Start> {
    let last = journal.stats().last_seq;
    let passing = |after| match from_now {
        FromNow::Watched => Passing::default(),
        FromNow::PassedOver => Passing::after(after),
    };
    let anew =
        |waiting| Start { detector: Detector::new(&columns.rules), waiting, passing: passing(last), found_debt: false };
    let Some(State { position, reach, detector, waiting }) = saved.load()? else { return Ok(anew(Vec::new())) };
    // IMPORTANT: a state behind the cursor, or past the end, is of another journal or a copy: what is between was never seen.
    if reach < consumer.committed_seq() || reach > last {
        tracing::warn!(%position, "the saved state of the events does not fit the journal; they begin anew");
        return Ok(anew(waiting));
    }
    let found_debt = position < reach;
    let goes_on = found_debt && from_now == FromNow::PassedOver;
    if found_debt && !goes_on {
        tracing::warn!(
            %position,
            "an import ended before its events were made; what the journal has left of it is looked at as if it came live"
        );
    }
    consumer.seek(if goes_on { reach } else { position });
    let start = Start { passing: passing(if goes_on { position } else { last }), found_debt, ..anew(waiting) };
    match Detector::load(&columns.rules, &detector) {
        Ok(detector) => Ok(Start { detector, ..start }),
        Err(e) => {
            tracing::warn!(reason = %e, "the saved state of the events cannot be used; they begin anew");
            Ok(start)
        }
    }
}
