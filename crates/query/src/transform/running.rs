//! `cumulative_sum` and `moving_average`: sums carried from point to point.

use super::{Number, Sample, computed};
use crate::aggregate::Point;
use crate::result::Cell;

/// The sum up to each point; integers wrap.
pub(super) fn cumulative_sum(samples: &[Sample]) -> Vec<Point> {
    let mut samples = samples.iter();
    let Some(first) = samples.next() else { return Vec::new() };
    let mut sum = first.value;
    let mut out = vec![computed(first.time, sum.into())];
    for sample in samples {
        sum = add(sum, sample.value);
        out.push(computed(sample.time, sum.into()));
    }
    out
}

fn add(a: Number, b: Number) -> Number {
    match (a, b) {
        (Number::Integer(a), Number::Integer(b)) => Number::Integer(a.wrapping_add(b)),
        (Number::Unsigned(a), Number::Unsigned(b)) => Number::Unsigned(a.wrapping_add(b)),
        (a, b) => Number::Float(a.float() + b.float()),
    }
}

/// The mean of each `length` points that follow each other, at the time of the last of them.
pub(super) fn moving_average(samples: &[Sample], length: usize) -> Vec<Point> {
    let length = length.max(1);
    let mut out = Vec::with_capacity((samples.len() + 1).saturating_sub(length));
    let mut sum = 0.0;
    for (index, window) in samples.windows(length).enumerate() {
        let (Some(last), leaving) = (window.last(), index.checked_sub(1).and_then(|i| samples.get(i))) else { break };
        // Summed anew now and then: a sum that values are taken from again keeps the rounding errors of the largest.
        sum = match leaving {
            Some(leaving) if !index.is_multiple_of(length) => sum - leaving.value.float() + last.value.float(),
            _ => window.iter().map(|sample| sample.value.float()).sum(),
        };
        out.push(computed(last.time, Cell::Float(sum / length as f64)));
    }
    out
}
