//! Expressions as messages show them.

use influxql::ast::Expr;

use super::constant::{Clock, Constant, constant};

/// The expression inside all parentheses.
pub(super) fn unwrapped(expr: &Expr) -> &Expr {
    match expr {
        Expr::Paren(inner) => unwrapped(inner),
        other => other,
    }
}

/// InfluxDB's name for the kind of an expression.
pub(super) fn type_name(expr: &Expr, clock: &Clock) -> &'static str {
    match constant(expr, clock) {
        Some(value) => constant_type(&value),
        None => expression_type(expr),
    }
}

fn constant_type(value: &Constant) -> &'static str {
    match value {
        Constant::Boolean(_) => "*influxql.BooleanLiteral",
        Constant::Integer(_) => "*influxql.IntegerLiteral",
        Constant::Unsigned(_) => "*influxql.UnsignedLiteral",
        Constant::Float(_) => "*influxql.NumberLiteral",
        Constant::String(_) => "*influxql.StringLiteral",
        Constant::Duration(_) => "*influxql.DurationLiteral",
        Constant::Time(_) => "*influxql.TimeLiteral",
    }
}

fn expression_type(expr: &Expr) -> &'static str {
    match expr {
        Expr::Paren(inner) if matches!(unwrapped(inner), Expr::Binary { .. }) => "*influxql.ParenExpr",
        Expr::Paren(inner) => expression_type(inner),
        Expr::Regex(_) => "*influxql.RegexLiteral",
        Expr::Wildcard(_) => "*influxql.Wildcard",
        Expr::Call { .. } => "*influxql.Call",
        Expr::Distinct(_) => "*influxql.Distinct",
        Expr::Binary { .. } => "*influxql.BinaryExpr",
        _ => "*influxql.VarRef",
    }
}

/// The expression as InfluxDB shows it: numbers with a point have three digits behind it.
pub(super) fn show(expr: &Expr) -> String {
    match expr {
        Expr::Float(value) => format!("{value:.3}"),
        other => other.to_string(),
    }
}
