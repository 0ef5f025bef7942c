//! `hissrv events list`.

use std::io::Write;

use serde_json::Value;

use super::path_of;
use crate::cli::{Failure, ListArgs};
use crate::commands::address::address_of;
use crate::commands::client::request;
use crate::commands::table::aligned;

pub(super) fn run(args: &ListArgs) -> Result<(), Failure> {
    let answer = request(&address_of(&args.service)?, "GET", &path_of("/api/v1/events", &parameters(args)), "")?;
    let mut out = std::io::stdout().lock();
    if args.json {
        out.write_all(&answer)?;
        writeln!(out)?;
        return Ok(());
    }
    out.write_all(table(&serde_json::from_slice(&answer)?).as_bytes())?;
    Ok(())
}

fn parameters(args: &ListArgs) -> Vec<(String, String)> {
    let given = [
        ("level", args.level.clone()),
        ("node", args.node.clone()),
        ("source", args.source.clone()),
        ("metric", args.metric.clone()),
        ("since", Some(args.since.clone())),
        ("until", args.until.clone()),
        ("limit", Some(args.limit.to_string())),
    ];
    given.into_iter().filter_map(|(key, value)| Some((key.to_owned(), value?))).collect()
}

const COLUMNS: [&str; 6] = ["time", "level", "source", "node_id", "metric", "message"];

fn table(answer: &Value) -> String {
    let events = answer.get("events").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    if events.is_empty() {
        return "no events\n".to_owned();
    }
    let text = |event: &Value, key: &str| event.get(key).and_then(Value::as_str).unwrap_or_default().to_owned();
    let mut lines = vec![["time", "level", "source", "node", "metric", "message"].map(str::to_owned).to_vec()];
    lines.extend(events.iter().map(|event| COLUMNS.map(|key| text(event, key)).to_vec()));
    let more = answer.get("more").and_then(Value::as_bool).unwrap_or_default();
    aligned(&lines) + if more { "there are more; see --limit and --since\n" } else { "" }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn events_are_told_a_line_each() {
        let event = json!({
            "time": "2026-11-22T10:00:00Z", "level": "WARNING", "source": "threshold", "node_id": "vm-1", "metric": "cpu_usage",
            "message": "CPU usage high", "value": 85.0,
        });
        let text = table(&json!({ "events": [event], "more": true }));
        let lines: Vec<&str> = text.lines().collect();
        assert!(lines[0].starts_with("  time") && lines[1].ends_with("vm-1  cpu_usage  CPU usage high"), "{text}");
        assert!(lines[2].contains("--limit"), "{text}");
        assert_eq!(table(&json!({ "events": [] })), "no events\n");
    }
}
