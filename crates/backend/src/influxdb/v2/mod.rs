//! InfluxDB 2.x: what its errors mean; buckets as retention policies, mappings so that InfluxQL finds them, tasks as rollups.

mod api;
mod buckets;
mod flux;
mod mappings;
mod tasks;

use super::client::{PRODUCT, Server};
use crate::http::{Http, HttpError};
use crate::{Probe, Step, Wanted, WriteError};

use api::Api;

/// What a failed write means.
pub(super) fn write_error(error: HttpError) -> WriteError {
    let reason = error.reason();
    match error.status() {
        Some(404) if reason.starts_with("bucket") => WriteError::NoPlace { message: format!("{PRODUCT}: {error}") },
        Some(404) if reason.starts_with("organization") => {
            WriteError::Denied { message: format!("{PRODUCT}: {error} (look at influxdb.org)") }
        }
        _ => error.into_write_error(PRODUCT),
    }
}

pub(super) fn keep_in_step(http: &Http, org: Option<&str>, wanted: &Wanted) -> Result<Vec<Step>, WriteError> {
    let api = Api::find(http, org)?;
    let mut steps = Vec::new();
    for database in &wanted.databases {
        let buckets = buckets::keep_in_step(&api, database, &mut steps)?;
        mappings::keep_in_step(&api, database, &buckets, &mut steps)?;
    }
    for rollup in &wanted.rollups {
        let default = wanted.databases.iter().find(|database| database.name == rollup.database);
        let default = default.map(|database| database.default_policy.as_str());
        steps.extend(tasks::keep_in_step(&api, rollup, default)?);
    }
    Ok(steps)
}

pub(super) fn probe(http: &Http, org: Option<&str>, server: Server) -> Result<Probe, WriteError> {
    // A ping is answered to anybody; this needs the token.
    Api::find(http, org)?;
    let version = format!("{PRODUCT} {}", server.version);
    Ok(Probe { version, incarnation: incarnation(http), advice: Vec::new() })
}

/// When its process started, from its metrics; they may be switched off.
fn incarnation(http: &Http) -> Option<String> {
    let reply = http.get("/metrics").ok()?;
    let line = reply.body.lines().find_map(|line| line.strip_prefix("process_start_time_seconds "))?;
    Some(line.trim().to_owned())
}
