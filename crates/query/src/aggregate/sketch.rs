//! `percentile_approx`: a percentile in bounded memory, at most 1 % beside the true one.
//!
//! DDSketch (Masson, Rim, Lee: DDSketch, a fast and fully-mergeable quantile sketch with relative-error guarantees, VLDB 2019):
//! values are counted in bins whose bounds grow by a constant factor, so the middle of a bin is never more than [`RELATIVE_ERROR`] of the
//! value away from any value in it. Should values of one sign reach over more than [`MAX_BINS`] bins (some 17 powers of ten), the
//! bins nearest to zero are joined, and only percentiles that fall there lose their guarantee.

use std::collections::BTreeMap;

use model::{FieldType, TimeRange};

use super::number::{Number, for_number};
use super::{Accumulator, AggregateFunction, Picked, Run, State, Wants, is_numeric};
use crate::result::Cell;

/// Largest distance of the answer from a value of that rank, as a part of the value.
const RELATIVE_ERROR: f64 = 0.01;

/// Factor between the bounds of a bin.
const GROWTH: f64 = (1.0 + RELATIVE_ERROR) / (1.0 - RELATIVE_ERROR);

/// Most bins held for the values of one sign.
const MAX_BINS: usize = 2048;

/// What a bin takes in a map, roughly.
const BYTES_PER_BIN: usize = 32;

pub(super) fn all() -> Vec<Box<dyn AggregateFunction>> {
    vec![Box::new(PercentileApprox)]
}

/// A percentile of many values without holding them.
struct PercentileApprox;

impl AggregateFunction for PercentileApprox {
    fn name(&self) -> &'static str {
        "percentile_approx"
    }

    fn accepts(&self, kind: FieldType) -> bool {
        is_numeric(kind)
    }

    fn result_type(&self, _kind: FieldType) -> FieldType {
        FieldType::Float
    }

    fn check_arguments(&self, arguments: &[f64]) -> Result<(), String> {
        match arguments {
            [n] if (0.0..=100.0).contains(n) => Ok(()),
            _ => Err(format!("takes one argument from 0 to 100, found {arguments:?}")),
        }
    }

    fn new_state(&self, arguments: &[f64], kind: FieldType, _: TimeRange, _: Wants) -> Box<dyn Accumulator> {
        let percent = arguments.first().copied().unwrap_or(f64::NAN);
        for_number!(kind, N => SketchState::<N> { sketch: Sketch::default(), percent, of: std::marker::PhantomData })
    }
}

struct SketchState<N> {
    sketch: Sketch,
    percent: f64,
    of: std::marker::PhantomData<N>,
}

impl<N: Number> State for SketchState<N> {
    fn add(&mut self, run: &Run<'_>) {
        N::slice(&run.values).iter().for_each(|value| self.sketch.add(value.float()));
    }

    fn bytes(&self) -> usize {
        (self.sketch.negative.0.len() + self.sketch.positive.0.len()) * BYTES_PER_BIN
    }

    fn merge(&mut self, other: Self) {
        self.sketch.merge(other.sketch);
    }

    fn finish(self) -> Picked {
        self.sketch.percentile(self.percent).map_or(Cell::Null, Cell::Float).into()
    }
}

/// Counts of values in bins, and the bounds of all.
#[derive(Default)]
struct Sketch {
    /// Bins of the amounts of negative values.
    negative: Bins,
    zeros: u64,
    positive: Bins,
    /// Smallest and largest value.
    bounds: Option<(f64, f64)>,
}

impl Sketch {
    fn add(&mut self, value: f64) {
        let (min, max) = self.bounds.unwrap_or((value, value));
        self.bounds = Some((min.min(value), max.max(value)));
        match value {
            _ if value.abs() < f64::MIN_POSITIVE => self.zeros += 1,
            _ if value > 0.0 => self.positive.count(bin_of(value), 1),
            _ => self.negative.count(bin_of(-value), 1),
        }
    }

    fn merge(&mut self, other: Self) {
        self.negative.merge(other.negative);
        self.positive.merge(other.positive);
        self.zeros += other.zeros;
        self.bounds = match (self.bounds, other.bounds) {
            (Some(a), Some(b)) => Some((a.0.min(b.0), a.1.max(b.1))),
            (a, b) => a.or(b),
        };
    }

