//! InfluxDB 1.x: what its errors mean, and what it says of itself.

use influxql::ast::{Show, Statement};
use serde_json::Value;

use super::client::{PRODUCT, Server};
use super::continuous::keep_rollups_in_step;
use super::policies::keep_policies_in_step;
use super::statements::{StatementError, Statements, Table};
use crate::http::{Http, HttpError};
use crate::{Probe, Step, Wanted, WriteError};

/// Beginnings of errors about a place that is not there; the second one comes with status 500.
const NO_PLACE: [&str; 2] = ["database not found", "retention policy not found"];

/// Beginnings of errors that pass by themselves, whatever the status.
const BUSY: [&str; 5] = [
    "timeout",
    "hinted handoff",
    "engine: cache-max-memory-size exceeded",
    "cache-max-memory-size exceeded",
    "engine is closed",
];

/// What a failed write means. By the beginning of the text, since the rest of it may repeat what was written.
pub(super) fn write_error(error: HttpError) -> WriteError {
    let reason = error.reason();
    let reason = reason.strip_prefix("write failed: ").unwrap_or(&reason);
    let begins_with = |texts: &[&str]| texts.iter().any(|text| reason.starts_with(text));
    let message = format!("{PRODUCT}: {error}");
    match error.status() {
        Some(_) if begins_with(&NO_PLACE) => WriteError::NoPlace { message },
        Some(_) if begins_with(&BUSY) => WriteError::Busy { message, retry_after: None },
        _ => error.into_write_error(PRODUCT),
    }
}

pub(super) fn keep_in_step(http: &Http, wanted: &Wanted) -> Result<Vec<Step>, WriteError> {
    let statements = Statements { http, product: PRODUCT };
    let mut steps = keep_policies_in_step(&statements, &wanted.databases)?;
    steps.extend(keep_rollups_in_step(&statements, &wanted.rollups)?);
    Ok(steps)
}

/// What only an administrator is told stays open, but a login that is refused is an error.
pub(super) fn probe(http: &Http, server: Server) -> Result<Probe, WriteError> {
    let statements = Statements { http, product: PRODUCT };
    let version = format!("{PRODUCT} {}", server.version);
    let show = Statement::Show(Show::Diagnostics { module: None });
    match statements.run(&show) {
        Ok(tables) => Ok(Probe { version, incarnation: incarnation(&tables), advice: advice(&tables) }),
        Err(StatementError::Refused(_)) => Ok(Probe { version, ..Probe::default() }),
        Err(StatementError::Failed(WriteError::Denied { message }))
            if !message.contains("requires admin privilege") =>
        {
            Err(WriteError::Denied { message })
        }
        Err(StatementError::Failed(WriteError::Denied { .. })) => Ok(Probe { version, ..Probe::default() }),
        Err(StatementError::Failed(error)) => Err(error),
    }
}

/// Number and start of its process.
fn incarnation(tables: &[Table]) -> Option<String> {
    let process = value(tables, "system", "PID")?;
    let started = value(tables, "system", "started")?.as_str()?;
    Some(format!("{process}@{started}"))
}

fn advice(tables: &[Table]) -> Vec<String> {
    let is_off = |table| value(tables, table, "enabled") == Some(&Value::Bool(false));
    let mut advice = Vec::new();
    if is_off("config-cqs") {
        advice.push("continuous queries are switched off there: set enabled = true in [continuous_queries]".to_owned());
    }
    if is_off("config-retention") {
        advice.push(
            "retention is switched off there, nothing is ever deleted: set enabled = true in [retention]".to_owned(),
        );
    }
    advice
}

fn value<'a>(tables: &'a [Table], table: &str, column: &str) -> Option<&'a Value> {
    tables.iter().find(|candidate| candidate.name == table)?.rows().next()?.get(column)
}
