//! A store that answers from memory loses the last of what it took when its process ends. So what was written counts as done only once it is older
//! than what may be lost and the store is still the process that took it. When it is another one, everything behind the last place that was safe is
//! written again, which changes nothing where it is there.

use std::collections::VecDeque;
use std::sync::atomic::Ordering::Relaxed;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use crate::checkpoint::Checkpoint;
use crate::error::ImportError;
use crate::options::Options;
use crate::run::Shared;
use crate::sink::Forgetful;

/// Between two looks at the store.
const LOOK_EVERY: Duration = Duration::from_secs(1);
/// How often a guard looks whether all is written.
const STEP: Duration = Duration::from_millis(20);
/// Places that wait, about: each names all files.
const WAITING: u32 = 10;

/// Looks after one import, or after one try of it.
pub(crate) struct Guard<'a> {
    store: &'a dyn Forgetful,
    places: Mutex<Places>,
}

/// How a guard's work ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kept {
    /// All that was written is there for good.
    Safe,
    /// The store was started anew.
    Lost,
    /// The import ended before.
    Ended,
}

impl<'a> Guard<'a> {
    /// A guard of an import that begins at `start`. Asks the store which process it is.
    pub(crate) fn new(store: &'a dyn Forgetful, start: Checkpoint) -> Self {
        let mut places = Places::new(store.durable_after(), start);
        if let Ok(incarnation) = store.incarnation() {
            places.looked(incarnation.as_deref(), Before::Nothing);
        }
        Self { store, places: Mutex::new(places) }
    }

    /// The place before which everything is there for good.
    pub(crate) fn safe(&self) -> Checkpoint {
        self.places().safe.clone()
    }

    fn places(&self) -> MutexGuard<'_, Places> {
        self.places.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Looks at the store until all is written and is there for good.
    pub(crate) fn keep(&self, shared: &Shared<'_>) -> Kept {
        let (mut is_written, mut is_durable) = (false, false);
        let mut seen = Instant::now();
        loop {
            if pause(shared, is_written) {
                return Kept::Ended;
            }
            let (since, was_written) = (Instant::now(), is_written);
            is_written = shared.is_written();
            let place = shared.checkpoint();
            if is_written && !was_written {
                is_durable = self.store.make_durable();
            }
            let before = Before::of(shared);
            match self.store.incarnation() {
                Ok(incarnation) => {
                    seen = since;
                    let mut places = self.places();
                    if !places.looked(incarnation.as_deref(), before) {
                        return Kept::Lost;
                    }
                    places.reached(place, since, is_written);
                    if is_written && (is_durable || places.waiting.is_empty()) {
                        places.all_safe();
                        return Kept::Safe;
                    }
                }
                Err(error) if is_written && seen.elapsed() > patience(shared.options) => {
                    shared.fail(ImportError::Store { tries: shared.options.retries, message: error.to_string() });
                    return Kept::Ended;
                }
                Err(_) => self.places().doubtful = true,
            }
        }
    }
}

/// Waits for the next look, which is due when all is written, too; true when the import is to end.
fn pause(shared: &Shared<'_>, was_written: bool) -> bool {
    let due = Instant::now() + LOOK_EVERY;
    while Instant::now() < due && (was_written || !shared.is_written()) {
        if shared.wait(STEP) {
            return true;
        }
    }
    shared.wait(Duration::ZERO)
}

/// As long as a batch would be tried.
fn patience(options: &Options) -> Duration {
    let delays = (0..options.retries).map(|n| options.delay.saturating_mul(1 << n.min(16)).min(options.max_delay));
    delays.sum()
}

/// What happened before a look.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Before {
    /// Nothing was written yet.
    Nothing,
    /// Something was written.
    Writes,
    /// And the store could not always be reached.
    Failures,
}

impl Before {
    fn of(shared: &Shared<'_>) -> Self {
        match shared.has_written() {
            _ if shared.was_away.swap(false, Relaxed) => Self::Failures,
            true => Self::Writes,
            false => Self::Nothing,
        }
    }
}

