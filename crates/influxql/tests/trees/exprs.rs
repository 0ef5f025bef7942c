//! Random expressions.

use influxql::ast::{BinaryOp, Cast, Expr, WildcardKind};
use proptest::option::of;
use proptest::prelude::*;

use super::{name, pattern, text};

/// Any expression of a condition.
pub(crate) fn expr() -> impl Strategy<Value = Expr> {
    operations(vec![BinaryOp::And, BinaryOp::Or, BinaryOp::Eq, BinaryOp::NotEq, BinaryOp::Less, BinaryOp::GreaterEq])
}

/// Any expression that is no condition.
pub(crate) fn value() -> impl Strategy<Value = Expr> {
    operations(vec![BinaryOp::BitXor, BinaryOp::Mod, BinaryOp::BitAnd, BinaryOp::BitOr])
}

fn operations(mut ops: Vec<BinaryOp>) -> impl Strategy<Value = Expr> {
    ops.extend([BinaryOp::Add, BinaryOp::Sub, BinaryOp::Mul, BinaryOp::Div]);
    let with_regex = ops.contains(&BinaryOp::And);
    operand().prop_recursive(4, 24, 3, move |inner| {
        let ops = prop::sample::select(ops.clone());
        let sum = (inner.clone(), ops, inner.clone()).prop_map(|(left, op, right)| binary(left, op, right));
        let call = (name(), prop::collection::vec(prop_oneof![inner.clone(), pattern().prop_map(Expr::Regex)], 0..3))
            .prop_map(|(name, args)| Expr::Call { name: name.to_lowercase(), args });
        let regex = (inner, pattern(), any::<bool>()).prop_map(move |(left, pattern, equal)| match with_regex {
            true => binary(left, if equal { BinaryOp::Matches } else { BinaryOp::NotMatches }, Expr::Regex(pattern)),
            false => left,
        });
        prop_oneof![4 => sum, 2 => call, 1 => regex]
    })
}

/// Operands are put in parentheses unless they may stand without: on the left what binds as tightly, on the right what binds
/// more tightly, or a product that was made of a sign.
fn binary(left: Expr, op: BinaryOp, right: Expr) -> Expr {
    let left = if strength(&left) >= of_op(op) { left } else { Expr::Paren(Box::new(left)) };
    let right = if strength(&right) > of_op(op) || is_signed(&right) { right } else { Expr::Paren(Box::new(right)) };
    Expr::Binary { op, left: Box::new(left), right: Box::new(right) }
}

fn is_signed(expr: &Expr) -> bool {
    let Expr::Binary { op: BinaryOp::Mul, left, right } = expr else { return false };
    let factor = matches!(**left, Expr::Integer(1 | -1));
    factor
        && matches!(**right, Expr::Reference { .. } | Expr::Call { .. } | Expr::Paren(_))
        && !matches!(&**right, Expr::Call { name, .. } if name == "distinct")
}

fn strength(expr: &Expr) -> u8 {
    match expr {
        Expr::Binary { op, .. } => of_op(*op),
        _ => 6,
    }
}

fn of_op(op: BinaryOp) -> u8 {
    match op {
        BinaryOp::Or => 1,
        BinaryOp::And => 2,
        BinaryOp::Add | BinaryOp::Sub | BinaryOp::BitOr | BinaryOp::BitXor => 4,
        BinaryOp::Mul | BinaryOp::Div | BinaryOp::Mod | BinaryOp::BitAnd => 5,
        _ => 3,
    }
}

fn operand() -> impl Strategy<Value = Expr> {
    let casts = vec![Cast::Float, Cast::Integer, Cast::Unsigned, Cast::String, Cast::Boolean, Cast::Field, Cast::Tag];
    let stars = vec![WildcardKind::Field, WildcardKind::Tag];
    let reference = (name(), of(prop::sample::select(casts))).prop_map(|(name, cast)| Expr::Reference { name, cast });
    let signed = (any::<bool>(), name()).prop_map(|(negative, name)| Expr::Binary {
        op: BinaryOp::Mul,
        left: Box::new(Expr::Integer(if negative { -1 } else { 1 })),
        right: Box::new(Expr::Reference { name, cast: None }),
    });
    prop_oneof![
        4 => reference,
        2 => any::<i64>().prop_map(Expr::Integer),
        1 => (1_u64 << 63..).prop_map(Expr::Unsigned),
        2 => any::<f64>().prop_filter("a number", |value| value.is_finite()).prop_map(Expr::Float),
        2 => text().prop_map(Expr::String),
        1 => any::<bool>().prop_map(Expr::Boolean),
        1 => (-i64::MAX..=i64::MAX).prop_map(Expr::Duration),
        1 => of(prop::sample::select(stars)).prop_map(Expr::Wildcard),
        1 => name().prop_map(Expr::Distinct),
        1 => signed,
    ]
}
