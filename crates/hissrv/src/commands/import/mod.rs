//! `hissrv import`: files to a store, with progress, a checkpoint and a summary.

mod events;
mod layout;
mod spread;
mod summary;

use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicBool;
use std::time::{Duration, Instant};

use anyhow::{Context, anyhow};
use import::{Checkpoint, Counters, FileFormat, Import, Input, Options, Outcome, Rejects, Stopped, find_inputs};

use super::progress::{Progress, Total};
use super::target::Target;
use crate::cli::{DeliveryArgs, Failure, ImportArgs, InputFormat, TargetName};
use crate::config::{self, Config};
use events::Noting;
use layout::layout;

/// Set by SIGINT and SIGTERM.
static STOP: AtomicBool = AtomicBool::new(false);
/// Name of the file of rejects unless one is given.
const REJECTS: &str = "hissrv-import.rejects";
/// What is done is saved so often.
const SAVE_EVERY: Duration = Duration::from_millis(250);

pub(crate) fn run(args: &ImportArgs) -> Result<(), Failure> {
    match &args.coordinator {
        Some(redis) if args.worker => spread::work(args, redis),
        Some(redis) => spread::coordinate(args, redis),
        None => alone(args),
    }
}

fn alone(args: &ImportArgs) -> Result<(), Failure> {
    let config = config::load(args.target.config.as_deref()).map_err(|e| Failure::Usage(e.to_string()))?.config;
    let inputs = find_inputs(&args.files, args.format.map(format)).map_err(|e| Failure::Usage(e.to_string()))?;
    if args.events {
        events::check(args, &config)?;
    }
    let task = task(args, &config, &inputs);
    let checkpoint_path = checkpoint_path(args, &task);
    let checkpoint = begin(args, &checkpoint_path, task)?;
    if args.dry_run && !args.json {
        show(&inputs, args)?;
    }
    super::signals::on_stop(&STOP).context("listen for signals")?;
    let target = if args.dry_run { Target::nowhere() } else { Target::open(&args.target, &config)? };
    let rejects_path = rejects_path(args);
    let total = inputs.iter().map(|input| input.len).sum::<Option<u64>>();
    let (counters, options, layout) = (Counters::default(), options(args), layout(args));
    let noting = Noting::new(target.sink());
    let import = Import {
        inputs: &inputs,
        layout: &layout,
        sink: if args.events { &noting } else { target.sink() },
        options: &options,
        rejects: Rejects::new(rejects_path.clone(), checkpoint.rejects_bytes),
        checkpoint,
        counters: &counters,
        stop: &STOP,
    };
    let mut progress = Progress::new(total.map_or(Total::Stream, Total::Bytes), args.quiet);
    let mut saved = Instant::now();
    let keeps = keeps_checkpoint(args, &inputs);
    let outcome = import.run(&mut |watched| {
        progress.show(&watched.counts(), watched.trouble());
        if keeps && saved.elapsed() >= SAVE_EVERY {
            watched.checkpoint()?.save(&checkpoint_path)?;
            saved = Instant::now();
        }
        Ok(())
    });
    progress.end();
    let is_through = outcome.as_ref().is_ok_and(|outcome| outcome.stopped.is_none());
    let events = (args.events && is_through).then(|| events::make(args, &target, &noting.seen())).transpose();
    // Also after a failure: what was written is then in files, and the next start is short.
    target.close();
    let outcome = outcome.map_err(anyhow::Error::from)?;
    if keeps {
        leave(&outcome, &checkpoint_path)?;
    }
    let made = events.as_ref().ok().and_then(Option::as_ref);
    let name = target.name();
    let summary = summary::Summary { events: made, ..summary::Summary::of(&outcome, &name) };
    summary::tell(args, &summary, &rejects_path)?;
    ended(args, outcome, keeps)?;
    events.map(|_| ()).map_err(of_events)
}

/// All is stored, so the import need not be done again.
fn of_events(failure: Failure) -> Failure {
    let stored = "all points are stored, but not their events: make them by `hissrv events generate`";
    match failure {
        Failure::Run(e) => Failure::Run(e.context(stored)),
        Failure::Usage(message) => Failure::Usage(format!("{stored}: {message}")),
    }
}

fn rejects_path(args: &ImportArgs) -> PathBuf {
    args.rejects.clone().unwrap_or_else(|| PathBuf::from(REJECTS))
}

