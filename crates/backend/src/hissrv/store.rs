//! Another hissrv as a store: written to, looked after, asked.

use std::io::Read;
use std::ops::Range;
use std::sync::{Arc, PoisonError};
use std::time::Duration;

use jiff::Timestamp;
use query::execute::{Options, Sink};
use query::store::{Place, SeriesQuery};
use query::{Cancel, QueryError, QueryResult, Report, Select};
use serde::Deserialize;

use super::Hissrv;
use crate::http::{Http, HttpError, form};
use crate::influxdb::query::Ask;
use crate::influxdb::{self, Statements, keep_policies_in_step, query_form};
use crate::lines::{ALL_AS_IT_IS, render};
use crate::{
    Destination, Health, Manage, Points, Probe, Query, Session, Step, StorageBackend, Wanted, Write, WriteError,
    Written,
};

/// Its name for people.
const PRODUCT: &str = "hissrv";

/// With `journal.fsync: interval` it answers before it has synced; the default interval is 100 ms.
const DURABLE_AFTER: Duration = Duration::from_secs(2);

/// What a session's buffer may keep between two batches.
const MAX_KEPT: usize = 8 << 20;

const LINES: &str = "text/plain; charset=utf-8";

/// Two answers about one process may differ by so much: it tells whole seconds.
const SAME_START: Duration = Duration::from_secs(2);

impl Write for Hissrv {
    fn session(&self) -> Box<dyn Session> {
        Box::new(HissrvSession { http: Arc::clone(&self.http), lines: Vec::new() })
    }

    fn durable_after(&self) -> Duration {
        DURABLE_AFTER
    }
}

/// One thread's way in.
struct HissrvSession {
    http: Arc<Http>,
    /// Memory of the last batch, used again.
    lines: Vec<u8>,
}

impl Session for HissrvSession {
    fn write(&mut self, points: &dyn Points, range: Range<usize>) -> Result<Written, WriteError> {
        self.lines.clear();
        self.lines.shrink_to(MAX_KEPT);
        let written = render(points, range, &mut self.lines, ALL_AS_IT_IS)?;
        if self.lines.is_empty() {
            return Ok(written);
        }
        self.post(points.place(), &self.lines).map(|()| written)
    }

    fn write_lines(&mut self, place: &Destination, text: &[u8]) -> Option<Result<(), WriteError>> {
        Some(self.post(place, text))
    }
}

impl HissrvSession {
    fn post(&self, place: &Destination, lines: &[u8]) -> Result<(), WriteError> {
        self.http.post(&write_target(place), LINES, lines).map(drop).map_err(write_error)
    }
}

/// The policy is always named where there is one: which is the default there is not known until [`Manage::keep_in_step`] was called.
/// Without one the other hissrv puts each measurement where it belongs.
fn write_target(place: &Destination) -> String {
    let bucket = match place.policy.as_str() {
        "" => place.database.clone(),
        policy => format!("{}/{policy}", place.database),
    };
    format!("/api/v2/write?{}", form(&[("bucket", &bucket), ("precision", "ns")]))
}

fn write_error(error: HttpError) -> WriteError {
    let reason = error.reason();
    let is_place = reason.starts_with("bucket ") || reason.starts_with("retention policy not found");
    match error.status() {
        Some(404) if is_place => WriteError::NoPlace { message: format!("{PRODUCT}: {error}") },
        _ => error.into_write_error(PRODUCT),
    }
}

impl Manage for Hissrv {
    fn keep_in_step(&self, wanted: &Wanted) -> Result<Vec<Step>, WriteError> {
        let statements = Statements { http: &self.http, product: PRODUCT };
        let mut steps = keep_policies_in_step(&statements, &wanted.databases)?;
        steps.extend(wanted.rollups.iter().map(|rollup| {
            let (name, database) = (&rollup.name, &rollup.database);
            Step::Impossible(format!("rollup {name:?} of {database:?}: a hissrv makes its own; configure it there"))
        }));
        Ok(steps)
    }
}

/// What is read of its status.
#[derive(Debug, Deserialize)]
struct Status {
    version: String,
    uptime_s: u64,
}

/// What is read of its health.
#[derive(Debug, Deserialize)]
struct SelfReport {
    name: String,
}

/// When the process that was seen last began.
#[derive(Debug, Clone, Copy)]
pub(super) struct Started(Timestamp);

impl Health for Hissrv {
    fn probe(&self) -> Result<Probe, WriteError> {
        let health: SelfReport = self.fetch("/health")?;
        if health.name != PRODUCT {
            let message = format!("{PRODUCT}: at {} listens no hissrv, but {:?}", self.http.endpoint(), health.name);
            return Err(WriteError::Denied { message });
        }
        let status: Status = self.fetch("/api/v1/status")?;
        let started = self.started(Timestamp::now(), Duration::from_secs(status.uptime_s));
        let version = format!("{PRODUCT} {}", status.version);
        Ok(Probe { version, incarnation: started.map(|at| at.to_string()), advice: Vec::new() })
    }
}

impl Hissrv {
    fn fetch<T: for<'de> Deserialize<'de>>(&self, target: &str) -> Result<T, WriteError> {
        let reply = self.http.get(target).map_err(|error| error.into_refusal(PRODUCT))?;
        serde_json::from_str(&reply.body).map_err(|error| WriteError::Denied {
            message: format!("{PRODUCT}: {}{target} did not answer as a hissrv does: {error}", self.http.endpoint()),
        })
    }

    /// When its process began: as last time, unless it cannot be the same one.
    pub(super) fn started(&self, now: Timestamp, uptime: Duration) -> Option<Timestamp> {
        let began = now.checked_sub(uptime).ok()?;
        let mut last = self.started.lock().unwrap_or_else(PoisonError::into_inner);
        let began = match *last {
            Some(Started(before)) if before.duration_since(began).unsigned_abs() <= SAME_START => before,
            _ => began,
        };
        *last = Some(Started(began));
        Some(began)
    }
}

impl Ask for Hissrv {
    fn ask(&self, database: &str, policy: Option<&str>, text: &str) -> Result<Box<dyn Read>, QueryError> {
        match self.http.stream("/query", &query_form(database, policy, text)) {
            Ok(stream) => Ok(Box::new(stream)),
            Err(error) => Err(error.into_query_error(PRODUCT)),
        }
    }
}

impl Query for Hissrv {
    fn query(&self, plan: &Select, options: &Options<'_>, sink: Sink<'_>) -> Result<Report, QueryError> {
        influxdb::query::run(self, &self.schemas, plan, options, sink)
    }

    fn latest(&self, place: &Place, query: SeriesQuery, cancel: &Cancel) -> Result<QueryResult, QueryError> {
        influxdb::query::latest(self, &self.schemas, place, query, cancel)
    }
}

impl StorageBackend for Hissrv {
    fn name(&self) -> &'static str {
        "hissrv"
    }
}
