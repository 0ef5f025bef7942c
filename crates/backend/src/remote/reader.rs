//! One thread's way to the points of a remote store. What goes wrong is told to the query: a reader can only name damage, and
//! points that were not delivered are worse than that.

use std::ops::ControlFlow;

use model::{ColumnId, FieldValue, TimeRange, TimestampNs, Values};
use query::scan::ScanReport;
use query::store::{Extent, Reader};
use query::{Cell, Piece, QueryError};

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
    fn with_column<T>(&self, id: ColumnId, work: impl FnOnce(&Column<'_>) -> Result<T, QueryError>) -> Option<T> {
        if self.query.has_failed() {
            return None;
        }
        let known = self.query.columns.get(id)?;
        let outcome = work(&known.column()?);
        outcome.map_err(|error| self.query.fail(error)).ok()
    }
}

impl Reader for RemoteReader<'_> {
    fn scan(
        &mut self,
        column: ColumnId,
        range: TimeRange,
        summary_suffices: &dyn Fn(TimestampNs, TimestampNs) -> bool,
        visit: &mut dyn FnMut(Piece<'_>) -> ControlFlow<()>,
    ) -> ScanReport {
        self.with_column(column, |column| self.query.points.scan(column, range, summary_suffices, visit));
        ScanReport::default()
    }

    fn latest(
        &mut self,
        column: ColumnId,
        range: TimeRange,
        visit: &mut dyn FnMut(TimestampNs, FieldValue<'_>),
    ) -> ScanReport {
        let newest = self.with_column(column, |column| self.query.points.newest(column, range)).flatten();
        if let Some((time, cell)) = newest
            && let Some(value) = value_of(&cell)
        {
            visit(time, value);
        }
        ScanReport::default()
    }

    /// Not known without asking; then everything of a range is read.
    fn extents(&mut self, _column: ColumnId, _range: TimeRange, _out: &mut Vec<Extent>) {}
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
        if self.last.is_some_and(|last| last >= time) {
            return self.refuse("comes out of order");
        }
        if !self.values.push(value) {
            return self.refuse("is of another type than the field");
        }
        self.times.push(time);
        self.last = Some(time);
        if self.times.len() >= PIECE { self.hand_on() } else { ControlFlow::Continue(()) }
    }

    fn refuse(&mut self, what: &str) -> ControlFlow<()> {
        let Column { measurement, field, .. } = self.column;
        self.wrong = Some(QueryError::Store(format!("a point of field `{field}` of `{measurement}` {what}")));
        ControlFlow::Break(())
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
