//! Accumulators of any function, one box a window.

use std::any::Any;

use model::{FieldType, SeriesId, TimeRange};

use super::{Fold, Place};
use crate::aggregate::{Accumulator, AggregateFunction, Picked, Run, Wants};
use crate::{Parts, Summary};

/// What an accumulator takes besides the bytes it reports, roughly: itself and its box.
const BYTES_PER_STATE: usize = 64;

type States = Vec<Option<Box<dyn Accumulator>>>;

/// The accumulators of many windows.
pub struct Boxed<'f> {
    function: &'f dyn AggregateFunction,
    arguments: &'f [f64],
    kind: FieldType,
    wants: Wants,
    states: States,
    /// Bytes that the accumulators hold.
    held: usize,
}

impl<'f> Boxed<'f> {
    /// No windows yet.
    pub const fn new(function: &'f dyn AggregateFunction, arguments: &'f [f64], kind: FieldType, wants: Wants) -> Self {
        Self { function, arguments, kind, wants, states: Vec::new(), held: 0 }
    }

    fn new_state(&self, span: TimeRange) -> Box<dyn Accumulator> {
        self.function.new_state(self.arguments, self.kind, span, self.wants)
    }

    fn change(&mut self, place: Place, change: impl FnOnce(&mut dyn Accumulator)) {
        self.grow(place.window + 1);
        let mut state = match self.states.get_mut(place.window).and_then(Option::take) {
            Some(state) => state,
            None => {
                self.held += BYTES_PER_STATE;
                self.new_state(place.span)
            }
        };
        let before = state.bytes();
        change(state.as_mut());
        self.held = (self.held + state.bytes()).saturating_sub(before);
        self.put(place.window, state);
    }

    fn put(&mut self, window: usize, state: Box<dyn Accumulator>) {
        if let Some(slot) = self.states.get_mut(window) {
            *slot = Some(state);
        }
    }

    fn take_in(&mut self, window: usize, other: Box<dyn Accumulator>) {
        self.grow(window + 1);
        let (bytes, own) = (other.bytes(), self.states.get_mut(window).and_then(Option::take));
        let merged = match own {
            None => {
                self.held += BYTES_PER_STATE + bytes;
                other
            }
            Some(mut own) => {
                let before = own.bytes();
                own.merge(other);
                self.held = (self.held + own.bytes()).saturating_sub(before);
                own
            }
        };
        self.put(window, merged);
    }
}

impl Fold for Boxed<'_> {
    fn windows(&self) -> usize {
        self.states.len()
    }

    fn grow(&mut self, windows: usize) {
        if windows > self.states.len() {
            self.states.resize_with(windows, || None);
        }
    }

    fn add(&mut self, place: Place, run: &Run<'_>) {
        self.change(place, |state| state.add(run));
    }

    fn parts(&self) -> Option<Parts> {
        self.new_state(TimeRange::ALL).parts()
    }

    fn add_summary(&mut self, place: Place, series: SeriesId, summary: &Summary) {
        self.change(place, |state| state.add_summary(series, summary));
    }

    fn enter(&mut self, place: Place, before: &Run<'_>) {
        self.change(place, |state| state.enter(before));
    }

    fn leave(&mut self, place: Place, after: &Run<'_>) {
        self.change(place, |state| state.leave(after));
    }

    fn bytes(&self) -> usize {
        self.states.capacity() * size_of::<Option<Box<dyn Accumulator>>>() + self.held
    }

    fn merge(&mut self, other: Box<dyn Fold + '_>, map: &[usize]) {
        let Ok(others) = other.into_states().downcast::<States>() else {
            debug_assert!(false, "folds of two functions were merged");
            return;
        };
        for (state, &window) in others.into_iter().zip(map) {
            if let Some(state) = state {
                self.take_in(window, state);
            }
        }
    }

    fn into_states(self: Box<Self>) -> Box<dyn Any> {
        Box::new(self.states)
    }

    fn finish(self: Box<Self>) -> Vec<Option<Picked>> {
        self.states.into_iter().map(|state| state.map(Accumulator::finish)).collect()
    }
}
