//! How long to wait before the next try: twice as long each time, and by chance, so that many writers do not come back at
//! the same moment.

use std::hash::{BuildHasher, RandomState};
use std::time::Duration;

/// Longest wait before a retry, unless the store asks for more.
const RETRY_MAX: Duration = Duration::from_secs(30);

/// Waits between tries.
#[derive(Debug)]
pub(crate) struct Backoff {
    base: Duration,
    random: Random,
}

impl Backoff {
    pub(crate) fn new(base: Duration) -> Self {
        Self { base, random: Random::new(RandomState::new().hash_one(0)) }
    }

    /// Wait before retry number `attempt` (from 1): anything up to the doubled time, yet at least what the store asked for.
    pub(crate) fn retry(&mut self, attempt: u32, at_least: Option<Duration>) -> Duration {
        let full = doubled(self.base, attempt.saturating_sub(1), RETRY_MAX);
        full.mul_f64(self.random.fraction()).max(at_least.unwrap_or_default())
    }

    /// Wait before looking whether the store works again, for the time number `level` (from 0): between half of the doubled time
    /// and all of it.
    pub(crate) fn probe(&mut self, pace: Pace, level: u32) -> Duration {
        doubled(pace.first, level, pace.most).mul_f64(0.5 + self.random.fraction() / 2.0)
    }
}

/// How often a store that does not work is looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Pace {
    pub(crate) first: Duration,
    pub(crate) most: Duration,
}

fn doubled(base: Duration, times: u32, most: Duration) -> Duration {
    base.saturating_mul(2u32.saturating_pow(times)).min(most)
}

/// Random numbers good enough for waiting (xorshift64*).
#[derive(Debug)]
struct Random(u64);

impl Random {
    fn new(seed: u64) -> Self {
        Self(seed | 1)
    }

    /// From 0 up to, not including, 1.
    fn fraction(&mut self) -> f64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        let mixed = self.0.wrapping_mul(0x2545_f491_4f6c_dd1d);
        (mixed >> 11) as f64 / (1u64 << 53) as f64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_double_up_to_a_limit_and_vary_between_nothing_and_all_of_it() {
        let mut backoff = Backoff::new(Duration::from_secs(1));
        for (attempt, most) in [(1, 1), (2, 2), (3, 4), (6, 30), (60, 30)] {
            let waits: Vec<_> = (0..200).map(|_| backoff.retry(attempt, None)).collect();
            assert!(waits.iter().all(|wait| *wait <= Duration::from_secs(most)));
            assert!(waits.iter().any(|wait| *wait > Duration::from_secs(most) / 2));
            assert!(waits.iter().any(|wait| *wait < Duration::from_secs(most) / 2));
        }
    }

    #[test]
    fn what_the_store_asks_for_is_the_least() {
        let asked = Duration::from_secs(90);
        assert_eq!(Backoff::new(Duration::from_secs(1)).retry(1, Some(asked)), asked);
    }

    #[test]
    fn probes_come_at_least_at_their_slowest_pace() {
        let pace = Pace { first: Duration::from_secs(1), most: Duration::from_secs(5) };
        let mut backoff = Backoff::new(Duration::from_secs(1));
        for level in 0..100 {
            let wait = backoff.probe(pace, level);
            assert!(wait <= pace.most && wait >= pace.first / 2, "{wait:?}");
        }
    }
}
