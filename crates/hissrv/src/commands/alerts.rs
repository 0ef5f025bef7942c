//! `hissrv alerts`: what fires, and who is told of it. All but the test of a channel is answered by a running service.

use std::io::Write;
use std::path::Path;

use ::alerts::{Moment, SilenceConfig, send_test};
use anyhow::{Context, anyhow};
use model::TimestampNs;
use serde_json::Value;

use super::address::{address_of, load};
use super::client::request;
use super::store::encoded;
use super::table::aligned;
use crate::cli::{AlertsArgs, AlertsCommand, Failure, SilenceArgs};
use crate::node::{now, tools};

pub(crate) fn run(args: &AlertsArgs) -> Result<(), Failure> {
    match &args.command {
        AlertsCommand::List { service, json } => list(&address_of(service)?, *json),
        AlertsCommand::Test { channel, config } => test(channel, config.as_deref()),
        AlertsCommand::Silence(args) => silence(args),
        AlertsCommand::Unsilence { id, service } => unsilence(&address_of(service)?, id),
    }
}

fn test(channel: &str, config: Option<&Path>) -> Result<(), Failure> {
    let config = load(config)?;
    // A channel of the type `log` writes there.
    crate::logging::init(&config.log).map_err(Failure::Usage)?;
    send_test(&config.alerts, channel, &tools(), now()).map_err(|e| match e {
        ::alerts::TestError::Send(e) => Failure::Run(anyhow!("channel {channel}: {e}")),
        wrong => Failure::Usage(wrong.to_string()),
    })?;
    Ok(writeln!(std::io::stdout(), "channel {channel}: the test notification was taken")?)
}

fn silence(args: &SilenceArgs) -> Result<(), Failure> {
    let url = address_of(&args.service)?;
    let from = args.from.map_or_else(now, |from| from.0);
    let end = args.length.map(|length| i64::try_from(length.0.as_nanos()).unwrap_or(i64::MAX));
    let until = end.map(|length| Moment(TimestampNs(from.0.saturating_add(length)))).or(args.until);
    let labels = args.matches.iter().cloned().collect();
    let silence = SilenceConfig { labels, from: args.from, until, comment: args.comment.clone(), ..Default::default() };
    let body = serde_json::to_string(&silence)?;
    let answer: Value = serde_json::from_slice(&request(&url, "POST", "/api/v1/admin/silence", &body)?)?;
    let until = until.map(|until| until.to_string()).unwrap_or_default();
    Ok(writeln!(std::io::stdout(), "{} until {until}", text(&answer, "id"))?)
}

fn unsilence(url: &str, id: &str) -> Result<(), Failure> {
    request(url, "POST", &format!("/api/v1/admin/unsilence?id={}", encoded(id)), "")?;
    Ok(writeln!(std::io::stdout(), "{id}: removed")?)
}

fn list(url: &str, json: bool) -> Result<(), Failure> {
    let answer = request(url, "GET", "/api/v1/alerts", "")?;
    let mut out = std::io::stdout().lock();
    if json {
        out.write_all(&answer)?;
        writeln!(out)?;
        return Ok(());
    }
    out.write_all(tables(&serde_json::from_slice(&answer).context("read the answer")?).as_bytes())?;
    Ok(())
}

fn tables(listing: &Value) -> String {
    let rows = |key: &str, row: fn(&Value) -> Option<Vec<String>>| -> Vec<Vec<String>> {
        listing.get(key).and_then(Value::as_array).into_iter().flatten().filter_map(row).collect()
    };
    let alerts = rows("alerts", alert);
    let first = if alerts.is_empty() { "no alerts\n".to_owned() } else { String::new() };
    first
        + &table("alerts", &["state", "severity", "rule", "labels", "value", "since", "until"], alerts)
        + &table("silences", &["id", "labels", "from", "until", "comment"], rows("silences", silenced))
        + &table("channels", &["name", "waiting", "delivered", "given up", "last error"], rows("channels", channel))
        + &table("rules that cannot be looked at", &["name", "error"], rows("rules", failing))
}

fn table(title: &str, headings: &[&str], rows: Vec<Vec<String>>) -> String {
    if rows.is_empty() {
        return String::new();
    }
    let mut lines = vec![headings.iter().map(|heading| (*heading).to_owned()).collect()];
    lines.extend(rows);
    format!("{title}:\n{}", aligned(&lines))
}

fn alert(alert: &Value) -> Option<Vec<String>> {
    let silenced = alert.get("silenced_by").and_then(Value::as_array).is_some_and(|by| !by.is_empty());
    let state = text(alert, "state") + if silenced { " (silenced)" } else { "" };
    let [severity, rule, value, since, until] =
        ["severity", "rule", "value", "since", "until"].map(|key| text(alert, key));
    Some(vec![state, severity, rule, labels(alert), value, since, until])
}

fn silenced(silence: &Value) -> Option<Vec<String>> {
    let [id, from, until, comment] = ["id", "from", "until", "comment"].map(|key| text(silence, key));
    Some(vec![id, labels(silence), from, until, comment])
}

fn channel(channel: &Value) -> Option<Vec<String>> {
    Some(["name", "waiting", "delivered", "given_up", "last_error"].map(|key| text(channel, key)).to_vec())
}

fn failing(rule: &Value) -> Option<Vec<String>> {
    let error = rule.get("error")?.as_str()?;
    Some(vec![text(rule, "name"), error.to_owned()])
}

fn labels(value: &Value) -> String {
    let members = value.get("labels").and_then(Value::as_object).into_iter().flatten();
    let pairs: Vec<String> =
        members.map(|(key, value)| format!("{key}={}", value.as_str().unwrap_or_default())).collect();
    pairs.join(" ")
}

/// Empty for null.
fn text(value: &Value, key: &str) -> String {
    match value.get(key) {
        None | Some(Value::Null) => String::new(),
        Some(Value::String(text)) => text.clone(),
        Some(other) => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn alerts_silences_channels_and_failing_rules_are_shown() {
        let listing = json!({
            "alerts": [{"state": "firing", "severity": "warning", "rule": "hot", "labels": {"host": "a"}, "value": 11.5,
                "since": "2023-11-14T22:13:21Z", "until": null, "silenced_by": ["c0"]}],
            "silences": [],
            "rules": [{"name": "hot", "error": null}, {"name": "cold", "error": "database not found: d"}],
            "channels": [{"name": "ops", "waiting": 2, "delivered": 7, "given_up": 0, "last_error": "refused"}],
        });
        let shown = tables(&listing);
        for line in [
            "  firing (silenced)  warning   hot   host=a  11.5   2023-11-14T22:13:21Z",
            "  ops   2        7          0         refused",
            "  cold  database not found: d",
        ] {
            assert!(shown.contains(line), "{line} is not in\n{shown}");
        }
        assert!(!shown.contains("silences:"));
        assert!(tables(&json!({})).starts_with("no alerts"));
    }
}
