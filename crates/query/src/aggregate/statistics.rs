//! `stddev variance median percentile mode distinct_count`.
//!
//! `stddev` and `variance` are those of a sample (divided by n - 1) and null for a single point. `percentile` is the nearest
//! rank as InfluxDB takes it: the value at `floor(n * N / 100 + 0.5) - 1` of the sorted ones, null where there is no such
//! rank. `mode` takes the value that came first among equally frequent ones. `median`, `percentile`, `mode` and
//! `distinct_count` hold what they have seen, against the query's memory limit.

use std::collections::HashMap;
use std::collections::hash_map::Entry;

use model::{FieldType, TimeRange, TimestampNs};

use super::view::{Number, for_number};
use super::{Accumulator, AggregateFunction, Run, ValueKey, compare, is_numeric};
use crate::result::Cell;

pub(super) fn all() -> Vec<Box<dyn AggregateFunction>> {
    vec![
        Box::new(Deviation::Stddev),
        Box::new(Deviation::Variance),
        Box::new(Rank::Median),
        Box::new(Rank::Percentile),
        Box::new(Census::Mode),
        Box::new(Census::DistinctCount),
    ]
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

    fn new_state(&self, _: &[f64], kind: FieldType, _: TimeRange) -> Box<dyn Accumulator> {
        for_number!(kind, N => DeviationState::<N> {
            moments: Moments::default(), wanted: *self, of: std::marker::PhantomData
        })
    }
}

