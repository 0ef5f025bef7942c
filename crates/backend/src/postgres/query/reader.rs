//! One thread's way to the points of a query. What goes wrong is told to the query: a reader can only name damage, and points that
//! were not delivered are worse than that.

use std::ops::ControlFlow;

use model::{ColumnId, FieldValue, TimeRange, TimestampNs};
use query::plan::Order;
use query::scan::ScanReport;
use query::store::{Extent, Reader};
use query::{Parts, Piece, Wish};

use super::pieces::value_of;
use super::scan::Scan;
use super::store::PostgresQuery;
use super::uses::Rows;

/// Reads for one thread.
pub(super) struct PostgresReader<'a> {
    query: &'a PostgresQuery<'a>,
}

impl<'a> PostgresReader<'a> {
    pub(super) fn new(query: &'a PostgresQuery<'a>) -> Self {
        Self { query }
    }
}

impl Reader for PostgresReader<'_> {
    fn scan(
        &mut self,
        column: ColumnId,
        range: TimeRange,
        wish: &Wish<'_>,
        visit: &mut dyn FnMut(Piece<'_>) -> ControlFlow<()>,
    ) -> ScanReport {
        if let Some(scan) = Scan::of(self.query, column, range)
            && let Err(failure) = scan.run(&|first, last| wish.takes(first, last, Parts::BASIC), visit)
        {
            self.query.fail(failure);
        }
        ScanReport::default()
    }

    fn latest(
        &mut self,
        column: ColumnId,
        range: TimeRange,
        visit: &mut dyn FnMut(TimestampNs, FieldValue<'_>),
    ) -> ScanReport {
        let Some(scan) = Scan::of(self.query, column, range) else { return ScanReport::default() };
        let newest = Rows { order: Order::Descending, count: 1 };
        let outcome = scan.each_point(Some(newest), &mut |time, cell| {
            if let Some(value) = value_of(&cell) {
                visit(time, value);
            }
            ControlFlow::Continue(())
        });
        if let Err(failure) = outcome {
            self.query.fail(failure);
        }
        ScanReport::default()
    }

    /// Not known without asking; then everything of a range is read.
    fn extents(&mut self, _column: ColumnId, _range: TimeRange, _out: &mut Vec<Extent>) {}
}
