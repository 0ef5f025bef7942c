//! One thread's way to the points of a remote store. What goes wrong is told to the query: a reader can only name damage, and
//! points that were not delivered are worse than that.

use std::ops::ControlFlow;

use model::{ColumnId, FieldValue, TimeRange, TimestampNs, Values};
use query::scan::ScanReport;
use query::store::{Extent, Reader};
use query::{Cell, Parts, Piece, QueryError, Wish};

use super::ahead::Fetched;
use super::columns::Known;
use super::store::RemoteQuery;
use super::{Column, RawPoints, VisitPieces};

/// Points handed on at a time.
const PIECE: usize = 4096;

/// Reads for one thread.
pub(super) struct RemoteReader<'a> {
    pub(super) query: &'a RemoteQuery<'a>,
}

impl RemoteReader<'_> {
    /// Does something with a column, unless the answer is lost already.
    fn with_column<T>(&self, id: ColumnId, work: impl FnOnce(&Known) -> Result<T, QueryError>) -> Option<T> {
        if self.query.has_failed() {
            return None;
        }
        let outcome = work(&self.query.columns.get(id)?);
        outcome.map_err(|error| self.query.fail(error)).ok()
    }
}

impl Reader for RemoteReader<'_> {
    fn scan(
        &mut self,
        column: ColumnId,
        range: TimeRange,
        wish: &Wish<'_>,
        visit: &mut dyn FnMut(Piece<'_>) -> ControlFlow<()>,
    ) -> ScanReport {
        self.with_column(column, |known| {
            let RemoteQuery { points, columns, ahead, .. } = self.query;
            if !points.sums_up()
                && let Some(Fetched { times, values }) = ahead.take(column, known, range, columns, *points)?
            {
                whole(&times, &values, visit);
                return Ok(());
            }
            let Some(column) = known.column() else { return Ok(()) };
            points.scan(&column, range, &|first, last| wish.takes(first, last, Parts::BASIC), visit)
        });
        ScanReport::default()
    }

    fn latest(
        &mut self,
        column: ColumnId,
        range: TimeRange,
        visit: &mut dyn FnMut(TimestampNs, FieldValue<'_>),
    ) -> ScanReport {
        let newest = |known: &Known| match known.column() {
            Some(column) => self.query.points.newest(&column, range),
            None => Ok(None),
        };
        if let Some((time, cell)) = self.with_column(column, newest).flatten()
            && let Some(value) = value_of(&cell)
        {
            visit(time, value);
        }
        ScanReport::default()
    }

    /// Not known without asking; then everything of a range is read.
    fn extents(&mut self, _column: ColumnId, _range: TimeRange, _out: &mut Vec<Extent>) {}
}

/// Hands on what was fetched as a whole.
fn whole(times: &[TimestampNs], values: &Values, visit: VisitPieces<'_>) {
    if !times.is_empty() {
        // Nothing follows, so that it makes no difference whether more is wanted.
        visit(Piece::Points { times, values }).is_break();
    }
}

/// Hands the points of a column to `visit`, some at a time, and says whether more are wanted.
///
/// # Errors
/// As for [`RawPoints::points`].
pub(crate) fn scan_points<P: RawPoints + ?Sized>(
    store: &P,
    column: &Column<'_>,
    range: TimeRange,
    visit: VisitPieces<'_>,
) -> Result<ControlFlow<()>, QueryError> {
    let mut pieces = Pieces::new(column, visit);
    let mut flow = ControlFlow::Continue(());
    store.points(column, range, &mut |time, value| {
        flow = pieces.add(range, time, value);
        flow
    })?;
    let last = pieces.finish()?;
    Ok(if flow.is_break() { flow } else { last })
}

/// Points of a column on their way, some at a time.
struct Pieces<'p> {
    column: &'p Column<'p>,
    visit: VisitPieces<'p>,
    times: Vec<TimestampNs>,
    values: Values,
    last: Option<TimestampNs>,
    wrong: Option<QueryError>,
}

impl<'p> Pieces<'p> {
    fn new(column: &'p Column<'p>, visit: VisitPieces<'p>) -> Self {
        Self { column, visit, times: Vec::new(), values: Values::new(column.kind), last: None, wrong: None }
    }

    fn add(&mut self, range: TimeRange, time: TimestampNs, value: FieldValue<'_>) -> ControlFlow<()> {
        if !range.contains(time) {
            return ControlFlow::Continue(());
        }
        if let Err(wrong) = self.column.check(self.last.as_ref(), time, value) {
            self.wrong = Some(wrong);
            return ControlFlow::Break(());
        }
        self.values.push(value);
        self.times.push(time);
        self.last = Some(time);
        if self.times.len() >= PIECE { self.hand_on() } else { ControlFlow::Continue(()) }
    }

    fn hand_on(&mut self) -> ControlFlow<()> {
        if self.times.is_empty() {
            return ControlFlow::Continue(());
        }
        let step = (self.visit)(Piece::Points { times: &self.times, values: &self.values });
        self.times.clear();
        self.values = Values::new(self.column.kind);
        step
    }

    /// Hands the rest on, which is none where no more was wanted.
    fn finish(mut self) -> Result<ControlFlow<()>, QueryError> {
        if let Some(wrong) = self.wrong.take() {
            return Err(wrong);
        }
        Ok(self.hand_on())
    }
}

fn value_of(cell: &Cell) -> Option<FieldValue<'_>> {
    Some(match cell {
        Cell::Null => return None,
        Cell::Float(v) => FieldValue::Float(*v),
        Cell::Integer(v) => FieldValue::Integer(*v),
        Cell::Unsigned(v) => FieldValue::Unsigned(*v),
        Cell::Boolean(v) => FieldValue::Boolean(*v),
        Cell::String(v) => FieldValue::String(v),
    })
}
