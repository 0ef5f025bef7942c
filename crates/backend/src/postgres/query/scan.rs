//! One reading of one column: summaries of windows where these are enough, else the points that stand for a window, else all of
//! them. Which it is does not change the answer, only how much PostgreSQL sends.

use std::ops::ControlFlow;

use model::{ColumnId, TimeRange, TimestampNs};
use query::plan::Order;
use query::{Cell, Piece, Summary};

use super::bins::Bins;
use super::blocks::{Blocks, Fetched, Key, ROWS_MAX, block_len};
use super::pieces::{Pieces, Visit};
use super::sql::{self, From, SeriesPoint, SeriesSummary};
use super::store::{Column, PostgresQuery};
use super::stream::{Ask, Decode, all, stream};
use super::uses::{Rows, Use};
use crate::postgres::error::Failure;
use crate::postgres::known::Field;

/// Says whether the summary of a run from its first to its last time is enough.
type Suffices<'s> = &'s dyn Fn(TimestampNs, TimestampNs) -> bool;

/// One reading of one column.
pub(super) struct Scan<'a> {
    query: &'a PostgresQuery<'a>,
    column: Column,
    field: Field,
    series: i32,
    used: Use,
    range: TimeRange,
}

impl<'a> Scan<'a> {
    /// `None` where there is nothing to read, or no use in it.
    pub(super) fn of(query: &'a PostgresQuery<'a>, id: ColumnId, range: TimeRange) -> Option<Self> {
        if range.is_empty() || query.has_failed() {
            return None;
        }
        let column = query.column(id)?;
        let series = *column.of.series.get(column.series)?;
        let (name, field) = column.of.fields.get(column.field)?;
        let (field, used) = (field.clone()?, query.uses.of_field(name));
        Some(Self { query, column, field, series, used, range })
    }

    /// Gives the column to `visit`.
    pub(super) fn run(&self, suffices: Suffices<'_>, visit: Visit<'_>) -> Result<(), Failure> {
        let takes_summaries = self.used.is_summed() && suffices(self.range.start, self.range.start);
        if !takes_summaries && !self.used.is_reducible() {
            return self.by_points(visit);
        }
        let done = self.query.bins(self.range).and_then(|bins| match takes_summaries {
            true => self.by_summaries(&bins, suffices, visit),
            false => self.by_chosen(&bins, visit),
        });
        if done.is_some() || self.query.has_failed() { Ok(()) } else { self.by_points(visit) }
    }

