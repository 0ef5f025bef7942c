//! `hissrv retention`: what is older than its retention policy keeps, removed by a running service or only looked at.

use std::io::Write;

use serde_json::Value;

use super::address::address_of;
use super::client::request;
use super::table::aligned;
use crate::cli::{Failure, RetentionArgs};

pub(crate) fn run(args: &RetentionArgs) -> Result<(), Failure> {
    let path = format!("/api/v1/admin/retention?dry_run={}&force={}", args.dry_run, args.force);
    let answer = request(&address_of(&args.service)?, "POST", &path, "")?;
    let mut out = std::io::stdout().lock();
    if args.json {
        out.write_all(&answer)?;
        writeln!(out)?;
        return Ok(());
    }
    let answer: Value = serde_json::from_slice(&answer)?;
    out.write_all(report(&answer).as_bytes())?;
    let errors: Vec<String> = buckets(&answer).filter_map(|b| b.get("error")?.as_str().map(str::to_owned)).collect();
    match errors.is_empty() {
        true => Ok(()),
        false => Err(anyhow::anyhow!("not everything could be removed: {}", errors.join("; ")).into()),
    }
}

fn buckets(answer: &Value) -> impl Iterator<Item = &Value> {
    answer.get("buckets").and_then(Value::as_array).into_iter().flatten()
}

const HEADINGS: [&str; 9] = ["policy", "keeps", "hidden before", "files", "bytes", "series", "values", "first", "last"];

fn report(answer: &Value) -> String {
    let rows: Vec<Vec<String>> = buckets(answer).map(row).collect();
    if rows.is_empty() {
        return "no retention policy has a duration: everything is kept\n".to_owned();
    }
    let is_dry = answer.get("dry_run").and_then(Value::as_bool).unwrap_or(false);
    let headings = HEADINGS.map(str::to_owned).to_vec();
    let lines: Vec<Vec<String>> = std::iter::once(headings).chain(rows).collect();
    let title = if is_dry { "would go" } else { "removed" };
    let mut out = format!("{title}\n{}", aligned(&lines));
    for bucket in buckets(answer) {
        out += &held(bucket);
    }
    out
}

fn row(bucket: &Value) -> Vec<String> {
    let at = |pointer: &str| bucket.pointer(pointer).map(short).unwrap_or_default();
    let mut cells = vec![name(bucket), at("/duration"), at("/cutoff")];
    cells.extend(["files", "bytes", "series", "values", "first", "last"].map(|key| at(&format!("/goes/{key}"))));
    cells
}

/// A line about what is held back of a bucket; nothing where nothing is.
fn held(bucket: &Value) -> String {
    let Some(held) = bucket.get("held").filter(|held| !held.is_null()) else { return String::new() };
    let at = |key: &str| held.get(key).map(short).unwrap_or_default();
    format!(
        "held back of {} from {} on: {} files, {} bytes, {} series, {} values, {} to {}: {}\n",
        name(bucket),
        at("from"),
        at("files"),
        at("bytes"),
        at("series"),
        at("values"),
        at("first"),
        at("last"),
        at("why")
    )
}

fn name(bucket: &Value) -> String {
    let at = |key: &str| bucket.get(key).map(short).unwrap_or_default();
    format!("{}.{}", at("database"), at("policy"))
}

fn short(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Null => "-".to_owned(),
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn what_goes_and_what_is_held_back_is_told_with_the_reason() {
        let nothing = json!({ "files": 0, "bytes": 0, "series": 0, "values": 0, "first": null, "last": null });
        let some = json!({
            "files": 1, "bytes": 300, "series": 2, "values": 7, "first": "2026-01-01T00:00:00Z",
            "last": "2026-01-01T09:00:00Z", "from": "2026-01-01T00:00:00Z", "why": "not yet rolled up by hourly",
        });
        let bucket = json!({
            "database": "d", "policy": "raw", "duration": "1w", "cutoff": "2026-01-08T00:00:00Z", "goes": nothing,
            "held": some, "error": null,
        });
        let text = report(&json!({ "dry_run": true, "forced": false, "buckets": [bucket] }));
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(lines.len(), 4, "{text}");
        assert!(lines[0] == "would go" && lines[2].contains("d.raw   1w     2026-01-08T00:00:00Z  0"), "{text}");
        assert!(lines[3].contains("held back of d.raw from 2026-01-01T00:00:00Z on: 1 files, 300 bytes"), "{text}");
        assert!(lines[3].ends_with(": not yet rolled up by hourly"), "{text}");
        assert!(report(&json!({ "buckets": [] })).contains("everything is kept"));
    }
}
