//! Expressions.

use std::fmt::{self, Display, Formatter};

use super::list;
use super::quote::{Ident, Pattern, Text};
use crate::ast::{BinaryOp, Cast, Expr, WildcardKind};
use crate::duration::format_duration;

/// A long chain of operators is a deep tree; it is printed without going down into it.
impl Display for Expr {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let mut first = self;
        let mut chain = Vec::new();
        while let Self::Binary { op, left, right } = first {
            chain.push((*op, right));
            first = left;
        }
        write_operand(f, first)?;
        chain.iter().rev().try_for_each(|(op, right)| write_right(f, *op, right))
    }
}

/// An operator and what stands on its right. There, a product that was made of a sign must stay a sign if the operator
/// binds as tightly as the product.
fn write_right(f: &mut Formatter<'_>, op: BinaryOp, right: &Expr) -> fmt::Result {
    let tight = op.precedence() == BinaryOp::Mul.precedence();
    match right {
        Expr::Binary { op: BinaryOp::Mul, left, right } if tight && **left == Expr::Integer(-1) => {
            write!(f, " {} -{right}", op.text())
        }
        Expr::Binary { op: BinaryOp::Mul, left, right } if tight && **left == Expr::Integer(1) => {
            write!(f, " {} +{right}", op.text())
        }
        _ => write!(f, " {} {right}", op.text()),
    }
}

fn write_operand(f: &mut Formatter<'_>, expr: &Expr) -> fmt::Result {
    match expr {
        Expr::Reference { name, cast } => write!(f, "{}{}", Ident(name), cast.map_or("", cast_text)),
        Expr::Integer(value) => value.fmt(f),
        Expr::Unsigned(value) => value.fmt(f),
        Expr::Float(value) => write_float(f, *value),
        Expr::String(text) => Text(text).fmt(f),
        Expr::Boolean(value) => value.fmt(f),
        Expr::Duration(ns) => f.write_str(&format_duration(*ns)),
        Expr::Regex(pattern) => Pattern(pattern).fmt(f),
        Expr::Wildcard(None) => f.write_str("*"),
        Expr::Wildcard(Some(WildcardKind::Field)) => f.write_str("*::field"),
        Expr::Wildcard(Some(WildcardKind::Tag)) => f.write_str("*::tag"),
        Expr::Call { name, args } => write_call(f, name, args),
        Expr::Distinct(name) => write!(f, "DISTINCT {}", Ident(name)),
        Expr::Paren(inner) => write!(f, "({inner})"),
        Expr::Binary { .. } => expr.fmt(f),
    }
}

/// `distinct` is the one reserved word that can be called.
fn write_call(f: &mut Formatter<'_>, name: &str, args: &[Expr]) -> fmt::Result {
    match name {
        "distinct" => f.write_str("distinct(")?,
        _ => write!(f, "{}(", Ident(name))?,
    }
    list(f, args)?;
    f.write_str(")")
}

/// With three decimals if that is the number, else with as many as it takes, and always with a point.
fn write_float(f: &mut Formatter<'_>, value: f64) -> fmt::Result {
    let short = format!("{value:.3}");
    if short.parse() == Ok(value) { f.write_str(&short) } else { write!(f, "{value}") }
}

fn cast_text(cast: Cast) -> &'static str {
    match cast {
        Cast::Float => "::float",
        Cast::Integer => "::integer",
        Cast::Unsigned => "::unsigned",
        Cast::String => "::string",
        Cast::Boolean => "::boolean",
        Cast::Field => "::field",
        Cast::Tag => "::tag",
    }
}
