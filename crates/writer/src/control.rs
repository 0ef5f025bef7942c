//! What a writer is told to do, and what it shows: the only things that its dispatcher shares with others.

use std::sync::atomic::Ordering::{AcqRel, Acquire, Relaxed, Release};
use std::sync::atomic::{AtomicBool, AtomicU64};
use std::sync::{Mutex, PoisonError};
use std::time::Instant;

use crate::status::WriterStatus;

/// Shared by the handle and the dispatcher.
#[derive(Debug, Default)]
pub(crate) struct Control {
    paused: AtomicBool,
    resumed: AtomicBool,
    /// Times that somebody told it to give up everything, and how many of them it has heard.
    skips: AtomicU64,
    skips_heard: AtomicU64,
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

    /// Gives up everything up to the journal's end. Which end that is, is known once this order, whose number it returns, was heard.
    pub(crate) fn skip(&self) -> u64 {
        self.skips.fetch_add(1, AcqRel) + 1
    }

    pub(crate) fn has_heard_skip(&self, order: u64) -> bool {
        self.skips_heard.load(Acquire) >= order
    }

    /// The last order to give up everything, if it was not heard yet.
    pub(crate) fn unheard_skip(&self) -> Option<u64> {
        Some(self.skips.load(Acquire)).filter(|order| !self.has_heard_skip(*order))
    }

    /// What this order gives up is settled.
    pub(crate) fn hear_skip(&self, order: u64) {
        self.skips_heard.store(order, Release);
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
