//! `hissrv import --coordinator` and `--worker`: one import on several machines.

use std::hash::{BuildHasher, RandomState};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::time::{Duration, Instant};

use anyhow::{Context, anyhow};
use import::spread::{Board, BoardError, Coordinator, Duties, Task, Total, cut, work as take_jobs};
use import::{Sink, Snapshot, find_inputs};
use source::Stop;

use super::layout::layout;
use super::missing::Missing;
use super::paths::Paths;
use super::summary::{Summary, tell};
use super::{STOP, format, options};
use crate::cli::{Failure, ImportArgs};
use crate::commands::progress::{Progress, Total as Amount};
use crate::commands::signals;
use crate::commands::target::Target;
use crate::config;

/// A shorter lease would expire while a worker waits for its store.
const LEAST_LEASE: Duration = Duration::from_secs(1);
/// Between two looks at how far the jobs are.
const LOOK_EVERY: Duration = Duration::from_millis(300);

/// Cuts the files into jobs, posts them, and waits until workers have done them.
pub(super) fn coordinate(args: &ImportArgs, redis: &str) -> Result<(), Failure> {
    let inputs = find_inputs(&args.files, args.format.map(format)).map_err(|e| Failure::Usage(e.to_string()))?;
    let layout = layout(args);
    let jobs = cut(&inputs, &layout, args.chunk.0).map_err(|e| Failure::Usage(e.to_string()))?;
    let mut task = Task {
        id: String::new(),
        layout,
        database: args.target.database.clone(),
        policy: args.target.policy.clone(),
        max_errors: args.max_errors,
        lease: args.lease.0.max(LEAST_LEASE),
        jobs: jobs.len() as u64,
    };
    let content = format!("{task:?} {jobs:?}");
    let names: Vec<&str> = inputs.iter().map(|input| input.name.as_str()).collect();
    task.id = format!("{:08x} {}", crc32c::crc32c(content.as_bytes()), names.join(", "));
    let paths = Paths::of(args, &task.id);
    paths.check(&inputs)?;
    if args.rejects.is_none() {
        paths.remove_old_rejects()?;
    }
    let mut board = board(args, redis)?;
    signals::on_stop(&STOP).context("listen for signals")?;
    if args.anew {
        board.clear().context("remove what was posted")?;
    }
    let bytes = jobs.iter().map(|job| job.input.part.map_or(job.input.len, |part| Some(part.end - part.start.offset)));
    let amount = bytes.sum::<Option<u64>>().map_or(Amount::Stream, Amount::Bytes);
    let mut progress = Progress::new(amount, args.quiet);
    let coordinator = Coordinator::new(board, task, jobs, spool(&paths.rejects));
    let mut coordinator = if args.resume { coordinator.resuming() } else { coordinator };
    let start = Instant::now();
    let outcome = watch(args, &paths.rejects, &mut coordinator, &mut progress);
    progress.end();
    let total = outcome?;
    let rejects = write_rejects(&paths.rejects, &mut coordinator)?;
    coordinator.end().context("remove the jobs from Redis")?;
    let missing = Missing::of(&coordinator);
    let summary = Summary {
        target: redis_without_login(redis),
        complete: missing.is_empty(),
        unit: "jobs",
        done: coordinator.done().len() - missing.len(),
        before: coordinator.before() as usize,
        given_up: &missing,
        counts: total.counts,
        points_in_all: total.counts.points,
        has_rejects: rejects > 0,
        took: start.elapsed(),
        events: None,
        settling: Duration::ZERO,
    };
    tell(args, &summary, &paths.rejects)?;
    if missing.is_empty() {
        return Ok(());
    }
    let parts: Vec<String> = missing.iter().map(ToString::to_string).collect();
    let (count, parts) = (parts.len(), parts.join("; "));
    Err(anyhow!(
        "{count} jobs were given up, and what is in them is not all there: {parts}. The same command with --resume tries only these"
    )
    .into())
}

/// Looks until all jobs are done.
fn watch(
    args: &ImportArgs,
    rejects: &Path,
    coordinator: &mut Coordinator,
    progress: &mut Progress,
) -> Result<Total, Failure> {
    loop {
        let left = match coordinator.look() {
            Ok(total) if total.done >= total.jobs => return Ok(total),
            Ok(total) if total.counts.refused > args.max_errors => return Err(too_many(args, rejects, coordinator)),
            Ok(total) => {
                progress.show(&total.counts, None);
                format!("{} jobs are left, and the workers go on with them", total.jobs - total.done)
            }
            Err(BoardError::Link(error)) => {
                progress.show(&Snapshot::default(), Some(format!("Redis: {error}")));
                format!("Redis does not answer ({error}); with what is posted there the workers go on")
            }
            Err(other) => return Err(Failure::Usage(other.to_string())),
        };
        if STOP.load(Relaxed) {
            return Err(anyhow!("stopped watching; {left}. The same command watches again").into());
        }
        std::thread::sleep(LOOK_EVERY);
    }
}

