//! Results of windows, kept for later queries: of a question asked again, only windows that are new or were written to since are
//! computed.
//!
//! What is kept is what functions gave of one series of an answer, window by window, before anything is filled in, transformed,
//! ordered or cut off; so an answer with the cache is the one without it (sums of floats up to their last digits, since the points
//! are added up in other portions). Kept are windows that lie wholly inside the range asked for and are over; the others are
//! computed each time. Without windows the range is the only one, known again only by the same range.
//!
//! Writes make exactly their windows unknown, see [`Cache::touched`]. A query announces the windows that it computes before it reads
//! their points; those written to meanwhile are not taken in.
//!
//! Not kept: stored points, functions that see points one by one (`top`, `bottom`, `sample`, `distinct`, InfluxQL's `integral`) or beside
//! their windows (`increase`, time-weighted means, ...),
//! functions under a condition on fields, over rows of a subquery, or over a field read as another type, windows near a change of a
//! zone's clocks (fixed ones only), and anything computed while some part of the store could not be read.

mod admission;
mod config;
mod entry;
mod key;
mod ranges;
mod rows;
mod session;
mod shelf;
mod stats;
#[cfg(test)]
mod tests;

use std::sync::atomic::Ordering::{Relaxed, SeqCst};
use std::sync::atomic::{AtomicI64, fence};
use std::sync::{Mutex, MutexGuard, PoisonError};

use model::{ColumnId, TimeRange, TimestampNs};

use crate::execute::Grid;
use crate::plan::Select;
use admission::Seen;
use shelf::{EntryId, Shelf};
use stats::Counters;

pub use config::CacheConfig;
pub(crate) use key::{Function, Key, WindowsOf};
pub(crate) use rows::Rows;
pub(crate) use session::Session;
pub use stats::{Bypass, Stats};

/// Results of windows of earlier queries. Serves one store and one registry of functions.
pub struct Cache {
    config: CacheConfig,
    /// No window at or after this time is known or being computed.
    until: AtomicI64,
    shelf: Mutex<Shelf>,
    seen: Mutex<Seen>,
    counters: Counters,
}

/// The cache for one query.
#[derive(Clone, Copy)]
pub struct Access<'a> {
    /// The cache.
    pub cache: &'a Cache,
    /// The time now: windows that end later are not kept.
    pub now: TimestampNs,
}

/// What is asked.
pub(crate) struct Question {
    /// Of what.
    pub(crate) key: Key,
    /// The range asked for.
    pub(crate) range: TimeRange,
    /// Its parts made of whole windows that are over.
    pub(crate) complete: Vec<TimeRange>,
}

/// What was found, and the announcement that the rest is being computed.
pub(crate) struct Lookup<'a> {
    cache: &'a Cache,
    entry: EntryId,
    number: u64,
    is_open: bool,
    /// Known parts with their rows.
    pub(crate) known: Vec<(TimeRange, Rows)>,
    /// The rest of the range.
    pub(crate) missing: Vec<TimeRange>,
}

impl Cache {
    /// An empty cache.
    pub fn new(config: CacheConfig) -> Self {
        let max_bytes = usize::try_from(config.max_memory.0).unwrap_or(usize::MAX);
        Self {
            config,
            until: AtomicI64::new(i64::MIN),
            shelf: Mutex::new(Shelf::new(max_bytes)),
            seen: Mutex::default(),
            counters: Counters::default(),
        }
    }

    fn shelf(&self) -> MutexGuard<'_, Shelf> {
        self.shelf.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Values were written. To be called once queries see them and before their writer is told: then no later query meets what was
    /// known before. A value newer than all windows known costs one comparison; others look up their column under a lock.
    pub fn touched(&self, written: impl Iterator<Item = (ColumnId, TimestampNs)>) {
        let until = self.until();
        let mut shelf = None;
        let mut forgotten = 0;
        for (column, time) in written {
            if time < until {
                forgotten += shelf.get_or_insert_with(|| self.shelf()).touch(column, time);
            }
        }
        drop(shelf);
        self.counters.invalidated(forgotten);
    }

    /// Everything of these columns inside `range` was deleted. To be called like [`Cache::touched`].
    pub fn deleted(&self, columns: &[ColumnId], range: TimeRange) {
        if range.start >= self.until() {
            return;
        }
        let mut shelf = self.shelf();
        let forgotten = columns.iter().map(|&column| shelf.touch_all(column, range)).sum();
        drop(shelf);
        self.counters.invalidated(forgotten);
    }

    /// Forgets everything: it is not known what was written, or a retention policy keeps more than it did.
    pub fn clear(&self) {
        self.shelf().clear();
    }

    /// Time from which on nothing is known or being computed.
    fn until(&self) -> TimestampNs {
        // IMPORTANT: pairs with the fence in `begin`. Either this load sees the time that a query announced, or that query, which
        // reads points after its fence, sees the values that this call is about. Locks of the store may say as much; this does not
        // depend on them.
        fence(SeqCst);
        TimestampNs(self.until.load(Relaxed))
    }

    /// Figures of the moment.
    pub fn stats(&self) -> Stats {
        let shelf = self.shelf();
        Stats {
            evictions: shelf.evictions(),
            bytes: shelf.bytes() as u64,
            entries: shelf.len() as u64,
            ..self.counters.stats()
        }
    }

    /// Whether a query is worth keeping. Counts it where its range does not say so.
    fn admits(&self, plan: &Select, now: TimestampNs) -> bool {
        admission::is_worth_it(&self.config, plan.range, now)
            || self.seen.lock().unwrap_or_else(PoisonError::into_inner).count(plan) > self.config.min_seen
    }

    /// Looks a question up. What is missing must be read after this returns, and is brought back by [`Lookup::finish`].
    pub(crate) fn begin(&self, question: Question, grid: impl FnOnce() -> Grid) -> Lookup<'_> {
        let Question { key, range, complete } = question;
        let begun = self.shelf().begin(key, grid, range, &complete);
        if let Some(until) = begun.until {
            self.until.fetch_max(until.0, Relaxed);
        }
        fence(SeqCst);
        Lookup {
            cache: self,
            entry: begun.entry,
            number: begun.number,
            is_open: begun.until.is_some(),
            known: begun.found.known,
            missing: begun.found.missing,
        }
    }
}

impl Lookup<'_> {
    /// Brings back what was computed of the missing parts. Without it, what was announced is forgotten.
    pub(crate) fn finish(mut self, computed: &[Rows]) {
        if std::mem::take(&mut self.is_open) {
            self.cache.shelf().finish(self.entry, self.number, Some(computed));
        }
    }

    /// Counts the windows with points.
    pub(crate) fn count_windows(&self, computed: &[Rows]) {
        let count = |rows: &Rows| rows.starts.len();
        let served = self.known.iter().map(|(_, rows)| count(rows)).sum();
        self.cache.counters.windows(served, computed.iter().map(count).sum());
    }
}

impl Drop for Lookup<'_> {
    fn drop(&mut self) {
        if self.is_open {
            self.cache.shelf().finish(self.entry, self.number, None);
        }
    }
}
