//! States side by side: no allocation and no indirect call a window.

use std::any::Any;

use model::SeriesId;

use super::{Fold, Place};
use crate::aggregate::{Picked, Run, State};
use crate::{Parts, Summary};

/// The states of many windows.
pub(in crate::aggregate) struct Slots<S> {
    empty: S,
    states: Vec<Option<S>>,
    /// Bytes that the states hold besides themselves.
    held: usize,
}

impl<S: State + Clone> Slots<S> {
    /// No windows yet; each will start as a copy of `empty`.
    pub(in crate::aggregate) const fn new(empty: S) -> Self {
        Self { empty, states: Vec::new(), held: 0 }
    }

    fn change(&mut self, window: usize, change: impl FnOnce(&mut S)) {
        if window >= self.states.len() {
            self.grow(window + 1);
        }
        let Some(slot) = self.states.get_mut(window) else { return };
        let state = slot.get_or_insert_with(|| self.empty.clone());
        let before = state.bytes();
        change(state);
        self.held = (self.held + state.bytes()).saturating_sub(before);
    }
}

impl<S: State + Clone> Fold for Slots<S> {
    fn windows(&self) -> usize {
        self.states.len()
    }

    fn grow(&mut self, windows: usize) {
        self.states.resize(windows.max(self.states.len()), None);
    }

    fn add(&mut self, place: Place, run: &Run<'_>) {
        self.change(place.window, |state| state.add(run));
    }

    fn parts(&self) -> Option<Parts> {
        self.empty.parts()
    }

    fn add_summary(&mut self, place: Place, series: SeriesId, summary: &Summary) {
        self.change(place.window, |state| state.add_summary(series, summary));
    }

    fn enter(&mut self, place: Place, before: &Run<'_>) {
        self.change(place.window, |state| state.enter(before));
    }

    fn leave(&mut self, place: Place, after: &Run<'_>) {
        self.change(place.window, |state| state.leave(after));
    }

    fn bytes(&self) -> usize {
        self.states.capacity() * size_of::<Option<S>>() + self.held
    }

    fn merge(&mut self, other: Box<dyn Fold + '_>, map: &[usize]) {
        let Ok(others) = other.into_states().downcast::<Vec<Option<S>>>() else {
            debug_assert!(false, "folds of two functions were merged");
            return;
        };
        for (state, &window) in others.into_iter().zip(map) {
            if let Some(state) = state {
                self.change(window, |own| own.merge(state));
            }
        }
    }

    fn into_states(self: Box<Self>) -> Box<dyn Any> {
        Box::new(self.states)
    }

    fn finish(self: Box<Self>) -> Vec<Option<Picked>> {
        self.states.into_iter().map(|state| state.map(S::finish)).collect()
    }
}
