//! What is selected.

use influxql::ast::{Cast as SaidCast, Expr as SaidExpr, Field, WildcardKind};
use model::FieldType;
use query::Cell;
use query::pick::INTEGRAL;
use query::plan::expr::{AggregateCall, Cast, Expr, Kinds, MathFunction, Reference, Transform, TransformCall};
use query::plan::{Column, Select};

use super::names::{self, checked};
use super::{Said, not_sayable};

/// Functions of one field and nothing else that are called the same there.
const SAME: [&str; 12] =
    ["count", "sum", "mean", "median", "mode", "stddev", "spread", "min", "max", "first", "last", "distinct"];

/// True when functions over points are computed.
pub(super) fn has_calls(plan: &Select) -> bool {
    calls(plan) > 0
}

/// How many functions over points are computed, those that a wildcard makes of one counted as two.
pub(in super::super) fn calls(plan: &Select) -> usize {
    plan.columns.iter().map(|column| calls_in(&column.expr)).sum()
}

fn calls_in(expr: &Expr) -> usize {
    match expr {
        Expr::Aggregate(call) => 1 + usize::from(is_open(&call.of)),
        Expr::Transform(call) => calls_in(&call.of).max(1 + usize::from(is_open(&call.of))),
        Expr::Math { args, .. } => args.iter().map(calls_in).sum(),
        Expr::Binary { left, right, .. } => calls_in(left) + calls_in(right),
        _ => 0,
    }
}

fn is_open(expr: &Expr) -> bool {
    matches!(expr, Expr::All(_) | Expr::Like(_))
}

/// True when a function has further columns for its tags.
pub(super) fn has_keys(plan: &Select) -> bool {
    plan.columns.iter().any(|column| matches!(&column.expr, Expr::Aggregate(call) if !call.keys.is_empty()))
}

/// True when an integral is a column.
pub(super) fn has_integral(plan: &Select) -> bool {
    plan.columns.iter().any(|column| matches!(&column.expr, Expr::Aggregate(call) if call.function == INTEGRAL))
}

/// The fields of SELECT.
pub(super) fn fields(plan: &Select) -> Said<Vec<Field>> {
    let mut fields = Vec::with_capacity(plan.columns.len() + 1);
    if plan.time_name != "time" {
        let time = SaidExpr::Reference { name: "time".to_owned(), cast: None };
        fields.push(Field { expr: time, alias: Some(checked(&plan.time_name)?) });
    }
    for column in &plan.columns {
        fields.push(field(column)?);
    }
    Ok(fields)
}

fn field(column: &Column) -> Said<Field> {
    if matches!(&column.expr, Expr::Reference(reference) if names::is_time(&reference.name)) {
        return not_sayable("a field called `time`");
    }
    let alias = column.alias.as_deref().map(checked).transpose()?;
    Ok(Field { expr: expr(&column.expr)?, alias })
}

fn expr(of: &Expr) -> Said<SaidExpr> {
    Ok(match of {
        Expr::Reference(of) => reference(of)?,
        Expr::All(Kinds::Both) => SaidExpr::Wildcard(None),
        Expr::All(Kinds::Fields) => SaidExpr::Wildcard(Some(WildcardKind::Field)),
        Expr::All(Kinds::Tags) => SaidExpr::Wildcard(Some(WildcardKind::Tag)),
        Expr::Like(pattern) | Expr::Pattern(pattern) => names::pattern(pattern)?,
        Expr::Literal(cell) => literal(cell)?,
        Expr::Aggregate(call) => aggregate(call)?,
        Expr::Transform(call) => transform(call)?,
        Expr::Math { function, args } => math(*function, args, &operand)?,
        Expr::Binary { op, left, right } => names::binary(operand(left)?, *op, operand(right)?),
    })
}

/// Part of a larger expression, in parentheses where it has parts itself.
fn operand(of: &Expr) -> Said<SaidExpr> {
    expr(of).map(in_parentheses)
}

pub(super) fn in_parentheses(expr: SaidExpr) -> SaidExpr {
    match expr {
        binary @ SaidExpr::Binary { .. } => SaidExpr::Paren(Box::new(binary)),
        other => other,
    }
}

pub(super) fn reference(of: &Reference) -> Said<SaidExpr> {
    Ok(SaidExpr::Reference { name: checked(&of.name)?, cast: of.cast.map(cast) })
}

