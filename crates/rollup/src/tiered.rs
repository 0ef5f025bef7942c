//! A store with its rollups, as one query sees it: where a summary of points will do, the coarsest rollup that is right gives it, and
//! points fill in the rest.
//!
//! What is right is asked of the ledger when a column is read: windows that are marked, there or in a rollup that this one is made of, are
//! read from what is below. Since writes are marked before they are acknowledged, the answer is never older than that.

use std::ops::ControlFlow;
use std::sync::{Mutex, PoisonError};

use model::{ColumnId, FieldValue, TimeRange, TimestampNs};
use query::execute::Grid;
use query::scan::ScanReport;
use query::store::{Extent, Place, Reader, Schema, SeriesQuery, Store, StoredSeries};
use query::{Parts, Piece, Provenance, QueryError, Wish};

use crate::origins::Origins;
use crate::row::{self, ReaderSource, Row};
use crate::segments::{Candidate, Segment, segments, united};
use crate::tiers::{ColumnTier, ColumnTiers, Tiers};

/// How often rows are read that were made anew meanwhile.
const READINGS: usize = 4;

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
    tiers: Vec<Known>,
    segments: Vec<Segment>,
}

/// What is known of a tier's rows of one column.
#[derive(PartialEq)]
struct Known {
    number: usize,
    rows: Vec<TimeRange>,
    dirty: Vec<TimeRange>,
    visible_from: TimestampNs,
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
        // Before it is asked what is dirty: see `Scan::rows_of`.
        let rewritten = self.store.tiers.rewritten();
        let divided = self.divided(range, &tiers, wish);
        let mut scan = Scan { reader: self, column, tiers: &tiers, wish, rewritten, report: ScanReport::default() };
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
            for rows in rows_of(&mut *self.inner, tier.counts(), tier.grid(self.store.tiers), range) {
                let cut = TimeRange::new(rows.start.max(range.start).max(tier.visible_from), rows.end.min(range.end));
                if !cut.is_empty() {
                    out.push(Extent { first: cut.start, last: cut.end.saturating_add(-1), count: 1 });
                }
            }
        }
    }
}

/// Stretches of whole windows that may have rows, as far as they meet `range`.
fn rows_of(inner: &mut dyn Reader, counts: ColumnId, grid: &Grid, range: TimeRange) -> Vec<TimeRange> {
    let mut extents = Vec::new();
    // A window that reaches into the range may start before it.
    let wide = TimeRange::new(grid.containing(range.start).start, range.end);
    inner.extents(counts, wide, &mut extents);
    // Rows stand at the starts of their windows.
    let run = |extent: &Extent| TimeRange::new(grid.containing(extent.first).start, grid.containing(extent.last).end);
    united(extents.iter().map(run).collect())
}

impl TieredReader<'_> {
    /// The segments of a range for a column.
    fn divided(&mut self, range: TimeRange, tiers: &ColumnTiers, wish: &Wish<'_>) -> Vec<Segment> {
        let all = self.store.tiers;
        let mut found: Vec<Known> = Vec::new();
        for tier in &tiers.list {
            let rows = match all.are_few(tier.number, range) {
                true => vec![range],
                false => rows_of(&mut *self.inner, tier.counts(), tier.grid(all), range),
            };
            let dirty = all.dirty(tier, range);
            found.push(Known { number: tier.number, rows, dirty, visible_from: tier.visible_from });
        }
        if let Some(last) = self.last.as_ref().filter(|last| last.range == range && last.tiers == found) {
            return last.segments.clone();
        }
        let candidate = |known: &Known| {
            let Known { number, rows, dirty, visible_from } = known;
            let grid = all.grid(*number)?;
            Some(Candidate { grid, rows: rows.clone(), dirty: dirty.clone(), visible_from: *visible_from })
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
    /// Rewritings begun before it was asked what is dirty.
    rewritten: u64,
    report: ScanReport,
}

impl Scan<'_, '_, '_> {
    fn segment(&mut self, segment: Segment, visit: &mut dyn FnMut(Piece<'_>) -> ControlFlow<()>) -> ControlFlow<()> {
        match segment.tier.and_then(|index| self.tiers.list.get(index)) {
            None => self.points(segment.range, visit),
            Some(tier) => match self.rows_of(tier, segment.range) {
                Some(rows) => self.rows(tier.number, &rows, visit),
                None => self.points(segment.range, visit),
            },
        }
    }

    /// Rows of a stretch; `None` when some may be missing because they are damaged, or were made anew meanwhile: their parts, read one
    /// after another, would not fit each other. What is made anew after that was dirty when the range was divided, and is not read here.
    fn rows_of(&mut self, tier: &ColumnTier, range: TimeRange) -> Option<Vec<(TimestampNs, Row)>> {
        let parts = self.wish.parts.unwrap_or(Parts::NONE);
        let tiers = self.reader.store.tiers;
        // Other stretches were divided when it was asked first: what is asked again counts for this one only.
        let mut since = self.rewritten;
        for _ in 0..READINGS {
            let source = &mut ReaderSource(&mut *self.reader.inner);
            let (rows, is_damaged) = row::read(source, &tier.parts, range, parts);
            if is_damaged {
                return None;
            }
            if !tiers.was_rewritten(tier.number, range, since) {
                return Some(rows);
            }
            since = tiers.rewritten();
            if !tiers.dirty(tier, range).is_empty() {
                return None;
            }
        }
        None
    }

    fn rows(
        &mut self,
        tier: usize,
        rows: &[(TimestampNs, Row)],
        visit: &mut dyn FnMut(Piece<'_>) -> ControlFlow<()>,
    ) -> ControlFlow<()> {
        let Some(grid) = self.reader.store.tiers.grid(tier) else { return ControlFlow::Continue(()) };
        for (start, row) in rows {
            match row {
                Row::Full(summary) => visit(Piece::Summary(summary))?,
                Row::Count(_) => self.points(grid.containing(*start), visit)?,
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
