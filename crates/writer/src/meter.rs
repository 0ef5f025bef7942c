//! Counts of requests, which all workers of a store share.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Duration;

use serde::Serialize;

/// Upper ends of the buckets of request times, in seconds.
const LATENCIES: [f64; 11] = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0];
/// Upper ends of the buckets of request sizes, in values.
const SIZES: [f64; 8] = [10.0, 100.0, 250.0, 500.0, 1_000.0, 2_500.0, 5_000.0, 10_000.0];

/// Counters of one store's requests.
#[derive(Debug)]
pub(crate) struct Meter {
    pub(crate) requests: AtomicU64,
    pub(crate) failures: AtomicU64,
    pub(crate) retries: AtomicU64,
    pub(crate) bisections: AtomicU64,
    pub(crate) latencies: Distribution<{ LATENCIES.len() }>,
    pub(crate) sizes: Distribution<{ SIZES.len() }>,
}

impl Default for Meter {
    fn default() -> Self {
        let zero = || AtomicU64::new(0);
        Self {
            requests: zero(),
            failures: zero(),
            retries: zero(),
            bisections: zero(),
            latencies: Distribution::new(&LATENCIES),
            sizes: Distribution::new(&SIZES),
        }
    }
}

impl Meter {
    /// A request of so many values ended after so long.
    pub(crate) fn note(&self, values: usize, latency: Duration, succeeded: bool) {
        self.requests.fetch_add(1, Relaxed);
        self.failures.fetch_add(u64::from(!succeeded), Relaxed);
        self.latencies.note(latency.as_secs_f64());
        self.sizes.note(values as f64);
    }
}

/// Observations sorted into buckets.
#[derive(Debug)]
pub(crate) struct Distribution<const N: usize> {
    bounds: &'static [f64; N],
    counts: [AtomicU64; N],
    more: AtomicU64,
    /// In millionths.
    sum: AtomicU64,
}

impl<const N: usize> Distribution<N> {
    fn new(bounds: &'static [f64; N]) -> Self {
        let counts = std::array::from_fn(|_| AtomicU64::new(0));
        Self { bounds, counts, more: AtomicU64::new(0), sum: AtomicU64::new(0) }
    }

    fn note(&self, observed: f64) {
        let bucket = self.bounds.partition_point(|bound| *bound < observed);
        self.counts.get(bucket).unwrap_or(&self.more).fetch_add(1, Relaxed);
        self.sum.fetch_add((observed * 1e6) as u64, Relaxed);
    }

    pub(crate) fn read(&self) -> Histogram {
        let counts: Vec<u64> = self.counts.iter().map(|count| count.load(Relaxed)).collect();
        let count = counts.iter().sum::<u64>() + self.more.load(Relaxed);
        Histogram { bounds: self.bounds.to_vec(), counts, count, sum: self.sum.load(Relaxed) as f64 / 1e6 }
    }
}

/// A distribution as `/metrics` shows it.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Histogram {
    /// Upper ends of the buckets, ascending, each included.
    pub bounds: Vec<f64>,
    /// Observations of each bucket alone; those above the last bound are in `count` only.
    pub counts: Vec<u64>,
    /// All observations.
    pub count: u64,
    /// Sum of what was observed.
    pub sum: f64,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn observations_are_counted_in_the_bucket_whose_bound_they_do_not_exceed() {
        let meter = Meter::default();
        meter.note(100, Duration::from_millis(5), true);
        meter.note(101, Duration::from_millis(6), true);
        meter.note(20_000, Duration::from_secs(11), false);
        let latencies = meter.latencies.read();
        assert_eq!(latencies.counts[..3], [1, 1, 0]);
        assert_eq!((latencies.count, latencies.sum), (3, 11.011));
        assert_eq!(meter.sizes.read().counts, [0, 1, 1, 0, 0, 0, 0, 0]);
        assert_eq!((meter.requests.load(Relaxed), meter.failures.load(Relaxed)), (3, 1));
    }
}
