//! Expressions as messages show them.

use influxql::ast::{BinaryOp, Cast, Expr, WildcardKind};

use super::constant::{Clock, Constant, constant};

/// Units of a length of time, largest first.
const UNITS: [(i64, &str); 7] = [
    (604_800_000_000_000, "w"),
    (86_400_000_000_000, "d"),
    (3_600_000_000_000, "h"),
    (60_000_000_000, "m"),
    (1_000_000_000, "s"),
    (1_000_000, "ms"),
    (1_000, "u"),
];

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

/// The operator as it is written.
pub(super) fn operator(op: BinaryOp) -> &'static str {
    match op {
        BinaryOp::Add => "+",
        BinaryOp::Sub => "-",
        BinaryOp::Mul => "*",
        BinaryOp::Div => "/",
        BinaryOp::Mod => "%",
        BinaryOp::BitAnd => "&",
        BinaryOp::BitOr => "|",
        BinaryOp::BitXor => "^",
        BinaryOp::And => "AND",
        BinaryOp::Or => "OR",
        BinaryOp::Eq => "=",
        BinaryOp::NotEq => "!=",
        BinaryOp::Matches => "=~",
        BinaryOp::NotMatches => "!~",
        BinaryOp::Less => "<",
        BinaryOp::LessEq => "<=",
        BinaryOp::Greater => ">",
        BinaryOp::GreaterEq => ">=",
    }
}

/// The expression as it could be written.
pub(super) fn show(expr: &Expr) -> String {
    match expr {
        Expr::Reference { name, cast } => format!("{}{}", identifier(name), cast.map_or("", cast_suffix)),
        Expr::Integer(value) => value.to_string(),
        Expr::Unsigned(value) => value.to_string(),
        Expr::Float(value) => format!("{value:.3}"),
        Expr::String(value) => quoted(value),
        Expr::Boolean(value) => value.to_string(),
        Expr::Duration(value) => duration(*value),
        Expr::Regex(pattern) => format!("/{}/", pattern.replace('/', "\\/")),
        Expr::Wildcard(None) => "*".to_owned(),
        Expr::Wildcard(Some(WildcardKind::Field)) => "*::field".to_owned(),
        Expr::Wildcard(Some(WildcardKind::Tag)) => "*::tag".to_owned(),
        Expr::Call { name, args } => {
            format!("{name}({})", args.iter().map(show).collect::<Vec<_>>().join(", "))
        }
        Expr::Distinct(name) => format!("DISTINCT {name}"),
        Expr::Binary { op, left, right } => format!("{} {} {}", show(left), operator(*op), show(right)),
        Expr::Paren(inner) => format!("({})", show(inner)),
    }
}

/// A text between quotes.
pub(super) fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\\', "\\\\").replace('\'', "\\'").replace('\n', "\\n"))
}

/// A length of time in the largest unit that divides it.
pub(super) fn duration(ns: i64) -> String {
    if ns == 0 {
        return "0s".to_owned();
    }
    match UNITS.iter().find(|(unit, _)| ns % unit == 0) {
        Some((unit, name)) => format!("{}{name}", ns / unit),
        None => format!("{ns}ns"),
    }
}

fn identifier(name: &str) -> String {
    let is_plain = |(at, c): (usize, char)| c == '_' || c.is_ascii_alphabetic() || (at > 0 && c.is_ascii_digit());
    if !name.is_empty() && name.chars().enumerate().all(is_plain) {
        return name.to_owned();
    }
    format!("\"{}\"", name.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n"))
}

fn cast_suffix(cast: Cast) -> &'static str {
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