/// Ends the import.
fn too_many(args: &ImportArgs, rejects: &Path, coordinator: &mut Coordinator) -> Failure {
    let ended = write_rejects(rejects, coordinator)
        .and_then(|_| coordinator.end().context("remove the jobs from Redis"))
        .map_or_else(|e| format!("; but {e:#}"), |()| "; the workers are told to end".to_owned());
    anyhow!("more than {} records were refused: see {}{ended}", args.max_errors, rejects.display()).into()
}

/// The rejects of all jobs, in the order of the jobs; gives their bytes.
fn write_rejects(path: &Path, coordinator: &mut Coordinator) -> anyhow::Result<u64> {
    coordinator.write_rejects(path).with_context(|| format!("write {}", path.display()))
}

/// Where rejects are kept meanwhile: beside their file, where there is room for them, unless that is a device or a pipe.
fn spool(rejects: &Path) -> PathBuf {
    let name = format!("hissrv-import-{}.spool", std::process::id());
    match std::fs::metadata(rejects) {
        Ok(there) if !there.is_file() => std::env::temp_dir().join(name),
        _ => rejects.with_file_name(name),
    }
}

fn redis_without_login(url: &str) -> &str {
    url.rsplit_once('@').map_or(url, |(_, host)| host)
}

fn board(args: &ImportArgs, redis: &str) -> Result<Board, Failure> {
    Board::new(redis, &args.name, Arc::new(Stop::default())).map_err(|e| Failure::Usage(e.to_string()))
}

/// Takes jobs until all are done.
pub(super) fn work(args: &ImportArgs, redis: &str) -> Result<(), Failure> {
    let config = config::load(args.target.config.as_deref()).map_err(|e| Failure::Usage(e.to_string()))?.config;
    let mut board = board(args, redis)?;
    signals::on_stop(&STOP).context("listen for signals")?;
    let host = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
    // A container that is started again has the same host and process id, and yet it is another worker: the one before may have died.
    let start_number = RandomState::new().hash_one(0_u8) >> 32;
    let name = format!("{}:{}:{start_number:08x}", host.trim(), std::process::id());
    let (start, options) = (Instant::now(), options(args));
    let scratch = std::env::temp_dir().join(format!("hissrv-worker-{}.rejects", std::process::id()));
    let tell_people = |text: &str| {
        if !args.quiet {
            eprintln!("{text}");
        }
    };
    let duties = Duties { name: &name, options: &options, scratch: scratch.clone(), stop: &STOP, tell: &tell_people };
    let mut target: Option<Arc<Target>> = None;
    let worked = take_jobs(&mut board, &duties, &mut |task: &Task| {
        // The data directory is opened once, for whatever task.
        let opened = match &target {
            Some(opened) => Arc::clone(opened),
            None => {
                let opened = Target::open_for(&args.target, &config, task.database.as_deref(), task.policy.as_deref());
                Arc::new(opened.map_err(|e| format!("{e:?}"))?)
            }
        };
        target = Some(Arc::clone(&opened));
        Ok(Box::new(Shared(opened)) as Box<dyn Sink>)
    });
    std::fs::remove_file(&scratch).ok();
    if let Some(target) = &target {
        target.close();
    }
    let worked = worked.map_err(|e| Failure::Usage(e.to_string()))?;
    let summary = Summary {
        target: &target.as_ref().map_or_else(|| "no job was done".to_owned(), |target| target.name()),
        complete: !STOP.load(Relaxed),
        unit: "jobs",
        done: worked.jobs as usize,
        before: 0,
        given_up: &[],
        counts: worked.counts,
        points_in_all: worked.counts.points,
        has_rejects: false,
        took: start.elapsed(),
        events: None,
        settling: Duration::ZERO,
    };
    tell(args, &summary, &scratch)?;
    Ok(())
}

/// The sink of a target that is used for several jobs.
struct Shared(Arc<Target>);

impl Sink for Shared {
    fn session(&self) -> Box<dyn import::SinkSession + '_> {
        self.0.sink().session()
    }

    fn prepare(&self) -> Result<(), backend::WriteError> {
        self.0.sink().prepare()
    }

    fn forgetful(&self) -> Option<&dyn import::Forgetful> {
        self.0.sink().forgetful()
    }
}