struct DeviationState<N> {
    moments: Moments,
    wanted: Deviation,
    of: std::marker::PhantomData<N>,
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
        let mean = values.iter().map(|v| v.float()).sum::<f64>() / count;
        let squares = values.iter().map(|v| (v.float() - mean).powi(2)).sum();
        Self { count, mean, squares }
    }

    /// Joins the moments of two sets of values (Chan, Golub, LeVeque 1983), which loses no digits to large means.
    fn join(self, other: Self) -> Self {
        if self.count == 0.0 {
            return other;
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

impl<N: Number> Accumulator for DeviationState<N> {
    fn add(&mut self, run: &Run<'_>) {
        let values = N::slice(&run.values);
        if !values.is_empty() {
            self.moments = self.moments.join(Moments::of(values));
        }
    }

    fn finish(self: Box<Self>) -> Cell {
        let Moments { count, squares, .. } = self.moments;
        if count < 2.0 {
            return Cell::Null;
        }
        let variance = squares / (count - 1.0);
        Cell::Float(match self.wanted {
            Deviation::Stddev => variance.sqrt(),
            Deviation::Variance => variance,
        })
    }
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

    fn new_state(&self, arguments: &[f64], kind: FieldType, _: TimeRange) -> Box<dyn Accumulator> {
        let percent = match self {
            Self::Median => None,
            Self::Percentile => arguments.first().copied(),
        };
        for_number!(kind, N => RankState::<N> { values: Vec::new(), percent })
    }
}

struct RankState<N> {
    values: Vec<N>,
    /// `None` for the median.
    percent: Option<f64>,
}

impl<N: Number> Accumulator for RankState<N> {
    fn add(&mut self, run: &Run<'_>) {
        self.values.extend_from_slice(N::slice(&run.values));
    }

    fn bytes(&self) -> usize {
        self.values.capacity() * size_of::<N>()
    }

    fn finish(self: Box<Self>) -> Cell {
        let Self { mut values, percent } = *self;
        match percent {
            None => median(&mut values),
            Some(percent) => percentile(&mut values, percent),
        }
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

fn percentile<N: Number>(values: &mut [N], percent: f64) -> Cell {
    let rank = (values.len() as f64 * percent / 100.0 + 0.5).floor() as usize;
    match rank.checked_sub(1) {
        Some(index) if index < values.len() => values.select_nth_unstable_by(index, N::order).1.cell(),
        _ => Cell::Null,
    }
}

/// Counts of equal values.
#[derive(Clone, Copy)]
enum Census {
    Mode,
    DistinctCount,
}

impl AggregateFunction for Census {
    fn name(&self) -> &'static str {
        match self {
            Self::Mode => "mode",
            Self::DistinctCount => "distinct_count",
        }
    }

    fn accepts(&self, _kind: FieldType) -> bool {
        true
    }

    fn result_type(&self, kind: FieldType) -> FieldType {
        match self {
            Self::Mode => kind,
            Self::DistinctCount => FieldType::Integer,
        }
    }

    fn of_nothing(&self) -> Cell {
        match self {
            Self::Mode => Cell::Null,
            Self::DistinctCount => Cell::Integer(0),
        }
    }

    fn new_state(&self, _: &[f64], _: FieldType, _: TimeRange) -> Box<dyn Accumulator> {
        Box::new(CensusState { seen: HashMap::new(), text_bytes: 0, wanted: *self })
    }
}

struct CensusState {
    seen: HashMap<ValueKey, Sightings>,
    text_bytes: usize,
    wanted: Census,
}

struct Sightings {
    count: u64,
    first: TimestampNs,
    value: Cell,
}

impl Accumulator for CensusState {
    fn add(&mut self, run: &Run<'_>) {
        for (index, &time) in run.times.iter().enumerate() {
            let Some(value) = run.values.get(index) else { return };
            let key = ValueKey::of(value);
            match self.seen.entry(key) {
                Entry::Occupied(mut seen) => {
                    let seen = seen.get_mut();
                    seen.count += 1;
                    seen.first = seen.first.min(time);
                }
                Entry::Vacant(new) => {
                    self.text_bytes += 2 * new.key().text_len();
                    new.insert(Sightings { count: 1, first: time, value: value.into() });
                }
            }
        }
    }

    fn bytes(&self) -> usize {
        self.seen.capacity() * size_of::<(ValueKey, Sightings)>() + self.text_bytes
    }

    fn finish(self: Box<Self>) -> Cell {
        match self.wanted {
            Census::DistinctCount => Cell::Integer(self.seen.len() as i64),
            Census::Mode => most_frequent(self.seen),
        }
    }
}

/// Among equally frequent values the one seen first; of two series' values at the same time, the larger.
fn most_frequent(seen: HashMap<ValueKey, Sightings>) -> Cell {
    let better = |a: &Sightings, b: &Sightings| {
        a.count.cmp(&b.count).then(b.first.cmp(&a.first)).then_with(|| compare(&a.value, &b.value))
    };
    seen.into_values().max_by(better).map(|sightings| sightings.value).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use model::{SeriesId, Strings, Values};

    use super::*;
    use crate::aggregate::{Registry, View};

    fn apply(function: &str, arguments: &[f64], values: &Values) -> Cell {
        let function = Registry::shared().get(function).unwrap();
        function.check_arguments(arguments).unwrap();
        let mut state = function.new_state(arguments, values.field_type(), TimeRange::ALL);
        let times: Vec<_> = (0..values.len() as i64).map(TimestampNs).collect();
        state.add(&Run { series: SeriesId(0), times: &times, values: View::of(values, 0..times.len()) });
        state.finish()
    }

    #[test]
    fn the_deviation_of_one_point_is_null_and_a_large_mean_costs_no_digits() {
        assert_eq!(apply("stddev", &[], &Values::Float(vec![5.0])), Cell::Null);
        assert_eq!(apply("variance", &[], &Values::Integer(vec![2, 4, 4, 4, 5, 5, 7, 9])), Cell::Float(32.0 / 7.0));
        assert_eq!(apply("stddev", &[], &Values::Float(vec![1e9 + 1.0, 1e9 + 2.0, 1e9 + 3.0])), Cell::Float(1.0));
    }

    #[test]
    fn the_median_of_an_even_number_lies_between_the_middle_two() {
        assert_eq!(apply("median", &[], &Values::Float(vec![9.0, 1.0, 5.0])), Cell::Float(5.0));
        assert_eq!(apply("median", &[], &Values::Integer(vec![9, 1, 5, 2])), Cell::Float(3.5));
    }

    #[test]
    fn a_percentile_is_the_nearest_rank_and_keeps_the_type() {
        let ten = Values::Integer((1..=10).rev().collect());
        assert_eq!(apply("percentile", &[50.0], &ten), Cell::Integer(5));
        assert_eq!(apply("percentile", &[95.0], &ten), Cell::Integer(10));
        assert_eq!(apply("percentile", &[100.0], &ten), Cell::Integer(10));
        assert_eq!(apply("percentile", &[1.0], &ten), Cell::Null);
    }

    #[test]
    fn a_percentile_outside_0_to_100_is_refused() {
        let percentile = Registry::shared().get("percentile").unwrap();
        for arguments in [&[][..], &[101.0], &[-1.0], &[f64::NAN], &[5.0, 6.0]] {
            assert!(percentile.check_arguments(arguments).unwrap_err().starts_with("takes one argument from 0 to 100"));
        }
    }

    #[test]
    fn the_mode_is_the_earliest_of_the_most_frequent() {
        let mut texts = Strings::default();
        ["b", "a", "a", "b", "c"].iter().for_each(|t| texts.push(t));
        let texts = Values::String(texts);
        assert_eq!(apply("mode", &[], &texts), Cell::String("b".to_owned()));
        assert_eq!(apply("distinct_count", &[], &texts), Cell::Integer(3));
        assert_eq!(apply("distinct_count", &[], &Values::Float(vec![0.0, -0.0])), Cell::Integer(1));
    }
}
