//! `count sum mean min max first last spread`: constant memory, and content with summaries where those are exact.
//!
//! Types: `count` is an integer; `mean` a float; `min`, `max`, `first`, `last` keep the field's type; `sum` and `spread` keep it
//! too, and become a float when the result does not fit. Summaries are floats, so of integer columns (whose values may have
//! more than 53 bits) only `count` takes them. Of points at the same time in several series, `first` and `last` take
//! the largest value, as InfluxDB does.

use std::cmp::Ordering;

use model::{FieldType, TimeRange, TimestampNs};

use super::view::{Number, for_number};
use super::{Accumulator, AggregateFunction, Run, TakesSummaries, compare, is_numeric};
use crate::Summary;
use crate::result::Cell;

pub(super) fn all() -> Vec<Box<dyn AggregateFunction>> {
    vec![
        Box::new(Count),
        Box::new(Sum),
        Box::new(Mean),
        Box::new(Extreme::Min),
        Box::new(Extreme::Max),
        Box::new(Extreme::Spread),
        Box::new(Edge::First),
        Box::new(Edge::Last),
    ]
}

/// Number of points.
struct Count;

struct CountState(u64);

impl AggregateFunction for Count {
    fn name(&self) -> &'static str {
        "count"
    }

    fn accepts(&self, _kind: FieldType) -> bool {
        true
    }

    fn result_type(&self, _kind: FieldType) -> FieldType {
        FieldType::Integer
    }

    fn of_nothing(&self) -> Cell {
        Cell::Integer(0)
    }

    fn new_state(&self, _: &[f64], _: FieldType, _: TimeRange) -> Box<dyn Accumulator> {
        Box::new(CountState(0))
    }
}

impl Accumulator for CountState {
    fn add(&mut self, run: &Run<'_>) {
        self.0 += run.times.len() as u64;
    }

    fn summaries(&mut self) -> Option<&mut dyn TakesSummaries> {
        Some(self)
    }

    fn finish(self: Box<Self>) -> Cell {
        Cell::Integer(self.0.cast_signed())
    }
}

impl TakesSummaries for CountState {
    fn add_summary(&mut self, summary: &Summary) {
        self.0 += summary.count;
    }
}

/// Sum of the values.
struct Sum;

/// Arithmetic mean.
struct Mean;

impl AggregateFunction for Sum {
    fn name(&self) -> &'static str {
        "sum"
    }

    fn accepts(&self, kind: FieldType) -> bool {
        is_numeric(kind)
    }

    fn result_type(&self, kind: FieldType) -> FieldType {
        kind
    }

    fn new_state(&self, _: &[f64], kind: FieldType, _: TimeRange) -> Box<dyn Accumulator> {
        new_total(kind, Of::Sum)
    }
}

impl AggregateFunction for Mean {
    fn name(&self) -> &'static str {
        "mean"
    }

    fn accepts(&self, kind: FieldType) -> bool {
        is_numeric(kind)
    }

    fn result_type(&self, _kind: FieldType) -> FieldType {
        FieldType::Float
    }

    fn new_state(&self, _: &[f64], kind: FieldType, _: TimeRange) -> Box<dyn Accumulator> {
        new_total(kind, Of::Mean)
    }
}

/// What is made of a total.
enum Of {
    Sum,
    Mean,
}

fn new_total(kind: FieldType, of: Of) -> Box<dyn Accumulator> {
    match kind {
        FieldType::Float => Box::new(FloatTotal { sum: 0.0, count: 0, of }),
        _ => Box::new(IntegerTotal { sum: 0, count: 0, kind, of }),
    }
}

struct FloatTotal {
    sum: f64,
    count: u64,
    of: Of,
}

impl Accumulator for FloatTotal {
    fn add(&mut self, run: &Run<'_>) {
        let values = f64::slice(&run.values);
        self.sum += values.iter().sum::<f64>();
        self.count += values.len() as u64;
    }

    fn summaries(&mut self) -> Option<&mut dyn TakesSummaries> {
        Some(self)
    }

    fn finish(self: Box<Self>) -> Cell {
        match self.of {
            Of::Sum => Cell::Float(self.sum),
            Of::Mean => Cell::Float(self.sum / self.count as f64),
        }
    }
}

impl TakesSummaries for FloatTotal {
    fn add_summary(&mut self, summary: &Summary) {
        self.sum += summary.sum;
        self.count += summary.count;
    }
}

