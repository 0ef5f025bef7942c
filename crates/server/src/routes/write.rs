//! `POST /write` and `POST /api/v2/write`: line protocol in, 204 once it is durable.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::State;
use axum::http::{Request, StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use model::Precision;
use tokio::sync::oneshot;

use super::{Route, parameter, parameters};
use crate::app::{App, Shared};
use crate::body::{self, BodyError, Collected, Encoding};
use crate::budget::Share;
use crate::error::{ApiError, ErrorKind};
use crate::inflate::gunzip;
use crate::influx;
use crate::metrics::Group;
use crate::service::{Dialect, WriteFailure, WriteOutcome, WriteRequest};

pub(super) fn routes() -> Vec<Route> {
    vec![Route::post("/write", Group::Write, write_v1), Route::post("/api/v2/write", Group::Write, write_v2)]
}

async fn write_v1(State(app): State<Shared>, request: Request<Body>) -> Response {
    answer(Dialect::V1, write(app, Dialect::V1, request).await)
}

async fn write_v2(State(app): State<Shared>, request: Request<Body>) -> Response {
    answer(Dialect::V2, write(app, Dialect::V2, request).await)
}

fn answer(dialect: Dialect, result: Result<(), ApiError>) -> Response {
    match result {
        Ok(()) => influx::with_version(StatusCode::NO_CONTENT.into_response()),
        Err(error) => influx::error(dialect, error),
    }
}

async fn write(app: Shared, dialect: Dialect, request: Request<Body>) -> Result<(), ApiError> {
    let target = Target::parse(dialect, request.uri())?;
    let encoding = Encoding::of(request.headers())?;
    let rules = app.body_rules(app.config.max_body.0);
    let collected = body::collect(request, rules, &app.budget).await?;
    app.metrics.body_received(collected.bytes.len());
    let outcome = submit(app, target, encoding, collected).await?;
    refusal(&outcome).map_or(Ok(()), Err)
}

/// What the historian reports.
type Report = Result<WriteOutcome, WriteFailure>;

/// Hands the body to the historian and waits until it is durable.
async fn submit(app: Shared, target: Target, encoding: Encoding, body: Collected) -> Result<WriteOutcome, ApiError> {
    let (sender, receiver) = oneshot::channel();
    let missing = target.clone();
    // Also for a small body: new names are made durable before the lines under them, and that waits for the disk.
    let worker = Arc::clone(&app);
    app.blocking(move || unpack_and_hand_over(&worker, target, encoding, body, sender)).await??;
    match receiver.await {
        Ok(Ok(outcome)) => Ok(outcome),
        Ok(Err(failure)) => Err(failed(failure, &missing)),
        Err(_) => Err(ApiError::new(ErrorKind::Internal, "the historian dropped a write without a result")),
    }
}

fn unpack_and_hand_over(
    app: &App,
    target: Target,
    encoding: Encoding,
    body: Collected,
    sender: oneshot::Sender<Report>,
) -> Result<(), BodyError> {
    let Collected { bytes, mut share } = body;
    let bytes = match encoding {
        Encoding::Plain => bytes,
        Encoding::Gzip => gunzip(&bytes, app.config.max_body.0, &mut share)?,
    };
    hand_over(app, target, bytes, share, sender);
    Ok(())
}

/// The share of the budget is given back when the historian is done, also when the client has gone away before.
fn hand_over(app: &App, target: Target, body: Bytes, share: Share, sender: oneshot::Sender<Report>) {
    let Target { database, retention_policy, precision, dialect } = target;
    let request = WriteRequest { database, retention_policy, precision, body, dialect };
    let done = move |result| {
        drop(share);
        if sender.send(result).is_err() {
            tracing::debug!("the client went away before its write was done");
        }
    };
    app.historian.write(request, Box::new(done));
}

fn failed(failure: WriteFailure, target: &Target) -> ApiError {
    match failure {
        WriteFailure::NoSuchDatabase(name) => match target.dialect {
            Dialect::V1 => ApiError::new(ErrorKind::NotFound, format!("database not found: {name:?}")),
            Dialect::V2 => ApiError::new(ErrorKind::NotFound, format!("bucket {name:?} not found")),
        },
        WriteFailure::NoSuchRetentionPolicy(name) => {
            ApiError::new(ErrorKind::NoSuchRetentionPolicy, format!("retention policy not found: {name}"))
        }
        WriteFailure::BadRequest(message) => ApiError::new(ErrorKind::BadRequest, message),
        WriteFailure::Full(message) => ApiError::new(ErrorKind::Busy, message),
        WriteFailure::Shutdown => ApiError::new(ErrorKind::Unavailable, "the server is stopping"),
        WriteFailure::Internal(message) => ApiError::new(ErrorKind::Internal, message),
    }
}

/// The error InfluxDB answers when not everything was stored; `None` when everything was. Clients look for its words.
fn refusal(outcome: &WriteOutcome) -> Option<ApiError> {
    let mut reasons = outcome.rejected.join("\n");
    let unnamed = outcome.rejected_total.saturating_sub(outcome.rejected.len() as u64);
    if unnamed > 0 {
        reasons.push_str(&format!("\nand {unnamed} more lines that hold no point"));
    }
    if let Some(dropped) = &outcome.dropped {
        let separator = if reasons.is_empty() { "" } else { "\n" };
        reasons.push_str(&format!("{separator}{}", dropped.reason));
    }
    let dropped = outcome.dropped.as_ref().map_or(0, |dropped| dropped.points);
    let message = match (outcome.rejected_total, dropped, outcome.accepted) {
        (0, 0, _) => return None,
        (_, 0, 0) => reasons,
        _ => format!("partial write: {reasons} dropped={dropped}"),
    };
    Some(ApiError::new(ErrorKind::BadRequest, message))
}

/// Where a write goes and how its times are meant.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Target {
    database: String,
    retention_policy: Option<String>,
    precision: Precision,
    dialect: Dialect,
}

