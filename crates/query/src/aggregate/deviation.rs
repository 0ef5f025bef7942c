//! `stddev variance`: those of a sample (divided by n - 1), null for a single point; constant memory, and content with the summaries
//! that have the squared distances from the mean.

use std::marker::PhantomData;

use model::{FieldType, SeriesId, TimeRange};

use super::number::{Number, Total, for_number};
use super::{Accumulator, AggregateFunction, Picked, Run, State, Wants, is_numeric};
use crate::result::Cell;
use crate::{Parts, Summary};

pub(super) fn all() -> Vec<Box<dyn AggregateFunction>> {
    vec![Box::new(Deviation::Stddev), Box::new(Deviation::Variance)]
}

/// How far values lie from their mean.
#[derive(Clone, Copy)]
enum Deviation {
    Stddev,
    Variance,
}

impl AggregateFunction for Deviation {
    fn name(&self) -> &'static str {
        match self {
            Self::Stddev => "stddev",
            Self::Variance => "variance",
        }
    }

    fn accepts(&self, kind: FieldType) -> bool {
        is_numeric(kind)
    }

    fn result_type(&self, _kind: FieldType) -> FieldType {
        FieldType::Float
    }

    fn new_state(&self, _: &[f64], kind: FieldType, _: TimeRange, _: Wants) -> Box<dyn Accumulator> {
        for_number!(kind, N => DeviationState::<N> {
            moments: Moments::default(), wanted: *self, of: PhantomData
        })
    }
}

struct DeviationState<N> {
    moments: Moments,
    wanted: Deviation,
    of: PhantomData<N>,
}

/// Count, mean and sum of squared distances from the mean.
#[derive(Default, Clone, Copy)]
struct Moments {
    count: f64,
    mean: f64,
    squares: f64,
}

impl Moments {
    fn of<N: Number>(values: &[N]) -> Self {
        let count = values.len() as f64;
        let mean = N::total(values).float() / count;
        let squares = values.iter().map(|v| (v.float() - mean).powi(2)).sum();
        Self { count, mean, squares }
    }

    /// Joins the moments of two sets of values (Chan, Golub, LeVeque 1983), which loses no digits to large means.
    fn join(self, other: Self) -> Self {
        if self.count == 0.0 {
            return other;
        }
        if other.count == 0.0 {
            return self;
        }
        let count = self.count + other.count;
        let apart = other.mean - self.mean;
        Self {
            count,
            mean: self.mean + apart * other.count / count,
            squares: self.squares + other.squares + apart * apart * self.count * other.count / count,
        }
    }
}

impl<N: Number> State for DeviationState<N> {
    fn add(&mut self, run: &Run<'_>) {
        let values = N::slice(&run.values);
        if !values.is_empty() {
            self.moments = self.moments.join(Moments::of(values));
        }
    }

    fn parts(&self) -> Option<Parts> {
        N::parts(Parts::COUNT.and(Parts::SUM).and(Parts::SQUARES))
    }

    fn add_summary(&mut self, _: SeriesId, summary: &Summary) {
        let other = Moments { count: summary.count as f64, mean: summary.mean(), squares: summary.squares };
        self.moments = self.moments.join(other);
    }

    fn merge(&mut self, other: Self) {
        self.moments = self.moments.join(other.moments);
    }

    fn finish(self) -> Picked {
        let Moments { count, squares, .. } = self.moments;
        if count < 2.0 {
            return Picked::default();
        }
        let variance = squares / (count - 1.0);
        Picked::value(Cell::Float(match self.wanted {
            Deviation::Stddev => variance.sqrt(),
            Deviation::Variance => variance,
        }))
    }
}

#[cfg(test)]
mod tests {
    use model::Values;

    use super::*;
    use crate::aggregate::tests::value;

    #[test]
    fn the_deviation_of_one_point_is_null_and_a_large_mean_costs_no_digits() {
        assert_eq!(value("stddev", &[], &Values::Float(vec![5.0])), Cell::Null);
        assert_eq!(value("variance", &[], &Values::Integer(vec![2, 4, 4, 4, 5, 5, 7, 9])), Cell::Float(32.0 / 7.0));
        assert_eq!(value("stddev", &[], &Values::Float(vec![1e9 + 1.0, 1e9 + 2.0, 1e9 + 3.0])), Cell::Float(1.0));
    }
}
