//! Aggregate functions: what turns the points of one field and one window into one cell.
//!
//! A function is an [`AggregateFunction`] in a [`Registry`]; for every window it makes an [`Accumulator`], which is fed whole
//! runs of points, so that inner loops run over plain slices. The points of one series come in the order of time, one series
//! after the other. What several threads have collected is merged. The accumulators of many windows together are a [`Fold`].
//! Not here: which windows there are (`execute::windows`), what stands in empty ones (`execute::fill`).

mod basic;
mod beside;
mod census;
mod change;
mod deviation;
mod edges;
mod extremes;
pub mod fold;
mod kernel;
mod key;
mod lines;
mod number;
mod rank;
mod registry;
mod sketch;
mod steps;
#[cfg(test)]
mod tests;
mod view;

use std::any::Any;
use std::cmp::Ordering;

use model::{FieldType, SeriesId, TimeRange, TimestampNs};

use crate::result::Cell;
use crate::{Parts, QueryError, Summary};

pub use beside::Beside;
pub use fold::{Fold, Place, new_fold};
pub(crate) use key::ValueKey;
pub use registry::{InstallError, Registry};
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

    /// How far it looks beyond the points of its window. The arguments were checked.
    fn beside(&self, _arguments: &[f64]) -> Beside {
        Beside::Nothing
    }

    /// Its value where there are no points and nothing is filled in.
    fn of_nothing(&self) -> Cell {
        Cell::Null
    }

    /// An empty accumulator for one window, cut to the range asked for: `span`. The arguments were checked.
    fn new_state(&self, arguments: &[f64], kind: FieldType, span: TimeRange, wants: Wants) -> Box<dyn Accumulator>;

    /// The accumulators of many windows without a box for each, for functions that are worth it.
    fn new_slots(&self, _arguments: &[f64], _kind: FieldType, _wants: Wants) -> Option<Box<dyn Fold>> {
        None
    }
}

/// What is wanted of a function's result.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Wants {
    /// Its value only, for which more functions are content with summaries.
    #[default]
    Value,
    /// The point it is the value of, too, where the function chooses one.
    Origin,
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

/// Collects the points of one window. Made of a [`State`].
pub trait Accumulator: Any + Send {
    /// Takes in a run.
    fn add(&mut self, run: &Run<'_>);

    /// What summaries must tell to be as good to it as the points; `None`: it needs the points.
    fn parts(&self) -> Option<Parts>;

    /// Takes in a run of points by its summary; only where it takes summaries.
    fn add_summary(&mut self, series: SeriesId, summary: &Summary);

    /// Is told the newest point of a series before the window, ahead of the series' points in it; see [`Beside`].
    fn enter(&mut self, before: &Run<'_>);

    /// Is told the oldest point of the series behind the window, after its points in it.
    fn leave(&mut self, after: &Run<'_>);

    /// Bytes held besides the accumulator itself.
    fn bytes(&self) -> usize;

    /// Takes in all that `other` has. It is of the same function, arguments, type and window, and has seen other series,
    /// which come later in the order of series; each series was given to one of them whole.
    fn merge(&mut self, other: Box<dyn Accumulator>);

    /// The result. At least one point was added, or told of where the function looks beside its window.
    fn finish(self: Box<Self>) -> Picked;
}

/// What a function keeps of the points of one window: an [`Accumulator`] before it is boxed.
pub trait State: Sized + Send + 'static {
    /// Takes in a run.
    fn add(&mut self, run: &Run<'_>);

    /// What summaries must tell to be as good to it as the points; `None`: it needs the points.
    fn parts(&self) -> Option<Parts> {
        None
    }

    /// Takes in a run of points by its summary; only where it takes summaries.
    fn add_summary(&mut self, _series: SeriesId, _summary: &Summary) {}

    /// Is told the newest point of a series before the window, a run of one, ahead of the series' points in it. There may be none in
    /// it. Only where [`AggregateFunction::beside`] asks for it.
    fn enter(&mut self, _before: &Run<'_>) {}

    /// Is told the oldest point of the series behind the window, a run of one, after its points in it.
    fn leave(&mut self, _after: &Run<'_>) {}

    /// Bytes held besides the state itself.
    fn bytes(&self) -> usize {
        0
    }

    /// Takes in all that `other` has, as [`Accumulator::merge`] says.
    fn merge(&mut self, other: Self);

    /// The result. At least one point was added, or told of where the function looks beside its window.
    fn finish(self) -> Picked;
}

impl<S: State> Accumulator for S {
    fn add(&mut self, run: &Run<'_>) {
        State::add(self, run);
    }

    fn parts(&self) -> Option<Parts> {
        State::parts(self)
    }

    fn add_summary(&mut self, series: SeriesId, summary: &Summary) {
        State::add_summary(self, series, summary);
    }

    fn enter(&mut self, before: &Run<'_>) {
        State::enter(self, before);
    }

    fn leave(&mut self, after: &Run<'_>) {
        State::leave(self, after);
    }

    fn bytes(&self) -> usize {
        State::bytes(self)
    }

    fn merge(&mut self, other: Box<dyn Accumulator>) {
        let other: Box<dyn Any> = other;
        match other.downcast::<S>() {
            Ok(other) => State::merge(self, *other),
            Err(_) => debug_assert!(false, "accumulators of two functions were merged"),
        }
    }

    fn finish(self: Box<Self>) -> Picked {
        State::finish(*self)
    }
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

impl Picked {
    /// A value without a point.
    pub const fn value(cell: Cell) -> Self {
        Self { cell, at: None }
    }
}

impl From<Cell> for Picked {
    fn from(cell: Cell) -> Self {
        Self::value(cell)
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

/// Checks that `function` can be computed of `field`.
///
/// # Errors
/// [`QueryError::Invalid`] naming function, field and type.
pub fn check_type(function: &dyn AggregateFunction, field: &str, kind: FieldType) -> Result<(), QueryError> {
    if function.accepts(kind) {
        return Ok(());
    }
    let message = format!("{}() cannot be computed of field `{field}`, which is of type {kind}", function.name());
    let hint = Some(
        "booleans and strings have count, first, last, mode and distinct_count; booleans min and max, too".to_owned(),
    );
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