impl Target {
    fn parse(dialect: Dialect, uri: &Uri) -> Result<Self, ApiError> {
        let list = parameters(uri)?;
        match dialect {
            Dialect::V1 => Self::parse_v1(&list),
            Dialect::V2 => Self::parse_v2(&list),
        }
    }

    /// NOTE: an unknown precision means nanoseconds, without an error; InfluxDB 1.x has it so, and `us` is unknown to it.
    fn parse_v1(list: &[(String, String)]) -> Result<Self, ApiError> {
        let wrong = |message| ApiError::new(ErrorKind::BadRequest, message);
        let database = parameter(list, "db").unwrap_or_default();
        if database.is_empty() {
            return Err(wrong("database is required"));
        }
        if !matches!(parameter(list, "consistency"), None | Some("" | "any" | "one" | "quorum" | "all")) {
            return Err(wrong("invalid consistency level"));
        }
        let precision = match parameter(list, "precision").unwrap_or_default() {
            "u" => Precision::Microsecond,
            "ms" => Precision::Millisecond,
            "s" => Precision::Second,
            "m" => Precision::Minute,
            "h" => Precision::Hour,
            _ => Precision::Nanosecond,
        };
        let policy = parameter(list, "rp").filter(|rp| !rp.is_empty());
        Ok(Self {
            database: database.to_owned(),
            retention_policy: policy.map(str::to_owned),
            precision,
            dialect: Dialect::V1,
        })
    }

