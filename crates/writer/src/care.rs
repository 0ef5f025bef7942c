//! The thread that asks the store how it is and keeps it in step, beside the workers, which may all be waiting for it.

use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread;
use std::time::Instant;

use backend::{RemoteStore, Wanted, WriteError};

use crate::report::Report;

/// What is to be done.
pub(crate) enum Errand {
    Probe,
    KeepInStep(Wanted),
}

/// The thread, as the dispatcher sees it.
pub(crate) struct Care {
    errands: SyncSender<Errand>,
    /// One is being done.
    busy: bool,
}

impl Care {
    /// Starts the thread; it ends when this is dropped.
    pub(crate) fn start(store: Arc<dyn RemoteStore>, reports: SyncSender<Report>) -> io::Result<Self> {
        let (errands, received) = sync_channel(1);
        let name = format!("{}-care", store.name());
        thread::Builder::new().name(name).spawn(move || run(&*store, &received, &reports))?;
        Ok(Self { errands, busy: false })
    }

    /// Has something done, unless the thread is busy. Its report follows.
    pub(crate) fn send(&mut self, errand: Errand) -> bool {
        if self.busy {
            return false;
        }
        self.busy = self.errands.try_send(errand).is_ok();
        self.busy
    }

    pub(crate) fn is_busy(&self) -> bool {
        self.busy
    }

    /// Its report has come.
    pub(crate) fn reported(&mut self) {
        self.busy = false;
    }
}

fn run(store: &dyn RemoteStore, errands: &Receiver<Errand>, reports: &SyncSender<Report>) {
    while let Ok(errand) = errands.recv() {
        let report = match errand {
            Errand::Probe => {
                let since = Instant::now();
                Report::Probed { since, probe: guarded(|| store.probe()) }
            }
            Errand::KeepInStep(wanted) => Report::InStep(guarded(|| store.keep_in_step(&wanted))),
        };
        if reports.send(report).is_err() {
            return;
        }
    }
}

/// A fault in a store's client must not end the thread that waits for it: nobody would write any more.
pub(crate) fn guarded<T>(ask: impl FnOnce() -> Result<T, WriteError>) -> Result<T, WriteError> {
    catch_unwind(AssertUnwindSafe(ask)).unwrap_or_else(|_| {
        Err(WriteError::Away { message: "the client of the store failed in an unexpected way".to_owned() })
    })
}
