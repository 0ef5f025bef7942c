//! Figures of rollups.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use model::TimestampNs;

/// Figures of one moment.
#[derive(Debug, Clone, Default)]
pub struct Stats {
    /// By task, each behind the one it is made of.
    pub tasks: Vec<TaskStats>,
    /// True while the worker is at work.
    pub is_working: bool,
}

/// Figures of one task; totals are since the start.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct TaskStats {
    /// Its name.
    pub name: String,
    /// Windows marked one by one whose rows are to be made anew.
    pub dirty_windows: u64,
    /// Columns in these windows, all together.
    pub dirty_pairs: u64,
    /// Stretches that are marked as a whole.
    pub dirty_stretches: u64,
    /// Start of the oldest of all these.
    pub oldest: Option<TimestampNs>,
    /// End of its window.
    pub oldest_end: Option<TimestampNs>,
    /// Totals.
    pub totals: Totals,
}

impl TaskStats {
    /// How long ago the oldest window ended whose row is to be made anew; nothing where all windows that have ended have theirs.
    pub fn lag(&self, now: TimestampNs) -> Duration {
        let since = |end: TimestampNs| u64::try_from(now.0.saturating_sub(end.0)).unwrap_or(0);
        self.oldest_end.map_or(Duration::ZERO, |end| Duration::from_nanos(since(end)))
    }
}

/// What was done since the start.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Totals {
    /// Rows written.
    pub rows: u64,
    /// Rows deleted because their points are gone.
    pub deleted: u64,
    /// Rows kept as they were, although fewer points are left, since the others are past their time or damaged.
    pub kept: u64,
    /// Pieces of work that failed; they are done again.
    pub failures: u64,
    /// Time worked.
    pub time: Duration,
    /// Why the last piece of work failed, while it has.
    pub complaint: Option<String>,
}

/// Totals in the making.
#[derive(Debug, Default)]
pub(crate) struct Book(Mutex<Totals>);

impl Book {
    pub(crate) fn change<T>(&self, change: impl FnOnce(&mut Totals) -> T) -> T {
        change(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }

    pub(crate) fn read(&self) -> Totals {
        self.change(|totals| totals.clone())
    }
}
