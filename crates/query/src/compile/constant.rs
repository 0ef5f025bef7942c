//! Constants, and what operators make of two of them: `2 * 3`, `now() - 1h`, `'2024-03-10' + 12h`.
//!
//! Texts become times where they meet a length of time, as in InfluxDB. Operators that two constants do not go with leave no
//! constant.

use std::cmp::Ordering;

use influxql::ast::{BinaryOp, Expr};
use jiff::tz::TimeZone;
use model::TimestampNs;

use super::time_text;
use crate::result::Cell;

/// A value known before any point is read.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Constant {
    Boolean(bool),
    Integer(i64),
    Unsigned(u64),
    Float(f64),
    String(String),
    /// Nanoseconds.
    Duration(i64),
    /// Nanoseconds since the epoch, perhaps outside what can be stored.
    Time(i128),
}

use Constant::{Boolean, Duration, Float, Integer, String as Text, Time, Unsigned};

/// What times are reckoned with.
pub(super) struct Clock<'a> {
    /// What `now()` is; `None`: it is no constant here.
    pub(super) now: Option<TimestampNs>,
    pub(super) zone: &'a TimeZone,
}

impl Constant {
    /// The value in a row; times and lengths of time have none.
    pub(super) fn into_cell(self) -> Cell {
        match self {
            Boolean(value) => Cell::Boolean(value),
            Integer(value) => Cell::Integer(value),
            Unsigned(value) => Cell::Unsigned(value),
            Float(value) => Cell::Float(value),
            Text(value) => Cell::String(value),
            Duration(_) | Time(_) => Cell::Null,
        }
    }
}

/// The value of an expression without names.
pub(super) fn constant(expr: &Expr, clock: &Clock) -> Option<Constant> {
    Some(match expr {
        Expr::Boolean(value) => Boolean(*value),
        Expr::Integer(value) => Integer(*value),
        Expr::Unsigned(value) => Unsigned(*value),
        Expr::Float(value) => Float(*value),
        Expr::String(value) => Text(value.clone()),
        Expr::Duration(value) => Duration(*value),
        Expr::Paren(inner) => return constant(inner, clock),
        Expr::Call { name, args } if name == "now" && args.is_empty() => Time(i128::from(clock.now?.0)),
        Expr::Binary { op, left, right } => {
            return combine(*op, constant(left, clock)?, constant(right, clock)?, clock.zone);
        }
        _ => return None,
    })
}

/// What an operator makes of two constants.
pub(super) fn combine(op: BinaryOp, left: Constant, right: Constant, zone: &TimeZone) -> Option<Constant> {
    match (left, right) {
        (Boolean(a), Boolean(b)) => booleans(op, a, b),
        (Text(a), Text(b)) => texts(op, &a, &b, zone),
        (Duration(a), Duration(b)) => durations(op, a, b),
        (Duration(a), Integer(b)) => scaled(op, a, b),
        (Duration(a), Float(b)) => scaled(op, a, b as i64),
        (Time(a), Time(b)) => times(op, a, b),
        (Time(at), Duration(by) | Integer(by)) => shifted(op, at, by),
        (Integer(at), Duration(by)) => shifted(op, i128::from(at), by),
        (Duration(by) | Integer(by), Time(at)) if op == BinaryOp::Add => shifted(op, at, by),
        (Text(text), right @ (Duration(_) | Integer(_) | Time(_))) => {
            combine(op, Time(time_text::read(&text, zone).ok()?), right, zone)
        }
        (left @ (Duration(_) | Integer(_) | Time(_)), Text(text)) => {
            combine(op, left, Time(time_text::read(&text, zone).ok()?), zone)
        }
        (Integer(a), Integer(b)) => integers(op, a, b),
        (Unsigned(a), Unsigned(b)) => unsigned(op, a, b),
        (Integer(a), Unsigned(b)) => mixed(op, i128::from(a), i128::from(b)),
        (Unsigned(a), Integer(b)) => mixed(op, i128::from(a), i128::from(b)),
        (left, right) => floats(op, as_float(&left)?, as_float(&right)?),
    }
}

fn as_float(value: &Constant) -> Option<f64> {
    match value {
        Integer(value) => Some(*value as f64),
        Unsigned(value) => Some(*value as f64),
        Float(value) => Some(*value),
        _ => None,
    }
}

fn booleans(op: BinaryOp, a: bool, b: bool) -> Option<Constant> {
    Some(Boolean(match op {
        BinaryOp::Eq => a == b,
        BinaryOp::NotEq | BinaryOp::BitXor => a != b,
        BinaryOp::And | BinaryOp::BitAnd => a && b,
        BinaryOp::Or | BinaryOp::BitOr => a || b,
        _ => return None,
    }))
}

