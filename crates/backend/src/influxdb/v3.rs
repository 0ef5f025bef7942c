//! InfluxDB 3.x: what its errors mean, and its databases, of which each is one retention policy.

use std::time::Duration;

use serde::Deserialize;
use serde_json::json;

use super::client::{PRODUCT, Server};
use super::encode::bucket_name;
use crate::http::{Http, HttpError, Method};
use crate::{Blame, Database, Policy, Probe, Step, Wanted, WriteError};

const DATABASES: &str = "/api/v3/configure/database";

/// What a failed write means.
pub(super) fn write_error(error: HttpError) -> WriteError {
    let reason = error.reason();
    let message = format!("{PRODUCT}: {error}");
    match error.status() {
        // Names and numbers of databases are for a person to change; no point of the batch is to blame.
        Some(400) if reason.contains("database name") => WriteError::Denied { message },
        Some(422) if reason.contains("limit") && reason.contains("databases") => WriteError::Denied { message },
        Some(404) if reason.contains("database") => WriteError::NoPlace { message },
        Some(400 | 422) => {
            let message = format!("{message}{}", first_line_error(&error));
            let blame = Blame::of_words(&message);
            WriteError::Points { message, blame }
        }
        _ => error.into_write_error(PRODUCT),
    }
}

/// A line that was refused; the error's own text says only that there are some.
#[derive(Debug, Deserialize)]
struct LineError {
    line_number: u64,
    error_message: String,
}

/// `: line 2: ...` for the first one; empty where none is named.
fn first_line_error(error: &HttpError) -> String {
    #[derive(Deserialize)]
    struct Refused {
        data: OneOrMany,
    }
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum OneOrMany {
        One(LineError),
        Many(Vec<LineError>),
    }
    let first = match serde_json::from_str(error.body()).map(|refused: Refused| refused.data) {
        Ok(OneOrMany::One(line)) => Some(line),
        Ok(OneOrMany::Many(lines)) => lines.into_iter().next(),
        Err(_) => None,
    };
    first.map(|line| format!(": line {}: {}", line.line_number, shorten(&line.error_message))).unwrap_or_default()
}

/// The error repeats values as they were written.
fn shorten(text: &str) -> String {
    text.chars().take(200).collect()
}

/// Databases with their retention are made; the retention of one that is there is left, since 3.x does not tell it.
pub(super) fn keep_in_step(http: &Http, wanted: &Wanted) -> Result<Vec<Step>, WriteError> {
    let existing = database_names(http)?;
    let mut steps = Vec::new();
    for database in &wanted.databases {
        for policy in &database.policies {
            let name = database_name(database, policy);
            if !existing.contains(&name) {
                steps.push(create(http, &name, policy.duration)?);
            }
        }
    }
    steps.extend(wanted.rollups.iter().map(|rollup| {
        let (name, database) = (&rollup.name, &rollup.database);
        Step::Impossible(format!(
            "rollup {name:?} of {database:?}: {PRODUCT} 3 has neither continuous queries nor tasks"
        ))
    }));
    Ok(steps)
}

fn database_name(database: &Database, policy: &Policy) -> String {
    bucket_name(&database.name, (policy.name != database.default_policy).then_some(&policy.name))
}

/// One row of the list of databases.
#[derive(Debug, Deserialize)]
struct Named {
    #[serde(rename = "iox::database")]
    name: String,
}

fn database_names(http: &Http) -> Result<Vec<String>, WriteError> {
    let reply = http.get(&format!("{DATABASES}?format=json")).map_err(|error| error.into_refusal(PRODUCT))?;
    let named: Vec<Named> = serde_json::from_str(&reply.body).map_err(|error| WriteError::Away {
        message: format!("{PRODUCT}: {} did not answer as expected: {error}", http.endpoint()),
    })?;
    Ok(named.into_iter().map(|database| database.name).collect())
}

fn create(http: &Http, name: &str, retention: Option<Duration>) -> Result<Step, WriteError> {
    let body = match retention {
        Some(retention) => json!({ "db": name, "retention_period": format!("{}s", retention.as_secs()) }),
        None => json!({ "db": name }),
    };
    match http.send(Method::POST, DATABASES, Some(&body.to_string())) {
        Ok(_) => Ok(Step::Done(format!("database {name:?} created"))),
        Err(error) if matches!(error.status(), Some(400 | 409 | 422)) => {
            Ok(Step::Impossible(format!("database {name:?}: {}", error.reason())))
        }
        Err(error) => Err(error.into_refusal(PRODUCT)),
    }
}

pub(super) fn probe(http: &Http, server: Server) -> Result<Probe, WriteError> {
    // A ping may be answered to anybody; this needs the token.
    database_names(http)?;
    let version = format!("{PRODUCT} {}", server.version);
    Ok(Probe { version, incarnation: server.process, advice: Vec::new() })
}
