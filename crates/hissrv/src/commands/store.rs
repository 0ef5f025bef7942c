//! `hissrv store`: how stores are fed, and what an operator does about it.

use std::io::Write;

use serde_json::Value;

use super::client::request;
use crate::cli::{Failure, StoreArgs, StoreCommand};

pub(crate) fn run(args: &StoreArgs) -> Result<(), Failure> {
    let (action, name) = match &args.command {
        StoreCommand::List => return list(&args.url),
        StoreCommand::Pause { name } => ("pause", name),
        StoreCommand::Resume { name } => ("resume", name),
        StoreCommand::Skip { name } => ("skip", name),
        StoreCommand::Forget { name } => ("forget", name),
    };
    let path = format!("/api/v1/admin/store?name={}&action={action}", encoded(name));
    let answer: Value = serde_json::from_slice(&request(&args.url, "POST", &path, "")?)?;
    let mut out = std::io::stdout().lock();
    match answer.get("writer") {
        Some(writer) => writeln!(out, "{}", line(name, writer))?,
        None => writeln!(out, "{name}: forgotten, about {} values given up", short(&answer, "values_given_up"))?,
    }
    Ok(())
}

fn list(url: &str) -> Result<(), Failure> {
    let status: Value = serde_json::from_slice(&request(url, "GET", "/api/v1/status", "")?)?;
    let mut out = std::io::stdout().lock();
    if status.get("engine").is_some_and(|engine| !engine.is_null()) {
        writeln!(out, "embedded: in this hissrv")?;
    }
    for store in status.get("stores").and_then(Value::as_array).into_iter().flatten() {
        writeln!(out, "{}", line(&short(store, "name"), store.get("writer").unwrap_or(&Value::Null)))?;
    }
    Ok(())
}

/// Values that are not in the store and will not be, and how that is said.
const NOT_STORED: [(&str, &str); 7] = [
    ("dead", "refused (hissrv dead-letter list)"),
    ("lost_dead", "refused and lost, since the space for dead letters was used up"),
    ("filtered", "left out, since it has no type for them or their names were dropped"),
    ("expired", "older than their policy keeps"),
    ("lost", "lost in the journal"),
    ("skipped", "given up"),
    ("skipped_unread", "given up unread"),
];

/// One line about a store for a terminal.
pub(super) fn line(name: &str, writer: &Value) -> String {
    let mut line = format!(
        "{name}: {}, {} values stored, about {} wait in the journal",
        short(writer, "state"),
        short(writer, "stored"),
        short(writer, "lag_values")
    );
    for (key, what) in NOT_STORED {
        let count = writer.get(key).and_then(Value::as_u64).unwrap_or(0);
        if count > 0 {
            line += &format!(", {count} {what}");
        }
    }
    if let Some(seconds) = writer.get("seconds_to_drained").and_then(Value::as_f64) {
        line += &format!(", drained in {seconds:.0} s");
    }
    if let Some(error) = writer.get("last_error").and_then(Value::as_str) {
        line += &format!("; last error: {error}");
    }
    line
}

fn short(value: &Value, key: &str) -> String {
    let found = value.get(key).unwrap_or(&Value::Null);
    found.as_str().map_or_else(|| found.to_string(), str::to_owned)
}

/// A text as the value of a parameter in a URL.
pub(super) fn encoded(text: &str) -> String {
    let mut out = String::new();
    for byte in text.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' => out.push(char::from(byte)),
            _ => out += &format!("%{byte:02X}"),
        }
    }
    out
}