fn texts(op: BinaryOp, a: &str, b: &str, zone: &TimeZone) -> Option<Constant> {
    let instants = || Some((time_text::read(a, zone).ok()?, time_text::read(b, zone).ok()?));
    match (op, instants()) {
        (BinaryOp::Add, _) => Some(Text(format!("{a}{b}"))),
        (_, Some((a, b))) => times(op, a, b),
        (BinaryOp::Eq, None) => Some(Boolean(a == b)),
        (BinaryOp::NotEq, None) => Some(Boolean(a != b)),
        _ => None,
    }
}

fn durations(op: BinaryOp, a: i64, b: i64) -> Option<Constant> {
    match op {
        BinaryOp::Add => Some(Duration(a.saturating_add(b))),
        BinaryOp::Sub => Some(Duration(a.saturating_sub(b))),
        _ => compared(op, Some(a.cmp(&b))),
    }
}

fn scaled(op: BinaryOp, a: i64, by: i64) -> Option<Constant> {
    match op {
        BinaryOp::Mul => Some(Duration(a.saturating_mul(by))),
        BinaryOp::Div => Some(Duration(a.checked_div(by).unwrap_or(0))),
        _ => None,
    }
}

fn times(op: BinaryOp, a: i128, b: i128) -> Option<Constant> {
    match op {
        BinaryOp::Sub => Some(Duration(i64::try_from(a - b).unwrap_or(if a < b { i64::MIN } else { i64::MAX }))),
        _ => compared(op, Some(a.cmp(&b))),
    }
}

fn shifted(op: BinaryOp, at: i128, by: i64) -> Option<Constant> {
    match op {
        BinaryOp::Add => Some(Time(at + i128::from(by))),
        BinaryOp::Sub => Some(Time(at - i128::from(by))),
        _ => None,
    }
}

fn integers(op: BinaryOp, a: i64, b: i64) -> Option<Constant> {
    Some(match op {
        BinaryOp::Add => Integer(a.wrapping_add(b)),
        BinaryOp::Sub => Integer(a.wrapping_sub(b)),
        BinaryOp::Mul => Integer(a.wrapping_mul(b)),
        BinaryOp::Div if b == 0 => Float(0.0),
        BinaryOp::Div => Float(a as f64 / b as f64),
        BinaryOp::Mod => Integer(a.checked_rem(b).unwrap_or(0)),
        BinaryOp::BitAnd => Integer(a & b),
        BinaryOp::BitOr => Integer(a | b),
        BinaryOp::BitXor => Integer(a ^ b),
        _ => return compared(op, Some(a.cmp(&b))),
    })
}

fn unsigned(op: BinaryOp, a: u64, b: u64) -> Option<Constant> {
    Some(match op {
        BinaryOp::Add => Unsigned(a.wrapping_add(b)),
        BinaryOp::Sub => Unsigned(a.wrapping_sub(b)),
        BinaryOp::Mul => Unsigned(a.wrapping_mul(b)),
        BinaryOp::Div => Unsigned(a.checked_div(b).unwrap_or(0)),
        BinaryOp::Mod => Unsigned(a.checked_rem(b).unwrap_or(0)),
        _ => return compared(op, Some(a.cmp(&b))),
    })
}

/// One with and one without sign: compared exactly, else reckoned without sign.
fn mixed(op: BinaryOp, a: i128, b: i128) -> Option<Constant> {
    compared(op, Some(a.cmp(&b))).or_else(|| unsigned(op, a as u64, b as u64))
}

fn floats(op: BinaryOp, a: f64, b: f64) -> Option<Constant> {
    Some(Float(match op {
        BinaryOp::Add => a + b,
        BinaryOp::Sub => a - b,
        BinaryOp::Mul => a * b,
        BinaryOp::Div if b == 0.0 => 0.0,
        BinaryOp::Div => a / b,
        BinaryOp::Mod => a % b,
        _ => return compared(op, a.partial_cmp(&b)),
    }))
}

/// `None` for operators that compare nothing; what has no order is only unequal.
fn compared(op: BinaryOp, order: Option<Ordering>) -> Option<Constant> {
    Some(Boolean(match op {
        BinaryOp::Eq => order == Some(Ordering::Equal),
        BinaryOp::NotEq => order != Some(Ordering::Equal),
        BinaryOp::Less => order == Some(Ordering::Less),
        BinaryOp::LessEq => matches!(order, Some(Ordering::Less | Ordering::Equal)),
        BinaryOp::Greater => order == Some(Ordering::Greater),
        BinaryOp::GreaterEq => matches!(order, Some(Ordering::Greater | Ordering::Equal)),
        _ => return None,
    }))
}
