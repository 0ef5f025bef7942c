//! Trying again what may pass.

use std::hash::{BuildHasher, RandomState};
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::thread::sleep;
use std::time::{Duration, Instant};

use crate::error::Error;

/// Attempts at most.
const ATTEMPTS: u32 = 5;
/// Pause after the first one; doubled after each.
const FIRST: Duration = Duration::from_millis(200);
/// How soon a stop is noticed.
const TICK: Duration = Duration::from_millis(20);

/// Calls `attempt` until it succeeds, at most five times, with pauses of up to 0.2, 0.4, 0.8 and 1.6 s. Only [`Error::Away`] is
/// tried again.
pub(super) fn retry<T>(stop: &AtomicBool, mut attempt: impl FnMut() -> Result<T, Error>) -> Result<T, Error> {
    let mut pause = FIRST;
    for _ in 1..ATTEMPTS {
        if stop.load(Relaxed) {
            return Err(Error::Stopped);
        }
        match attempt() {
            Err(Error::Away(reason)) => tracing::debug!(reason, "a request to the object store is tried again"),
            done => return done,
        }
        wait(jitter(pause), stop);
        pause *= 2;
    }
    if stop.load(Relaxed) { Err(Error::Stopped) } else { attempt() }
}

/// Between a half of `pause` and all of it, so that several clients do not come at the same moment.
fn jitter(pause: Duration) -> Duration {
    let random = RandomState::new().hash_one(0) % 1024;
    pause / 2 + pause / 2 * (random as u32) / 1024
}

fn wait(pause: Duration, stop: &AtomicBool) {
    let until = Instant::now() + pause;
    while !stop.load(Relaxed) {
        let rest = until.saturating_duration_since(Instant::now());
        if rest.is_zero() {
            return;
        }
        sleep(rest.min(TICK));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_may_pass_is_tried_five_times_and_what_does_not_once() {
        let go = AtomicBool::new(false);
        let mut attempts = 0;
        let outcome = retry(&go, || {
            attempts += 1;
            if attempts < 3 { Err(Error::Away("busy".to_owned())) } else { Ok(attempts) }
        });
        assert_eq!(outcome.unwrap(), 3);
        let mut attempts = 0;
        let outcome = retry(&go, || -> Result<(), _> {
            attempts += 1;
            Err(Error::Refused("no".to_owned()))
        });
        assert!(matches!(outcome, Err(Error::Refused(_))) && attempts == 1);
    }

    #[test]
    fn a_stop_ends_the_waiting() {
        let stop = AtomicBool::new(false);
        let started = Instant::now();
        let outcome = retry(&stop, || -> Result<(), _> {
            stop.store(true, Relaxed);
            Err(Error::Away("busy".to_owned()))
        });
        assert!(matches!(outcome, Err(Error::Stopped)) && started.elapsed() < Duration::from_millis(150));
    }
}
