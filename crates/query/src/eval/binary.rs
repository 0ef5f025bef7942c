//! Operators with two operands.
//!
//! Integers are converted to floats beside a float, and by every division; beside an unsigned integer they are unsigned, and
//! all of them wrap. Division by 0 gives 0, and so does its remainder. A null beside a boolean is `false` for AND, OR and
//! the like, otherwise what is reckoned of a null is null, and no comparison with it is true. Values of types that cannot be compared are neither equal nor unequal.

use std::cmp::Ordering;

use model::FieldValue;
use model::FieldValue::{Boolean, Float, Integer, String, Unsigned};

use crate::plan::expr::BinaryOp;

/// `left op right`; `None` is null.
pub(super) fn apply<'a>(
    op: BinaryOp,
    left: Option<FieldValue<'a>>,
    right: Option<FieldValue<'a>>,
) -> Option<FieldValue<'a>> {
    let value = match (left, right) {
        (Some(left), Some(right)) => values(op, left, right),
        (None, Some(Boolean(right))) if !is_comparison(op) => booleans(op, false, right),
        (Some(Boolean(left)), None) if !is_comparison(op) => booleans(op, left, false),
        _ => None,
    };
    value.or_else(|| is_comparison(op).then_some(Boolean(false)))
}

/// True for operators that always have a result.
fn is_comparison(op: BinaryOp) -> bool {
    use BinaryOp::{Eq, Greater, GreaterEq, Less, LessEq, NotEq};
    matches!(op, Eq | NotEq | Less | LessEq | Greater | GreaterEq)
}

fn values<'a>(op: BinaryOp, left: FieldValue<'a>, right: FieldValue<'a>) -> Option<FieldValue<'a>> {
    match (left, right) {
        (Boolean(left), Boolean(right)) => booleans(op, left, right),
        (String(left), String(right)) => strings(op, left, right),
        (Integer(left), Integer(right)) => integers(op, left, right),
        (Unsigned(left), Unsigned(right)) => unsigned(op, left, right),
        (Integer(left), Unsigned(right)) => mixed(op, i128::from(left), i128::from(right)),
        (Unsigned(left), Integer(right)) => mixed(op, i128::from(left), i128::from(right)),
        (left, right) => floats(op, number(left)?, number(right)?),
    }
}

/// A number as a float.
pub(super) fn number(value: FieldValue<'_>) -> Option<f64> {
    match value {
        Float(v) => Some(v),
        Integer(v) => Some(v as f64),
        Unsigned(v) => Some(v as f64),
        Boolean(_) | String(_) => None,
    }
}

fn booleans<'a>(op: BinaryOp, left: bool, right: bool) -> Option<FieldValue<'a>> {
    Some(Boolean(match op {
        BinaryOp::And | BinaryOp::BitAnd => left && right,
        BinaryOp::Or | BinaryOp::BitOr => left || right,
        BinaryOp::BitXor | BinaryOp::NotEq => left != right,
        BinaryOp::Eq => left == right,
        _ => return None,
    }))
}

fn strings<'a>(op: BinaryOp, left: &str, right: &str) -> Option<FieldValue<'a>> {
    match op {
        BinaryOp::Eq => Some(Boolean(left == right)),
        BinaryOp::NotEq => Some(Boolean(left != right)),
        _ => None,
    }
}

fn floats<'a>(op: BinaryOp, left: f64, right: f64) -> Option<FieldValue<'a>> {
    Some(Float(match op {
        BinaryOp::Add => left + right,
        BinaryOp::Sub => left - right,
        BinaryOp::Mul => left * right,
        BinaryOp::Div | BinaryOp::Mod if right == 0.0 => 0.0,
        BinaryOp::Div => left / right,
        BinaryOp::Mod => left % right,
        _ => return compared(op, left.partial_cmp(&right)),
    }))
}

fn integers<'a>(op: BinaryOp, left: i64, right: i64) -> Option<FieldValue<'a>> {
    Some(Integer(match op {
        BinaryOp::Add => left.wrapping_add(right),
        BinaryOp::Sub => left.wrapping_sub(right),
        BinaryOp::Mul => left.wrapping_mul(right),
        BinaryOp::Div => return floats(op, left as f64, right as f64),
        BinaryOp::Mod => left.checked_rem(right).unwrap_or(0),
        BinaryOp::BitAnd => left & right,
        BinaryOp::BitOr => left | right,
        BinaryOp::BitXor => left ^ right,
        _ => return compared(op, Some(left.cmp(&right))),
    }))
}