/// Total of integers of either kind; 128 bits hold the sum of 2^63 values of 64 bits.
struct IntegerTotal {
    sum: i128,
    count: u64,
    kind: FieldType,
    of: Of,
}

impl Accumulator for IntegerTotal {
    fn add(&mut self, run: &Run<'_>) {
        self.sum += match self.kind {
            FieldType::Unsigned => u64::slice(&run.values).iter().map(|&v| i128::from(v)).sum::<i128>(),
            _ => i64::slice(&run.values).iter().map(|&v| i128::from(v)).sum::<i128>(),
        };
        self.count += run.times.len() as u64;
    }

    fn finish(self: Box<Self>) -> Cell {
        match self.of {
            Of::Sum => wide_cell(self.sum, self.kind),
            Of::Mean => Cell::Float(self.sum as f64 / self.count as f64),
        }
    }
}

/// `value` in the type `kind`, or as a float where it does not fit.
fn wide_cell(value: i128, kind: FieldType) -> Cell {
    let fitting = match kind {
        FieldType::Unsigned => u64::try_from(value).ok().map(Cell::Unsigned),
        _ => i64::try_from(value).ok().map(Cell::Integer),
    };
    fitting.unwrap_or(Cell::Float(value as f64))
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

#[cfg(test)]
mod tests {
    use model::{SeriesId, Values};

    use super::*;
    use crate::aggregate::{Registry, View};

    fn apply(function: &str, runs: &[(&[i64], Values)]) -> Cell {
        let kind = runs[0].1.field_type();
        let function = Registry::shared().get(function).unwrap();
        assert!(function.accepts(kind));
        let mut state = function.new_state(&[], kind, TimeRange::ALL);
        for (series, (times, values)) in runs.iter().enumerate() {
            let times: Vec<_> = times.iter().map(|&t| TimestampNs(t)).collect();
            let values = View::of(values, 0..times.len());
            state.add(&Run { series: SeriesId(series as u32), times: &times, values });
        }
        state.finish()
    }

    #[test]
    fn sums_of_integers_are_exact_and_become_floats_when_they_do_not_fit() {
        let odd = (1i64 << 53) + 1;
        assert_eq!(apply("sum", &[(&[1, 2], Values::Integer(vec![odd, -1]))]), Cell::Integer(odd - 1));
        let large = Values::Integer(vec![i64::MAX, i64::MAX]);
        assert_eq!(apply("sum", &[(&[1, 2], large)]), Cell::Float(2.0 * i64::MAX as f64));
        let large = Values::Unsigned(vec![u64::MAX, 1]);
        assert_eq!(apply("sum", &[(&[1, 2], large)]), Cell::Float(u64::MAX as f64 + 1.0));
        let far = Values::Integer(vec![i64::MIN, i64::MAX]);
        assert_eq!(apply("spread", &[(&[1, 2], far)]), Cell::Float(u64::MAX as f64));
        assert_eq!(apply("spread", &[(&[1, 2], Values::Unsigned(vec![7, 3]))]), Cell::Unsigned(4));
    }

    #[test]
    fn min_max_first_and_last_keep_the_type_of_the_field() {
        let values = || Values::Unsigned(vec![5, 9, 7]);
        assert_eq!(apply("min", &[(&[1, 2, 3], values())]), Cell::Unsigned(5));
        assert_eq!(apply("max", &[(&[1, 2, 3], values())]), Cell::Unsigned(9));
        assert_eq!(apply("last", &[(&[1, 2, 3], values())]), Cell::Unsigned(7));
        assert_eq!(apply("first", &[(&[1, 2], Values::Boolean(vec![true, false]))]), Cell::Boolean(true));
        assert_eq!(apply("mean", &[(&[1, 2], Values::Integer(vec![1, 2]))]), Cell::Float(1.5));
    }

    #[test]
    fn first_and_last_of_several_series_go_by_time_and_then_by_the_larger_value() {
        let early_last =
            [(&[5i64, 6][..], Values::Float(vec![1.0, 2.0])), (&[4, 5][..], Values::Float(vec![3.0, 9.0]))];
        assert_eq!(apply("first", &early_last), Cell::Float(3.0));
        assert_eq!(apply("last", &early_last), Cell::Float(2.0));
        let tie = [(&[5i64][..], Values::Float(vec![8.0])), (&[5][..], Values::Float(vec![9.0]))];
        assert_eq!(apply("first", &tie), Cell::Float(9.0));
        assert_eq!(apply("last", &tie), Cell::Float(9.0));
    }
}
