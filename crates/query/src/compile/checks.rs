//! Which fields go together: what was met while the fields were compiled, and whether that makes a query.

use influxql::ast::Fill;

use super::fields::Scope;
use crate::QueryError;

/// What the fields of a query have in them.
#[derive(Debug, Default)]
pub(super) struct Checks {
    /// Functions over several points; those inside others count, too.
    pub(super) calls: usize,
    /// Names that stand for the values of a point.
    pub(super) has_bare_fields: bool,
    /// Functions that give no single point of those they were given.
    pub(super) has_aggregates: bool,
    /// `distinct` on its own.
    pub(super) has_distinct: bool,
    /// A function that gives several points a window and has to stand alone: `top`, `bottom`, `m4`, `minmax`.
    pub(super) picks_several: Option<String>,
}

impl Checks {
    /// Whether the fields can stand in one query.
    pub(super) fn validate(&self, fill: Fill, scope: &Scope) -> Result<(), QueryError> {
        match &self.picks_several {
            Some(function) if self.calls > 1 => return Err(not_alone(function)),
            _ => {}
        }
        if self.calls == 0 {
            without_functions(fill, scope)?;
        }
        if self.has_distinct && (self.calls != 1 || self.has_bare_fields) {
            return invalid("aggregate function distinct() cannot be combined with other functions or fields");
        }
        if self.has_bare_fields && self.has_aggregates {
            return invalid("mixing aggregate and non-aggregate queries is not supported");
        }
        if self.has_bare_fields && self.calls > 1 {
            return invalid("mixing multiple selector functions with tags or fields is not supported");
        }
        Ok(())
    }
}

pub(super) fn not_alone(function: &str) -> QueryError {
    QueryError::invalid(format!("selector function {function}() cannot be combined with other functions"))
}

fn without_functions(fill: Fill, scope: &Scope) -> Result<(), QueryError> {
    match fill {
        Fill::None => invalid("fill(none) must be used with a function"),
        Fill::Linear => invalid("fill(linear) must be used with a function"),
        _ if scope.windowed && !scope.inherited => invalid("GROUP BY requires at least one aggregate function"),
        _ => Ok(()),
    }
}

fn invalid(message: &str) -> Result<(), QueryError> {
    Err(QueryError::invalid(message))
}
