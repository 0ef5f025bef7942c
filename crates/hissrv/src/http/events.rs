//! Events: stored ones listed, newest first; those of a part of history made anew.

use std::time::{Duration, Instant};

use model::{Precision, Seq, TimeRange, TimestampNs};
use query::aggregate::Registry;
use query::execute::Options;
use query::request::{RequestContext, TimeReader};
use query::{AggregateRequest, Cell, Limits, QueryError, QueryResult, Select, Shortcuts, collect};
use serde_json::{Map, Value, json};
use server::{ApiError, ErrorKind, QueryOptions};

use ::events::{Level, MEASUREMENT, Source};

use super::{internal, threads};
use crate::node::{EventsOrder, EventsReport, History, Node, now};

/// Events told when nobody says how many, and at most.
const SHOWN: usize = 100;
const SHOWN_MAX: usize = 10_000;
/// How far back is looked when nobody says.
const SINCE: &str = "now-24h";
/// How far before a range samples are looked at when nobody says.
const LOOKBACK: &str = "30d";
/// Longest time without progress that is waited for values and live events before those of history are made.
const SETTLE_PATIENCE: Duration = Duration::from_secs(30);
const SETTLE_TICK: Duration = Duration::from_millis(10);
/// What of an event is told.
const COLUMNS: [&str; 10] =
    ["level", "source", "node_id", "node_type", "metric", "message", "value", "threshold", "duration_s", "event_id"];

fn wrong(message: String) -> ApiError {
    ApiError::new(ErrorKind::BadRequest, message)
}

fn times(node: &Node, epoch: Option<Precision>) -> (RequestContext, TimeReader) {
    let context = RequestContext { database: node.database.clone(), now: now(), epoch };
    let reader = TimeReader::new(&context);
    (context, reader)
}

/// `GET /api/v1/events`.
pub(super) fn list(node: &Node, parameters: &[(String, String)], options: &QueryOptions) -> Result<Vec<u8>, ApiError> {
    let (context, reader) = times(node, options.epoch);
    let wanted = Wanted::read(parameters, &reader)?;
    let body = json!({ "aggregate_type": "custom", "custom_query": wanted.statement() });
    let plan = AggregateRequest::parse(body.to_string().as_bytes())?.into_plan(&context)?;
    let result = match ask(node, &plan, options) {
        // Nothing was ever written.
        Err(QueryError::NotFound { .. }) => QueryResult::default(),
        outcome => outcome?,
    };
    let mut rows = rows(&result, options.epoch);
    let more = rows.len() > wanted.limit;
    rows.truncate(wanted.limit);
    Ok(json!({ "events": rows, "more": more, "warnings": result.warnings }).to_string().into_bytes())
}

fn ask(node: &Node, plan: &Select, options: &QueryOptions) -> Result<QueryResult, QueryError> {
    let shortcuts = Shortcuts { rollups: false, cache: false };
    collect(plan, &node.limits, |plan, limits: &Limits, sink| {
        let (cancel, registry) = (&options.cancel, Registry::shared());
        let options = Options { limits, cancel, registry, threads: threads(), into: false, shortcuts, cache: None };
        node.backend.query(plan, &options, sink)
    })
}

/// Which events are wanted.
struct Wanted {
    conditions: Vec<String>,
    limit: usize,
}

impl Wanted {
    fn read(parameters: &[(String, String)], times: &TimeReader) -> Result<Self, ApiError> {
        let mut wanted = Self { conditions: Vec::new(), limit: SHOWN };
        let (mut since, mut until) = (SINCE.to_owned(), None);
        for (key, value) in parameters {
            match key.as_str() {
                "level" => wanted.conditions.push(at_least(value)?),
                "source" => wanted.conditions.push(tag("source", source(value)?.as_str())),
                "node" => wanted.conditions.push(tag("node_id", value)),
                "type" => wanted.conditions.push(tag("node_type", value)),
                "metric" => wanted.conditions.push(tag("metric", value)),
                "since" => since.clone_from(value),
                "until" => until = Some(times.text("until", value)?),
                "limit" => wanted.limit = limit(value)?,
                _ => return Err(wrong(format!("unknown parameter `{key}`"))),
            }
        }
        wanted.conditions.push(format!("time >= {}", times.text("since", &since)?.0));
        wanted.conditions.extend(until.map(|until: TimestampNs| format!("time < {}", until.0)));
        Ok(wanted)
    }

