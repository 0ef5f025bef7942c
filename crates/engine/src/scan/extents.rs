//! Where the points of a column are, told from indexes alone.

use model::{ColumnId, TimeRange, TimestampNs};

use super::{Place, Run, Scan, ScanCache};
use crate::state::Shared;

/// A run of points of one column that is in one place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Extent {
    /// Time of the first point.
    pub first: TimestampNs,
    /// Time of the last point.
    pub last: TimestampNs,
    /// Number of points, at least 1, those counted that are overwritten or deleted elsewhere.
    pub count: u64,
}

/// See [`crate::Engine::extents`].
pub(crate) fn extents(
    shared: &Shared,
    column: ColumnId,
    range: TimeRange,
    cache: &mut ScanCache,
    out: &mut Vec<Extent>,
) {
    let Some((mut scan, places)) = Scan::begin(shared, column, range) else { return };
    let mut runs = places.memory;
    for (order, file) in &places.files {
        scan.add_file(*order, file, cache, &mut runs);
    }
    out.extend(runs.iter().map(Run::extent));
}

impl Run {
    fn extent(&self) -> Extent {
        let count = match &self.place {
            Place::Memory(points) => points.times.len() as u64,
            Place::Chunk { times, .. } => u64::from(times.count),
        };
        Extent { first: self.first, last: self.last, count }
    }
}
