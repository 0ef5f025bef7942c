//! Syntax trees for tests, written by hand or parsed.

use influxql::ast::{BinaryOp, Expr, Field, Measurement, MeasurementName, Select, Source, Statement};
use influxql::{Limits, Params};
use model::TimestampNs;

use super::{Context, Dialect, compile};
use crate::plan;

/// 2024-03-10T12:00:00Z
pub(super) const NOW: TimestampNs = TimestampNs(1_710_072_000_000_000_000);
pub(super) const SECOND: i64 = 1_000_000_000;
pub(super) const MINUTE: i64 = 60 * SECOND;

pub(super) fn context() -> Context {
    Context { now: NOW, database: Some("plant".to_owned()), policy: None, dialect: Dialect::Strict, into: false }
}

pub(super) fn extended() -> Context {
    Context { dialect: Dialect::Extended, ..context() }
}

pub(super) fn name(name: &str) -> Expr {
    Expr::Reference { name: name.to_owned(), cast: None }
}

pub(super) fn text(text: &str) -> Expr {
    Expr::String(text.to_owned())
}

pub(super) fn call(name: &str, args: impl IntoIterator<Item = Expr>) -> Expr {
    Expr::Call { name: name.to_owned(), args: args.into_iter().collect() }
}

/// `function(v)`
pub(super) fn of_v(function: &str) -> Expr {
    call(function, [name("v")])
}

pub(super) fn binary(left: Expr, op: BinaryOp, right: Expr) -> Expr {
    Expr::Binary { op, left: Box::new(left), right: Box::new(right) }
}

pub(super) fn paren(inner: Expr) -> Expr {
    Expr::Paren(Box::new(inner))
}

/// `time(1m)`
pub(super) fn each_minute() -> Expr {
    call("time", [Expr::Duration(MINUTE)])
}

pub(super) fn measurement() -> Source {
    Source::Measurement(Measurement { database: None, policy: None, name: MeasurementName::Name("m".to_owned()) })
}

/// `SELECT fields FROM m`
pub(super) fn select(fields: impl IntoIterator<Item = Expr>) -> Select {
    let fields = fields.into_iter().map(|expr| Field { expr, alias: None }).collect();
    Select { fields, sources: vec![measurement()], ..Select::default() }
}

/// `SELECT fields FROM m GROUP BY time(1m)`
pub(super) fn by_minute(fields: impl IntoIterator<Item = Expr>) -> Select {
    Select { dimensions: vec![each_minute()], ..select(fields) }
}

/// `SELECT v FROM m WHERE condition`
pub(super) fn filtered(condition: Expr) -> Select {
    Select { condition: Some(condition), ..select([name("v")]) }
}

/// `SELECT fields FROM (inner)`
pub(super) fn over(fields: impl IntoIterator<Item = Expr>, inner: Select) -> Select {
    Select { sources: vec![Source::Subquery(Box::new(inner))], ..select(fields) }
}

/// The query of a text.
pub(super) fn parsed(text: &str) -> Select {
    match influxql::parse(text, &Params::new(), &Limits::default()).unwrap().remove(0) {
        Statement::Select(select) => *select,
        other => panic!("{other:?}"),
    }
}

pub(super) fn plan(select: &Select) -> plan::Select {
    compile(select, &context()).unwrap()
}

/// Columns as they are printed for debugging, which is exact.
pub(super) fn columns(select: &Select) -> Vec<String> {
    plan(select).columns.iter().map(|column| format!("{:?}", column.expr)).collect()
}

pub(super) fn refusal(select: &Select) -> String {
    compile(select, &context()).unwrap_err().to_string()
}

pub(super) fn inner(plan: &plan::Select) -> &plan::Select {
    match plan.sources.first() {
        Some(plan::Source::Subquery(inner)) => inner,
        _ => panic!("no subquery"),
    }
}
