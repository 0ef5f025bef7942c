//! Requests whose question is InfluxQL.

use influxql::ast::{self, Statement};
use influxql::{Limits, Params};

use super::RequestContext;
use super::aggregate::{AggregateRequest, missing};
use crate::QueryError;
use crate::compile::{Context, Dialect, compile, time_zone_exists};
use crate::plan::Select;

/// Refuses the keys that the text of the query says by itself.
pub(super) fn check_keys(request: &AggregateRequest) -> Result<(), QueryError> {
    let others = [
        ("function", request.function.is_some()),
        ("arguments", !request.arguments.is_empty()),
        ("measurement", !request.measurement.is_empty()),
        ("fields", request.fields.is_some()),
        ("filters", !request.filters.is_empty()),
        ("start", request.start.is_some()),
        ("end", request.end.is_some()),
        ("interval", request.interval.is_some()),
        ("time_zone", request.time_zone.is_some()),
        ("fill", request.fill.is_some()),
        ("group_by", request.group_by.is_some()),
        ("order", request.order.is_some()),
        ("limit", request.limit.is_some()),
    ];
    match others.into_iter().find(|(_, is_there)| *is_there) {
        None => Ok(()),
        Some((key, _)) => Err(QueryError::invalid_with_hint(
            format!("`{key}` is not for the `aggregate_type` `custom`"),
            "say it in `custom_query`",
        )),
    }
}

/// The plan of the request's query.
pub(super) fn plan(request: AggregateRequest, context: &RequestContext) -> Result<Select, QueryError> {
    let text = request.custom_query.as_deref();
    let text = text.ok_or_else(|| missing("custom_query", "a SELECT in InfluxQL"))?;
    let context = Context {
        now: context.now,
        database: Some(request.database.unwrap_or_else(|| context.database.clone())),
        policy: request.retention_policy,
        dialect: Dialect::Extended,
        into: false,
    };
    select(text).and_then(|select| compile(&select, &context)).map_err(of_query)
}

/// The one SELECT that a text is.
fn select(text: &str) -> Result<ast::Select, QueryError> {
    let limits = Limits { time_zone_exists, ..Limits::default() };
    let statements =
        influxql::parse(text, &Params::default(), &limits).map_err(|e| QueryError::invalid(e.to_string()))?;
    match <[Statement; 1]>::try_from(statements) {
        Ok([Statement::Select(select)]) if select.into.is_none() => Ok(*select),
        Ok([Statement::Select(_)]) => {
            Err(QueryError::invalid("it writes INTO a measurement: expected a SELECT that only reads"))
        }
        Ok(_) => Err(QueryError::invalid("it is no SELECT, which is expected")),
        Err(statements) => {
            Err(QueryError::invalid(format!("it has {} statements: expected one SELECT", statements.len())))
        }
    }
}

/// The error with the key that it is about.
fn of_query(error: QueryError) -> QueryError {
    match error {
        QueryError::Invalid { message, hint } => {
            QueryError::Invalid { message: format!("`custom_query`: {message}"), hint }
        }
        other => other,
    }
}
