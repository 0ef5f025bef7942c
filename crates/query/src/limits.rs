//! What one query may use, and how it is stopped.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use model::ByteSize;

use crate::QueryError;

/// Points held for rows at one moment.
const MAX_POINTS: u64 = 50_000_000;
/// Series a selection may name.
const MAX_SERIES: u64 = 1_000_000;
/// Rows (windows, for aggregates) of an answer over all its series.
const MAX_ROWS: u64 = 1_000_000;
/// Memory for points, accumulators and rows.
const MAX_MEMORY: ByteSize = ByteSize(512 << 20);
/// Time from the start of the query to its answer.
const TIMEOUT: Duration = Duration::from_secs(30);

/// Bounds of one query. The memory counted is that of points, accumulators and cells; a piece that the store has decoded
/// comes on top.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Stored points held at one moment in order to become rows. Default 50 million.
    pub max_points: u64,
    /// Series that the selection may name. Default 1 million.
    pub max_series: u64,
    /// Rows of the answer over all its series; for aggregates also the windows held. Default 1 million.
    pub max_rows: u64,
    /// Memory held. Default 512 MiB.
    pub max_memory: ByteSize,
    /// Time until the answer. Default 30 s.
    pub timeout: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            max_points: MAX_POINTS,
            max_series: MAX_SERIES,
            max_rows: MAX_ROWS,
            max_memory: MAX_MEMORY,
            timeout: TIMEOUT,
        }
    }
}

/// Stops a query from outside. Clones stop the same query; it notices between two pieces of a scan.
#[derive(Debug, Clone, Default)]
pub struct Cancel {
    flag: Arc<AtomicBool>,
    deadline: Option<Instant>,
}

impl Cancel {
    /// A query that runs until its own time limit.
    pub fn new() -> Self {
        Self::default()
    }

    /// A query that must end at `deadline`, should that come before its own time limit.
    pub fn with_deadline(deadline: Instant) -> Self {
        Self { flag: Arc::default(), deadline: Some(deadline) }
    }

    /// A query that is stopped when somebody sets `flag`, and at `deadline`.
    pub fn shared(flag: Arc<AtomicBool>, deadline: Instant) -> Self {
        Self { flag, deadline: Some(deadline) }
    }

    /// Stops the query; its answer is [`QueryError::Cancelled`].
    pub fn cancel(&self) {
        self.flag.store(true, Ordering::Relaxed);
    }

    /// The same flag with the earlier of both deadlines.
    pub(crate) fn no_later_than(&self, deadline: Option<Instant>) -> Self {
        let deadline = [self.deadline, deadline].into_iter().flatten().min();
        Self { flag: Arc::clone(&self.flag), deadline }
    }

    /// # Errors
    /// [`QueryError::Cancelled`] once it was cancelled or the deadline has passed.
    pub fn check(&self) -> Result<(), QueryError> {
        if self.flag.load(Ordering::Relaxed) {
            return Err(QueryError::Cancelled("the caller went away"));
        }
        if self.deadline.is_some_and(|deadline| Instant::now() >= deadline) {
            return Err(QueryError::Cancelled("its time was up"));
        }
        Ok(())
    }
}
