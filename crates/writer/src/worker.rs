//! A thread with a connection: writes tasks, isolates points that the store refuses, and puts those into the dead letters. What
//! fails otherwise goes back to the dispatcher, which decides when it is tried again.

mod isolate;
mod sift;

use std::ops::Range;
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};
use std::sync::mpsc::{Receiver, SyncSender};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use backend::{RemoteStore, Session, WriteError, Written};
use model::TimestampNs;

use crate::bad_columns::BadColumns;
use crate::care::guarded;
use crate::dead_letters::DeadLetters;
use crate::meter::Meter;
use crate::report::{Held, Outcome, Report};
use crate::task::Task;

/// What the workers of a store share.
pub(crate) struct Bench {
    pub(crate) store: Arc<dyn RemoteStore>,
    pub(crate) dead_letters: Arc<DeadLetters>,
    pub(crate) meter: Meter,
    pub(crate) clock: fn() -> TimestampNs,
    bad_columns: Mutex<BadColumns>,
    /// Points refused alone, for a reason that is not told, since one was stored.
    refused: AtomicU32,
}

/// Points refused one after another from which on the store counts as refusing everything: then they are kept.
const REFUSED_MAX: u32 = 10;

impl Bench {
    pub(crate) fn new(store: Arc<dyn RemoteStore>, dead_letters: Arc<DeadLetters>, clock: fn() -> TimestampNs) -> Self {
        Self {
            store,
            dead_letters,
            meter: Meter::default(),
            clock,
            bad_columns: Mutex::default(),
            refused: AtomicU32::new(0),
        }
    }

    /// Counts a point that was refused alone; true when it was one too many.
    fn refuses_everything(&self) -> bool {
        self.refused.fetch_add(1, Relaxed) >= REFUSED_MAX
    }

    pub(crate) fn bad_columns(&self) -> MutexGuard<'_, BadColumns> {
        self.bad_columns.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// One of the threads.
pub(crate) struct Worker {
    bench: Arc<Bench>,
    session: Box<dyn Session>,
}

impl Worker {
    pub(crate) fn new(bench: Arc<Bench>) -> Self {
        let session = bench.store.session();
        Self { bench, session }
    }

    /// Works until there are no more tasks, or nobody wants to hear of them.
    pub(crate) fn run(mut self, number: usize, tasks: &Receiver<Task>, reports: &SyncSender<Report>) {
        while let Ok(mut task) = tasks.recv() {
            let outcome = match self.perform(&mut task) {
                Ok(()) => Outcome::Done,
                Err(held) => Outcome::Held(held),
            };
            if reports.send(Report::Task { worker: number, task: Box::new(task), outcome }).is_err() {
                return;
            }
        }
    }

    fn perform(&mut self, task: &mut Task) -> Result<(), Held> {
        task.advanced = false;
        task.latency = Duration::ZERO;
        if !task.begun {
            self.sift(task);
        }
        while let Some(range) = task.todo.pop() {
            if !range.is_empty() {
                self.advance(task, range).map_err(Held::Store)?;
            }
        }
        self.bury(task)
    }

    /// Writes a part, or makes it smaller. On an error it is still to be done.
    fn advance(&mut self, task: &mut Task, range: Range<usize>) -> Result<(), WriteError> {
        match self.write(task, range.clone()) {
            Ok(written) => task.written(range, written),
            Err(WriteError::Points { message, blame }) if range.len() == 1 => {
                if let Err(error) = self.isolated(task, range.start, &message, blame) {
                    if matches!(error, WriteError::Denied { .. }) {
                        task.todo.push(range);
                    }
                    return Err(error);
                }
            }
            Err(WriteError::TooLarge { message }) if range.len() == 1 => self.condemn(task, range.start, &message),
            Err(WriteError::TooLarge { .. }) => {
                task.too_large = Some(range.len());
                task.split(range);
            }
            Err(WriteError::Points { .. }) => {
                self.bench.meter.bisections.fetch_add(1, Relaxed);
                task.split(range);
            }
            Err(error) => {
                task.todo.push(range);
                return Err(error);
            }
        }
        Ok(())
    }

    fn write(&mut self, task: &mut Task, range: Range<usize>) -> Result<Written, WriteError> {
        let (started, values) = (Instant::now(), range.len());
        let written = guarded(|| self.session.write(&task.batch, range));
        task.latency = started.elapsed();
        self.bench.meter.note(values, task.latency, written.is_ok());
        if written.as_ref().is_ok_and(|written| written.filtered < values as u64) {
            self.bench.refused.store(0, Relaxed);
        }
        written
    }

    /// IMPORTANT: before the task counts as done. From then on the journal may delete the points.
    fn bury(&self, task: &mut Task) -> Result<(), Held> {
        if task.dead.is_empty() {
            return Ok(());
        }
        let letters: Vec<_> = task.dead.iter().map(|dead| dead.letter.clone()).collect();
        let added = self.bench.dead_letters.add(&letters).map_err(|e| Held::Letters(e.to_string()))?;
        task.buried(added.lost);
        Ok(())
    }
}
