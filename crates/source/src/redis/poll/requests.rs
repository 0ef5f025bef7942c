//! What the subscribers ask the poller to read out of turn. Requests coalesce: a thousand notices about a channel are one read.

use std::collections::HashSet;
use std::sync::{Condvar, Mutex, PoisonError};
use std::time::{Duration, Instant};

use crate::decode::Notice;
use crate::redis::stop::lock;

/// Notices kept apart; more become a request to read everything.
const NOTICES_MAX: usize = 1_000;

/// What is to be read.
#[derive(Debug, Default)]
pub(crate) struct Wanted {
    /// Everything: messages may have been missed.
    pub(crate) everything: bool,
    /// Hashes that changed.
    pub(crate) notices: HashSet<Notice>,
    stop: bool,
}

impl Wanted {
    fn is_empty(&self) -> bool {
        !self.everything && self.notices.is_empty()
    }
}

/// The requests that wait.
#[derive(Debug, Default)]
pub(crate) struct Requests {
    wanted: Mutex<Wanted>,
    arrived: Condvar,
}

impl Requests {
    /// Asks for everything.
    pub(crate) fn everything(&self) {
        lock(&self.wanted).everything = true;
        self.arrived.notify_one();
    }

    /// Asks for the hashes of a notice.
    pub(crate) fn changed(&self, notice: Notice) {
        let mut wanted = lock(&self.wanted);
        if wanted.notices.len() >= NOTICES_MAX {
            wanted.everything = true;
            wanted.notices.clear();
        }
        wanted.notices.insert(notice);
        self.arrived.notify_one();
    }

    /// Wakes the poller, so that it sees that it is to stop.
    pub(crate) fn stop(&self) {
        lock(&self.wanted).stop = true;
        self.arrived.notify_one();
    }

    /// Takes the requests; waits for one until `deadline`, for ever without one.
    pub(crate) fn take(&self, deadline: Option<Instant>) -> Wanted {
        let mut wanted = lock(&self.wanted);
        while wanted.is_empty() && !wanted.stop {
            let left = deadline.map_or(Duration::from_secs(3_600), |due| due.saturating_duration_since(Instant::now()));
            if left.is_zero() {
                break;
            }
            wanted = self.arrived.wait_timeout(wanted, left).unwrap_or_else(PoisonError::into_inner).0;
        }
        let stop = wanted.stop;
        std::mem::replace(&mut *wanted, Wanted { stop, ..Wanted::default() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn notices_coalesce_and_too_many_become_everything() {
        let requests = Requests::default();
        let notice = |n: usize| Notice { channel: Some(n.to_string().into()), kind: None };
        requests.changed(notice(1));
        requests.changed(notice(1));
        let wanted = requests.take(None);
        assert_eq!((wanted.notices.len(), wanted.everything), (1, false));
        (0..=NOTICES_MAX).for_each(|n| requests.changed(notice(n)));
        assert!(requests.take(None).everything);
        assert!(requests.take(Some(Instant::now())).is_empty());
    }
}
