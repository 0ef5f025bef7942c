//! How many values go into a request: more while the store answers fast, fewer when it is slow.

use std::time::{Duration, Instant};

/// Least and most values of a request.
pub(crate) const SIZE_MIN: usize = 100;
/// See [`SIZE_MIN`].
pub(crate) const SIZE_MAX: usize = 10_000;

/// Below this average, requests grow...
const FAST: Duration = Duration::from_millis(100);
/// ...and above this one they shrink.
pub(crate) const SLOW: Duration = Duration::from_millis(500);
const GROW: f64 = 1.2;
const SHRINK: f64 = 0.8;
/// Writes whose latency is averaged.
const RECENT: u32 = 8;
/// After so long a limit that came from a refused request is forgotten: it may have been one with very long texts.
const CEILING_FOR: Duration = Duration::from_secs(600);

/// The size in use.
#[derive(Debug)]
pub(crate) struct BatchSize {
    size: usize,
    writes: u32,
    latency_sum: Duration,
    ceiling: Option<(usize, Instant)>,
}

impl BatchSize {
    pub(crate) fn new(start: usize) -> Self {
        Self { size: start, writes: 0, latency_sum: Duration::ZERO, ceiling: None }
    }

    /// Most values of the next request.
    pub(crate) fn get(&self) -> usize {
        self.size
    }

    /// A write took so long.
    pub(crate) fn note(&mut self, latency: Duration, now: Instant) {
        self.writes += 1;
        self.latency_sum += latency;
        if self.writes < RECENT {
            return;
        }
        let average = self.latency_sum / self.writes;
        (self.writes, self.latency_sum) = (0, Duration::ZERO);
        let factor = match average {
            fast if fast < FAST => GROW,
            slow if slow > SLOW => SHRINK,
            _ => return,
        };
        let limit = self.limit(now);
        self.size = ((self.size as f64 * factor) as usize).clamp(SIZE_MIN, limit);
    }

    /// A request of so many values was too large for the store.
    pub(crate) fn too_large(&mut self, values: usize, now: Instant) {
        let limit = (values / 2).clamp(SIZE_MIN, self.limit(now));
        self.ceiling = Some((limit, now));
        self.size = self.size.min(limit);
    }

    fn limit(&mut self, now: Instant) -> usize {
        self.ceiling.take_if(|(_, since)| now.duration_since(*since) > CEILING_FOR);
        self.ceiling.map_or(SIZE_MAX, |(limit, _)| limit)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn after(size: &mut BatchSize, latency_ms: u64, windows: u32) -> usize {
        let now = Instant::now();
        (0..windows * RECENT).for_each(|_| size.note(Duration::from_millis(latency_ms), now));
        size.get()
    }

    #[test]
    fn fast_stores_get_larger_requests_and_slow_ones_smaller_within_the_bounds() {
        let mut size = BatchSize::new(5_000);
        assert_eq!(after(&mut size, 99, 1), 6_000);
        assert_eq!(after(&mut size, 100, 10), 6_000);
        assert_eq!(after(&mut size, 500, 10), 6_000);
        assert_eq!(after(&mut size, 501, 1), 4_800);
        assert_eq!(after(&mut size, 9_000, 100), 100);
        assert_eq!(after(&mut size, 1, 100), 10_000);
    }

    #[test]
    fn the_average_of_recent_writes_counts_and_not_a_single_one() {
        let (mut size, now) = (BatchSize::new(1_000), Instant::now());
        size.note(Duration::from_millis(700), now);
        (1..RECENT).for_each(|_| size.note(Duration::from_millis(5), now));
        assert_eq!(size.get(), 1_200);
    }

    #[test]
    fn a_refused_request_limits_later_ones_for_some_time() {
        let (mut size, now) = (BatchSize::new(8_000), Instant::now());
        size.too_large(8_000, now);
        assert_eq!(size.get(), 4_000);
        assert_eq!(after(&mut size, 1, 5), 4_000);
        let later = now + CEILING_FOR + Duration::from_secs(1);
        (0..RECENT).for_each(|_| size.note(Duration::ZERO, later));
        assert_eq!(size.get(), 4_800);
    }
}
