//! The journal's consumer for the embedded engine: one thread that takes records in, in order, and moves the durable cursor
//! to what the engine has in synced files. A journal without room has the engine write its files at once.

use std::io;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use engine::{Engine, EngineError, Touched};
use journal::{Consumer, Delivery, GapReason, Journal};
use model::Seq;
use model::wire::decode;

use crate::applied::{Applied, Visible};
use crate::observer::{Observer, Observers};

/// Longest wait for a record before the cursor is looked after and a stop is noticed.
const IDLE: Duration = Duration::from_millis(100);
/// How often the cursor is moved, when the engine has written more to files.
const COMMIT_EVERY: Duration = Duration::from_millis(200);
/// Pause after an error that may pass, such as a read error of the disk.
const PAUSE: Duration = Duration::from_millis(500);

/// The running consumer.
pub struct Applier {
    shared: Arc<Shared>,
    thread: Mutex<Option<JoinHandle<()>>>,
}

struct Shared {
    journal: Arc<Journal>,
    engine: Arc<Engine>,
    applied: Arc<Applied>,
    stopping: AtomicBool,
    /// Under a lock, so that whoever reads finds the books balanced.
    stats: Mutex<ApplierStats>,
}

/// Totals since the start: taken = values + refused + dropped + unreadable.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct ApplierStats {
    /// Values in the records that the journal delivered.
    pub taken: u64,
    /// Values taken into the engine.
    pub values: u64,
    /// Values the engine refused: their column was unknown or of another type.
    pub refused: u64,
    /// Values whose names were dropped before the engine had them.
    pub dropped: u64,
    /// Values in records that could not be decoded.
    pub unreadable: u64,
    /// Values in records that were lost to damage of the journal, or dropped by its disk budget, before the engine had them.
    pub lost_values: u64,
    /// Those records.
    pub lost_records: u64,
    /// Records that could not be decoded, and failed reads or cursor moves.
    pub errors: u64,
}

impl ApplierStats {
    /// True when every value delivered is accounted for.
    pub fn is_balanced(&self) -> bool {
        self.taken == self.values + self.refused + self.dropped + self.unreadable
    }
}

impl Applier {
    /// Starts after what the engine already has in files; observers are told of what the journal has before that, too. `consumer` is
    /// one of `journal`.
    ///
    /// # Errors
    /// When the thread cannot be started.
    pub fn start(
        journal: Arc<Journal>,
        mut consumer: Consumer,
        engine: Arc<Engine>,
        applied: Arc<Applied>,
        observers: Observers,
    ) -> io::Result<Self> {
        // A new consumer starts at what the journal still has: what came before it was never meant for the engine. Observers may
        // not have made durable what the engine has in files already.
        let start = consumer.committed_seq();
        consumer.seek(start);
        applied.advance(engine.flushed_seq().max(start), Visible::Yes);
        let shared =
            Arc::new(Shared { journal, engine, applied, stopping: AtomicBool::new(false), stats: Mutex::default() });
        let committed_at = Instant::now();
        let touched = Touched::default();
        let worker = Worker { shared: Arc::clone(&shared), consumer, committed_at, observers, touched, taken: start };
        let thread = std::thread::Builder::new().name("applier".to_owned()).spawn(move || worker.run())?;
        Ok(Self { shared, thread: Mutex::new(Some(thread)) })
    }

    /// Totals of the moment.
    pub fn stats(&self) -> ApplierStats {
        *self.shared.stats.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// True once the thread has ended, which it does only when told to or when the journal was closed.
    pub fn has_ended(&self) -> bool {
        let thread = self.thread.lock().unwrap_or_else(PoisonError::into_inner);
        thread.as_ref().is_none_or(JoinHandle::is_finished)
    }

    /// Takes in what the journal still holds, writes it to files, moves the cursor, and ends the thread. The journal must have
    /// been closed, or it never runs out.
    pub fn drain(&self) {
        self.join();
    }

    /// Ends the thread where it stands; the journal keeps what was not taken in.
    pub fn abandon(&self) {
        self.shared.stopping.store(true, Relaxed);
        self.join();
    }

    fn join(&self) {
        let thread = self.thread.lock().unwrap_or_else(PoisonError::into_inner).take();
        if thread.is_some_and(|t| t.join().is_err()) {
            tracing::error!("the applier had panicked");
        }
    }
}

impl Shared {
    fn book(&self, change: impl FnOnce(&mut ApplierStats)) {
        change(&mut self.stats.lock().unwrap_or_else(PoisonError::into_inner));
    }
}

struct Worker {
    shared: Arc<Shared>,
    consumer: Consumer,
    committed_at: Instant,
    observers: Observers,
    /// What the record under way changed.
    touched: Touched,
    /// Position of the newest record that was taken, or known to be lost.
    taken: Seq,
}

impl Worker {
    fn run(mut self) {
        while !self.shared.stopping.load(Relaxed) {
            match self.consumer.next(IDLE) {
                Ok(Delivery::Record { seq, points, payload }) => {
                    if !self.take(seq, u64::from(points), &payload) {
                        return;
                    }
                }
                Ok(Delivery::Gap { from, to, points, reason }) => self.note_gap(from, to, points, reason),
                Ok(Delivery::Idle) => {}
                Ok(Delivery::Closed) => return self.finish(),
                Err(e) => {
                    self.shared.book(|stats| stats.errors += 1);
                    tracing::error!(error = %e, "the journal cannot be read; trying again");
                    std::thread::sleep(PAUSE);
                }
            }
            if self.committed_at.elapsed() >= COMMIT_EVERY {
                self.make_room();
                self.commit();
            }
        }
    }

