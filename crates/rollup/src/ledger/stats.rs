//! Figures of a task's marks.

use model::{ByteSize, TimestampNs};

use super::marks::Marks;

/// What is dirty of a task at the moment.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TaskStats {
    /// Name of the task.
    pub name: String,
    /// Single windows that are dirty, without those in work.
    pub windows: u64,
    /// Columns of these windows, added up; a window that is dirty for all columns counts as one.
    pub pairs: u64,
    /// Long stretches that are dirty, without those in work.
    pub ranges: u64,
    /// Windows and stretches that were handed out and have not come back.
    pub in_work: u64,
    /// Start of the oldest mark, also of those in work; [`TimestampNs::MIN`] when one is without beginning.
    pub oldest: Option<TimestampNs>,
    /// Memory in use.
    pub bytes: ByteSize,
    /// How often marks became coarser for want of memory.
    pub coarsened: u64,
}

impl TaskStats {
    pub(super) fn of(name: &str, marks: &Marks) -> Self {
        Self {
            name: name.to_owned(),
            windows: marks.windows.len() as u64,
            pairs: marks.windows.values().map(|window| window.columns.len().unwrap_or(1)).sum(),
            ranges: marks.ranges.len() as u64,
            in_work: marks.in_work.values().map(|work| work.marked().len() as u64).sum(),
            oldest: marks.oldest(),
            bytes: ByteSize(marks.bytes() as u64),
            coarsened: marks.meter.coarsened,
        }
    }
}
