//! The request to stop, which every thread of a source looks at and no sleep outlasts.

use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// Set once; never unset.
#[derive(Debug, Default)]
pub struct Stop {
    requested: Mutex<bool>,
    changed: Condvar,
}

impl Stop {
    /// Asks everyone to stop.
    pub fn request(&self) {
        *lock(&self.requested) = true;
        self.changed.notify_all();
    }

    /// True once stopping was asked for.
    pub fn is_requested(&self) -> bool {
        *lock(&self.requested)
    }

    /// Sleeps, or less when stopping is asked for; then true.
    pub fn sleep(&self, length: Duration) -> bool {
        let deadline = Instant::now() + length;
        let mut requested = lock(&self.requested);
        while !*requested {
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                break;
            }
            requested = self.changed.wait_timeout(requested, left).unwrap_or_else(PoisonError::into_inner).0;
        }
        *requested
    }
}

/// Locks; a panic of another holder leaves counters and queues usable.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
