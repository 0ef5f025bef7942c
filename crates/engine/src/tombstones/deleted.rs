//! What is deleted of one column at one moment, for reading it.

use std::sync::Arc;

use model::{ColumnId, Seq, TimestampNs};

use super::Tombstones;
use super::ranges::DeletedRanges;
use crate::points::Points;

/// Deletions of one column, from all places that hold some.
pub(crate) struct Deleted(Vec<Arc<DeletedRanges>>);

impl Deleted {
    pub(crate) fn of<'a>(column: ColumnId, places: impl IntoIterator<Item = &'a Tombstones>) -> Self {
        Self(places.into_iter().flat_map(|tombstones| tombstones.of(column)).cloned().collect())
    }

    /// True when a value at `first..=last`, if not newer than `last_seq`, may be deleted.
    pub(crate) fn meets(&self, first: TimestampNs, last: TimestampNs, last_seq: Seq) -> bool {
        self.0.iter().any(|ranges| ranges.meet(first, last, last_seq))
    }

    /// Points, of which none is newer than `last_seq`, without those that are deleted.
    pub(crate) fn mask(&self, points: Points, last_seq: Seq) -> Points {
        self.0.iter().fold(points, |points, ranges| {
            let (Some(&first), Some(&last)) = (points.times.first(), points.times.last()) else { return points };
            points.without(ranges.about(first, last, last_seq))
        })
    }
}
