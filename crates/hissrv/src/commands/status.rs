//! `hissrv status`: how a running service is doing.

use std::io::Write;

use serde_json::Value;

use super::client::request;
use crate::cli::{Failure, StatusArgs};

pub(crate) fn run(args: &StatusArgs) -> Result<(), Failure> {
    let answer = request(&args.url, "GET", "/api/v1/status", "")?;
    let mut out = std::io::stdout().lock();
    if args.json {
        out.write_all(&answer)?;
        writeln!(out)?;
        return Ok(());
    }
    out.write_all(summary(&serde_json::from_slice(&answer)?).as_bytes())?;
    Ok(())
}

fn summary(s: &Value) -> String {
    let at = |path: &str| s.pointer(path).map(short).unwrap_or_default();
    let mut lines = vec![
        format!("hissrv {}, up {} s, {}", at("/version"), at("/uptime_s"), readiness(s)),
        engine(s),
        format!(
            "journal  durable up to record {}, {} bytes in {} segments",
            at("/journal/durable_seq"),
            at("/journal/bytes"),
            at("/journal/segments")
        ),
    ];
    for store in s.get("stores").and_then(Value::as_array).into_iter().flatten() {
        let name = store.get("name").map(short).unwrap_or_default();
        lines.push(format!("store    {}", super::store::line(&name, store.get("writer").unwrap_or(&Value::Null))));
    }
    for consumer in s.pointer("/journal/consumers").and_then(Value::as_array).into_iter().flatten() {
        let get = |key: &str| consumer.get(key).map(short).unwrap_or_default();
        // The others were told of with their writers.
        if get("name") == "embedded" {
            lines.push(format!("  embedded: about {} values are in the journal only", get("lag_points")));
        }
    }
    lines.push(format!(
        "alerts   {} firing, {} pending, {} notifications wait",
        at("/alerts/firing"),
        at("/alerts/pending"),
        at("/alerts/waiting")
    ));
    lines.extend(s.get("archive").filter(|archive| !archive.is_null()).map(archive));
    for held in s.pointer("/retention/held_back").and_then(Value::as_array).into_iter().flatten() {
        let get = |key: &str| held.get(key).map(short).unwrap_or_default();
        lines.push(format!(
            "kept     {}.{} from {} on, past its retention: {} files ({} bytes), {}",
            get("database"),
            get("policy"),
            get("from"),
            get("files"),
            get("bytes"),
            get("why")
        ));
    }
    for (origin, counts) in s.get("intake").and_then(Value::as_object).into_iter().flatten() {
        let get = |key: &str| counts.get(key).map(short).unwrap_or_default();
        lines.push(format!(
            "intake   {origin}: {} received, {} journaled, {} rejected, {} dropped, {} in flight",
            get("received"),
            get("journaled"),
            get("rejected"),
            get("dropped"),
            get("in_flight")
        ));
    }
    for source in s.get("sources").and_then(Value::as_array).into_iter().flatten() {
        let get = |path: &str| source.pointer(path).map(short).unwrap_or_default();
        let connected = if get("/state/connected") == "true" { "connected" } else { "NOT connected" };
        lines.push(format!(
            "source   {} {}: {connected}, {} messages, {} points, {} gaps",
            get("/kind"),
            get("/state/endpoint"),
            get("/state/messages"),
            get("/state/points"),
            get("/state/gap_count")
        ));
    }
    lines.join("\n") + "\n"
}

fn engine(s: &Value) -> String {
    let Some(engine) = s.get("engine").filter(|engine| !engine.is_null()) else {
        return "engine   switched off".to_owned();
    };
    let at = |key: &str| engine.get(key).map(short).unwrap_or_default();
    format!(
        "engine   {} series, {} values in {} files ({} bytes), {} in memory",
        at("series"),
        at("file_values"),
        at("files"),
        at("file_bytes"),
        at("head_values")
    )
}

fn archive(archive: &Value) -> String {
    let at = |key: &str| archive.get(key).map(short).unwrap_or_default();
    let error = Some(at("last_error")).filter(|error| !error.is_empty()).map(|error| format!("; last error: {error}"));
    format!(
        "archive  {} {}: {} files, {} values written, {} failures{}",
        at("target"),
        at("schedule"),
        at("files"),
        at("values"),
        at("failures"),
        error.unwrap_or_default()
    )
}

fn readiness(s: &Value) -> String {
    match s.get("waiting_for").and_then(Value::as_str) {
        Some(what) => format!("not ready: {what}"),
        None => "ready".to_owned(),
    }
}

fn short(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}
