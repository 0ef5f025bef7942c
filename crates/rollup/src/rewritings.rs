//! Which rows were made anew lately, so that whoever has just read some knows whether their parts fit each other.

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};

use model::TimeRange;

/// Rewritings remembered; of older ones it is assumed that they met everything.
const REMEMBERED: usize = 1024;

/// The last rewritings of all tiers.
#[derive(Debug, Default)]
pub(crate) struct Rewritings(Mutex<Inner>);

#[derive(Debug, Default)]
struct Inner {
    /// Begun since the start.
    begun: u64,
    /// The last of them: tier and stretch.
    last: VecDeque<(usize, TimeRange)>,
}

impl Rewritings {
    /// Rows of a tier inside a stretch are about to be written. To be called while they are marked.
    pub(crate) fn begin(&self, tier: usize, range: TimeRange) {
        let mut inner = self.lock();
        inner.begun += 1;
        inner.last.push_back((tier, range));
        if inner.last.len() > REMEMBERED {
            inner.last.pop_front();
        }
    }

    /// How many were begun so far.
    pub(crate) fn count(&self) -> u64 {
        self.lock().begun
    }

    /// True when rows of a tier inside a stretch may have been written since that many were begun.
    pub(crate) fn met_since(&self, count: u64, tier: usize, range: TimeRange) -> bool {
        let inner = self.lock();
        let new = usize::try_from(inner.begun - count).unwrap_or(usize::MAX);
        let meets =
            |(of, stretch): &(usize, TimeRange)| *of == tier && stretch.start < range.end && range.start < stretch.end;
        new > inner.last.len() || inner.last.iter().rev().take(new).any(meets)
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use model::TimestampNs;

    fn range(start: i64, end: i64) -> TimeRange {
        TimeRange::new(TimestampNs(start), TimestampNs(end))
    }

    #[test]
    fn only_rewritings_begun_since_of_the_same_tier_and_time_count() {
        let rewritings = Rewritings::default();
        rewritings.begin(0, range(0, 10));
        let count = rewritings.count();
        assert!(!rewritings.met_since(count, 0, range(0, 10)));
        rewritings.begin(0, range(10, 20));
        assert!(rewritings.met_since(count, 0, range(19, 30)));
        assert!(!rewritings.met_since(count, 0, range(20, 30)) && !rewritings.met_since(count, 1, range(0, 30)));
        (0..2000).for_each(|_| rewritings.begin(1, range(0, 1)));
        assert!(rewritings.met_since(count, 0, range(500, 600)), "too long ago to know");
    }
}
