//! So many values a second, and no more.

use std::time::Instant;

/// What may be spent; saved up for a second at most.
#[derive(Debug)]
pub(crate) struct Budget {
    per_second: Option<u64>,
    left: f64,
    at: Instant,
}

impl Budget {
    /// Without a number there is no limit.
    pub(crate) fn new(per_second: Option<u64>, now: Instant) -> Self {
        Self { per_second, left: 0.0, at: now }
    }

    /// True when something may be spent. A little too much may be: it is missing later.
    pub(crate) fn allows(&mut self, now: Instant) -> bool {
        let Some(per_second) = self.per_second else { return true };
        let earned = now.duration_since(self.at).as_secs_f64() * per_second as f64;
        self.at = now;
        self.left = (self.left + earned).min(per_second as f64);
        self.left > 0.0
    }

    pub(crate) fn spend(&mut self, values: usize) {
        self.left -= values as f64;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn in_the_long_run_the_rate_is_kept() {
        let start = Instant::now();
        let mut budget = Budget::new(Some(1_000), start);
        let mut spent = 0;
        for ms in 1..=10_000 {
            if budget.allows(start + Duration::from_millis(ms)) {
                budget.spend(700);
                spent += 700;
            }
        }
        assert!((9_300..=10_700).contains(&spent), "{spent}");
    }

    #[test]
    fn what_was_not_spent_is_saved_for_a_second_only() {
        let start = Instant::now();
        let mut budget = Budget::new(Some(1_000), start);
        assert!(budget.allows(start + Duration::from_secs(60)));
        budget.spend(1_000);
        assert!(!budget.allows(start + Duration::from_secs(60)));
    }

    #[test]
    fn without_a_rate_everything_is_allowed() {
        let mut budget = Budget::new(None, Instant::now());
        budget.spend(1_000_000);
        assert!(budget.allows(Instant::now()));
    }
}
