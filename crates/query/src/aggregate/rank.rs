//! `median percentile`: values by their place in the sorted order. They hold what they have seen, against the query's memory limit.
//!
//! `percentile` is the nearest rank as InfluxDB takes it: the value at `floor(n * N / 100 + 0.5) - 1` of the sorted ones, null
//! where there is no such rank.

use model::{FieldType, TimeRange};

use super::number::{Number, for_number};
use super::{Accumulator, AggregateFunction, Origin, Picked, Run, State, Wants, is_numeric};
use crate::result::Cell;

pub(super) fn all() -> Vec<Box<dyn AggregateFunction>> {
    vec![Box::new(Rank::Median), Box::new(Rank::Percentile)]
}

/// Values by their place in the sorted order.
#[derive(Clone, Copy)]
enum Rank {
    Median,
    Percentile,
}

impl AggregateFunction for Rank {
    fn name(&self) -> &'static str {
        match self {
            Self::Median => "median",
            Self::Percentile => "percentile",
        }
    }

    fn accepts(&self, kind: FieldType) -> bool {
        is_numeric(kind)
    }

    fn result_type(&self, kind: FieldType) -> FieldType {
        match self {
            Self::Median => FieldType::Float,
            Self::Percentile => kind,
        }
    }

    fn check_arguments(&self, arguments: &[f64]) -> Result<(), String> {
        match (self, arguments) {
            (Self::Median, []) => Ok(()),
            (Self::Median, _) => Err("takes no arguments".to_owned()),
            (Self::Percentile, [n]) if (0.0..=100.0).contains(n) => Ok(()),
            (Self::Percentile, _) => Err(format!("takes one argument from 0 to 100, found {arguments:?}")),
        }
    }

    fn new_state(&self, arguments: &[f64], kind: FieldType, _: TimeRange, wants: Wants) -> Box<dyn Accumulator> {
        let percent = arguments.first().copied().unwrap_or(f64::NAN);
        match (self, wants) {
            (Self::Median, _) => for_number!(kind, N => MedianState::<N>(Vec::new())),
            (Self::Percentile, Wants::Value) => {
                for_number!(kind, N => PercentileValue::<N> { values: Vec::new(), percent })
            }
            (Self::Percentile, Wants::Origin) => {
                for_number!(kind, N => PercentilePoint::<N> { points: Vec::new(), percent })
            }
        }
    }
}

struct MedianState<N>(Vec<N>);

impl<N: Number> State for MedianState<N> {
    fn add(&mut self, run: &Run<'_>) {
        self.0.extend_from_slice(N::slice(&run.values));
    }

    fn bytes(&self) -> usize {
        self.0.capacity() * size_of::<N>()
    }

    fn merge(&mut self, other: Self) {
        self.0.extend(other.0);
    }

    fn finish(mut self) -> Picked {
        median(&mut self.0).into()
    }
}

/// The middle value, or the mean of the two middle ones.
fn median<N: Number>(values: &mut [N]) -> Cell {
    let middle = values.len() / 2;
    let even = values.len().is_multiple_of(2);
    if values.is_empty() {
        return Cell::Null;
    }
    let (below, upper, _) = values.select_nth_unstable_by(middle, N::order);
    let upper = upper.float();
    if !even {
        return Cell::Float(upper);
    }
    let lower = below.iter().copied().max_by(N::order).map_or(upper, N::float);
    Cell::Float(lower + (upper - lower) / 2.0)
}

/// The index in sorted order that InfluxDB takes; `None` where it has none.
fn index_of(percent: f64, len: usize) -> Option<usize> {
    let rank = (len as f64 * percent / 100.0 + 0.5).floor() as usize;
    rank.checked_sub(1).filter(|&index| index < len)
}

/// The value alone.
struct PercentileValue<N> {
    values: Vec<N>,
    percent: f64,
}

impl<N: Number> State for PercentileValue<N> {
    fn add(&mut self, run: &Run<'_>) {
        self.values.extend_from_slice(N::slice(&run.values));
    }

    fn bytes(&self) -> usize {
        self.values.capacity() * size_of::<N>()
    }

    fn merge(&mut self, other: Self) {
        self.values.extend(other.values);
    }

    fn finish(mut self) -> Picked {
        let Some(index) = index_of(self.percent, self.values.len()) else { return Picked::default() };
        self.values.select_nth_unstable_by(index, N::order).1.cell().into()
    }
}

/// The value and its point; of several points with the value they are taken in the order of time.
struct PercentilePoint<N> {
    points: Vec<(N, Origin)>,
    percent: f64,
}

impl<N: Number> State for PercentilePoint<N> {
    fn add(&mut self, run: &Run<'_>) {
        let origins = run.times.iter().map(|&time| Origin { series: run.series, time });
        self.points.extend(N::slice(&run.values).iter().copied().zip(origins));
    }

    fn bytes(&self) -> usize {
        self.points.capacity() * size_of::<(N, Origin)>()
    }

    fn merge(&mut self, other: Self) {
        self.points.extend(other.points);
    }

    fn finish(mut self) -> Picked {
        let Some(index) = index_of(self.percent, self.points.len()) else { return Picked::default() };
        let order = |a: &(N, Origin), b: &(N, Origin)| {
            a.0.order(&b.0).then(a.1.time.cmp(&b.1.time)).then(a.1.series.cmp(&b.1.series))
        };
        let (value, at) = *self.points.select_nth_unstable_by(index, order).1;
        Picked { cell: value.cell(), at: Some(at) }
    }
}

#[cfg(test)]
mod tests {
    use model::Values;

    use super::*;
    use crate::aggregate::Registry;
    use crate::aggregate::tests::{pick, value};

    #[test]
    fn the_median_of_an_even_number_lies_between_the_middle_two() {
        assert_eq!(value("median", &[], &Values::Float(vec![9.0, 1.0, 5.0])), Cell::Float(5.0));
        assert_eq!(value("median", &[], &Values::Integer(vec![9, 1, 5, 2])), Cell::Float(3.5));
    }

    #[test]
    fn a_percentile_is_the_nearest_rank_and_keeps_the_type() {
        let ten = Values::Integer((1..=10).rev().collect());
        assert_eq!(value("percentile", &[50.0], &ten), Cell::Integer(5));
        assert_eq!(value("percentile", &[95.0], &ten), Cell::Integer(10));
        assert_eq!(value("percentile", &[100.0], &ten), Cell::Integer(10));
        assert_eq!(value("percentile", &[1.0], &ten), Cell::Null);
    }

    #[test]
    fn a_percentile_knows_its_point() {
        let ten = Values::Integer((1..=10).rev().collect());
        let Picked { cell, at: Some(at) } = pick("percentile", &[50.0], &ten, Wants::Origin) else {
            panic!("no point")
        };
        assert_eq!((cell, at.time.0), (Cell::Integer(5), 5));
        let equal = Values::Float(vec![1.0, 1.0, 1.0]);
        assert_eq!(pick("percentile", &[50.0], &equal, Wants::Origin).at.unwrap().time.0, 1);
    }

    #[test]
    fn a_percentile_outside_0_to_100_is_refused_and_has_no_rank() {
        let percentile = Registry::shared().get("percentile").unwrap();
        for arguments in [&[][..], &[101.0], &[-1.0], &[f64::NAN], &[5.0, 6.0]] {
            assert!(percentile.check_arguments(arguments).unwrap_err().starts_with("takes one argument from 0 to 100"));
        }
        for percent in [-1.0, 0.0, 120.0, f64::NAN] {
            assert_eq!(index_of(percent, 10), None);
        }
    }
}
