//! The books: every value that was received must be accounted for, at every moment, per source and per store.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use pipeline::{Applier, Intake, Origin};

/// Looks at the books of the intake and of the embedded store; writers of remote stores look at their own.
pub(super) struct Accounts {
    intake: Intake,
    applier: Option<Arc<Applier>>,
    mismatches: AtomicU64,
}

impl Accounts {
    pub(super) fn new(intake: Intake, applier: Option<Arc<Applier>>) -> Self {
        Self { intake, applier, mismatches: AtomicU64::new(0) }
    }

    /// Compares the sums; says in the log which do not fit.
    pub(super) fn check(&self) {
        for origin in Origin::ALL {
            let counts = self.intake.counters().read(origin);
            if !counts.is_balanced() {
                self.mismatches.fetch_add(1, Relaxed);
                tracing::error!(origin = origin.name(), ?counts, "values of a source are not accounted for");
            }
        }
        let Some(stats) = self.applier.as_ref().map(|applier| applier.stats()) else { return };
        if !stats.is_balanced() {
            self.mismatches.fetch_add(1, Relaxed);
            tracing::error!(?stats, "values of the embedded store are not accounted for");
        }
    }

    /// Sums that did not fit, since the start.
    pub(super) fn mismatches(&self) -> u64 {
        self.mismatches.load(Relaxed)
    }
}
