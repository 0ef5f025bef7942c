//! `min max spread first last`: constant memory, and content with the summaries of float columns.
//!
//! All keep the field's type (`spread` becomes a float when the result does not fit). Of points at the same time in several
//! series, `first` and `last` take the largest value, as InfluxDB does.

use std::cmp::Ordering;

use model::{FieldType, TimeRange, TimestampNs};

use super::basic::wide_cell;
use super::view::{Number, for_number};
use super::{Accumulator, AggregateFunction, Run, TakesSummaries, compare, is_numeric};
use crate::Summary;
use crate::result::Cell;

pub(super) fn all() -> Vec<Box<dyn AggregateFunction>> {
    vec![
        Box::new(Extreme::Min),
        Box::new(Extreme::Max),
        Box::new(Extreme::Spread),
        Box::new(Edge::First),
        Box::new(Edge::Last),
    ]
}

/// Smallest value, largest value, and how far apart they are.
#[derive(Clone, Copy)]
enum Extreme {
    Min,
    Max,
    Spread,
}

impl AggregateFunction for Extreme {
    fn name(&self) -> &'static str {
        match self {
            Self::Min => "min",
            Self::Max => "max",
            Self::Spread => "spread",
        }
    }

    fn accepts(&self, kind: FieldType) -> bool {
        is_numeric(kind)
    }

    fn result_type(&self, kind: FieldType) -> FieldType {
        kind
    }

    fn new_state(&self, _: &[f64], kind: FieldType, _: TimeRange) -> Box<dyn Accumulator> {
        for_number!(kind, N => ExtremeState::<N> { bounds: None, wanted: *self })
    }
}

struct ExtremeState<N> {
    bounds: Option<(N, N)>,
    wanted: Extreme,
}

impl<N: Number> ExtremeState<N> {
    fn widen(&mut self, low: N, high: N) {
        let (min, max) = self.bounds.unwrap_or((low, high));
        self.bounds = Some((lesser(min, low), greater(max, high)));
    }
}

fn lesser<N: PartialOrd>(a: N, b: N) -> N {
    if b < a { b } else { a }
}

fn greater<N: PartialOrd>(a: N, b: N) -> N {
    if b > a { b } else { a }
}

impl<N: Number> Accumulator for ExtremeState<N> {
    fn add(&mut self, run: &Run<'_>) {
        let values = N::slice(&run.values);
        let Some(&first) = values.first() else { return };
        let (low, high) = values.iter().fold((first, first), |(low, high), &v| (lesser(low, v), greater(high, v)));
        self.widen(low, high);
    }

    fn summaries(&mut self) -> Option<&mut dyn TakesSummaries> {
        N::from_summary(0.0).is_some().then_some(self as &mut dyn TakesSummaries)
    }

    fn finish(self: Box<Self>) -> Cell {
        let Some((min, max)) = self.bounds else { return Cell::Null };
        match self.wanted {
            Extreme::Min => min.cell(),
            Extreme::Max => max.cell(),
            Extreme::Spread => difference(&max.cell(), &min.cell()),
        }
    }
}

impl<N: Number> TakesSummaries for ExtremeState<N> {
    fn add_summary(&mut self, summary: &Summary) {
        if let (Some(min), Some(max)) = (N::from_summary(summary.min), N::from_summary(summary.max)) {
            self.widen(min, max);
        }
    }
}

/// `high - low`, both of one number type.
fn difference(high: &Cell, low: &Cell) -> Cell {
    match (high, low) {
        (Cell::Float(high), Cell::Float(low)) => Cell::Float(high - low),
        (Cell::Integer(high), Cell::Integer(low)) => {
            wide_cell(i128::from(*high) - i128::from(*low), FieldType::Integer)
        }
        (Cell::Unsigned(high), Cell::Unsigned(low)) => Cell::Unsigned(high.saturating_sub(*low)),
        _ => Cell::Null,
    }
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

    fn new_state(&self, _: &[f64], kind: FieldType, _: TimeRange) -> Box<dyn Accumulator> {
        Box::new(EdgeState { edge: *self, kind, best: None })
    }
}

/// Only one point of a run matters, so one accumulator over cells serves every type.
struct EdgeState {
    edge: Edge,
    kind: FieldType,
    best: Option<(TimestampNs, Cell)>,
}

impl EdgeState {
    fn offer(&mut self, time: TimestampNs, value: impl FnOnce() -> Cell) {
        let order = self.best.as_ref().map(|(best, _)| time.cmp(best));
        let better = match (order, self.edge) {
            (None, _) | (Some(Ordering::Less), Edge::First) | (Some(Ordering::Greater), Edge::Last) => true,
            (Some(Ordering::Less), Edge::Last) | (Some(Ordering::Greater), Edge::First) => return,
            (Some(Ordering::Equal), _) => false,
        };
        let value = value();
        if better || self.best.as_ref().is_some_and(|(_, best)| compare(&value, best) == Ordering::Greater) {
            self.best = Some((time, value));
        }
    }
}

impl Accumulator for EdgeState {
    fn add(&mut self, run: &Run<'_>) {
        let index = match self.edge {
            Edge::First => 0,
            Edge::Last => run.times.len().saturating_sub(1),
        };
        if let (Some(&time), Some(value)) = (run.times.get(index), run.values.get(index)) {
            self.offer(time, || value.into());
        }
    }

    fn summaries(&mut self) -> Option<&mut dyn TakesSummaries> {
        (self.kind == FieldType::Float).then_some(self as &mut dyn TakesSummaries)
    }

    fn bytes(&self) -> usize {
        match &self.best {
            Some((_, Cell::String(text))) => text.capacity(),
            _ => 0,
        }
    }

    fn finish(self: Box<Self>) -> Cell {
        self.best.map(|(_, value)| value).unwrap_or_default()
    }
}

impl TakesSummaries for EdgeState {
    fn add_summary(&mut self, summary: &Summary) {
        match self.edge {
            Edge::First => self.offer(summary.first_time, || Cell::Float(summary.first)),
            Edge::Last => self.offer(summary.last_time, || Cell::Float(summary.last)),
        }
    }
}