    /// False when the engine is being stopped.
    fn take(&mut self, seq: Seq, points: u64, payload: &[u8]) -> bool {
        self.touched.clear();
        self.taken = seq;
        if seq > self.shared.engine.flushed_seq() {
            return self.apply(seq, points, payload);
        }
        // The engine has it in files since before the start.
        match decode(payload, &mut self.touched) {
            Ok(()) => self.observers.changed(&self.touched),
            Err(_) => self.observers.lost_track(),
        }
        true
    }

    fn apply(&mut self, seq: Seq, points: u64, payload: &[u8]) -> bool {
        let s = &self.shared;
        let mut outcome = Visible::Yes;
        match s.engine.apply_and_tell(seq, payload, &mut self.touched) {
            Ok(report) => s.book(|stats| {
                stats.taken += points;
                stats.values += report.values;
                stats.dropped += report.dropped;
                stats.refused += report.unknown_columns + report.wrong_types;
            }),
            Err(EngineError::Stopping) => return false,
            Err(e) => {
                s.book(|stats| {
                    stats.taken += points;
                    stats.unreadable += points;
                    stats.errors += 1;
                });
                outcome = Visible::Lost;
                tracing::error!(error = %e, "a journal record was passed over");
                self.observers.lost_track();
            }
        }
        if !self.touched.is_empty() {
            self.observers.changed(&self.touched);
        }
        s.applied.advance(seq, outcome);
        true
    }

    fn note_gap(&mut self, from: Seq, to: Seq, points: Option<u64>, reason: GapReason) {
        self.observers.lost_track();
        self.taken = to;
        let s = &self.shared;
        let flushed = s.engine.flushed_seq();
        if to <= flushed {
            return;
        }
        let from = from.max(flushed.next());
        s.book(|stats| {
            stats.lost_records += to.0.saturating_sub(from.0) + 1;
            stats.lost_values += points.unwrap_or(0);
        });
        tracing::error!(%from, %to, ?points, ?reason, "records of the journal were lost before the engine had them");
        s.applied.advance(to, Visible::Lost);
    }

    /// What is not in files yet must not be what fills the journal: appends would be refused, or (where the oldest is dropped)
    /// values lost that queries have seen already. By its own settings the engine may take its time.
    fn make_room(&self) {
        let s = &self.shared;
        if !s.journal.is_half_full() || s.engine.applied_seq() <= s.engine.flushed_seq() {
            return;
        }
        // The engine has logged the cause, and the journal stays full, so this is tried again.
        if s.engine.flush().is_err() {
            s.book(|stats| stats.errors += 1);
        }
    }

    /// Lets the journal delete what the engine has in files.
    fn commit(&mut self) {
        self.committed_at = Instant::now();
        // After a start the engine may have more in files than was read here, for the observers' sake.
        let done = self.shared.engine.flushed_seq().min(self.taken);
        if done <= self.consumer.committed_seq() {
            return;
        }
        if let Err(e) = self.observers.persist() {
            self.shared.book(|stats| stats.errors += 1);
            tracing::warn!(error = %e, "what rollups have to do could not be made durable; trying again");
            return;
        }
        if let Err(e) = self.consumer.commit(done) {
            self.shared.book(|stats| stats.errors += 1);
            tracing::warn!(error = %e, "the journal's cursor could not be moved; trying again");
        }
    }

    fn finish(&mut self) {
        if let Err(e) = self.shared.engine.flush() {
            tracing::error!(error = %e, "the last values could not be written to files; the journal keeps them");
        }
        self.commit();
    }
}
