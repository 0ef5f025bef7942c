//! The accumulators of many windows of one column: what the executor feeds.
//!
//! [`Slots`] holds the states of simple functions side by side, [`Boxed`] the accumulators of any. Both make a window's state
//! when its first points come; windows that got none finish as `None`.

mod boxed;
mod slots;
#[cfg(test)]
mod tests;

use std::any::Any;

use model::{FieldType, SeriesId, TimeRange};

use super::{AggregateFunction, Picked, Run, Wants};
use crate::{Parts, Summary};

pub use boxed::Boxed;
pub(super) use slots::Slots;

/// One window of a fold.
#[derive(Debug, Clone, Copy)]
pub struct Place {
    /// Its number, from 0.
    pub window: usize,
    /// Its bounds, cut to the range asked for.
    pub span: TimeRange,
}

/// One function over one field in many windows.
pub trait Fold: Send {
    /// Number of windows.
    fn windows(&self) -> usize;

    /// Makes room for at least so many windows, which are empty. Points of windows past them make it, too.
    fn grow(&mut self, windows: usize);

    /// Takes in points of one window.
    fn add(&mut self, place: Place, run: &Run<'_>);

    /// What summaries must tell to be as good as the points; `None`: it needs the points.
    fn parts(&self) -> Option<Parts>;

    /// Takes in points of one window by their summary; only where summaries are taken.
    fn add_summary(&mut self, place: Place, series: SeriesId, summary: &Summary);

    /// Tells of the newest point of a series before a window, ahead of the series' points in it.
    fn enter(&mut self, place: Place, before: &Run<'_>);

    /// Tells of the oldest point of a series behind a window, after the series' points in it.
    fn leave(&mut self, place: Place, after: &Run<'_>);

    /// Bytes held.
    fn bytes(&self) -> usize;

    /// Takes in all that `other` has: window `i` of it becomes window `map[i]` here, or is dropped where the map ends. It is of the same
    /// function, arguments, type and wants, and has seen other series, which come later in the order of series.
    fn merge(&mut self, other: Box<dyn Fold + '_>, map: &[usize]);

    /// The states inside, for [`Fold::merge`] of the same kind of fold.
    fn into_states(self: Box<Self>) -> Box<dyn Any>;

    /// The results, window by window; `None` for those without points.
    fn finish(self: Box<Self>) -> Vec<Option<Picked>>;
}

/// An empty fold of a function; the arguments were checked.
pub fn new_fold<'f>(
    function: &'f dyn AggregateFunction,
    arguments: &'f [f64],
    kind: FieldType,
    wants: Wants,
) -> Box<dyn Fold + 'f> {
    match function.new_slots(arguments, kind, wants) {
        Some(slots) => slots,
        None => Box::new(Boxed::new(function, arguments, kind, wants)),
    }
}
