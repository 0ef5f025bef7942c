//! `hissrv events generate`.

use std::io::Write;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context, anyhow};
use serde_json::Value;

use super::{lines, path_of};
use crate::cli::{EventsGenerateArgs, Failure};
use crate::commands::address::{load, url_of};
use crate::commands::client::request_patiently;
use crate::commands::target::generate_events;
use crate::config::Config;
use crate::node::Node;

/// Longest time for writing to files what is in memory at the end.
const CLOSE_DEADLINE: Duration = Duration::from_secs(600);

pub(super) fn run(args: &EventsGenerateArgs) -> Result<(), Failure> {
    let config = load(args.config.as_deref())?;
    let parameters = parameters(args);
    let answer = if args.url.is_some() || Node::is_in_use(&config.data_dir) {
        let url = args.url.clone().unwrap_or_else(|| url_of(&config));
        request_patiently(&url, "POST", &path_of("/api/v1/admin/events", &parameters))?
    } else {
        in_data_directory(&config, &parameters)?
    };
    let report: Value = serde_json::from_slice(&answer).context("read the answer")?;
    let mut out = std::io::stdout().lock();
    if args.json {
        out.write_all(&answer)?;
        writeln!(out)?;
    } else {
        out.write_all(summary(&report).as_bytes())?;
    }
    match report.get("is_cut_short").and_then(Value::as_bool) {
        Some(true) => Err(anyhow!("the service stopped before the end: do it again").into()),
        _ => Ok(()),
    }
}

fn parameters(args: &EventsGenerateArgs) -> Vec<(String, String)> {
    let fixed = [("from", &args.from), ("to", &args.to), ("lookback", &args.lookback)];
    let mut all: Vec<(String, String)> = fixed.map(|(key, value)| (key.to_owned(), value.clone())).to_vec();
    all.extend(args.nodes.iter().map(|pattern| ("match".to_owned(), pattern.clone())));
    all.push(("dry_run".to_owned(), args.dry_run.to_string()));
    all
}

/// Without a service: the same on its data directory.
fn in_data_directory(config: &Config, parameters: &[(String, String)]) -> Result<Vec<u8>, Failure> {
    let node = Arc::new(Node::open(config)?);
    let outcome = generate_events(&node, parameters);
    let deadline = Instant::now() + CLOSE_DEADLINE;
    node.stop_sources(deadline);
    node.close(deadline);
    outcome
}

fn summary(report: &Value) -> String {
    let time = |key: &str| report.get(key).and_then(Value::as_str).unwrap_or_default();
    format!("{} to {}\n{}", time("from"), time("to"), lines(report))
}
