//! What the ledger hands out to be computed anew.

use model::TimeRange;

use super::{Columns, TaskNumber};

/// A stretch of time and the columns that are dirty in it.
#[derive(Debug, Clone, PartialEq)]
pub struct Marked {
    /// Whole windows.
    pub range: TimeRange,
    /// Columns.
    pub columns: Columns,
}

/// What there is to do.
#[derive(Debug, Clone, PartialEq)]
pub enum What {
    /// Single windows that have ended, ascending, one after the other without a gap, with about the same columns.
    Windows(Vec<Marked>),
    /// All windows of a stretch, which may be unbounded at both ends and may hold nothing at all. It comes whole, also with what
    /// has not ended yet: the caller finds out what exists in it, does as much as it likes, and hands the rest back by
    /// [`Ledger::done_but`](super::Ledger::done_but).
    Range(Marked),
}

/// In which order work is handed out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Order {
    /// What is longest ago first.
    OldestFirst,
    /// What is newest first.
    NewestFirst,
}

/// Some marks of a task, to be given back to the ledger: done or not. They count as dirty until then. What is not given back is
/// handed out again after the next start only.
#[derive(Debug, PartialEq)]
#[must_use = "give it back: done or not"]
pub struct Work {
    pub(super) task: TaskNumber,
    pub(super) number: u64,
    pub(super) what: What,
}

impl Work {
    /// Whose marks these are.
    pub fn task(&self) -> TaskNumber {
        self.task
    }

    /// What there is to do.
    pub fn what(&self) -> &What {
        &self.what
    }
}

impl What {
    /// Its stretches, ascending.
    pub fn marked(&self) -> &[Marked] {
        match self {
            Self::Windows(windows) => windows,
            Self::Range(range) => std::slice::from_ref(range),
        }
    }
}
