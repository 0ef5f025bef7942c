//! `first last`: the oldest and the newest point, of any type; content with the summaries of float columns, which have their times.
//!
//! Of points at the same time in several series the one with the larger value is chosen, as InfluxDB does.

use std::cmp::Ordering;

use model::{FieldType, SeriesId, TimeRange, TimestampNs};

use super::fold::Slots;
use super::number::{Value, for_value};
use super::{Accumulator, AggregateFunction, Fold, Origin, Picked, Run, State, Wants};
use crate::{Parts, Summary};

pub(super) fn all() -> Vec<Box<dyn AggregateFunction>> {
    vec![Box::new(Edge::First), Box::new(Edge::Last)]
}

/// Oldest and newest value.
#[derive(Clone, Copy)]
enum Edge {
    First,
    Last,
}

impl AggregateFunction for Edge {
    fn name(&self) -> &'static str {
        match self {
            Self::First => "first",
            Self::Last => "last",
        }
    }

    fn accepts(&self, _kind: FieldType) -> bool {
        true
    }

    fn result_type(&self, kind: FieldType) -> FieldType {
        kind
    }

    fn new_state(&self, _: &[f64], kind: FieldType, _: TimeRange, _: Wants) -> Box<dyn Accumulator> {
        for_value!(kind, V => EdgeState::<V> { edge: *self, best: None })
    }

    fn new_slots(&self, _: &[f64], kind: FieldType, _: Wants) -> Option<Box<dyn Fold>> {
        Some(for_value!(kind, V => Slots::new(EdgeState::<V> { edge: *self, best: None })))
    }
}

#[derive(Clone)]
struct EdgeState<V> {
    edge: Edge,
    best: Option<(V, Origin)>,
}

impl<V: Value> EdgeState<V> {
    /// `value` is asked for only when the time alone does not rule it out.
    fn offer(&mut self, at: Origin, value: impl FnOnce() -> Option<V>) {
        let order = self.best.as_ref().map_or(Ordering::Greater, |(_, best)| match self.edge {
            Edge::First => best.time.cmp(&at.time),
            Edge::Last => at.time.cmp(&best.time),
        });
        if order == Ordering::Less {
            return;
        }
        let Some(value) = value() else { return };
        let larger = |best: &V| value.order(best) == Ordering::Greater;
        if order == Ordering::Greater || self.best.as_ref().is_some_and(|(best, _)| larger(best)) {
            self.best = Some((value, at));
        }
    }
}

impl<V: Value> State for EdgeState<V> {
    fn add(&mut self, run: &Run<'_>) {
        let index = match self.edge {
            Edge::First => 0,
            Edge::Last => run.times.len().saturating_sub(1),
        };
        if let Some(&time) = run.times.get(index) {
            self.offer(Origin { series: run.series, time }, || V::at(&run.values, index));
        }
    }

    fn parts(&self) -> Option<Parts> {
        V::parts(Parts::ENDS.and(match self.edge {
            Edge::First => Parts::FIRST,
            Edge::Last => Parts::LAST,
        }))
    }

    fn add_summary(&mut self, series: SeriesId, summary: &Summary) {
        let (time, value): (TimestampNs, f64) = match self.edge {
            Edge::First => (summary.first_time, summary.first),
            Edge::Last => (summary.last_time, summary.last),
        };
        self.offer(Origin { series, time }, || V::from_summary(value));
    }

    fn bytes(&self) -> usize {
        self.best.as_ref().map_or(0, |(value, _)| value.bytes())
    }

    fn merge(&mut self, other: Self) {
        if let Some((value, at)) = other.best {
            self.offer(at, || Some(value));
        }
    }

    fn finish(self) -> Picked {
        let Some((value, at)) = self.best else { return Picked::default() };
        Picked { cell: value.cell(), at: Some(at) }
    }
}
