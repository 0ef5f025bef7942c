//! Rollups as continuous queries of InfluxDB 1.x.

use influxql::ast::{ContinuousQuery, Expr, Field, Measurement, MeasurementName, Select, Show, Source, Statement};

use super::client::PRODUCT;
use super::policies::nanoseconds;
use super::statements::{StatementError, Statements};
use crate::{Rollup, Step, WriteError};

/// Functions of one field that give one value for a window.
const FUNCTIONS: [&str; 12] =
    ["count", "first", "integral", "last", "max", "mean", "median", "min", "mode", "spread", "stddev", "sum"];

/// Makes the continuous queries that are missing and makes those anew whose text differs. One that the server refuses is a
/// [`Step::Impossible`] with its reason.
///
/// # Errors
/// Those of the first request that failed.
pub(super) fn keep_rollups_in_step(statements: &Statements<'_>, rollups: &[Rollup]) -> Result<Vec<Step>, WriteError> {
    if rollups.is_empty() {
        return Ok(Vec::new());
    }
    let tables = statements.demand(&Statement::Show(Show::ContinuousQueries))?;
    let mut steps = Vec::new();
    for rollup in rollups {
        let existing = tables.iter().filter(|table| table.name == rollup.database).flat_map(|table| table.rows());
        let existing = existing.filter(|row| row.text("name") == rollup.name).map(|row| row.text("query")).next();
        steps.extend(keep_rollup(statements, rollup, existing)?);
    }
    Ok(steps)
}

fn keep_rollup(
    statements: &Statements<'_>,
    rollup: &Rollup,
    existing: Option<&str>,
) -> Result<Option<Step>, WriteError> {
    let subject = format!("continuous query {:?} of {:?}", rollup.name, rollup.database);
    // The server itself would take it, and fail in silence whenever it runs it.
    let is_unknown = |function: &&str| !FUNCTIONS.contains(function);
    if let Some(function) = rollup.columns.iter().map(|column| column.function.as_str()).find(is_unknown) {
        return Ok(Some(Step::Impossible(format!("{subject}: {PRODUCT} has no function like {function}"))));
    }
    let create = Statement::CreateContinuousQuery(Box::new(continuous_query(rollup)));
    let done = match existing {
        None => "created",
        Some(text) if normalized(text) == normalized(&create.to_string()) => return Ok(None),
        Some(_) => {
            statements.demand(&drop_statement(rollup))?;
            "made anew"
        }
    };
    match statements.run(&create) {
        Ok(_) => Ok(Some(Step::Done(format!("{subject} {done}")))),
        Err(StatementError::Refused(reason)) => Ok(Some(Step::Impossible(format!("{subject}: {reason}")))),
        Err(StatementError::Failed(error)) => Err(error),
    }
}

fn drop_statement(rollup: &Rollup) -> Statement {
    Statement::DropContinuousQuery { name: rollup.name.clone(), database: rollup.database.clone() }
}

/// The text as this version of hissrv prints it; servers print the same statement with other spaces and quotes.
fn normalized(text: &str) -> String {
    let limits = influxql::Limits::default();
    let parsed = influxql::parse(text, &influxql::Params::default(), &limits);
    match parsed.as_deref() {
        Ok([statement]) => statement.to_string(),
        _ => text.to_owned(),
    }
}

/// `SELECT mean("value") AS "avg" INTO "db"."target".:MEASUREMENT FROM "db"."source"./.*/ GROUP BY time(1h), *`
fn continuous_query(rollup: &Rollup) -> ContinuousQuery {
    let measurement = |policy: &str, name| Measurement {
        database: Some(rollup.database.clone()),
        policy: Some(policy.to_owned()),
        name,
    };
    let every = Expr::Duration(nanoseconds(rollup.interval));
    let select = Select {
        fields: rollup
            .columns
            .iter()
            .map(|column| {
                let argument = Expr::Reference { name: column.field.clone(), cast: None };
                let expr = Expr::Call { name: column.function.clone(), args: vec![argument] };
                Field { expr, alias: Some(column.alias.clone()) }
            })
            .collect(),
        into: Some(measurement(&rollup.target, MeasurementName::FromSource)),
        sources: vec![Source::Measurement(measurement(&rollup.source, MeasurementName::Pattern(".*".to_owned())))],
        dimensions: vec![Expr::Call { name: "time".to_owned(), args: vec![every] }, Expr::Wildcard(None)],
        ..Select::default()
    };
    ContinuousQuery {
        name: rollup.name.clone(),
        database: rollup.database.clone(),
        every: None,
        resample_for: None,
        select,
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::RollupColumn;

    #[test]
    fn a_rollup_is_a_continuous_query_with_every_name_quoted_that_needs_it() {
        let column = |function: &str, alias: &str| RollupColumn {
            function: function.to_owned(),
            field: "value".to_owned(),
            alias: alias.to_owned(),
        };
        let rollup = Rollup {
            name: "hourly\"; DROP DATABASE x".to_owned(),
            database: "plant 7".to_owned(),
            source: "real-time".to_owned(),
            target: "hourly".to_owned(),
            interval: Duration::from_secs(3600),
            columns: vec![column("mean", "avg"), column("max", "select")],
        };
        let text = continuous_query(&rollup).to_string();
        let expected = r#"CREATE CONTINUOUS QUERY "hourly\"; DROP DATABASE x" ON "plant 7" BEGIN SELECT mean(value) AS avg, max(value) AS "select" INTO "plant 7".hourly.:MEASUREMENT FROM "plant 7"."real-time"./.*/ GROUP BY time(1h), * END"#;
        assert_eq!(text, expected);
        assert_eq!(normalized(&text), text);
    }

    #[test]
    fn spaces_and_quotes_make_no_difference() {
        let one = r#"CREATE CONTINUOUS QUERY "n" ON "d" BEGIN SELECT mean("value") AS "avg" INTO "d"."t".:MEASUREMENT FROM "d"."s"./.*/ GROUP BY time(60m),* END"#;
        let two = "CREATE CONTINUOUS QUERY n ON d BEGIN  SELECT mean(value) AS avg INTO d.t.:MEASUREMENT FROM d.s./.*/ GROUP BY time(1h), * END";
        assert_eq!(normalized(one), normalized(two));
        assert_eq!(normalized("no statement"), "no statement");
    }
}
