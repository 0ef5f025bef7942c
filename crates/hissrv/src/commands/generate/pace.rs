//! So many a second: how many are due at a moment.

use std::time::Duration;

/// What was missed for longer than this is not made up for.
const MADE_UP_FOR: Duration = Duration::from_secs(1);

/// A steady pace. Times count from its start.
#[derive(Debug)]
pub(super) struct Pace {
    rate: f64,
    from: Duration,
    sent: u64,
}

impl Pace {
    pub(super) const fn new(rate: f64) -> Self {
        Self { rate, from: Duration::ZERO, sent: 0 }
    }

    /// How many are due.
    pub(super) fn due(&mut self, at: Duration) -> u64 {
        let (due, most) = (self.until(at), (self.rate * MADE_UP_FOR.as_secs_f64()).ceil() as u64);
        if due.saturating_sub(self.sent) > most {
            self.from = at.saturating_sub(MADE_UP_FOR);
            self.sent = 0;
        }
        self.until(at).saturating_sub(self.sent)
    }

    /// So many were sent.
    pub(super) const fn sent(&mut self, count: u64) {
        self.sent += count;
    }

    fn until(&self, at: Duration) -> u64 {
        (at.saturating_sub(self.from).as_secs_f64() * self.rate) as u64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_rate_is_kept_and_a_long_gap_is_not_made_up_for() {
        let mut pace = Pace::new(100.0);
        let at = Duration::from_millis;
        assert_eq!(pace.due(at(0)), 0);
        assert_eq!(pace.due(at(250)), 25);
        pace.sent(25);
        assert_eq!((pace.due(at(250)), pace.due(at(750))), (0, 50));
        pace.sent(50);
        assert_eq!(pace.due(at(60_000)), 100);
        pace.sent(100);
        assert_eq!(pace.due(at(60_500)), 50);
    }
}