    /// One more than wanted tells whether there are more.
    fn statement(&self) -> String {
        let columns = COLUMNS.map(|name| format!("\"{name}\"")).join(", ");
        let (conditions, rows) = (self.conditions.join(" AND "), self.limit + 1);
        format!("SELECT {columns} FROM \"{MEASUREMENT}\" WHERE {conditions} ORDER BY time DESC LIMIT {rows}")
    }
}

fn limit(text: &str) -> Result<usize, ApiError> {
    let number = text.parse().ok().filter(|n| (1..=SHOWN_MAX).contains(n));
    number.ok_or_else(|| wrong(format!("limit: expected a number from 1 to {SHOWN_MAX}")))
}

/// A level and those that are worse.
fn at_least(text: &str) -> Result<String, ApiError> {
    let found = Level::ALL.iter().find(|level| level.as_str().eq_ignore_ascii_case(text));
    let Some(least) = found else {
        return Err(wrong(format!("level: `{text}` is none of INFO, WARNING, ERROR, CRITICAL")));
    };
    let all: Vec<String> =
        Level::ALL.iter().filter(|level| *level >= least).map(|level| tag("level", level.as_str())).collect();
    Ok(format!("({})", all.join(" OR ")))
}

fn source(text: &str) -> Result<Source, ApiError> {
    let found = Source::ALL.into_iter().find(|source| source.as_str().eq_ignore_ascii_case(text));
    found.ok_or_else(|| wrong(format!("source: `{text}` is none of threshold, anomaly, info, state, event")))
}

/// A condition on a tag; in its value `*` stands for anything.
fn tag(name: &str, value: &str) -> String {
    if !value.contains('*') {
        return format!("\"{name}\" = '{}'", value.replace('\\', "\\\\").replace('\'', "\\'").replace('\n', "\\n"));
    }
    let mut pattern = String::new();
    for sign in value.chars() {
        match sign {
            '*' => pattern += ".*",
            sign if sign.is_alphanumeric() || sign == '_' || sign == '-' => pattern.push(sign),
            sign => pattern += &format!("\\x{{{:x}}}", u32::from(sign)),
        }
    }
    format!("\"{name}\" =~ /^{pattern}$/")
}

fn rows(result: &QueryResult, epoch: Option<Precision>) -> Vec<Value> {
    let Some(series) = result.series.first() else { return Vec::new() };
    let row = |(place, time): (usize, &TimestampNs)| {
        let mut row = Map::new();
        row.insert("time".to_owned(), shown(*time, epoch));
        for column in &series.columns {
            row.insert(column.name.clone(), column.cells.get(place).map_or(Value::Null, value));
        }
        Value::Object(row)
    };
    series.times.iter().enumerate().map(row).collect()
}

fn shown(time: TimestampNs, epoch: Option<Precision>) -> Value {
    match epoch {
        Some(unit) => json!(time.0.div_euclid(unit.ns())),
        None => {
            jiff::Timestamp::from_nanosecond(i128::from(time.0)).map_or(Value::Null, |time| json!(time.to_string()))
        }
    }
}

fn value(cell: &Cell) -> Value {
    match cell {
        Cell::Null => Value::Null,
        Cell::Float(value) => json!(value),
        Cell::Integer(value) => json!(value),
        Cell::Unsigned(value) => json!(value),
        Cell::Boolean(value) => json!(value),
        Cell::String(text) => json!(text),
    }
}