    fn from(&self) -> From<'_> {
        From { table: &self.column.of.table, field: &self.field, condition: &self.query.condition, range: self.range }
    }

    /// Summaries of windows; `None` where there are none that are exact.
    fn by_summaries(&self, bins: &Bins, suffices: Suffices<'_>, visit: Visit<'_>) -> Option<()> {
        let ask = |series| self.from().summaries(series, bins, self.used);
        let mut rows = self.of_block(&self.query.summaries, bins, &ask, sql::summary)?;
        if self.used.first || self.used.last {
            let edges = Use { first: self.used.first, last: self.used.last, ..Use::default() };
            let ask = |series| self.from().chosen(series, bins, edges);
            let points = self.of_block(&self.query.chosen, bins, &ask, sql::decoder(self.field.kind))?;
            rows.iter_mut().try_for_each(|(_, summary)| add_edges(summary, edges, &points))?;
        }
        if !rows.iter().all(|(_, summary)| suffices(summary.first_time, summary.last_time)) {
            return None;
        }
        for (_, summary) in &rows {
            if visit(Piece::Summary(summary)).is_break() {
                break;
            }
        }
        Some(())
    }

    /// Points that stand for all of their windows.
    fn by_chosen(&self, bins: &Bins, visit: Visit<'_>) -> Option<()> {
        let ask = |series| self.from().chosen(series, bins, self.used);
        let rows = self.of_block(&self.query.chosen, bins, &ask, sql::decoder(self.field.kind))?;
        let mut pieces = Pieces::new(self.field.kind, self.range, visit);
        let step = rows.iter().try_for_each(|(_, time, cell)| pieces.add(*time, cell));
        pieces.finish(step);
        Some(())
    }

    /// All points, or those that a limit leaves.
    fn by_points(&self, visit: Visit<'_>) -> Result<(), Failure> {
        let mut pieces = Pieces::new(self.field.kind, self.range, visit);
        let rows = self.query.uses.rows;
        let mut step = ControlFlow::Continue(());
        if rows.is_some_and(|rows| rows.order == Order::Descending) {
            let mut newest = Vec::new();
            self.each_point(rows, &mut |time, cell| {
                newest.push((time, cell));
                ControlFlow::Continue(())
            })?;
            step = newest.iter().rev().try_for_each(|(time, cell)| pieces.add(*time, cell));
        } else {
            self.each_point(rows, &mut |time, cell| {
                step = pieces.add(time, &cell);
                step
            })?;
        }
        pieces.finish(step);
        Ok(())
    }

    /// Gives the points to `each`; of the newest rows the newest one first.
    pub(super) fn each_point(
        &self,
        rows: Option<Rows>,
        each: &mut dyn FnMut(TimestampNs, Cell) -> ControlFlow<()>,
    ) -> Result<(), Failure> {
        let session = &self.query.session;
        let ask = self.from().points(self.series, rows);
        let decode = sql::decoder(self.field.kind);
        stream(session.pool, &session.patience, ask, decode, &mut |(_, time, cell): SeriesPoint| Ok(each(time, cell)))
    }

    /// The rows of this series, fetched together with those of its neighbours. `None`: PostgreSQL cannot reckon so, or they are too
    /// many, or it failed, and then the query knows.
    fn of_block<T: HasSeries + Clone + Send + 'static>(
        &self,
        blocks: &Blocks<T>,
        bins: &Bins,
        ask: &dyn Fn(Vec<i32>) -> Ask,
        decode: Decode<T>,
    ) -> Option<Vec<T>> {
        let all_series = &self.column.of.series;
        let len = block_len(bins.count(self.range));
        let block = self.column.series / len;
        let key = Key { origin: self.column.of.number, block, field: self.column.field, range: self.range };
        let session = &self.query.session;
        let fetch = |series: Vec<i32>| match all(session.pool, &session.patience, ask(series), decode, ROWS_MAX) {
            Ok(rows) => rows,
            // A number that is too large, or the like: the points have none of that.
            Err(failure) if failure.is_of_data() => None,
            Err(failure) => {
                self.query.fail(failure);
                None
            }
        };
        if blocks.is_full(key) {
            return fetch(vec![self.series]);
        }
        let members = all_series.chunks(len).nth(block).unwrap_or_default();
        let fetch = || Some(Fetched::new(fetch(members.to_vec())?, T::series));
        blocks.with(key, members.len(), fetch, |fetched| fetched.of(self.series).to_vec())
    }
}

/// A row that belongs to a series.
trait HasSeries {
    fn series(&self) -> i32;
}

impl HasSeries for SeriesPoint {
    fn series(&self) -> i32 {
        self.0
    }
}

impl HasSeries for SeriesSummary {
    fn series(&self) -> i32 {
        self.0
    }
}

/// Adds the values of the first and the last point; `None` where one has come or gone since the summary was made.
fn add_edges(summary: &mut Summary, wanted: Use, points: &[SeriesPoint]) -> Option<()> {
    let value_at = |time: TimestampNs| {
        let index = points.partition_point(|(_, at, _)| *at < time);
        match points.get(index) {
            Some((_, at, Cell::Float(value))) if *at == time => Some(*value),
            _ => None,
        }
    };
    if wanted.first {
        summary.first = value_at(summary.first_time)?;
    }
    if wanted.last {
        summary.last = value_at(summary.last_time)?;
    }
    Some(())
}
