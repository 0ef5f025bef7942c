//! The handle of a running writer.

use std::io;
use std::sync::mpsc::sync_channel;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use backend::{RemoteStore, Wanted};
use catalog::Catalog;
use journal::{Consumer, Journal};
use model::TimestampNs;

use crate::care::Care;
use crate::config::WriterConfig;
use crate::control::Control;
use crate::crew::Crew;
use crate::dead_letters::DeadLetters;
use crate::dispatcher::{Dispatcher, State};
use crate::status::WriterStatus;
use crate::worker::Bench;

/// Between looks whether the threads have ended.
const PATIENCE: Duration = Duration::from_millis(5);

/// What a writer needs.
pub struct Parts {
    /// The store.
    pub store: Arc<dyn RemoteStore>,
    /// Where the values come from.
    pub journal: Arc<Journal>,
    /// The store's cursor in it.
    pub consumer: Consumer,
    /// The names of the values.
    pub catalog: Arc<Catalog>,
    /// Where points go that the store refuses for good.
    pub dead_letters: Arc<DeadLetters>,
    /// What the store is to have besides points, at the moment it is asked. Must be quick.
    pub wanted: Box<dyn Fn() -> Wanted + Send>,
    /// Settings.
    pub config: WriterConfig,
    /// The time, for what retention policies keep.
    pub clock: fn() -> TimestampNs,
}

/// A running writer: a dispatcher, its workers, and a thread that looks after the store. Dropping it stops them.
pub struct StoreWriter {
    control: Arc<Control>,
    threads: Mutex<Vec<JoinHandle<()>>>,
    name: &'static str,
}

impl StoreWriter {
    /// Starts writing after the consumer's cursor. Does not wait for the store.
    ///
    /// # Errors
    /// When a thread cannot be started.
    pub fn start(parts: Parts) -> io::Result<Self> {
        let Parts { store, journal, consumer, catalog, dead_letters, wanted, config, clock } = parts;
        let name = store.name();
        let control = Arc::new(Control::default());
        let bench = Arc::new(Bench::new(Arc::clone(&store), dead_letters, clock));
        // Each thread has one report under way at most, so that none of them ever waits for the dispatcher.
        let (reporter, reports) = sync_channel(config.num_workers + 1);
        let (crew, mut threads) = Crew::start(config.num_workers, &bench, &reporter)?;
        let state = State::new(&config, consumer, &journal, Arc::clone(&catalog), store.durable_after());
        let care = Care::start(store, reporter)?;
        let shared = Arc::clone(&control);
        let dispatcher =
            Dispatcher { journal, catalog, config, clock, wanted, control: shared, bench, crew, care, reports, state };
        threads.push(thread::Builder::new().name(format!("{name}-writer")).spawn(move || dispatcher.run())?);
        Ok(Self { control, threads: Mutex::new(threads), name })
    }

    /// How it is; at most some 100 ms old.
    pub fn status(&self) -> WriterStatus {
        self.control.status()
    }

    /// Sends nothing more, and keeps the values in the journal, until [`StoreWriter::resume`]. What is under way arrives.
    pub fn pause(&self) {
        self.control.pause();
    }

    /// Ends a pause. A store that does not work is looked at once more at once, so that nobody waits who has mended something.
    pub fn resume(&self) {
        self.control.resume();
    }

    /// Gives up everything up to the journal's end at this moment, but for what is under way. It is counted as skipped. Waits some milliseconds
    /// until it is settled what that is: whatever is appended once this returns is written. It is done when nothing is under way any more; should the
    /// writer end before, nothing is given up.
    pub fn skip(&self) {
        let order = self.control.skip();
        while !self.control.has_heard_skip(order) && !self.has_ended() {
            thread::sleep(PATIENCE);
        }
    }

    /// Sends what was read already, if the store takes it, moves the cursor and ends the threads; returns by the deadline. A request
    /// that is still under way then is left to itself, and its values come again at the next start.
    pub fn stop(&self, deadline: Instant) {
        self.control.stop(deadline);
        let threads = std::mem::take(&mut *self.threads.lock().unwrap_or_else(PoisonError::into_inner));
        let Some((dispatcher, workers)) = threads.split_last() else { return };
        // It ends at the deadline by itself, after a last move of the cursor.
        while !dispatcher.is_finished() {
            thread::sleep(PATIENCE);
        }
        while Instant::now() < deadline && !workers.iter().all(JoinHandle::is_finished) {
            thread::sleep(PATIENCE);
        }
        let left = workers.iter().filter(|worker| !worker.is_finished()).count();
        if left > 0 {
            tracing::warn!(
                store = self.name,
                requests = left,
                "requests were still under way at the deadline; their values come again"
            );
        }
        for thread in threads.into_iter().filter(JoinHandle::is_finished) {
            if thread.join().is_err() {
                tracing::error!(store = self.name, "a thread of the writer had panicked");
            }
        }
    }

    /// True once the dispatcher has ended, which it does only when told to.
    pub fn has_ended(&self) -> bool {
        self.threads.lock().unwrap_or_else(PoisonError::into_inner).last().is_none_or(JoinHandle::is_finished)
    }
}

impl Drop for StoreWriter {
    fn drop(&mut self) {
        self.stop(Instant::now());
    }
}
