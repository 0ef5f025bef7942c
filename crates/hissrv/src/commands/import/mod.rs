//! `hissrv import`: files to a store, with progress, a checkpoint and a summary.

mod events;
mod layout;
mod missing;
mod paths;
mod spread;
mod summary;

use std::collections::HashSet;
use std::io::Write;
use std::path::Path;
use std::sync::atomic::AtomicBool;
use std::time::{Duration, Instant};

use anyhow::{Context, anyhow};
use import::{
    Checkpoint, Counters, FileFormat, Import, ImportError, Input, Layout, Options, Outcome, Rejects, Stopped,
    find_inputs,
};

use super::progress::{Progress, Total};
use super::target::Target;
use crate::cli::{DeliveryArgs, Failure, ImportArgs, InputFormat, TargetName, told};
use crate::commands::address::load;
use crate::config::Config;
use events::Noting;
use layout::layout;
use paths::Paths;

/// Set by SIGINT and SIGTERM.
static STOP: AtomicBool = AtomicBool::new(false);
/// What is done is saved so often.
const SAVE_EVERY: Duration = Duration::from_millis(250);

pub(crate) fn run(args: &ImportArgs) -> Result<(), Failure> {
    crate::memory::give_back_soon();
    match &args.coordinator {
        Some(redis) if args.worker => spread::work(args, redis),
        Some(redis) => spread::coordinate(args, redis),
        None => alone(args),
    }
}

fn alone(args: &ImportArgs) -> Result<(), Failure> {
    let config = load(args.target.config.as_deref())?;
    let inputs = find_inputs(&args.files, args.format.map(format)).map_err(|e| Failure::Usage(e.to_string()))?;
    if args.events {
        events::check(args, &config)?;
    }
    let task = task(args, &config, &inputs);
    let paths = Paths::of(args, &task);
    paths.check(&inputs)?;
    let checkpoint = begin(args, &inputs, &paths, task)?;
    check(&inputs, &checkpoint, &layout(args))?;
    if args.dry_run && !args.json {
        show(&inputs, args)?;
    }
    super::signals::on_stop(&STOP).context("listen for signals")?;
    let target = if args.dry_run { Target::nowhere() } else { events::target(args, &config)? };
    let total = inputs.iter().map(|input| input.len).sum::<Option<u64>>();
    let (counters, options, layout) = (Counters::default(), options(args), layout(args));
    let noting = Noting::new(target.sink());
    let import = Import {
        inputs: &inputs,
        layout: &layout,
        sink: if args.events { &noting } else { target.sink() },
        options: &options,
        rejects: Rejects::new(paths.rejects.clone(), checkpoint.rejects_bytes),
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
            watched.checkpoint()?.save(&paths.checkpoint)?;
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
    let left = if keeps { leave(&outcome, &paths.checkpoint) } else { Ok(()) };
    let made = events.as_ref().ok().and_then(Option::as_ref);
    let name = target.name();
    let summary = summary::Summary { events: made, ..summary::Summary::of(&outcome, &name) };
    summary::tell(args, &summary, &paths.rejects)?;
    let ended = ended(args, outcome, &target, if keeps && left.is_ok() { Next::Resume } else { Next::Anew });
    match (left, ended) {
        (Ok(()), Ok(())) => events.map(|_| ()).map_err(of_events),
        (Ok(()), ended) => ended,
        (Err(unsaved), Err(Failure::Run(why))) => Err(anyhow!("{}; and {}", told(&why), told(&unsaved)).into()),
        (Err(unsaved), _) => Err(unsaved.into()),
    }
}

/// All is stored, so the import need not be done again.
fn of_events(failure: Failure) -> Failure {
    let stored = "all points are stored, but not their events: make them by `hissrv events generate`";
    match failure {
        Failure::Run(e) => Failure::Run(e.context(stored)),
        Failure::Usage(message) => Failure::Usage(format!("{stored}: {message}")),
    }
}

/// Looks whether files can be read so, before anything is stored.
fn check(inputs: &[Input], checkpoint: &Checkpoint, layout: &Layout) -> Result<(), Failure> {
    let complete = checkpoint.files.iter().filter(|file| file.complete).map(|file| (&file.name, file.len));
    let complete: HashSet<_> = complete.collect();
    let is_left = |input: &&Input| !complete.contains(&(&input.name, input.len));
    for input in inputs.iter().filter(is_left) {
        import::check(input, layout).map_err(|error| match error {
            formats::Error::Columns(_) => Failure::Usage(format!("{}: {error}", input.name)),
            error => Failure::Run(anyhow!("{}: {error}", input.name)),
        })?;
    }
    Ok(())
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

/// What the import is asked to do, and where; a checkpoint of something else is not taken up.
fn task(args: &ImportArgs, config: &Config, inputs: &[Input]) -> String {
    let files: Vec<&str> = inputs.iter().map(|input| input.name.as_str()).collect();
    let database = args.target.database.as_deref().unwrap_or(config.database());
    format!(
        "{} -> {:?} {} {database}.{} ({:?})",
        files.join(", "),
        args.target.to.unwrap_or(TargetName::Auto),
        Target::place(&args.target, config),
        args.target.policy.as_deref().unwrap_or_default(),
        layout(args)
    )
}

/// Standard input cannot be read again, and a dry run does nothing.
fn keeps_checkpoint(args: &ImportArgs, inputs: &[Input]) -> bool {
    !args.dry_run && inputs.iter().all(|input| input.len.is_some())
}

/// What was done before.
fn begin(args: &ImportArgs, inputs: &[Input], paths: &Paths, task: String) -> Result<Checkpoint, Failure> {
    let path = &paths.checkpoint;
    if !args.resume {
        if args.rejects.is_none() {
            paths.remove_old_rejects()?;
        }
        return Ok(Checkpoint::new(task));
    }
    if inputs.iter().any(|input| input.len.is_none()) {
        return Err(Failure::Usage(
            "--resume: standard input and pipes cannot be read again from where they were; leave --resume out and send everything again, \
             which changes nothing of what is there"
                .to_owned(),
        ));
    }
    match Checkpoint::load(path).map_err(|e| Failure::Usage(e.to_string()))? {
        Some(found) if found.task == task => Ok(paths.without_changed(found, inputs)),
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

/// What can be done about an import that ended early.
enum Next {
    Resume,
    Anew,
}

fn ended(args: &ImportArgs, outcome: Outcome, target: &Target, next: Next) -> Result<(), Failure> {
    let how = match next {
        Next::Resume => "; run the same command with --resume to go on",
        Next::Anew => "",
    };
    let refused = outcome.counts.refused;
    match outcome.stopped {
        None if refused > 0 && args.dry_run => Err(anyhow!("{refused} records would be refused").into()),
        None if refused > 0 && outcome.checkpoint.points == 0 => {
            Err(anyhow!("nothing was stored: all {refused} records were refused").into())
        }
        None => Ok(()),
        Some(Stopped::Asked) => Err(anyhow!("stopped before the end{how}").into()),
        Some(Stopped::Failed(error @ ImportError::Store { .. })) => {
            Err(anyhow!("{error}{}{how}", target.hint()).into())
        }
        Some(Stopped::Failed(error)) => Err(anyhow!("{error}{how}").into()),
    }
}
