//! Comparisons with `time`: what they say about the range of a query.

use influxql::ast::{BinaryOp, Expr};
use model::{TimeRange, TimestampNs};

use super::constant::{Clock, Constant, constant};
use super::{text, time_text};
use crate::QueryError;

/// Largest time that can be written as a text.
const LATEST: i128 = i64::MAX as i128 - 1;
/// Smallest time that can be written as a text; the one before it means no bound.
const EARLIEST: i128 = i64::MIN as i128 + 3;

/// Smallest and largest time wanted, both inclusive.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Bounds {
    pub(super) min: Option<i64>,
    pub(super) max: Option<i64>,
}

impl Bounds {
    /// Times inside both.
    pub(super) fn intersect(self, other: Self) -> Self {
        Self { min: self.min.into_iter().chain(other.min).max(), max: self.max.into_iter().chain(other.max).min() }
    }

    pub(super) fn range(self) -> TimeRange {
        let start = self.min.map_or(TimestampNs::MIN, TimestampNs);
        let end = self.max.map_or(TimestampNs::MAX, |max| TimestampNs(max).saturating_add(1));
        TimeRange::new(start, end)
    }
}

/// True for the name that stands for a point's time in conditions.
pub(super) fn is_time(expr: &Expr) -> bool {
    matches!(expr, Expr::Reference { name, .. } if name.eq_ignore_ascii_case("time"))
}

/// What `time op value` says.
pub(super) fn bounds(op: BinaryOp, value: &Expr, clock: &Clock) -> Result<Bounds, QueryError> {
    let at = instant(value, clock)?;
    let (min, max) = match op {
        BinaryOp::Greater => (Some(at.saturating_add(1)), None),
        BinaryOp::GreaterEq => (Some(at), None),
        BinaryOp::Less => (None, Some(at.saturating_sub(1))),
        BinaryOp::LessEq => (None, Some(at)),
        BinaryOp::Eq => (Some(at), Some(at)),
        _ => return Err(QueryError::invalid(format!("invalid time comparison operator: {}", op.text()))),
    };
    Ok(Bounds { min, max })
}

/// The operator with its sides changed: `5 < time` is `time > 5`.
pub(super) fn mirrored(op: BinaryOp) -> BinaryOp {
    match op {
        BinaryOp::Less => BinaryOp::Greater,
        BinaryOp::LessEq => BinaryOp::GreaterEq,
        BinaryOp::Greater => BinaryOp::Less,
        BinaryOp::GreaterEq => BinaryOp::LessEq,
        other => other,
    }
}

fn instant(value: &Expr, clock: &Clock) -> Result<i64, QueryError> {
    match constant(value, clock) {
        Some(Constant::String(text)) if time_text::looks_like_time(&text) => {
            in_range(time_text::read(&text, clock.zone)?)
        }
        Some(Constant::Time(at)) => in_range(at),
        Some(Constant::Duration(at) | Constant::Integer(at)) => Ok(at),
        Some(Constant::Float(at)) => Ok(at as i64),
        _ => Err(QueryError::invalid(format!(
            "invalid operation: time and {} are not compatible",
            text::type_name(text::unwrapped(value), clock)
        ))),
    }
}

fn in_range(at: i128) -> Result<i64, QueryError> {
    let wrong = |what: &str| QueryError::invalid(format!("time {} {what} time literal", time_text::show(at)));
    if at > LATEST {
        return Err(wrong("overflows"));
    }
    i64::try_from(at).ok().filter(|_| at >= EARLIEST).ok_or_else(|| wrong("underflows"))
}