/// Shows how the first file of each format is read.
fn show(inputs: &[Input], args: &ImportArgs) -> Result<(), Failure> {
    let mut shown: Vec<FileFormat> = Vec::new();
    let mut out = std::io::stdout().lock();
    for input in inputs.iter().filter(|input| input.len.is_some()) {
        if !shown.contains(&input.format) {
            shown.push(input.format);
            let text = import::describe(input, &layout(args)).with_context(|| input.name.clone())?;
            writeln!(out, "{}:\n  {}", input.name, text.join("\n  "))?;
        }
    }
    Ok(())
}

/// What the import is asked to do; a checkpoint of something else is not taken up.
fn task(args: &ImportArgs, config: &Config, inputs: &[Input]) -> String {
    let files: Vec<&str> = inputs.iter().map(|input| input.name.as_str()).collect();
    let database = args.target.database.as_deref().unwrap_or(config.database());
    format!(
        "{} -> {:?} {} {database}.{} ({:?})",
        files.join(", "),
        args.target.to.unwrap_or(TargetName::Auto),
        args.target.url.as_deref().unwrap_or_default(),
        args.target.policy.as_deref().unwrap_or_default(),
        layout(args)
    )
}

fn checkpoint_path(args: &ImportArgs, task: &str) -> PathBuf {
    let number = crc32c::crc32c(task.as_bytes());
    args.checkpoint.clone().unwrap_or_else(|| PathBuf::from(format!("hissrv-import-{number:08x}.json")))
}

/// Standard input cannot be read again, and a dry run does nothing.
fn keeps_checkpoint(args: &ImportArgs, inputs: &[Input]) -> bool {
    !args.dry_run && inputs.iter().all(|input| input.len.is_some())
}

/// What was done before.
fn begin(args: &ImportArgs, path: &Path, task: String) -> Result<Checkpoint, Failure> {
    if !args.resume {
        return Ok(Checkpoint::new(task));
    }
    match Checkpoint::load(path).map_err(|e| Failure::Usage(e.to_string()))? {
        Some(found) if found.task == task => Ok(found),
        Some(found) => Err(Failure::Usage(format!(
            "{} is of another import ({}): name the same files and the same store, or leave --resume out",
            path.display(),
            found.task
        ))),
        None => Err(Failure::Usage(format!(
            "there is no {}: an import of these files was not begun here, or it was finished; leave --resume out",
            path.display()
        ))),
    }
}

fn options(args: &ImportArgs) -> Options {
    Options { max_errors: args.max_errors, ..delivery(&args.delivery) }
}

/// How points go to a store.
pub(super) fn delivery(args: &DeliveryArgs) -> Options {
    let defaults = Options::default();
    Options {
        workers: args.workers.map_or(defaults.workers, usize::from),
        batch: args.batch as usize,
        retries: args.retries,
        ..defaults
    }
}

const fn format(format: InputFormat) -> FileFormat {
    match format {
        InputFormat::Lines => FileFormat::Lines,
        InputFormat::Csv => FileFormat::Csv,
        InputFormat::Parquet => FileFormat::Parquet,
    }
}

/// Leaves the checkpoint for the next run, or removes it when all is done.
fn leave(outcome: &Outcome, path: &Path) -> anyhow::Result<()> {
    if outcome.stopped.is_some() {
        return Ok(outcome.checkpoint.save(path)?);
    }
    match std::fs::remove_file(path) {
        Err(e) if e.kind() != std::io::ErrorKind::NotFound => {
            Err(e).with_context(|| format!("remove the checkpoint {}", path.display()))
        }
        _ => Ok(()),
    }
}

fn ended(args: &ImportArgs, outcome: Outcome, keeps: bool) -> Result<(), Failure> {
    let how = match keeps {
        true => "; run the same command with --resume to go on",
        false => "",
    };
    match outcome.stopped {
        None if outcome.counts.refused > 0 && args.dry_run => {
            Err(anyhow!("{} records would be refused", outcome.counts.refused).into())
        }
        None => Ok(()),
        Some(Stopped::Asked) => Err(anyhow!("stopped before the end{how}").into()),
        Some(Stopped::Failed(error)) => Err(anyhow!("{error}{how}").into()),
    }
}
