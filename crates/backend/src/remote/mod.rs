//! Queries that a remote store cannot answer by itself: its points are fetched, and hissrv's own execution does the rest.
//!
//! A store offers its points as [`RawPoints`]; [`run`] executes a plan over them. What the store does not deliver ends the query
//! as an error: no table is given out in which points are missing. What a query holds of the fetched
//! points counts against its limits; a few fetched ahead of time are bounded by themselves. Not here: what a store can answer itself (each store's `query`).

mod ahead;
mod columns;
mod reader;
mod store;
#[cfg(test)]
mod tests;

use std::ops::ControlFlow;

use model::{FieldType, FieldValue, TimeRange, TimestampNs};
use query::execute::{Options, Sink, execute};
use query::store::{Place, Schema, TagCondition};
use query::{Cell, Piece, QueryError, Report, Select};

use store::RemoteQuery;

pub(crate) use reader::scan_points;

/// Keys and values of the tags of one series, in ascending order of the keys; none has an empty value.
pub(crate) type Tags = Vec<(String, String)>;

/// Takes the points of a column and says whether more are wanted.
pub(crate) type Visit<'v> = &'v mut dyn FnMut(TimestampNs, FieldValue<'_>) -> ControlFlow<()>;

/// Takes the points of several columns, each under the number of its column, and says whether more are wanted.
pub(crate) type VisitOf<'v> = &'v mut dyn FnMut(usize, TimestampNs, FieldValue<'_>) -> ControlFlow<()>;

/// Takes pieces of a column and says whether more are wanted.
pub(crate) type VisitPieces<'v> = &'v mut dyn FnMut(Piece<'_>) -> ControlFlow<()>;

/// Says whether the summary of a run of points from its first to its last time is enough.
pub(crate) type Suffices<'s> = &'s dyn Fn(TimestampNs, TimestampNs) -> bool;

/// One field of one series, and where it is.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Column<'a> {
    /// Database and retention policy.
    pub(crate) place: &'a Place,
    /// Name of the measurement.
    pub(crate) measurement: &'a str,
    /// The series: it has these tags and no others.
    pub(crate) tags: &'a [(String, String)],
    /// Field key.
    pub(crate) field: &'a str,
    /// Type that [`RawPoints::schema`] gave the field.
    pub(crate) kind: FieldType,
}

impl Column<'_> {
    /// Whether a point may come after the one of the time `last`.
    fn check(&self, last: Option<&TimestampNs>, time: TimestampNs, value: FieldValue<'_>) -> Result<(), QueryError> {
        let wrong = if last.is_some_and(|last| *last >= time) {
            "comes out of order"
        } else if value.field_type() != self.kind {
            "is of another type than the field"
        } else {
            return Ok(());
        };
        let Self { measurement, field, .. } = self;
        Err(QueryError::Store(format!("a point of field `{field}` of `{measurement}` {wrong}")))
    }
}

/// A remote store as far as a plan needs it. All methods block, and are called by several threads at once.
pub(crate) trait RawPoints: Send + Sync {
    /// Names of all measurements, in any order.
    ///
    /// # Errors
    /// [`QueryError::NotFound`] for a database or retention policy that does not exist, [`QueryError::Store`] when the store fails.
    fn measurements(&self, place: &Place) -> Result<Vec<String>, QueryError>;

    /// Fields and tags of a measurement, sorted; empty when there is none of the name.
    ///
    /// # Errors
    /// As for [`Self::measurements`].
    fn schema(&self, place: &Place, measurement: &str) -> Result<Schema, QueryError>;

    /// The series of a measurement, in any order. Those that do not fulfil `filter` may be among them: it is checked afterwards, so
    /// that a store leaves out the conditions that it cannot check itself.
    ///
    /// # Errors
    /// As for [`Self::measurements`].
    fn series(&self, place: &Place, measurement: &str, filter: &[TagCondition]) -> Result<Vec<Tags>, QueryError>;

    /// Gives the points of a column inside `range` to `visit`, oldest first, each time once, every value of the column's type,
    /// until `visit` breaks. A column without points is no error.
    ///
    /// # Errors
    /// As for [`Self::measurements`]; the points given before do not count then.
    fn points(&self, column: &Column<'_>, range: TimeRange, visit: Visit<'_>) -> Result<(), QueryError>;

    /// The points of several columns: the same field of series of one measurement. They come column after column, in any order of the
    /// columns, each as in [`Self::points`], until `visit` breaks. Stores that are asked once for all of them have their own.
    ///
    /// # Errors
    /// As for [`Self::points`].
    fn points_of(&self, columns: &[Column<'_>], range: TimeRange, visit: VisitOf<'_>) -> Result<(), QueryError> {
        let mut step = ControlFlow::Continue(());
        for (number, column) in columns.iter().enumerate() {
            self.points(column, range, &mut |time, value| {
                step = visit(number, time, value);
                step
            })?;
            if step.is_break() {
                break;
            }
        }
        Ok(())
    }

    /// True of a store whose [`Self::scan`] gives summaries: its columns are then scanned one by one.
    fn sums_up(&self) -> bool {
        false
    }

    /// The points of a column inside `range`, oldest piece first. Stores that sum points up themselves have their own, which gives
    /// summaries where they suffice.
    ///
    /// # Errors
    /// As for [`Self::points`].
    fn scan(
        &self,
        column: &Column<'_>,
        range: TimeRange,
        _summary_suffices: Suffices<'_>,
        visit: VisitPieces<'_>,
    ) -> Result<(), QueryError> {
        scan_points(self, column, range, visit).map(|_| ())
    }

    /// The newest point of a column inside `range`. Stores that find it without reading the others have their own.
    ///
    /// # Errors
    /// As for [`Self::points`].
    fn newest(&self, column: &Column<'_>, range: TimeRange) -> Result<Option<(TimestampNs, Cell)>, QueryError> {
        let mut newest = None;
        self.points(column, range, &mut |time, value| {
            newest = Some((time, Cell::from(value)));
            ControlFlow::Continue(())
        })?;
        Ok(newest)
    }
}

/// Answers `plan` from the points of a store, as [`execute`] does.
///
/// # Errors
/// Those of [`execute`], and those of the store.
pub(crate) fn run(
    points: &dyn RawPoints,
    plan: &Select,
    options: &Options<'_>,
    sink: Sink<'_>,
) -> Result<Report, QueryError> {
    let store = RemoteQuery::new(points);
    let outcome = execute(plan, &store, options, &mut |table| {
        // What a failed scan left out may be missing from this table.
        if store.has_failed() { Err(QueryError::Enough) } else { sink(table) }
    });
    store.into_failure().map_or(outcome, Err)
}
