//! Where the points of columns are.

use engine::{Engine, ScanCache};
use model::{ColumnId, TimeRange, TimestampNs};

/// Times of the first and the last point of columns inside a range; about, never too narrow. `None` where there are none.
pub(super) fn of_columns(
    engine: &Engine,
    cache: &mut ScanCache,
    columns: &[ColumnId],
    range: TimeRange,
) -> Option<(TimestampNs, TimestampNs)> {
    let mut extents = Vec::new();
    columns.iter().for_each(|column| engine.extents(*column, range, cache, &mut extents));
    let first = extents.iter().map(|extent| extent.first).min()?;
    let last = extents.iter().map(|extent| extent.last).max()?;
    Some((first.max(range.start), last.min(range.end.saturating_add(-1))))
}
