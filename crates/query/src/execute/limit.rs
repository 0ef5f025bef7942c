//! LIMIT, OFFSET, SLIMIT, SOFFSET.

use std::ops::Range;

use crate::plan::Select;

/// Which series of a measurement are shown.
pub(super) struct SeriesWindow {
    offset: usize,
    limit: usize,
}

impl SeriesWindow {
    pub(super) fn of(plan: &Select) -> Self {
        Self { offset: plan.series_offset, limit: plan.series_limit.unwrap_or(usize::MAX) }
    }

    pub(super) fn cut<G>(&self, mut groups: Vec<G>) -> Vec<G> {
        let end = self.offset.saturating_add(self.limit);
        cut(&mut groups, &(self.offset..end));
        groups
    }
}

/// Rows of one series that are still to be passed over and to be shown.
pub(super) struct Shown {
    skip: usize,
    left: usize,
}

impl Shown {
    pub(super) fn new(plan: &Select) -> Self {
        Self { skip: plan.offset, left: plan.limit.unwrap_or(usize::MAX) }
    }

    /// Which of `rows` further rows are shown.
    pub(super) fn of_next(&mut self, rows: usize) -> Range<usize> {
        let from = self.skip.min(rows);
        self.skip -= from;
        let to = from.saturating_add(self.left).min(rows);
        self.left -= to - from;
        from..to
    }

    /// True when no further row is shown.
    pub(super) const fn is_over(&self) -> bool {
        self.left == 0
    }
}

/// The rows that are shown of a series with `rows` of them.
pub(super) fn shown(plan: &Select, rows: usize) -> Range<usize> {
    let from = plan.offset.min(rows);
    from..from.saturating_add(plan.limit.unwrap_or(usize::MAX)).min(rows)
}

/// Keeps the items inside `range`.
pub(super) fn cut<T>(column: &mut Vec<T>, range: &Range<usize>) {
    column.truncate(range.end);
    column.drain(..range.start.min(column.len()));
}
