//! `count sum mean`: constant memory, and content with summaries where those are exact.
//!
//! `count` is an integer, `mean` a float; `sum` keeps the field's type and, as in InfluxDB, wraps where integers do not fit. The
//! sum of integers that a mean is made of does not. Summaries are floats, so of integer columns (whose values may have more than 53
//! bits) only `count` takes them.

use model::{FieldType, SeriesId, TimeRange};

use super::fold::Slots;
use super::number::{Number, Total, for_number};
use super::{Accumulator, AggregateFunction, Fold, Picked, Run, State, Wants, is_numeric};
use crate::result::Cell;
use crate::{Parts, Summary};

pub(super) fn all() -> Vec<Box<dyn AggregateFunction>> {
    vec![Box::new(Count), Box::new(Sum), Box::new(Mean)]
}

/// Number of points.
struct Count;

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

    fn new_state(&self, _: &[f64], _: FieldType, _: TimeRange, _: Wants) -> Box<dyn Accumulator> {
        Box::new(CountState(0))
    }

    fn new_slots(&self, _: &[f64], _: FieldType, _: Wants) -> Option<Box<dyn Fold>> {
        Some(Box::new(Slots::new(CountState(0))))
    }
}

#[derive(Clone, Copy)]
struct CountState(u64);

impl State for CountState {
    fn add(&mut self, run: &Run<'_>) {
        self.0 += run.times.len() as u64;
    }

    fn parts(&self) -> Option<Parts> {
        Some(Parts::COUNT)
    }

    fn add_summary(&mut self, _: SeriesId, summary: &Summary) {
        self.0 += summary.count;
    }

    fn merge(&mut self, other: Self) {
        self.0 += other.0;
    }

    fn finish(self) -> Picked {
        Cell::Integer(self.0.cast_signed()).into()
    }
}

/// Sum of the values.
struct Sum;

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

    fn new_state(&self, _: &[f64], kind: FieldType, _: TimeRange, _: Wants) -> Box<dyn Accumulator> {
        for_number!(kind, N => SumState::<N>(N::default()))
    }

    fn new_slots(&self, _: &[f64], kind: FieldType, _: Wants) -> Option<Box<dyn Fold>> {
        Some(for_number!(kind, N => Slots::new(SumState::<N>(N::default()))))
    }
}

#[derive(Clone, Copy)]
struct SumState<N>(N);

impl<N: Number> State for SumState<N> {
    fn add(&mut self, run: &Run<'_>) {
        self.0 = self.0.plus(N::sum(N::slice(&run.values)));
    }

    fn parts(&self) -> Option<Parts> {
        N::parts(Parts::SUM)
    }

    fn add_summary(&mut self, _: SeriesId, summary: &Summary) {
        if let Some(sum) = N::from_summary(summary.sum) {
            self.0 = self.0.plus(sum);
        }
    }

    fn merge(&mut self, other: Self) {
        self.0 = self.0.plus(other.0);
    }

    fn finish(self) -> Picked {
        self.0.cell().into()
    }
}

/// Arithmetic mean.
struct Mean;

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

    fn new_state(&self, _: &[f64], kind: FieldType, _: TimeRange, _: Wants) -> Box<dyn Accumulator> {
        for_number!(kind, N => MeanState::<N>::default())
    }

    fn new_slots(&self, _: &[f64], kind: FieldType, _: Wants) -> Option<Box<dyn Fold>> {
        Some(for_number!(kind, N => Slots::new(MeanState::<N>::default())))
    }
}

#[derive(Clone, Copy, Default)]
struct MeanState<N: Number> {
    total: N::Total,
    count: u64,
}

impl<N: Number> State for MeanState<N> {
    fn add(&mut self, run: &Run<'_>) {
        let values = N::slice(&run.values);
        self.total += N::total(values);
        self.count += values.len() as u64;
    }

    fn parts(&self) -> Option<Parts> {
        N::parts(Parts::COUNT.and(Parts::SUM))
    }

    fn add_summary(&mut self, _: SeriesId, summary: &Summary) {
        if let Some(sum) = N::from_summary(summary.sum) {
            self.total += N::total(&[sum]);
            self.count += summary.count;
        }
    }

    fn merge(&mut self, other: Self) {
        self.total += other.total;
        self.count += other.count;
    }

    fn finish(self) -> Picked {
        Cell::Float(self.total.float() / self.count as f64).into()
    }
}
