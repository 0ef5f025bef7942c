//! Endless exponential backoff with full jitter: many hissrv that lost one Redis do not return in step.

use std::hash::{BuildHasher, RandomState};
use std::time::Duration;

const FIRST: Duration = Duration::from_millis(100);
const LONGEST: Duration = Duration::from_secs(10);

/// The pauses between attempts.
#[derive(Debug, Default)]
pub(crate) struct Backoff {
    failures: u32,
    random: RandomState,
}

impl Backoff {
    /// The pause after one more failure: random, up to 100 ms at first, doubling to 10 s.
    pub(crate) fn next_pause(&mut self) -> Duration {
        let ceiling = FIRST.saturating_mul(1 << self.failures.min(20)).min(LONGEST);
        self.failures = self.failures.saturating_add(1);
        // The hash of a counter under a random key is random enough to spread reconnects.
        let random = self.random.hash_one(self.failures);
        ceiling.mul_f64(random as f64 / u64::MAX as f64)
    }

    /// Starts over after a success.
    pub(crate) fn reset(&mut self) {
        self.failures = 0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_up_to_the_longest_and_start_over() {
        let mut backoff = Backoff::default();
        assert!(backoff.next_pause() <= FIRST);
        let pauses: Vec<_> = (0..1_000).map(|_| backoff.next_pause()).collect();
        assert!(pauses.iter().all(|pause| *pause <= LONGEST));
        assert!(pauses.iter().any(|pause| *pause > LONGEST / 2));
        backoff.reset();
        assert!(backoff.next_pause() <= FIRST);
    }
}
