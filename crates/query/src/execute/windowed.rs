//! Functions that give one value a window: their values become a sequence, in which empty windows are filled as the plan says.
//! Without windows there is one value, which stands at the start of the range or at the point picked.

use model::{FieldType, TimeRange, TimestampNs};

use super::calls::Call;
use super::computed::Work;
use super::fill::{self, Filling};
use super::sequence::Sequence;
use super::windows::all_starts;
use crate::QueryError;
use crate::aggregate::{Origin, Picked};
use crate::plan::{FillWith, Order};
use crate::result::Cell;

impl Work<'_, '_, '_> {
    /// The results of an aggregate as a sequence, empty windows filled.
    pub(super) fn windowed(
        &self,
        call: &Call<'_>,
        starts: &[TimestampNs],
        picked: Vec<Option<Picked>>,
        kind: FieldType,
        range: TimeRange,
    ) -> Result<Sequence, QueryError> {
        let Some(aggregate) = call.aggregate.filter(|_| !starts.is_empty()) else { return Ok(Sequence::default()) };
        let windows = &self.layout.windows;
        let picked = if aggregate.is_percentile() { ranked(picked, &aggregate.numbers()) } else { picked };
        if !windows.divide() {
            return Ok(self.single(picked.into_iter().flatten().next()));
        }
        let kind = self.job.registry.get(&aggregate.call.function)?.result_type(kind);
        let fill = aggregate.fill(&self.layout.plan.fill);
        let some: Vec<_> = starts.iter().zip(&picked).filter(|(_, p)| p.is_some()).map(|(s, _)| *s).collect();
        debug_assert!(starts.is_sorted(), "windows ascend");
        let all = self.starts_shown(&fill, &some, range)?;
        let origins = if self.layout.aux.is_empty() { Vec::new() } else { spread_origins(&some, &picked, &all) };
        let cells = picked.into_iter().flatten().map(|p| Some(p.cell)).collect();
        let newest_first = self.layout.plan.direction == Order::Descending;
        let filling = Filling { fill, kind, newest_first, by_time: windows.width_ns().is_none() };
        let cells = fill::spread(&some, cells, &all, &filling);
        Ok(Sequence { times: all, cells, origins, kind: Some(kind), stays_in_windows: false })
    }

    /// Starts of the windows in the answer, of which `some` have points.
    fn starts_shown(
        &self,
        fill: &FillWith,
        some: &[TimestampNs],
        range: TimeRange,
    ) -> Result<Vec<TimestampNs>, QueryError> {
        let (Some(&first), Some(&last)) = (some.first(), some.last()) else { return Ok(Vec::new()) };
        if matches!(fill, FillWith::None) {
            return Ok(some.to_vec());
        }
        let newest_first = self.layout.plan.direction == Order::Descending;
        let check = |count| self.job.check_windows(count);
        Ok(united(all_starts(&self.layout.windows, range, (first, last), newest_first, &check)?, some))
    }

    /// The one result of a query without windows.
    fn single(&self, picked: Option<Picked>) -> Sequence {
        let Some(Picked { cell, at }) = picked else { return Sequence::default() };
        let label = self.layout.windows.label(self.layout.plan.range.start);
        let time = at.filter(|_| self.layout.calls.is_selector).map_or(label, |at| at.time);
        Sequence { times: vec![time], cells: vec![cell], origins: vec![at], ..Sequence::default() }
    }
}

/// All of `all` and of `some`, which mostly is part of it: where clocks change, windows of points may begin elsewhere.
fn united(mut all: Vec<TimestampNs>, some: &[TimestampNs]) -> Vec<TimestampNs> {
    if some.iter().any(|start| all.binary_search(start).is_err()) {
        all.extend_from_slice(some);
        all.sort_unstable();
        all.dedup();
    }
    all
}

/// Percentiles without such a rank are no results.
fn ranked(picked: Vec<Option<Picked>>, arguments: &[f64]) -> Vec<Option<Picked>> {
    let exists = arguments.first().is_some_and(|percent| (0.0..=100.0).contains(percent));
    picked.into_iter().map(|picked| picked.filter(|picked| exists && picked.cell != Cell::Null)).collect()
}

/// The points picked of windows that have some, at the places of all windows.
fn spread_origins(some: &[TimestampNs], picked: &[Option<Picked>], all: &[TimestampNs]) -> Vec<Option<Origin>> {
    let mut known = some.iter().zip(picked.iter().flatten()).peekable();
    all.iter().map(|start| known.next_if(|(known, _)| *known == start).and_then(|(_, picked)| picked.at)).collect()
}
