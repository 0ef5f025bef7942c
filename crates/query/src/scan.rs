//! What a store must offer so that plans can be run over it.

use std::ops::ControlFlow;

use model::{ColumnId, FieldType, FieldValue, SeriesId, TimeRange, TimestampNs, Values};

use crate::{QueryError, Selection};

/// One series that a selection names, with the columns asked for.
#[derive(Debug, Clone)]
pub struct SeriesColumns {
    /// The series.
    pub series: SeriesId,
    /// Tags, sorted by key.
    pub tags: Vec<(String, String)>,
    /// Columns of the fields selected that this series has.
    pub columns: Vec<FieldColumn>,
}

/// One field of a series.
#[derive(Debug, Clone)]
pub struct FieldColumn {
    /// Field key.
    pub field: String,
    /// Its type.
    pub kind: FieldType,
    /// The column.
    pub id: ColumnId,
}

/// What is known of a run of points without reading them.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Summary {
    /// Number of points, at least 1.
    pub count: u64,
    /// Time of the first point.
    pub first_time: TimestampNs,
    /// Time of the last point.
    pub last_time: TimestampNs,
    /// Sum of the values.
    pub sum: f64,
    /// Smallest value.
    pub min: f64,
    /// Largest value.
    pub max: f64,
    /// Value of the first point.
    pub first: f64,
    /// Value of the last point.
    pub last: f64,
}

/// A part of a column, in the order of time. Pieces of one scan do not overlap and come oldest first.
#[derive(Debug)]
pub enum Piece<'a> {
    /// The points themselves.
    Points {
        /// Ascending, without repetition.
        times: &'a [TimestampNs],
        /// As many values.
        values: &'a Values,
    },
    /// Their summary, where the caller said that it is enough (numeric columns only).
    Summary(Summary),
}

/// A store that can be scanned column by column.
pub trait ColumnSource: Sync {
    /// The series of a selection (its range aside), sorted by their tags. An unknown measurement has none.
    ///
    /// # Errors
    /// [`QueryError`] when the database or retention policy does not exist.
    fn columns(&self, selection: &Selection) -> Result<Vec<SeriesColumns>, QueryError>;

    /// Hands out the points of `column` inside `range`, oldest piece first. `summary_suffices(first, last)` is asked for each
    /// run whose summary is at hand, wholly inside `range`; where it says yes, the summary comes instead of the points.
    ///
    /// # Errors
    /// [`QueryError`] when the store failed. A part that is damaged is left out and counted in `damaged`.
    fn scan(
        &self,
        column: ColumnId,
        range: TimeRange,
        summary_suffices: &dyn Fn(TimestampNs, TimestampNs) -> bool,
        visit: &mut dyn FnMut(Piece<'_>) -> ControlFlow<()>,
    ) -> Result<ScanReport, QueryError>;

    /// The newest point of `column` inside `range`, given to `visit` when there is one.
    ///
    /// # Errors
    /// As for [`ColumnSource::scan`].
    fn latest(
        &self,
        column: ColumnId,
        range: TimeRange,
        visit: &mut dyn FnMut(TimestampNs, FieldValue<'_>),
    ) -> Result<ScanReport, QueryError>;
}

/// What a scan met besides points.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ScanReport {
    /// Parts that could not be read, each with file and reason; the rest of the answer is complete.
    pub damaged: Vec<String>,
}
