//! `derivative`, `difference`, their forms without falls, and `elapsed`: what changed from one point to the next.
//!
//! Where several points have one time only the first of them counts, except for `elapsed`. After a fall that is left out the next
//! change is reckoned from the later point all the same.

use model::TimestampNs;

use super::{Number, Sample, computed};
use crate::Order;
use crate::aggregate::Point;
use crate::result::Cell;

/// What is done with changes below 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Falls {
    Kept,
    LeftOut,
}

impl Falls {
    pub(super) const fn of(non_negative: bool) -> Self {
        if non_negative { Self::LeftOut } else { Self::Kept }
    }
}

/// Time that a change is told per, and the direction time runs in.
#[derive(Debug, Clone, Copy)]
pub(super) struct Unit {
    pub(super) ns: i64,
    pub(super) order: Order,
}

pub(super) fn derivative(samples: &[Sample], unit: Unit, falls: Falls) -> Vec<Point> {
    changes(samples, falls, |before, after| {
        let elapsed = match unit.order {
            Order::Ascending => nanoseconds(before.time, after.time),
            Order::Descending => nanoseconds(after.time, before.time),
        };
        let change = subtract(after.value, before.value).float();
        Cell::Float(if elapsed > 0 { change / (elapsed as f64 / unit.ns as f64) } else { 0.0 })
    })
}

pub(super) fn difference(samples: &[Sample], falls: Falls) -> Vec<Point> {
    changes(samples, falls, |before, after| match (after.value, before.value) {
        (Number::Unsigned(after), Number::Unsigned(before)) => Cell::Unsigned(after.wrapping_sub(before)),
        (after, before) => subtract(after, before).into(),
    })
}

/// One point for each sample that has one of another time before it.
fn changes(samples: &[Sample], falls: Falls, change: impl Fn(Sample, Sample) -> Cell) -> Vec<Point> {
    let mut out = Vec::with_capacity(samples.len());
    let mut before: Option<Sample> = None;
    for &sample in samples {
        if before.is_some_and(|before| before.time == sample.time) {
            continue;
        }
        if let Some(before) = before
            && !(falls == Falls::LeftOut && is_fall(before.value, sample.value))
        {
            out.push(computed(sample.time, change(before, sample)));
        }
        before = Some(sample);
    }
    out
}

/// Unsigned numbers become floats, which can be below 0.
fn subtract(from: Number, what: Number) -> Number {
    match (from, what) {
        (Number::Integer(from), Number::Integer(what)) => Number::Integer(from.wrapping_sub(what)),
        (from, what) => Number::Float(from.float() - what.float()),
    }
}

fn is_fall(before: Number, after: Number) -> bool {
    match (before, after) {
        (Number::Unsigned(before), Number::Unsigned(after)) => after < before,
        _ => match subtract(after, before) {
            Number::Integer(change) => change < 0,
            change => change.float() < 0.0,
        },
    }
}

/// Time since the point read before, in whole units; negative when newer points are read first.
pub(super) fn elapsed(points: &[Point], unit_ns: i64) -> Vec<Point> {
    let pairs = points.iter().zip(points.iter().skip(1));
    let units = |from, to| nanoseconds(from, to).checked_div(i128::from(unit_ns)).unwrap_or(0);
    pairs.map(|(before, after)| computed(after.time, Cell::Integer(units(before.time, after.time) as i64))).collect()
}

fn nanoseconds(from: TimestampNs, to: TimestampNs) -> i128 {
    i128::from(to.0) - i128::from(from.0)
}