fn unsigned<'a>(op: BinaryOp, left: u64, right: u64) -> Option<FieldValue<'a>> {
    Some(Unsigned(match op {
        BinaryOp::Add => left.wrapping_add(right),
        BinaryOp::Sub => left.wrapping_sub(right),
        BinaryOp::Mul => left.wrapping_mul(right),
        BinaryOp::Div => return floats(op, left as f64, right as f64),
        BinaryOp::Mod => left.checked_rem(right).unwrap_or(0),
        BinaryOp::BitAnd => left & right,
        BinaryOp::BitOr => left | right,
        BinaryOp::BitXor => left ^ right,
        _ => return compared(op, Some(left.cmp(&right))),
    }))
}

/// An integer and an unsigned one: compared as they are, reckoned with as unsigned ones.
fn mixed<'a>(op: BinaryOp, left: i128, right: i128) -> Option<FieldValue<'a>> {
    match op {
        BinaryOp::Div => floats(op, left as f64, right as f64),
        _ if is_comparison(op) => compared(op, Some(left.cmp(&right))),
        _ => unsigned(op, left as u64, right as u64),
    }
}

/// `None` of an order: one of them is NaN. `None` for operators that do not compare.
fn compared<'a>(op: BinaryOp, order: Option<Ordering>) -> Option<FieldValue<'a>> {
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

#[cfg(test)]
mod tests {
    use super::*;

    fn of<'a>(left: FieldValue<'a>, op: BinaryOp, right: FieldValue<'a>) -> Option<FieldValue<'a>> {
        apply(op, Some(left), Some(right))
    }

    #[test]
    fn a_division_is_a_float_and_by_zero_it_is_zero() {
        assert_eq!(of(Integer(7), BinaryOp::Div, Integer(2)), Some(Float(3.5)));
        assert_eq!(of(Integer(7), BinaryOp::Div, Integer(0)), Some(Float(0.0)));
        assert_eq!(of(Float(7.0), BinaryOp::Div, Float(0.0)), Some(Float(0.0)));
        assert_eq!(of(Integer(7), BinaryOp::Mod, Integer(0)), Some(Integer(0)));
        assert_eq!(of(Float(7.5), BinaryOp::Mod, Integer(0)), Some(Float(0.0)));
        assert_eq!(of(Integer(-7), BinaryOp::Mod, Integer(3)), Some(Integer(-1)));
        assert_eq!(of(Integer(i64::MIN), BinaryOp::Mod, Integer(-1)), Some(Integer(0)));
    }

    #[test]
    fn integers_wrap_and_become_floats_beside_a_float() {
        assert_eq!(of(Integer(i64::MAX), BinaryOp::Add, Integer(1)), Some(Integer(i64::MIN)));
        assert_eq!(of(Integer(2), BinaryOp::Mul, Float(1.5)), Some(Float(3.0)));
        assert_eq!(of(Float(1.5), BinaryOp::Sub, Unsigned(1)), Some(Float(0.5)));
        assert_eq!(of(Unsigned(1), BinaryOp::Sub, Integer(2)), Some(Unsigned(u64::MAX)));
        assert_eq!(of(Integer(-1), BinaryOp::Less, Unsigned(0)), Some(Boolean(true)));
        assert_eq!(of(Integer(6), BinaryOp::BitXor, Integer(3)), Some(Integer(5)));
        assert_eq!(of(Float(6.0), BinaryOp::BitAnd, Float(3.0)), None);
    }

    #[test]
    fn types_that_cannot_be_compared_are_neither_equal_nor_unequal() {
        for op in [BinaryOp::Eq, BinaryOp::NotEq, BinaryOp::Less, BinaryOp::GreaterEq] {
            assert_eq!(of(Float(1.0), op, String("1")), Some(Boolean(false)));
            assert_eq!(of(Boolean(true), op, Integer(1)), Some(Boolean(false)));
            assert_eq!(apply(op, None, Some(Float(1.0))), Some(Boolean(false)));
            assert_eq!(apply(op, None, None), Some(Boolean(false)));
        }
        assert_eq!(of(String("a"), BinaryOp::Less, String("b")), Some(Boolean(false)));
        assert_eq!(of(Boolean(false), BinaryOp::Less, Boolean(true)), Some(Boolean(false)));
        assert_eq!(of(String("a"), BinaryOp::NotEq, String("b")), Some(Boolean(true)));
        assert_eq!(of(Float(f64::NAN), BinaryOp::NotEq, Float(1.0)), Some(Boolean(true)));
    }

    #[test]
    fn null_is_null_in_arithmetic_and_false_beside_a_boolean() {
        assert_eq!(apply(BinaryOp::Add, None, Some(Float(1.0))), None);
        assert_eq!(apply(BinaryOp::Or, None, Some(Boolean(true))), Some(Boolean(true)));
        assert_eq!(apply(BinaryOp::Eq, Some(Boolean(false)), None), Some(Boolean(false)));
        assert_eq!(apply(BinaryOp::And, Some(Float(1.0)), Some(Boolean(true))), None);
        assert_eq!(of(String("a"), BinaryOp::Add, String("b")), None);
    }
}