    /// The value of the rank that `percentile` takes; `None` where there is no such rank.
    fn percentile(&self, percent: f64) -> Option<f64> {
        let (min, max) = self.bounds?;
        let len = self.negative.total() + self.zeros + self.positive.total();
        let rank = (len as f64 * percent / 100.0 + 0.5).floor() as u64;
        let mut left = rank.checked_sub(1).filter(|_| rank <= len)?;
        let negative = self.negative.0.iter().rev().map(|(&bin, &count)| (-middle_of(bin), count));
        let positive = self.positive.0.iter().map(|(&bin, &count)| (middle_of(bin), count));
        for (value, count) in negative.chain([(0.0, self.zeros)]).chain(positive) {
            if left < count {
                return Some(value.clamp(min, max));
            }
            left -= count;
        }
        Some(max)
    }
}

/// Counts by bin.
#[derive(Default)]
struct Bins(BTreeMap<i32, u64>);

impl Bins {
    fn count(&mut self, bin: i32, times: u64) {
        *self.0.entry(bin).or_default() += times;
        if self.0.len() > MAX_BINS
            && let Some((_, lowest)) = self.0.pop_first()
            && let Some(mut next) = self.0.first_entry()
        {
            *next.get_mut() += lowest;
        }
    }

    fn merge(&mut self, other: Self) {
        other.0.into_iter().for_each(|(bin, times)| self.count(bin, times));
    }

    fn total(&self) -> u64 {
        self.0.values().sum()
    }
}

/// The bin of an amount above 0.
fn bin_of(amount: f64) -> i32 {
    (amount.ln() / GROWTH.ln()).ceil() as i32
}

/// The value that is nearest to all of a bin.
fn middle_of(bin: i32) -> f64 {
    2.0 * GROWTH.powi(bin) / (GROWTH + 1.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sketch(values: &[f64]) -> Sketch {
        let mut sketch = Sketch::default();
        values.iter().for_each(|&value| sketch.add(value));
        sketch
    }

    /// Values over ten powers of ten and of both signs.
    fn wide() -> Vec<f64> {
        let amount = |i: i32| 10f64.powf(f64::from(i % 1000) / 100.0 - 5.0);
        (0..5000).map(|i| if i % 3 == 0 { -amount(i) } else { amount(i) }).collect()
    }

    fn exact(values: &[f64], percent: f64) -> f64 {
        let mut sorted = values.to_vec();
        sorted.sort_by(f64::total_cmp);
        sorted[(values.len() as f64 * percent / 100.0 + 0.5).floor() as usize - 1]
    }

    #[test]
    fn every_percentile_is_within_the_relative_error() {
        let values = wide();
        let sketch = sketch(&values);
        for percent in 1..=100 {
            let (found, exact) = (sketch.percentile(f64::from(percent)).unwrap(), exact(&values, f64::from(percent)));
            assert!((found - exact).abs() <= exact.abs() * RELATIVE_ERROR * 1.000_001, "{percent}: {found}, {exact}");
        }
    }

    #[test]
    fn merged_sketches_are_the_sketch_of_all_values() {
        let values = wide();
        let (left, right) = values.split_at(1234);
        let (mut merged, all) = (sketch(left), sketch(&values));
        merged.merge(sketch(right));
        for percent in [1.0, 25.0, 50.0, 99.0, 100.0] {
            assert_eq!(merged.percentile(percent), all.percentile(percent));
        }
    }

    #[test]
    fn memory_is_bounded_and_large_values_stay_exact_enough() {
        let values: Vec<f64> = (-300..300).flat_map(|e| (1..10).map(move |d| f64::from(d) * 10f64.powi(e))).collect();
        let sketch = sketch(&values);
        assert_eq!(sketch.positive.0.len(), MAX_BINS);
        let (found, exact) = (sketch.percentile(99.9).unwrap(), exact(&values, 99.9));
        assert!((found - exact).abs() <= exact * RELATIVE_ERROR);
    }

    #[test]
    fn zeros_and_missing_ranks_are_as_for_the_exact_percentile() {
        assert_eq!(sketch(&[0.0, -0.0, 5.0]).percentile(50.0), Some(0.0));
        assert_eq!(sketch(&[7.0]).percentile(0.0), None);
        assert_eq!(sketch(&[7.0]).percentile(100.0), Some(7.0));
        assert_eq!(Sketch::default().percentile(50.0), None);
    }
}
