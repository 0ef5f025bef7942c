//! `count sum mean`: constant memory, and content with summaries where those are exact.
//!
//! `count` is an integer, `mean` a float; `sum` keeps the field's type, and becomes a float when the result does not fit.
//! Summaries are floats, so of integer columns (whose values may have more than 53 bits) only `count` takes them.

use model::{FieldType, TimeRange};

use super::view::Number;
use super::{Accumulator, AggregateFunction, Run, TakesSummaries, is_numeric};
use crate::Summary;
use crate::result::Cell;

pub(super) fn all() -> Vec<Box<dyn AggregateFunction>> {
    vec![Box::new(Count), Box::new(Sum), Box::new(Mean)]
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
pub(super) fn wide_cell(value: i128, kind: FieldType) -> Cell {
    let fitting = match kind {
        FieldType::Unsigned => u64::try_from(value).ok().map(Cell::Unsigned),
        _ => i64::try_from(value).ok().map(Cell::Integer),
    };
    fitting.unwrap_or(Cell::Float(value as f64))
}