const fn cast(cast: Cast) -> SaidCast {
    match cast {
        Cast::Field => SaidCast::Field,
        Cast::Tag => SaidCast::Tag,
        Cast::Type(FieldType::Float) => SaidCast::Float,
        Cast::Type(FieldType::Integer) => SaidCast::Integer,
        Cast::Type(FieldType::Unsigned) => SaidCast::Unsigned,
        Cast::Type(FieldType::String) => SaidCast::String,
        Cast::Type(FieldType::Boolean) => SaidCast::Boolean,
    }
}

/// A constant. Nothing, which times and lengths of time become among values, has no word.
pub(super) fn literal(cell: &Cell) -> Said<SaidExpr> {
    Ok(match cell {
        Cell::Float(value) if value.is_finite() => SaidExpr::Float(*value),
        Cell::Null | Cell::Float(_) => return not_sayable("a constant without a value"),
        Cell::Integer(value) => SaidExpr::Integer(*value),
        Cell::Unsigned(value) => SaidExpr::Unsigned(*value),
        Cell::Boolean(value) => SaidExpr::Boolean(*value),
        Cell::String(value) => SaidExpr::String(checked(value)?),
    })
}

fn aggregate(call: &AggregateCall) -> Said<SaidExpr> {
    let of = expr(&call.of)?;
    let number = call.arguments.first();
    match (call.function.as_str(), number) {
        ("distinct_count", None) => Ok(function("count", vec![function("distinct", vec![of])])),
        ("percentile", Some(number @ (Cell::Integer(_) | Cell::Float(_)))) => {
            Ok(function("percentile", vec![of, literal(number)?]))
        }
        ("sample", Some(number @ Cell::Integer(_))) => Ok(function("sample", vec![of, literal(number)?])),
        (name @ ("top" | "bottom"), Some(number @ Cell::Integer(_))) => {
            let keys = call.keys.iter().map(reference).collect::<Said<Vec<_>>>()?;
            let args = std::iter::once(of).chain(keys).chain([literal(number)?]).collect();
            Ok(function(name, args))
        }
        (INTEGRAL, Some(Cell::Integer(unit))) => Ok(function("integral", vec![of, SaidExpr::Duration(*unit)])),
        (name, None) if SAME.contains(&name) => Ok(function(name, vec![of])),
        (name, _) => not_sayable(format!("the function {name}")),
    }
}

fn transform(call: &TransformCall) -> Said<SaidExpr> {
    let of = expr(&call.of)?;
    let count = |number: usize| SaidExpr::Integer(i64::try_from(number).unwrap_or(i64::MAX));
    let further = match call.transform {
        Transform::Derivative { unit_ns, .. } => unit_ns.map(SaidExpr::Duration).into_iter().collect(),
        Transform::Difference { .. } | Transform::CumulativeSum => Vec::new(),
        Transform::MovingAverage { points } => vec![count(points)],
        Transform::Elapsed { unit_ns } => vec![SaidExpr::Duration(unit_ns)],
        Transform::HoltWinters { points, season, .. } => vec![count(points), count(season)],
    };
    Ok(function(call.transform.name(), std::iter::once(of).chain(further).collect()))
}

/// A function of the values of a row, whose arguments `say` puts into words.
pub(super) fn math(of: MathFunction, args: &[Expr], say: &dyn Fn(&Expr) -> Said<SaidExpr>) -> Said<SaidExpr> {
    Ok(function(math_name(of), args.iter().map(say).collect::<Said<_>>()?))
}

fn function(name: &str, args: Vec<SaidExpr>) -> SaidExpr {
    SaidExpr::Call { name: name.to_owned(), args }
}

const fn math_name(function: MathFunction) -> &'static str {
    match function {
        MathFunction::Abs => "abs",
        MathFunction::Sin => "sin",
        MathFunction::Cos => "cos",
        MathFunction::Tan => "tan",
        MathFunction::Asin => "asin",
        MathFunction::Acos => "acos",
        MathFunction::Atan => "atan",
        MathFunction::Atan2 => "atan2",
        MathFunction::Exp => "exp",
        MathFunction::Ln => "ln",
        MathFunction::Log => "log",
        MathFunction::Log2 => "log2",
        MathFunction::Log10 => "log10",
        MathFunction::Sqrt => "sqrt",
        MathFunction::Pow => "pow",
        MathFunction::Floor => "floor",
        MathFunction::Ceil => "ceil",
        MathFunction::Round => "round",
    }
}
