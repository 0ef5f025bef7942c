//! Measurements that a query reads, with the database and the retention policy that they are looked for in.

use std::sync::Arc;

use influxql::ast;
use regex::Regex;

use super::Context;
use crate::QueryError;
use crate::plan::{MeasurementRef, NameOrPattern};

/// Every measurement, those of subqueries too, must have a database before anything else is looked at.
pub(super) fn check(select: &ast::Select, context: &Context) -> Result<(), QueryError> {
    for source in &select.sources {
        match source {
            ast::Source::Measurement(measurement) => compile(measurement, context).map(|_| ())?,
            ast::Source::Subquery(inner) => check(inner, context)?,
        }
    }
    Ok(())
}

/// The measurement that is meant.
pub(super) fn compile(measurement: &ast::Measurement, context: &Context) -> Result<MeasurementRef, QueryError> {
    let own = named(measurement.database.as_ref());
    let default_policy = named(context.policy.as_ref()).filter(|_| own.is_none());
    Ok(MeasurementRef {
        database: own
            .or_else(|| named(context.database.as_ref()))
            .ok_or_else(|| QueryError::invalid("database name required"))?,
        policy: named(measurement.policy.as_ref()).or(default_policy),
        name: match &measurement.name {
            ast::MeasurementName::Name(name) => NameOrPattern::Name(name.clone()),
            ast::MeasurementName::Pattern(text) => NameOrPattern::Pattern(pattern(text)?),
            ast::MeasurementName::FromSource => return Err(QueryError::invalid("invalid measurement")),
        },
    })
}

/// A regular expression of a query.
pub(super) fn pattern(text: &str) -> Result<Arc<Regex>, QueryError> {
    Regex::new(text).map(Arc::new).map_err(|error| QueryError::invalid(format!("error parsing regexp: {error}")))
}

fn named(name: Option<&String>) -> Option<String> {
    name.filter(|name| !name.is_empty()).cloned()
}

#[cfg(test)]
mod tests {
    use super::super::sample::context;
    use super::*;

    fn measurement(database: Option<&str>, policy: Option<&str>, name: ast::MeasurementName) -> ast::Measurement {
        ast::Measurement { database: database.map(str::to_owned), policy: policy.map(str::to_owned), name }
    }

    fn named(name: &str) -> ast::MeasurementName {
        ast::MeasurementName::Name(name.to_owned())
    }

    #[test]
    fn the_parameters_name_what_the_query_does_not() {
        let context = Context { policy: Some("month".to_owned()), ..context() };
        let place = |database, policy| {
            let found = compile(&measurement(database, policy, named("m")), &context).unwrap();
            (found.database, found.policy.unwrap_or_default())
        };
        assert_eq!(place(None, None), ("plant".to_owned(), "month".to_owned()));
        assert_eq!(place(None, Some("year")), ("plant".to_owned(), "year".to_owned()));
        assert_eq!(place(Some("other"), None), ("other".to_owned(), String::new()));
    }

    #[test]
    fn without_a_database_nothing_else_is_looked_at() {
        let context = Context { database: None, ..context() };
        let refusal = |measurement| compile(&measurement, &context).unwrap_err().to_string();
        assert_eq!(refusal(measurement(None, None, named("m"))), "database name required");
    }

    #[test]
    fn a_wrong_pattern_is_refused() {
        let wrong = measurement(None, None, ast::MeasurementName::Pattern("[".to_owned()));
        let message = compile(&wrong, &context()).unwrap_err().to_string();
        assert!(message.starts_with("error parsing regexp: "), "{message}");
    }
}
