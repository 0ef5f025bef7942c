//! What an import says at its end.

use std::io::Write;
use std::path::Path;
use std::time::Duration;

use import::{Outcome, Snapshot};
use serde_json::{Value, json};

use super::missing::Missing;
use crate::cli::ImportArgs;
use crate::commands::events::lines;
use crate::commands::progress::grouped;

/// What was done.
pub(super) struct Summary<'a> {
    pub(super) target: &'a str,
    pub(super) complete: bool,
    /// What is counted as done: files, or jobs.
    pub(super) unit: &'static str,
    pub(super) done: usize,
    /// Of these, done by earlier runs.
    pub(super) before: usize,
    /// Jobs that were given up.
    pub(super) given_up: &'a [Missing<'a>],
    pub(super) counts: Snapshot,
    /// With earlier runs.
    pub(super) points_in_all: u64,
    /// There is a file of rejects.
    pub(super) has_rejects: bool,
    pub(super) took: Duration,
    /// What became of the events of it, if they were asked for.
    pub(super) events: Option<&'a Value>,
    /// Of that, waiting until the store had all on its disk.
    pub(super) settling: Duration,
}

impl<'a> Summary<'a> {
    /// That of an import by one process.
    pub(super) fn of(outcome: &Outcome, target: &'a str) -> Self {
        Self {
            target,
            complete: outcome.stopped.is_none(),
            unit: "files",
            done: outcome.checkpoint.files.iter().filter(|file| file.complete).count(),
            before: outcome.skipped,
            given_up: &[],
            counts: outcome.counts,
            points_in_all: outcome.checkpoint.points,
            has_rejects: outcome.has_rejects,
            took: outcome.took,
            events: None,
            settling: outcome.settling,
        }
    }
}

/// Tells what was done: on stdout, for people or for machines.
pub(super) fn tell(args: &ImportArgs, summary: &Summary<'_>, rejects: &Path) -> std::io::Result<()> {
    let mut out = std::io::stdout().lock();
    let Summary { target, complete, unit, done, before, given_up, counts, points_in_all, has_rejects, .. } = summary;
    let Summary { took, events, settling, .. } = summary;
    let seconds = took.as_secs_f64();
    let rate = counts.points as f64 / seconds.max(1e-3);
    if args.json {
        let summary = json!({
            "target": target, "complete": complete, "dry_run": args.dry_run,
            *unit: { "complete": done, "skipped": before },
            "given_up": given_up.iter().map(Missing::json).collect::<Vec<_>>(),
            "records": counts.records, "points": counts.points, "points_in_all": points_in_all,
            "empty": counts.empty, "refused": counts.refused, "filtered": counts.filtered,
            "batches": counts.batches, "retries": counts.retries, "bytes": counts.read_bytes,
            "seconds": seconds, "settling_seconds": settling.as_secs_f64(), "points_per_second": rate,
            "events": events,
            "rejects": has_rejects.then(|| rejects.display().to_string()),
        });
        return writeln!(out, "{summary}");
    }
    writeln!(out, "to            {target}")?;
    writeln!(out, "{unit:<13} {done} complete ({before} of them before)")?;
    if !given_up.is_empty() {
        writeln!(out, "given up      {}: what is in them is not all there", given_up.len())?;
    }
    writeln!(out, "points        {} stored, of {} records", grouped(counts.points), grouped(counts.records))?;
    if *points_in_all > counts.points {
        writeln!(out, "in all        {} points, with those of earlier runs", grouped(*points_in_all))?;
    }
    for (count, what) in [
        (counts.empty, "records without any value"),
        (counts.filtered, "values left out, since the store has no type for them"),
    ] {
        if count > 0 {
            writeln!(out, "              {} {what}", grouped(count))?;
        }
    }
    let place = if *has_rejects { format!(": see {}", rejects.display()) } else { String::new() };
    writeln!(out, "refused       {}{place}", grouped(counts.refused))?;
    writeln!(out, "batches       {}, sent again {}", grouped(counts.batches), grouped(counts.retries))?;
    writeln!(out, "time          {seconds:.1} s, {} points/s", grouped(rate as u64))?;
    events.map_or(Ok(()), |report| tell_events(&mut out, report))
}

fn tell_events(out: &mut impl Write, report: &Value) -> std::io::Result<()> {
    match report {
        Value::Null => writeln!(out, "events        nothing was imported that could be watched"),
        report => write!(out, "events of what was imported\n{}", lines(report)),
    }
}