    /// A bucket is `database` or `database/policy`, as with InfluxDB 1.8.
    fn parse_v2(list: &[(String, String)]) -> Result<Self, ApiError> {
        let wrong = |message| ApiError::new(ErrorKind::BadRequest, message);
        let bucket = parameter(list, "bucket").unwrap_or_default();
        let (database, policy) = bucket.split_once('/').unwrap_or((bucket, ""));
        if database.is_empty() {
            return Err(wrong("bucket is required, as database or database/retention-policy"));
        }
        let precision = match parameter(list, "precision").unwrap_or_default() {
            "" | "ns" => Precision::Nanosecond,
            "us" => Precision::Microsecond,
            "ms" => Precision::Millisecond,
            "s" => Precision::Second,
            _ => return Err(wrong("precision must be one of ns, us, ms, s")),
        };
        let retention_policy = (!policy.is_empty()).then(|| policy.to_owned());
        Ok(Self { database: database.to_owned(), retention_policy, precision, dialect: Dialect::V2 })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::service::Dropped;

    fn message(outcome: WriteOutcome) -> Option<String> {
        refusal(&outcome).map(|error| error.message)
    }

    #[test]
    fn a_write_that_was_stored_wholly_is_no_error() {
        assert_eq!(message(WriteOutcome { accepted: 3, ..WriteOutcome::default() }), None);
        assert_eq!(message(WriteOutcome::default()), None);
    }

    #[test]
    fn a_partial_write_has_influxdbs_words() {
        let bad = || vec!["unable to parse 'm v=+ 2': invalid boolean".to_owned(), "unable to parse 'm'".to_owned()];
        let lines = "unable to parse 'm v=+ 2': invalid boolean\nunable to parse 'm'";
        let some = WriteOutcome { accepted: 2, rejected: bad(), rejected_total: 2, dropped: None };
        assert_eq!(message(some), Some(format!("partial write: {lines} dropped=0")));
        let none = WriteOutcome { accepted: 0, rejected: bad(), rejected_total: 2, dropped: None };
        assert_eq!(message(none), Some(lines.to_owned()));
        let many = WriteOutcome { accepted: 0, rejected: bad(), rejected_total: 9, dropped: None };
        assert_eq!(message(many), Some(format!("{lines}\nand 7 more lines that hold no point")));
    }

    #[test]
    fn dropped_points_are_counted_after_the_reasons() {
        let dropped = || Some(Dropped { reason: "points beyond retention policy".to_owned(), points: 4 });
        let only = WriteOutcome { dropped: dropped(), ..WriteOutcome::default() };
        assert_eq!(message(only), Some("partial write: points beyond retention policy dropped=4".to_owned()));
        let rejected = vec!["unable to parse 'm'".to_owned()];
        let both = WriteOutcome { accepted: 1, rejected, rejected_total: 1, dropped: dropped() };
        let expected = "partial write: unable to parse 'm'\npoints beyond retention policy dropped=4";
        assert_eq!(message(both), Some(expected.to_owned()));
    }

    #[test]
    fn targets_are_parsed_in_both_dialects() {
        let v1 = |query: &str| Target::parse(Dialect::V1, &format!("/write?{query}").parse().unwrap());
        let v2 = |query: &str| Target::parse(Dialect::V2, &format!("/api/v2/write?{query}").parse().unwrap());
        let target = v1("db=a%20b&rp=r&precision=ms&u=x&p=y&consistency=any").unwrap();
        assert_eq!((target.database.as_str(), target.retention_policy.as_deref()), ("a b", Some("r")));
        assert_eq!(target.precision, Precision::Millisecond);
        assert_eq!(v1("db=a&rp=&precision=us").unwrap().precision, Precision::Nanosecond);
        assert_eq!(v1("db=a&rp=").unwrap().retention_policy, None);
        let target = v2("org=o&bucket=a/b&precision=us").unwrap();
        assert_eq!((target.database.as_str(), target.retention_policy.as_deref()), ("a", Some("b")));
        assert_eq!(target.precision, Precision::Microsecond);
        assert_eq!(v2("bucket=a/").unwrap().retention_policy, None);
        for wrong in [v1("db="), v1("rp=r"), v1("db=a&consistency=x"), v2("bucket=/b"), v2("bucket=a&precision=m")] {
            assert_eq!(wrong.unwrap_err().kind, ErrorKind::BadRequest);
        }
    }
}
