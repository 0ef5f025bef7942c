//! What is said at the end: on stdout, or on stderr where the points go to stdout.

use std::io::Write;
use std::path::Path;

use generate::Plan;
use serde_json::json;

use super::done::{Done, Published};
use crate::cli::GenerateArgs;
use crate::commands::progress::grouped;

/// Tells what was done; `labels` is the number of labels written.
pub(super) fn tell(args: &GenerateArgs, plan: &Plan, done: &Done, labels: Option<u64>) -> std::io::Result<()> {
    let text = match args.json {
        true => format!("{}\n", machine(plan, done, labels)),
        false => people(plan, done, labels),
    };
    match args.out.as_deref() == Some(Path::new("-")) {
        true if args.quiet => Ok(()),
        true => std::io::stderr().write_all(text.as_bytes()),
        false => std::io::stdout().write_all(text.as_bytes()),
    }
}

fn machine(plan: &Plan, done: &Done, labels: Option<u64>) -> serde_json::Value {
    let redis = done.published.as_ref().map(
        |Published { messages, unheard, rate }| json!({ "messages": messages, "unheard": unheard, "rate_asked_for": rate }),
    );
    json!({
        "target": done.target, "complete": done.complete, "series": plan.series().len(), "points": done.points,
        "refused": done.refused, "reason": done.reason, "retries": done.retries, "labels": labels,
        "seconds": done.took.as_secs_f64(), "points_per_second": done.rate(), "redis": redis,
    })
}

fn people(plan: &Plan, done: &Done, labels: Option<u64>) -> String {
    let mut lines = vec![
        format!("to            {}", done.target),
        format!("points        {} of {} series", grouped(done.points), grouped(plan.series().len() as u64)),
    ];
    if let Some(Published { messages, unheard, .. }) = done.published {
        lines.push(format!("messages      {}, of which nobody received {}", grouped(messages), grouped(unheard)));
    }
    if done.published.is_some() || done.refused > 0 {
        let reason = done.reason.as_ref().map_or_else(String::new, |reason| format!(": {reason}"));
        lines.push(format!("refused       {}{reason}", grouped(done.refused)));
    }
    if done.retries > 0 {
        lines.push(format!("sent again    {}", grouped(done.retries)));
    }
    if let Some(labels) = labels {
        lines.push(format!("labels        {}", grouped(labels)));
    }
    let asked =
        done.published.as_ref().map_or_else(String::new, |p| format!(" of {} asked for", grouped(p.rate as u64)));
    lines.push(format!(
        "time          {:.1} s, {} points/s{asked}\n",
        done.took.as_secs_f64(),
        grouped(done.rate().round() as u64)
    ));
    lines.join("\n")
}
