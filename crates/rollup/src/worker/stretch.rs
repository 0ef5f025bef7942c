//! A stretch that is marked as a whole, worked at slice by slice: it may hold years, or nothing.

use catalog::Names;
use model::{ColumnId, TimeRange, TimestampNs};

use super::piece::Piece;
use super::{Failure, PAIRS, extent};
use crate::ledger::{Columns, Marked, Order, TaskNumber};
use crate::outlet::SourceField;
use crate::part::Part;

/// Windows that have not ended and are marked one by one instead.
const MAX_PENDING: usize = 100_000;

impl Piece<'_> {
    /// Makes the rows of a slice of the stretch; the rest comes later.
    pub(super) fn stretch(&mut self, marked: &Marked, ripe: TimestampNs) -> Result<Vec<Marked>, Failure> {
        let columns = self.columns_of(&marked.columns)?;
        let Some((first, last)) = self.ends(&columns, marked.range)? else { return Ok(Vec::new()) };
        let grid = self.grid()?;
        let oldest = grid.containing(first);
        if oldest.end > ripe {
            return Ok(self.pending(marked, &columns, TimeRange::new(oldest.start, last.saturating_add(1))));
        }
        let count = (PAIRS / columns.len().max(1)).max(1);
        let mut windows = vec![oldest];
        match self.shared.settings.order {
            Order::OldestFirst => {
                while let Some(next) = windows.last().map(|window| grid.containing(window.end))
                    && windows.len() < count
                    && next.end <= ripe
                    && next.start <= last
                {
                    windows.push(next);
                }
            }
            Order::NewestFirst => return self.newest(marked, &columns, (first, last), ripe, count),
        }
        self.make(&windows, &|_| true, &columns)?;
        let done_to = windows.last().map_or(marked.range.start, |window| window.end);
        Ok(self.rest(marked, TimeRange::new(done_to, marked.range.end)))
    }

    /// A slice at the end of the stretch.
    fn newest(
        &mut self,
        marked: &Marked,
        columns: &[ColumnId],
        (first, last): (TimestampNs, TimestampNs),
        ripe: TimestampNs,
        count: usize,
    ) -> Result<Vec<Marked>, Failure> {
        let grid = self.grid()?;
        let newest_ended = grid.containing(ripe).start.saturating_add(-1);
        let mut windows = vec![grid.containing(last.min(newest_ended))];
        while let Some(next) = windows.last().map(|window| grid.containing(window.start.saturating_add(-1)))
            && windows.len() < count
            && next.end > first
        {
            windows.push(next);
        }
        windows.reverse();
        self.make(&windows, &|_| true, columns)?;
        let done_from = windows.first().map_or(marked.range.end, |window| window.start);
        let mut rest = self.rest(marked, TimeRange::new(marked.range.start, done_from));
        if last > newest_ended {
            let ended = newest_ended.saturating_add(1);
            rest.append(&mut self.pending(marked, columns, TimeRange::new(ended, last.saturating_add(1))));
        }
        Ok(rest)
    }

    fn rest(&self, marked: &Marked, range: TimeRange) -> Vec<Marked> {
        match range.is_empty() {
            true => Vec::new(),
            false => vec![Marked { range, columns: marked.columns.clone() }],
        }
    }

    /// Windows that have not ended yet are marked one by one, so that the stretch is not looked at again and again.
    fn pending(&mut self, marked: &Marked, columns: &[ColumnId], range: TimeRange) -> Vec<Marked> {
        match self.mark_pending(columns, range) {
            true => Vec::new(),
            false => self.rest(marked, range),
        }
    }

    fn mark_pending(&mut self, columns: &[ColumnId], range: TimeRange) -> bool {
        let Ok(grid) = self.grid() else { return false };
        let mut starts = vec![range.start];
        while let Some(end) = starts.last().map(|start| grid.containing(*start).end).filter(|end| *end < range.end) {
            if starts.len() * columns.len() > MAX_PENDING {
                return false;
            }
            starts.push(end);
        }
        let marks = columns.iter().flat_map(|column| starts.iter().map(|start| (*column, *start)));
        self.shared.tiers.ledger.mark(TaskNumber(self.tier), marks);
        true
    }

    /// Source columns that are meant.
    pub(super) fn columns_of(&self, columns: &Columns) -> Result<Vec<ColumnId>, Failure> {
        let buckets = self.buckets()?;
        let names = self.shared.tiers.catalog.read();
        let is_of_rows = self.is_of_rows();
        let is_source = |names: &Names, column: ColumnId| SourceField::of(names, column, is_of_rows).is_some();
        Ok(match columns {
            Columns::Some(set) => set.iter().map(ColumnId).filter(|column| is_source(&names, *column)).collect(),
            Columns::All => {
                let series = names.measurements(buckets.source).flat_map(|(id, _)| names.series_of(id));
                let columns = series.flat_map(|series| names.columns_of(*series)).map(|(_, column)| *column);
                columns.filter(|column| is_source(&names, *column)).collect()
            }
        })
    }

    /// First and last time at which there are points, or rows that are to go.
    fn ends(&mut self, columns: &[ColumnId], range: TimeRange) -> Result<Option<(TimestampNs, TimestampNs)>, Failure> {
        let counts: Vec<ColumnId> =
            self.outlets(columns)?.iter().flatten().map(|outlet| outlet.parts.of(Part::Count)).collect();
        let engine = &self.shared.engine;
        let points = extent::of_columns(engine, &mut self.source.cache, columns, range);
        let rows = extent::of_columns(engine, &mut self.source.cache, &counts, range);
        Ok(match (points, rows) {
            (Some(a), Some(b)) => Some((a.0.min(b.0), a.1.max(b.1))),
            (a, b) => a.or(b),
        })
    }
}
