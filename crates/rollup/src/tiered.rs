//! A store with its rollups, as one query sees it: where a summary of points will do, the coarsest rollup that is right gives it, and
//! points fill in the rest.
//!
//! What is right is asked of the ledger when a column is read: windows that are marked, there or in a rollup that this one is made of, are
//! read from what is below. Since writes are marked before they are acknowledged, the answer is never older than that.

use std::ops::ControlFlow;
use std::sync::{Mutex, PoisonError};

use model::{ColumnId, FieldValue, TimeRange, TimestampNs};
use query::scan::ScanReport;
use query::store::{Extent, Place, Reader, Schema, SeriesQuery, Store, StoredSeries};
use query::{Parts, Piece, Provenance, QueryError, Wish};

use crate::origins::Origins;
use crate::row::{self, ReaderSource, Row};
use crate::segments::{Candidate, Segment, segments};
use crate::tiers::{ColumnTiers, Tiers};

/// A store with rollups, for one query.
pub struct Tiered<'a> {
    inner: &'a dyn Store,
    tiers: &'a Tiers,
    now: TimestampNs,
    origins: Mutex<Origins>,
}

impl<'a> Tiered<'a> {
    /// `inner` has the points; what is past its time at `now` is not shown.
    pub fn new(inner: &'a dyn Store, tiers: &'a Tiers, now: TimestampNs) -> Self {
        Self { inner, tiers, now, origins: Mutex::default() }
    }

    fn origins(&self) -> std::sync::MutexGuard<'_, Origins> {
        self.origins.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Store for Tiered<'_> {
    fn measurements(&self, place: &Place) -> Result<Vec<String>, QueryError> {
        self.inner.measurements(place)
    }

    fn schema(&self, place: &Place, measurement: &str) -> Result<Schema, QueryError> {
        self.inner.schema(place, measurement)
    }

    fn series(&self, place: &Place, query: &SeriesQuery) -> Result<Vec<StoredSeries>, QueryError> {
        self.inner.series(place, query)
    }

    fn warnings(&self) -> Vec<String> {
        self.inner.warnings()
    }

    fn provenance(&self) -> Vec<Provenance> {
        self.origins().told(&|tier| self.tiers.name(tier))
    }

    fn reader(&self) -> Box<dyn Reader + '_> {
        Box::new(TieredReader { store: self, inner: self.inner.reader(), last: None })
    }
}

/// One thread's way to points and rows.
struct TieredReader<'a> {
    store: &'a Tiered<'a>,
    inner: Box<dyn Reader + 'a>,
    /// How the range was divided that was asked for last: most columns of a query are divided alike.
    last: Option<Division>,
}

/// How a range is divided, and what that follows from.
struct Division {
    range: TimeRange,
    tiers: Vec<(usize, TimeRange, Vec<TimeRange>)>,
    segments: Vec<Segment>,
}

impl Reader for TieredReader<'_> {
    fn scan(
        &mut self,
        column: ColumnId,
        range: TimeRange,
        wish: &Wish<'_>,
        visit: &mut dyn FnMut(Piece<'_>) -> ControlFlow<()>,
    ) -> ScanReport {
        let tiers = match wish.parts {
            Some(_) => self.store.tiers.of_column(column, self.store.now),
            None => ColumnTiers::default(),
        };
        let divided = self.divided(range, &tiers, wish);
        let mut scan = Scan { reader: self, column, tiers: &tiers, wish, report: ScanReport::default() };
        for segment in divided {
            if scan.segment(segment, visit).is_break() {
                break;
            }
        }
        scan.report
    }

    fn latest(
        &mut self,
        column: ColumnId,
        range: TimeRange,
        visit: &mut dyn FnMut(TimestampNs, FieldValue<'_>),
    ) -> ScanReport {
        self.inner.latest(column, range, visit)
    }

    fn kept_since(&mut self, column: ColumnId) -> TimestampNs {
        self.inner.kept_since(column)
    }

    /// Rows count as runs of points from their windows' starts to their ends.
    fn extents(&mut self, column: ColumnId, range: TimeRange, out: &mut Vec<Extent>) {
        self.inner.extents(column, range, out);
        let tiers = self.store.tiers.of_column(column, self.store.now);
        for tier in &tiers.list {
            let Some(rows) = rows_of(&mut *self.inner, tier.counts(), tier.grid(self.store.tiers), range) else {
                continue;
            };
            let cut = TimeRange::new(rows.start.max(range.start).max(tier.visible_from), rows.end.min(range.end));
            if !cut.is_empty() {
                out.push(Extent { first: cut.start, last: cut.end.saturating_add(-1), count: 1 });
            }
        }
    }
}

/// From the start of the first row's window to the end of the last one's, as far as they meet `range`.
fn rows_of(
    inner: &mut dyn Reader,
    counts: ColumnId,
    grid: &query::execute::Grid,
    range: TimeRange,
) -> Option<TimeRange> {
    let mut extents = Vec::new();
    // A window that reaches into the range may start before it.
    let wide = TimeRange::new(grid.containing(range.start).start, range.end);
    inner.extents(counts, wide, &mut extents);
    let first = extents.iter().map(|extent| extent.first).min()?;
    let last = extents.iter().map(|extent| extent.last).max()?;
    Some(TimeRange::new(first, grid.containing(last).end))
}

impl TieredReader<'_> {
    /// The segments of a range for a column.
    fn divided(&mut self, range: TimeRange, tiers: &ColumnTiers, wish: &Wish<'_>) -> Vec<Segment> {
        let all = self.store.tiers;
        let mut found: Vec<(usize, TimeRange, Vec<TimeRange>)> = Vec::new();
        for tier in &tiers.list {
            let grid = tier.grid(all);
            let none = TimeRange::new(range.end, range.end);
            let rows = match all.are_few(tier.number, range) {
                true => range,
                false => rows_of(&mut *self.inner, tier.counts(), grid, range).unwrap_or(none),
            };
            let rows = TimeRange::new(rows.start.max(tier.visible_from), rows.end);
            let meant = TimeRange::new(rows.start.max(range.start), rows.end.min(range.end));
            let dirty = if meant.is_empty() { Vec::new() } else { all.dirty(tier, meant) };
            found.push((tier.number, rows, dirty));
        }
        if let Some(last) = self.last.as_ref().filter(|last| last.range == range && last.tiers == found) {
            return last.segments.clone();
        }
        let candidate = |(number, rows, dirty): &(usize, TimeRange, Vec<TimeRange>)| {
            Some(Candidate { grid: all.grid(*number)?, rows: *rows, dirty: dirty.clone() })
        };
        let candidates: Vec<Candidate<'_>> = found.iter().filter_map(candidate).collect();
        let segments = segments(range, &candidates, wish.suffices);
        self.last = Some(Division { range, tiers: found, segments: segments.clone() });
        segments
    }
}

