//! Functions that turn a sequence of points into another one: changes, running sums and means, forecasts.
//!
//! Points come in the order they are read in, newest first for [`Order::Descending`]; a change is a point less the one read before
//! it, over a positive time, so its sign turns with the order. What comes out has no stored point behind it.
//! Not here: which points a sequence has (fill, the window before the range), which is for the executor to say.

mod change;
mod holt_winters;
mod nelder_mead;
mod running;
#[cfg(test)]
mod tests;

use model::{FieldValue, TimestampNs};

use crate::aggregate::Point;
use crate::eval::value_of;
use crate::plan::expr::Transform;
use crate::result::Cell;
use crate::{Order, QueryError};

const NS_PER_SECOND: i64 = 1_000_000_000;

/// Applies `transform` to `points`, which are in reading order and of one type. `window_ns` is the length of the windows that they
/// are results of, if they are.
///
/// # Errors
/// [`QueryError::Invalid`] for points of a type that cannot be reckoned with, and for a forecast without windows.
pub fn apply(
    transform: &Transform,
    points: Vec<Point>,
    order: Order,
    window_ns: Option<i64>,
) -> Result<Vec<Point>, QueryError> {
    if let Transform::Elapsed { unit_ns } = transform {
        return Ok(change::elapsed(&points, *unit_ns));
    }
    let points = numbers(transform, &points)?;
    Ok(match *transform {
        Transform::Derivative { unit_ns, non_negative } => {
            let unit_ns = unit_ns.or(window_ns).unwrap_or(NS_PER_SECOND);
            change::derivative(&points, change::Unit { ns: unit_ns, order }, change::Falls::of(non_negative))
        }
        Transform::Difference { non_negative } => change::difference(&points, change::Falls::of(non_negative)),
        Transform::CumulativeSum => running::cumulative_sum(&points),
        Transform::MovingAverage { points: length } => running::moving_average(&points, length),
        Transform::HoltWinters { points: horizon, season, with_fit } => {
            let Some(interval_ns) = window_ns.filter(|&ns| ns > 0) else {
                return Err(QueryError::invalid(format!(
                    "{} aggregate requires a GROUP BY interval",
                    transform.name()
                )));
            };
            holt_winters::forecast(&points, holt_winters::Wanted { horizon, season, interval_ns, with_fit })
        }
        Transform::Elapsed { .. } => Vec::new(),
    })
}

/// A point that can be reckoned with.
#[derive(Debug, Clone, Copy)]
struct Sample {
    time: TimestampNs,
    value: Number,
}

/// A number of any type.
#[derive(Debug, Clone, Copy)]
enum Number {
    Float(f64),
    Integer(i64),
    Unsigned(u64),
}

impl Number {
    fn float(self) -> f64 {
        match self {
            Self::Float(v) => v,
            Self::Integer(v) => v as f64,
            Self::Unsigned(v) => v as f64,
        }
    }
}

impl From<Number> for Cell {
    fn from(number: Number) -> Self {
        match number {
            Number::Float(v) => Self::Float(v),
            Number::Integer(v) => Self::Integer(v),
            Number::Unsigned(v) => Self::Unsigned(v),
        }
    }
}

fn numbers(transform: &Transform, points: &[Point]) -> Result<Vec<Sample>, QueryError> {
    let unsupported = |kind: &str| {
        let name = transform.name().trim_start_matches("non_negative_");
        QueryError::invalid(format!("unsupported {name} iterator type: *query.{kind}InterruptIterator"))
    };
    let mut samples = Vec::with_capacity(points.len());
    for point in points {
        let value = match value_of(&point.cell) {
            Some(FieldValue::Float(v)) => Number::Float(v),
            Some(FieldValue::Integer(v)) => Number::Integer(v),
            Some(FieldValue::Unsigned(v)) => Number::Unsigned(v),
            Some(FieldValue::Boolean(_)) => return Err(unsupported("boolean")),
            Some(FieldValue::String(_)) => return Err(unsupported("string")),
            None => continue,
        };
        samples.push(Sample { time: point.time, value });
    }
    Ok(samples)
}

/// A point that was computed.
fn computed(time: TimestampNs, cell: Cell) -> Point {
    Point { time, cell, at: None }
}
