//! What an import says at its end.

use std::io::Write;
use std::path::Path;

use import::Outcome;
use serde_json::json;

use crate::cli::ImportArgs;
use crate::commands::progress::grouped;

/// Tells what was done: on stdout, for people or for machines.
pub(super) fn tell(args: &ImportArgs, outcome: &Outcome, rejects: &Path, target: &str) -> std::io::Result<()> {
    let mut out = std::io::stdout().lock();
    let counts = &outcome.counts;
    let seconds = outcome.took.as_secs_f64();
    let rate = counts.points as f64 / seconds.max(1e-3);
    let files = outcome.checkpoint.files.iter().filter(|file| file.complete).count();
    if args.json {
        let summary = json!({
            "target": target, "complete": outcome.stopped.is_none(), "dry_run": args.dry_run,
            "files": { "complete": files, "skipped": outcome.skipped },
            "records": counts.records, "points": counts.points, "points_in_all": outcome.checkpoint.points,
            "empty": counts.empty, "refused": counts.refused, "filtered": counts.filtered,
            "batches": counts.batches, "retries": counts.retries, "bytes": counts.read_bytes,
            "seconds": seconds, "points_per_second": rate,
            "rejects": (outcome.checkpoint.rejects_bytes > 0).then(|| rejects.display().to_string()),
        });
        return writeln!(out, "{summary}");
    }
    writeln!(out, "to            {target}")?;
    writeln!(out, "files         {files} complete ({} of them before)", outcome.skipped)?;
    writeln!(out, "points        {} stored, of {} records", grouped(counts.points), grouped(counts.records))?;
    if outcome.checkpoint.points > counts.points {
        writeln!(out, "in all        {} points, with those of earlier runs", grouped(outcome.checkpoint.points))?;
    }
    for (count, what) in [
        (counts.empty, "records without any value"),
        (counts.filtered, "values left out, since the store has no type for them"),
    ] {
        if count > 0 {
            writeln!(out, "              {} {what}", grouped(count))?;
        }
    }
    writeln!(out, "refused       {}{}", grouped(counts.refused), place(outcome, rejects))?;
    writeln!(out, "batches       {}, sent again {}", grouped(counts.batches), grouped(counts.retries))?;
    writeln!(out, "time          {seconds:.1} s, {} points/s", grouped(rate as u64))
}

fn place(outcome: &Outcome, rejects: &Path) -> String {
    match outcome.checkpoint.rejects_bytes {
        0 => String::new(),
        _ => format!(": see {}", rejects.display()),
    }
}
