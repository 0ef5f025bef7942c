//! `hissrv query`: asks a running service and prints a table.

use std::fmt::Write as _;
use std::io::Write;

use serde_json::{Map, Value, json};

use super::client::request;
use super::table::aligned;
use crate::cli::{Failure, QueryArgs};

pub(crate) fn run(args: &QueryArgs) -> Result<(), Failure> {
    let answer = ask(args)?;
    let mut out = std::io::stdout().lock();
    if args.json {
        out.write_all(&answer)?;
        writeln!(out)?;
        return Ok(());
    }
    let answer: Value = serde_json::from_slice(&answer)?;
    out.write_all(table(&answer).as_bytes())?;
    for warning in answer.get("warnings").and_then(Value::as_array).into_iter().flatten() {
        eprintln!("warning: {}", text_of(warning));
    }
    Ok(())
}

fn ask(args: &QueryArgs) -> anyhow::Result<Vec<u8>> {
    if args.latest {
        return request(&args.url, "GET", &latest_path(args), "");
    }
    let mut body = Map::new();
    body.insert("measurement".to_owned(), json!(args.measurement));
    body.insert("start".to_owned(), json!(args.start));
    body.insert("end".to_owned(), json!(args.end));
    body.insert("tags".to_owned(), Value::Object(args.tags.iter().map(|(k, v)| (k.clone(), json!(v))).collect()));
    let mut set = |key: &str, value: Option<Value>| _ = value.and_then(|v| body.insert(key.to_owned(), v));
    set("database", args.database.as_ref().map(|d| json!(d)));
    set("fields", (!args.fields.is_empty()).then(|| json!(args.fields)));
    set("group_by", (!args.group_by.is_empty()).then(|| json!(args.group_by)));
    set("limit", args.limit.map(|n| json!(n)));
    set("order", (args.desc || args.function.is_none()).then(|| json!(if args.desc { "desc" } else { "asc" })));
    let Some(function) = &args.function else {
        return request(&args.url, "POST", "/api/v1/query/series", &Value::Object(body).to_string());
    };
    let kind = if args.interval.is_some() { "time_window" } else { "statistical" };
    set("aggregate_type", Some(json!(kind)));
    set("function", Some(json!(function)));
    set("interval", args.interval.as_ref().map(|i| json!(i)));
    request(&args.url, "POST", "/api/v1/query/aggregate", &Value::Object(body).to_string())
}

fn latest_path(args: &QueryArgs) -> String {
    let mut path = format!("/api/v1/latest?measurement={}", encoded(&args.measurement));
    let mut add = |key: &str, value: &str| path += &format!("&{}={}", encoded(key), encoded(value));
    args.database.iter().for_each(|d| add("db", d));
    args.fields.iter().for_each(|f| add("field", f));
    args.tags.iter().for_each(|(k, v)| add(&format!("tag.{k}"), v));
    path
}

/// Percent-encoded for a URL's query.
pub(super) fn encoded(text: &str) -> String {
    let mut out = String::new();
    for byte in text.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' => out.push(char::from(byte)),
            _ => {
                let written = write!(out, "%{byte:02X}");
                debug_assert!(written.is_ok(), "writing to a String does not fail");
            }
        }
    }
    out
}

/// Every series as a table with a heading.
fn table(answer: &Value) -> String {
    let mut out = String::new();
    let series = answer.get("series").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    if series.is_empty() {
        return "no points\n".to_owned();
    }
    for one in series {
        out += &heading(one);
        out += &rows(one);
    }
    out
}

fn heading(series: &Value) -> String {
    let tags = series.get("tags").and_then(Value::as_object);
    let tags: Vec<String> = tags.into_iter().flatten().map(|(k, v)| format!("{k}={}", text_of(v))).collect();
    format!("{} {}\n", series.get("name").map(text_of).unwrap_or_default(), tags.join(" "))
}

fn rows(series: &Value) -> String {
    let list = |key: &str| series.get(key).and_then(Value::as_array).cloned().unwrap_or_default();
    let mut lines: Vec<Vec<String>> = vec![list("columns").iter().map(text_of).collect()];
    lines.extend(list("values").iter().map(|row| row.as_array().into_iter().flatten().map(text_of).collect()));
    aligned(&lines)
}

fn text_of(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Null => String::new(),
        other => other.to_string(),
    }
}
