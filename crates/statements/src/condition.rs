//! WHERE of the statements that are no queries: bounds of time, and what is left for tags.

use influxql::ast;
use model::TimeRange;
use query::plan::expr::Expr;

use crate::failure::Failure;
use crate::task::Task;

/// A condition taken apart.
pub(crate) struct Condition {
    /// Times wanted.
    pub(crate) range: TimeRange,
    /// True when it says anything of time.
    pub(crate) has_time: bool,
    /// `None`: every series will do.
    pub(crate) filter: Option<Expr>,
}

impl Condition {
    /// Reads a condition in the way of a query's.
    pub(crate) fn read(task: &Task<'_>, condition: Option<&ast::Expr>) -> Result<Self, Failure> {
        let has_time = condition.is_some_and(names_time);
        let plan = query::compile::compile(&anything_where(condition), &task.context(false))?;
        Ok(Self { range: plan.range, has_time, filter: plan.filter })
    }

    /// True when it takes everything.
    pub(crate) fn is_empty(&self) -> bool {
        self.filter.is_none() && !self.has_time
    }

    /// The condition, which must say nothing of time; `statement` names who cannot do it.
    pub(crate) fn without_time(self, statement: &str) -> Result<Self, Failure> {
        if self.has_time {
            return Err(Failure::message(format!("{statement} doesn't support time in WHERE clause")));
        }
        Ok(self)
    }
}

/// A query that has this condition.
fn anything_where(condition: Option<&ast::Expr>) -> ast::Select {
    let field = ast::Field { expr: ast::Expr::Reference { name: "value".to_owned(), cast: None }, alias: None };
    let name = ast::MeasurementName::Name("m".to_owned());
    let source = ast::Measurement { database: Some("db".to_owned()), policy: None, name };
    ast::Select {
        fields: vec![field],
        sources: vec![ast::Source::Measurement(source)],
        condition: condition.cloned(),
        ..ast::Select::default()
    }
}

/// True when `time` is compared anywhere inside.
fn names_time(expr: &ast::Expr) -> bool {
    match expr {
        ast::Expr::Reference { name, .. } => name.eq_ignore_ascii_case("time"),
        ast::Expr::Paren(inner) => names_time(inner),
        ast::Expr::Binary { left, right, .. } => names_time(left) || names_time(right),
        _ => false,
    }
}
