//! Whether the store is written to at all. After some failures one after another it is left alone and only looked at from time
//! to time; when it seems to work again a single request shows whether it does.
//!
//! ```text
//! gone --(a look succeeds)--> trial --(a write succeeds)--> works --(failures)--> gone
//!   ^                           |
//!   +-------(it fails)----------+        the time between looks grows until a write succeeds
//! ```

use std::time::{Duration, Instant};

use backend::WriteError;

use crate::backoff::{Backoff, Pace};

/// Live values must arrive within seconds of the store's return. Who is busy may be gone as well, behind a proxy that says 503.
const AWAY_MOST: Duration = Duration::from_secs(5);
/// Longest wait that a store is granted when it asks for one.
const ASKED_MOST: Duration = Duration::from_secs(600);
/// Only a person can help; a storm of requests could lock an account.
const DENIED: Pace = Pace { first: Duration::from_secs(30), most: Duration::from_secs(300) };

/// Why a store is not written to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Cause {
    /// Nobody has asked it yet.
    Starting,
    Away,
    Busy,
    Denied,
}

impl Cause {
    pub(crate) fn of(error: &WriteError) -> Self {
        match error {
            WriteError::Away { .. } => Self::Away,
            WriteError::Busy { .. } => Self::Busy,
            // A place that cannot be made, or anything else that stays wrong, is for a person to mend.
            _ => Self::Denied,
        }
    }
}

/// How things stand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Stage {
    Works,
    Gone(Cause),
    /// It was found working; the next write will show.
    Trial,
}

/// Opens and closes the way to one store.
#[derive(Debug)]
pub(crate) struct Breaker {
    stage: Stage,
    allowed: u32,
    failures: u32,
    /// Looks and trials without a successful write in between.
    level: u32,
    look_at: Instant,
    first: Duration,
    backoff: Backoff,
}

impl Breaker {
    /// Allows so many failures one after another; looks again after `delay` at first.
    pub(crate) fn new(allowed: u32, delay: Duration, now: Instant) -> Self {
        let (stage, backoff) = (Stage::Gone(Cause::Starting), Backoff::new(delay));
        Self { stage, allowed, failures: 0, level: 0, look_at: now, first: delay, backoff }
    }

    pub(crate) fn stage(&self) -> Stage {
        self.stage
    }

    /// True when one more request may be sent while so many are under way.
    pub(crate) fn lets_pass(&self, under_way: usize) -> bool {
        match self.stage {
            Stage::Works => true,
            Stage::Trial => under_way == 0,
            Stage::Gone(_) => false,
        }
    }

    /// True when the store is to be looked at.
    pub(crate) fn look_due(&self, now: Instant) -> bool {
        matches!(self.stage, Stage::Gone(_)) && now >= self.look_at
    }

    /// The next look is due at once.
    pub(crate) fn hurry(&mut self, now: Instant) {
        self.look_at = self.look_at.min(now);
    }

    /// A write succeeded.
    pub(crate) fn succeeded(&mut self) {
        self.stage = Stage::Works;
        self.failures = 0;
        self.level = 0;
    }

    /// A write failed. True when this closed the way.
    pub(crate) fn failed(&mut self, error: &WriteError, now: Instant) -> bool {
        self.failures = self.failures.saturating_add(1);
        let cause = Cause::of(error);
        match self.stage {
            // Others that were under way at the same time.
            Stage::Gone(_) => return false,
            Stage::Works if cause != Cause::Denied && self.failures < self.allowed => return false,
            Stage::Works | Stage::Trial => {}
        }
        self.leave_alone(cause, retry_after(error), now);
        true
    }

    /// A look found it working, and everything is prepared for writing.
    pub(crate) fn found(&mut self) {
        self.stage = Stage::Trial;
    }

    /// A look found that it does not work.
    pub(crate) fn missed(&mut self, error: &WriteError, now: Instant) {
        self.leave_alone(Cause::of(error), retry_after(error), now);
    }

    fn leave_alone(&mut self, cause: Cause, at_least: Option<Duration>, now: Instant) {
        let pace = match cause {
            Cause::Starting | Cause::Away | Cause::Busy => Pace { first: self.first.min(AWAY_MOST), most: AWAY_MOST },
            Cause::Denied => DENIED,
        };
        // A person who mended it need not wait for the pace of another cause.
        let level = if self.stage == Stage::Gone(cause) || self.stage == Stage::Trial { self.level } else { 0 };
        self.look_at = now + self.backoff.probe(pace, level).max(at_least.unwrap_or_default());
        self.level = level.saturating_add(1);
        self.stage = Stage::Gone(cause);
    }
}

/// What a busy store asked for, within reason.
pub(crate) fn retry_after(error: &WriteError) -> Option<Duration> {
    match error {
        WriteError::Busy { retry_after, .. } => retry_after.map(|asked| asked.min(ASKED_MOST)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const S: Duration = Duration::from_secs(1);

    fn away() -> WriteError {
        WriteError::Away { message: "gone".to_owned() }
    }

    fn denied() -> WriteError {
        WriteError::Denied { message: "token".to_owned() }
    }

    fn working(now: Instant) -> Breaker {
        let mut breaker = Breaker::new(3, S, now);
        breaker.found();
        breaker.succeeded();
        breaker
    }

    #[test]
    fn a_store_is_looked_at_before_anything_is_written() {
        let now = Instant::now();
        let mut breaker = Breaker::new(3, S, now);
        assert!(breaker.look_due(now) && !breaker.lets_pass(0));
        breaker.found();
        assert!(breaker.lets_pass(0) && !breaker.lets_pass(1));
        breaker.succeeded();
        assert!(breaker.lets_pass(5));
    }

    #[test]
    fn only_failures_one_after_another_close_the_way() {
        let now = Instant::now();
        let mut breaker = working(now);
        assert!(!breaker.failed(&away(), now));
        assert!(!breaker.failed(&away(), now));
        breaker.succeeded();
        assert!(!breaker.failed(&away(), now));
        assert!(!breaker.failed(&away(), now));
        assert!(breaker.failed(&away(), now));
        assert!(!breaker.lets_pass(0));
    }

    #[test]
    fn a_store_that_is_away_is_looked_at_every_five_seconds_at_least() {
        let mut now = Instant::now();
        let mut breaker = working(now);
        (0..3).for_each(|_| _ = breaker.failed(&away(), now));
        for _ in 0..20 {
            assert!(!breaker.look_due(now));
            now += AWAY_MOST;
            assert!(breaker.look_due(now));
            breaker.missed(&away(), now);
        }
    }

    #[test]
    fn a_denial_closes_the_way_at_once_and_looks_become_rare_although_they_succeed() {
        let mut now = Instant::now();
        let mut breaker = working(now);
        assert!(breaker.failed(&denied(), now));
        let mut looks = 0;
        let end = now + S * 3_600;
        while now < end {
            now += S;
            if breaker.look_due(now) {
                looks += 1;
                breaker.found();
                assert!(breaker.failed(&denied(), now));
            }
        }
        assert!((12..=30).contains(&looks), "{looks} in an hour");
    }

    #[test]
    fn a_busy_store_is_not_asked_before_the_time_it_named() {
        let now = Instant::now();
        let mut breaker = working(now);
        let busy = WriteError::Busy { message: "slow down".to_owned(), retry_after: Some(S * 60) };
        (0..3).for_each(|_| _ = breaker.failed(&busy, now));
        assert!(!breaker.look_due(now + S * 59));
        assert!(breaker.look_due(now + S * 60));
    }
}