/// `POST /api/v1/admin/events`.
pub(super) fn generate(node: &Node, parameters: &[(String, String)]) -> Result<Vec<u8>, ApiError> {
    if node.applier.is_none() {
        let message = "the embedded store is switched off: there is no history here to make events of";
        return Err(ApiError::new(ErrorKind::BadRequest, message));
    }
    node.ready().map_err(|e| ApiError::new(ErrorKind::Unavailable, e))?;
    let order = order(node, parameters)?;
    settle(node)?;
    let target = node.intake.target(&node.database, None).map_err(|e| internal(e.to_string()))?;
    let goes_on = || node.is_running();
    let history = History { engine: &node.engine, intake: &node.intake, target, goes_on: &goes_on };
    let report = node.eventing.generate(&order, history).map_err(|e| match e.is_retryable() {
        true => ApiError::new(ErrorKind::Unavailable, e.to_string()).with_hint("do it again: what is done stays"),
        false => internal(e.to_string()),
    })?;
    // Whoever lists events next is to see these.
    settle(node)?;
    Ok(told(&order, &report).to_string().into_bytes())
}

/// Waits until everything written so far can be read, and the lane has made its events of it: what it made later would stay beside those of
/// history.
fn settle(node: &Node) -> Result<(), ApiError> {
    let last = node.journal.stats().last_seq;
    let (mut before, mut since) = ((Seq(0), Seq(0)), Instant::now());
    while node.applied.seq() < last || !node.eventing.has_seen(last) {
        let reached = (node.applied.seq(), node.eventing.seen());
        if reached != before {
            (before, since) = (reached, Instant::now());
        }
        if since.elapsed() > SETTLE_PATIENCE || !node.is_running() {
            let message = "values written before are still being taken in, or their live events cannot be written";
            return Err(ApiError::new(ErrorKind::Unavailable, message).with_hint("do it again later"));
        }
        std::thread::sleep(SETTLE_TICK);
    }
    Ok(())
}

fn order(node: &Node, parameters: &[(String, String)]) -> Result<EventsOrder, ApiError> {
    let (_, times) = times(node, None);
    let (mut from, mut to, mut nodes, mut dry) = (None, None, Vec::new(), false);
    let mut lookback = LOOKBACK.to_owned();
    for (key, value) in parameters {
        match key.as_str() {
            "from" => from = Some(times.text("from", value)?),
            "to" => to = Some(times.text("to", value)?),
            "match" => nodes.push(value.clone()),
            "lookback" => lookback.clone_from(value),
            "dry_run" => dry = flag(value)?,
            _ => return Err(wrong(format!("unknown parameter `{key}`"))),
        }
    }
    let from = from.ok_or_else(|| wrong("the parameter from must be a time, such as now-7d".to_owned()))?;
    let range = TimeRange::new(from, to.unwrap_or_else(now));
    if range.is_empty() {
        return Err(wrong("to: expected a time after from".to_owned()));
    }
    let back: model::HumanDuration = lookback.parse().map_err(|e| wrong(format!("lookback: {e}")))?;
    let lookback_ns = i64::try_from(back.0.as_nanos()).unwrap_or(i64::MAX);
    Ok(EventsOrder { range, lookback_ns, nodes, dry, now: now() })
}

fn flag(text: &str) -> Result<bool, ApiError> {
    text.parse().map_err(|_| wrong(format!("dry_run must be true or false, but is {text:?}")))
}

fn told(order: &EventsOrder, report: &EventsReport) -> Value {
    json!({
        "from": shown(order.range.start, None), "to": shown(order.range.end, None), "dry_run": order.dry,
        "nodes": report.nodes, "columns": report.columns, "samples": report.samples, "events": report.events,
        "written": report.written, "unchanged": report.unchanged, "removed": report.removed,
        "damaged": report.damaged, "is_cut_short": report.is_cut_short,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_filter_cannot_leave_its_quotes() {
        assert_eq!(tag("node_id", "vm-1"), "\"node_id\" = 'vm-1'");
        assert_eq!(tag("node_id", "a' OR 1=1 \\"), "\"node_id\" = 'a\\' OR 1=1 \\\\'");
        assert_eq!(tag("node_id", "vm*/x."), "\"node_id\" =~ /^vm.*\\x{2f}x\\x{2e}$/");
    }

    #[test]
    fn a_level_stands_for_itself_and_what_is_worse() {
        assert_eq!(at_least("error").unwrap(), "(\"level\" = 'ERROR' OR \"level\" = 'CRITICAL')");
        assert!(at_least("bad").is_err() && source("Threshold").is_ok() && limit("0").is_err());
    }
}