/// One column being read.
struct Scan<'s, 'r, 'a> {
    reader: &'s mut TieredReader<'r>,
    column: ColumnId,
    tiers: &'s ColumnTiers,
    wish: &'s Wish<'a>,
    report: ScanReport,
}

impl Scan<'_, '_, '_> {
    fn segment(&mut self, segment: Segment, visit: &mut dyn FnMut(Piece<'_>) -> ControlFlow<()>) -> ControlFlow<()> {
        match segment.tier.and_then(|index| self.tiers.list.get(index)) {
            None => self.points(segment.range, visit),
            Some(tier) => {
                let parts = self.wish.parts.unwrap_or(Parts::NONE);
                let source = &mut ReaderSource(&mut *self.reader.inner);
                let (rows, is_damaged) = row::read(source, &tier.parts, segment.range, parts);
                match is_damaged {
                    // Which rows are missing is not known.
                    true => self.points(segment.range, visit),
                    false => self.rows(tier.number, &rows, visit),
                }
            }
        }
    }

    fn rows(
        &mut self,
        tier: usize,
        rows: &[(TimestampNs, Row)],
        visit: &mut dyn FnMut(Piece<'_>) -> ControlFlow<()>,
    ) -> ControlFlow<()> {
        let Some(grid) = self.reader.store.tiers.grid(tier) else { return ControlFlow::Continue(()) };
        for &(start, row) in rows {
            match row {
                Row::Full(summary) => visit(Piece::Summary(summary))?,
                Row::Count(_) => self.points(grid.containing(start), visit)?,
            }
        }
        if let (Some((first, _)), Some((last, _))) = (rows.first(), rows.last()) {
            let range = TimeRange::new(*first, grid.containing(*last).end);
            self.reader.store.origins().add(Some(tier), range, false);
        }
        ControlFlow::Continue(())
    }

    fn points(&mut self, range: TimeRange, visit: &mut dyn FnMut(Piece<'_>) -> ControlFlow<()>) -> ControlFlow<()> {
        let mut flow = ControlFlow::Continue(());
        let mut seen: Option<(TimestampNs, TimestampNs)> = None;
        let report = self.reader.inner.scan(self.column, range, self.wish, &mut |piece| {
            if let Some((first, last)) = ends(&piece) {
                seen = Some((seen.map_or(first, |(known, _)| known), last));
            }
            flow = visit(piece);
            flow
        });
        self.report.damaged.extend(report.damaged);
        let is_cut = self.tiers.points_from.is_some_and(|from| range.start > TimestampNs::MIN && range.start < from);
        if let Some((first, last)) = seen {
            let range = TimeRange::new(first, last.saturating_add(1));
            self.reader.store.origins().add(None, range, is_cut);
        }
        flow
    }
}

/// Times of the first and the last point of a piece.
fn ends(piece: &Piece<'_>) -> Option<(TimestampNs, TimestampNs)> {
    match piece {
        Piece::Points { times, .. } => Some((*times.first()?, *times.last()?)),
        Piece::Summary(summary) => Some((summary.first_time, summary.last_time)),
    }
}
