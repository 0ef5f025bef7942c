//! How many requests are under way at once: one more after a run of quick successes, half as many when the store shows that it
//! has too much to do.

use std::time::{Duration, Instant};

use crate::size::SLOW;

/// Quick successes, for each request allowed at once, before one more is allowed.
const RUN: usize = 4;
/// Requests that were under way together fail together: that counts once.
const WINDOW: Duration = Duration::from_secs(1);

/// The limit in use.
#[derive(Debug)]
pub(crate) struct Gate {
    limit: usize,
    max: usize,
    successes: usize,
    halved_at: Option<Instant>,
    window: Duration,
}

impl Gate {
    pub(crate) fn new(max: usize) -> Self {
        Self { limit: max, max, successes: 0, halved_at: None, window: WINDOW }
    }

    /// Requests that may be under way at once.
    pub(crate) fn limit(&self) -> usize {
        self.limit
    }

    /// A request succeeded after so long.
    pub(crate) fn succeeded(&mut self, latency: Duration, now: Instant) {
        self.window = WINDOW.max(latency);
        if latency > SLOW {
            return self.halve(now);
        }
        self.successes += 1;
        if self.successes >= RUN * self.limit {
            self.successes = 0;
            self.limit = (self.limit + 1).min(self.max);
        }
    }

    /// A request failed, or was refused because there were too many.
    pub(crate) fn failed(&mut self, now: Instant) {
        self.halve(now);
    }

    fn halve(&mut self, now: Instant) {
        self.successes = 0;
        if self.halved_at.is_some_and(|at| now.duration_since(at) < self.window) {
            return;
        }
        self.halved_at = Some(now);
        self.limit = (self.limit / 2).max(1);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn failures_halve_the_limit_once_a_window_and_successes_raise_it_by_one() {
        let (mut gate, now) = (Gate::new(8), Instant::now());
        (0..8).for_each(|_| gate.failed(now));
        assert_eq!(gate.limit(), 4);
        gate.failed(now + Duration::from_secs(1));
        assert_eq!(gate.limit(), 2);
        (0..RUN * 2).for_each(|_| gate.succeeded(Duration::from_millis(5), now));
        assert_eq!(gate.limit(), 3);
        (0..1_000).for_each(|_| gate.succeeded(Duration::from_millis(5), now));
        assert_eq!(gate.limit(), 8);
    }

    #[test]
    fn slow_answers_halve_it_too_but_never_below_one() {
        let (mut gate, now) = (Gate::new(4), Instant::now());
        for n in 0..10 {
            gate.succeeded(Duration::from_millis(501), now + Duration::from_secs(2) * n);
        }
        assert_eq!(gate.limit(), 1);
    }
}
