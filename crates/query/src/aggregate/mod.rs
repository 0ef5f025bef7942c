//! Aggregate functions: what turns the points of one field and one window into one cell.
//!
//! A function is an [`AggregateFunction`] in a [`Registry`]; for every window it makes an [`Accumulator`], which is fed whole
//! runs of points, so that inner loops run over plain slices. The points of one series come in the order of time, one series
//! after the other. Not here: which windows there are (`exec::windows`), what stands in empty ones (`exec::fill`).

mod basic;
mod key;
mod registry;
mod selectors;
mod statistics;
#[cfg(test)]
mod tests;
mod time;
mod view;

use std::cmp::Ordering;

use model::{FieldType, SeriesId, TimeRange, TimestampNs};

use crate::result::Cell;
use crate::{QueryError, Summary};

pub(crate) use key::ValueKey;
pub use registry::Registry;
pub use view::{Texts, View};

/// A function that can be asked for by name.
pub trait AggregateFunction: Send + Sync {
    /// Its name, in lower case.
    fn name(&self) -> &'static str;

    /// True when it can be computed of fields of this type.
    fn accepts(&self, kind: FieldType) -> bool;

    /// Type of its result for a field of this type.
    fn result_type(&self, kind: FieldType) -> FieldType;

    /// Whether the arguments make sense; by default there must be none.
    ///
    /// # Errors
    /// What was expected, to be put behind the function's name.
    fn check_arguments(&self, arguments: &[f64]) -> Result<(), String> {
        match arguments {
            [] => Ok(()),
            _ => Err("takes no arguments".to_owned()),
        }
    }

    /// Its value where there are no points and nothing is filled in.
    fn of_nothing(&self) -> Cell {
        Cell::Null
    }

    /// An empty accumulator for one window, cut to the range asked for: `span`. The arguments were checked.
    fn new_state(&self, arguments: &[f64], kind: FieldType, span: TimeRange) -> Box<dyn Accumulator>;
}

/// Points of one series and one window, in the order of time. Never empty.
#[derive(Debug, Clone, Copy)]
pub struct Run<'a> {
    /// Whose points they are; all runs of one series come directly after each other.
    pub series: SeriesId,
    /// Ascending, without repetition.
    pub times: &'a [TimestampNs],
    /// As many values, of the type the accumulator was made for.
    pub values: View<'a>,
}

/// Collects the points of one window.
pub trait Accumulator: Send {
    /// Takes in a run.
    fn add(&mut self, run: &Run<'_>);

    /// Itself, when summaries are as good to it as the points.
    fn summaries(&mut self) -> Option<&mut dyn TakesSummaries> {
        None
    }

    /// Bytes held besides the accumulator itself.
    fn bytes(&self) -> usize {
        0
    }

    /// The result. At least one point was added.
    fn finish(self: Box<Self>) -> Cell;
}

/// The result of a function.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Picked {
    /// Its value.
    pub cell: Cell,
    /// The point it is the value of, where the function chose one.
    pub at: Option<Origin>,
}

/// Where a point comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Origin {
    /// Its series.
    pub series: SeriesId,
    /// Its time.
    pub time: TimestampNs,
}

impl From<Cell> for Picked {
    fn from(cell: Cell) -> Self {
        Self { cell, at: None }
    }
}

/// One point of a sequence.
#[derive(Debug, Clone, PartialEq)]
pub struct Point {
    /// Its time; that of the window for the result of an aggregate.
    pub time: TimestampNs,
    /// Its value, never null.
    pub cell: Cell,
    /// The stored point it is, where it is one.
    pub at: Option<Origin>,
}

/// An accumulator that can do without the points of a run.
pub trait TakesSummaries {
    /// Takes in a run of points by its summary.
    fn add_summary(&mut self, summary: &Summary);
}

/// Checks that `function` can be computed of `field`.
///
/// # Errors
/// [`QueryError::Invalid`] naming function, field and type.
pub fn check_type(function: &dyn AggregateFunction, field: &str, kind: FieldType) -> Result<(), QueryError> {
    if function.accepts(kind) {
        return Ok(());
    }
    let message = format!("{}() cannot be computed of field `{field}`, which is of type {kind}", function.name());
    let hint = Some("booleans and strings have count, first, last, mode and distinct_count".to_owned());
    Err(QueryError::Invalid { message, hint })
}

/// True for the types that can be reckoned with.
pub(crate) const fn is_numeric(kind: FieldType) -> bool {
    matches!(kind, FieldType::Float | FieldType::Integer | FieldType::Unsigned)
}

/// Order of two cells of one type, by which it is decided between points at the same time in several series.
pub(crate) fn compare(a: &Cell, b: &Cell) -> Ordering {
    match (a, b) {
        (Cell::Float(a), Cell::Float(b)) => a.total_cmp(b),
        (Cell::Integer(a), Cell::Integer(b)) => a.cmp(b),
        (Cell::Unsigned(a), Cell::Unsigned(b)) => a.cmp(b),
        (Cell::Boolean(a), Cell::Boolean(b)) => a.cmp(b),
        (Cell::String(a), Cell::String(b)) => a.cmp(b),
        _ => Ordering::Equal,
    }
}
