//! Leaves processor time to others: after work comes rest in proportion.

use std::sync::{Condvar, Mutex, PoisonError};
use std::time::Duration;

/// Longest rest between two pieces of work, so that a stop and new work are noticed.
const REST_MAX: Duration = Duration::from_secs(2);

/// The rest after `worked` that keeps work to a share of the time.
pub(crate) fn rest_after(worked: Duration, share: f64) -> Duration {
    let rest = worked.as_secs_f64() * (1.0 / share.clamp(0.01, 1.0) - 1.0);
    Duration::from_secs_f64(rest).min(REST_MAX)
}

/// Tells a sleeping thread to end.
#[derive(Debug, Default)]
pub(crate) struct Bell {
    rung: Mutex<bool>,
    changed: Condvar,
}

impl Bell {
    pub(crate) fn ring(&self) {
        *self.rung.lock().unwrap_or_else(PoisonError::into_inner) = true;
        self.changed.notify_all();
    }

    pub(crate) fn is_rung(&self) -> bool {
        *self.rung.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Sleeps, at most so long; true when told to end.
    pub(crate) fn sleep(&self, time: Duration) -> bool {
        let rung = self.rung.lock().unwrap_or_else(PoisonError::into_inner);
        let slept = self.changed.wait_timeout_while(rung, time, |rung| !*rung);
        *slept.unwrap_or_else(PoisonError::into_inner).0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rest_is_in_proportion_to_work_and_bounded() {
        assert_eq!(rest_after(Duration::from_millis(100), 0.25), Duration::from_millis(300));
        assert_eq!(rest_after(Duration::from_millis(100), 1.0), Duration::ZERO);
        assert_eq!(rest_after(Duration::from_secs(100), 0.25), REST_MAX);
    }
}
