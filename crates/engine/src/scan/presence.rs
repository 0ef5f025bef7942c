//! Whether a column has any value left, which is cheaper to tell than which.

use model::{ColumnId, TimeRange};

use super::{Place, Run, Scan, ScanCache};
use crate::state::Shared;

/// See [`crate::Engine::has_values`].
pub(crate) fn has_values(shared: &Shared, column: ColumnId, range: TimeRange, cache: &mut ScanCache) -> bool {
    let Some((mut scan, places)) = Scan::begin(shared, column, range) else { return false };
    if places.memory.into_iter().any(|run| scan.load(run, cache).is_some()) {
        return true;
    }
    for (order, file) in &places.files {
        let mut runs = Vec::new();
        scan.add_file(*order, file, cache, &mut runs);
        // Most chunks tell by their ends; only when none does is anything decoded.
        if runs.iter().any(|run| scan.surely_has_values(run))
            || runs.into_iter().any(|run| scan.load(run, cache).is_some())
            || !scan.report.damaged.is_empty()
        {
            return true;
        }
    }
    false
}

impl Scan<'_> {
    /// True when the first or the last point of a chunk is inside the range and not deleted.
    fn surely_has_values(&self, run: &Run) -> bool {
        let is_chunk = matches!(run.place, Place::Chunk { .. });
        let is_deleted = |time| self.deleted.meets(time, time, run.last_seq);
        is_chunk && [run.first, run.last].into_iter().any(|time| self.range.contains(time) && !is_deleted(time))
    }
}
