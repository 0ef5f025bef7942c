//! What a writer is told to do, and what it shows: the only things that its dispatcher shares with others.

use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::sync::{Mutex, PoisonError};
use std::time::Instant;

use crate::status::WriterStatus;

/// Shared by the handle and the dispatcher.
#[derive(Debug, Default)]
pub(crate) struct Control {
    paused: AtomicBool,
    resumed: AtomicBool,
    skip: AtomicBool,
    stop_at: Mutex<Option<Instant>>,
    status: Mutex<WriterStatus>,
}

impl Control {
    pub(crate) fn pause(&self) {
        self.paused.store(true, Relaxed);
    }

    pub(crate) fn resume(&self) {
        self.paused.store(false, Relaxed);
        self.resumed.store(true, Relaxed);
    }

    /// True once after it was told to go on.
    pub(crate) fn takes_resume(&self) -> bool {
        self.resumed.swap(false, Relaxed)
    }

    pub(crate) fn is_paused(&self) -> bool {
        self.paused.load(Relaxed)
    }

    /// Gives up everything up to the journal's end.
    pub(crate) fn skip(&self) {
        self.skip.store(true, Relaxed);
    }

    /// True once when everything is to be given up.
    pub(crate) fn takes_skip(&self) -> bool {
        self.skip.swap(false, Relaxed)
    }

    /// To be stopped until then; an earlier time than one given before counts.
    pub(crate) fn stop(&self, deadline: Instant) {
        let mut stop_at = self.stop_at.lock().unwrap_or_else(PoisonError::into_inner);
        *stop_at = Some(stop_at.map_or(deadline, |earlier| earlier.min(deadline)));
    }

    pub(crate) fn stop_at(&self) -> Option<Instant> {
        *self.stop_at.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn show(&self, status: WriterStatus) {
        *self.status.lock().unwrap_or_else(PoisonError::into_inner) = status;
    }

    pub(crate) fn status(&self) -> WriterStatus {
        self.status.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}