/// Places that the import has reached.
#[derive(Debug)]
struct Places {
    durable_after: Duration,
    /// Everything before it is there for good.
    safe: Checkpoint,
    /// Those that are too young, and when they were reached.
    waiting: VecDeque<(Instant, Checkpoint)>,
    /// What the store said of its process, when it said something the last time.
    incarnation: Option<String>,
    was_seen: bool,
    /// It failed without telling whether it is the same process.
    doubtful: bool,
}

impl Places {
    fn new(durable_after: Duration, safe: Checkpoint) -> Self {
        Self { durable_after, safe, waiting: VecDeque::new(), incarnation: None, was_seen: false, doubtful: false }
    }

    /// The store was seen, and may have said what process it is. True when it is the one that has taken everything so far.
    fn looked(&mut self, incarnation: Option<&str>, before: Before) -> bool {
        self.doubtful |= before == Before::Failures;
        let is_same = match (&self.incarnation, incarnation) {
            _ if !self.was_seen => before == Before::Nothing,
            (Some(known), Some(now)) => known == now,
            _ => !self.doubtful,
        };
        self.was_seen = true;
        self.doubtful = false;
        if let Some(incarnation) = incarnation {
            self.incarnation = Some(incarnation.to_owned());
        }
        is_same
    }

    /// The import had come so far when a look began that found the store as it was.
    fn reached(&mut self, place: Checkpoint, at: Instant, is_last: bool) {
        while let Some((reached, _)) = self.waiting.front()
            && *reached + self.durable_after <= at
            && let Some((_, safe)) = self.waiting.pop_front()
        {
            self.safe = safe;
        }
        let newest = self.waiting.back();
        let is_new = newest.map_or(&self.safe, |(_, newest)| newest) != &place;
        let is_due = is_last || newest.is_none_or(|(newest, _)| *newest + self.durable_after / WAITING <= at);
        if is_new && is_due {
            self.waiting.push_back((at, place));
        }
    }

    /// Everything reached is there for good.
    fn all_safe(&mut self) {
        if let Some((_, newest)) = self.waiting.drain(..).next_back() {
            self.safe = newest;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const S: Duration = Duration::from_secs(1);

    fn place(points: u64) -> Checkpoint {
        Checkpoint { points, ..Checkpoint::new(String::new()) }
    }

    #[test]
    fn a_place_is_safe_when_the_store_is_the_same_process_later() {
        let (mut places, now) = (Places::new(S * 10, place(0)), Instant::now());
        assert!(places.looked(Some("a"), Before::Nothing));
        let mut safe = Vec::new();
        for s in 0..15 {
            assert!(places.looked(Some("a"), Before::Writes));
            places.reached(place(s), now + S * s as u32, false);
            safe.push(places.safe.points);
        }
        assert_eq!(safe, [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 2, 3, 4]);
        assert!(!places.looked(Some("b"), Before::Writes));
        assert!(places.waiting.len() <= WAITING as usize + 1);
    }

    #[test]
    fn the_last_place_is_waited_for_or_safe_at_once() {
        let (mut places, now) = (Places::new(S * 10, place(0)), Instant::now());
        places.reached(place(5), now, false);
        places.reached(place(6), now, true);
        places.reached(place(6), now + S * 9, true);
        assert_eq!((places.waiting.len(), places.safe.points), (2, 0));
        places.reached(place(6), now + S * 10, true);
        assert_eq!((places.waiting.len(), places.safe.points), (0, 6));
        places.reached(place(7), now + S * 11, true);
        places.all_safe();
        assert_eq!((places.waiting.len(), places.safe.points), (0, 7));
    }

    #[test]
    fn one_that_does_not_tell_its_process_is_doubted_after_each_failure() {
        let mut places = Places::new(S, place(0));
        assert!(places.looked(None, Before::Nothing));
        assert!(places.looked(None, Before::Writes));
        assert!(!places.looked(None, Before::Failures));
        assert!(places.looked(None, Before::Writes));
        assert!(!places.looked(Some("a"), Before::Failures));
        assert!(places.looked(Some("a"), Before::Failures));
    }

    #[test]
    fn one_that_is_seen_only_after_something_was_written_is_doubted() {
        assert!(!Places::new(S, place(0)).looked(Some("a"), Before::Writes));
        assert!(Places::new(S, place(0)).looked(Some("a"), Before::Nothing));
    }
}
