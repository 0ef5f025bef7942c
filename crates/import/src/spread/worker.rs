//! A worker: takes jobs one by one until all are done.

use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::time::{Duration, Instant};

use super::board::{Board, BoardError, Taken};
use super::silent::Back;
use super::standing::{Standing, is_own};
use super::{ATTEMPTS, GivenUp, JobDone, Task};
use crate::checkpoint::Checkpoint;
use crate::counters::{Counters, Snapshot};
use crate::error::ImportError;
use crate::options::Options;
use crate::rejects::Rejects;
use crate::run::{Import, Outcome, Stopped};
use crate::sink::Sink;

/// Between two looks at a board that has nothing to do, and after a failure of Redis.
const PATIENCE: Duration = Duration::from_millis(300);

/// Opens the sink for a task, or says in a sentence why that cannot be done now.
pub type OpenSink<'s> = &'s mut dyn FnMut(&Task) -> Result<Box<dyn Sink>, String>;

/// The task being worked on, and where its points go.
type Current = Option<(Task, Box<dyn Sink>)>;

/// What a worker works with.
pub struct Duties<'a> {
    /// Its name, unlike that of every other worker, also of those before it.
    pub name: &'a str,
    /// How it writes.
    pub options: &'a Options,
    /// A file for the rejects of the job under way; removed after.
    pub scratch: PathBuf,
    /// Set by whoever wants it to end. The job under way goes back.
    pub stop: &'a AtomicBool,
    /// Told what happens, for people.
    pub tell: &'a dyn Fn(&str),
}

/// What a worker has done.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Worked {
    /// Jobs done.
    pub jobs: u64,
    /// Figures of these jobs.
    pub counts: Snapshot,
}

/// Why a worker ended before all jobs were done.
#[derive(Debug, thiserror::Error)]
pub enum WorkError {
    /// The board cannot be used.
    #[error(transparent)]
    Board(#[from] BoardError),
    /// It is set up wrongly, as far as can be seen.
    #[error(
        "this worker failed {failures} times in a row and never did a job, so it ends; its jobs are left to others. The last time: {reason}"
    )]
    Unfit {
        /// How often it failed.
        failures: u32,
        /// How it failed last.
        reason: String,
    },
}

/// Works until all jobs of the task are done, or the board is removed, or it is asked to end. A board that is not there yet is waited for.
///
/// # Errors
/// [`BoardError::Foreign`], [`WorkError::Unfit`]. A Redis that is away is waited for.
pub fn work(board: &mut Board, duties: &Duties<'_>, sink_for: OpenSink<'_>) -> Result<Worked, WorkError> {
    let (mut worked, mut current, mut standing) = (Worked::default(), None, Standing::default());
    while !duties.stop.load(Relaxed) {
        let step = step(board, duties, &mut current, sink_for, (&mut worked, &mut standing));
        match step {
            Ok(Step::Over) => return Ok(worked),
            Ok(Step::Again) => {}
            Ok(Step::Wait) => std::thread::sleep(PATIENCE),
            Ok(Step::Failed(reason)) => match standing.failed(duties.options) {
                Ok(delay) => {
                    (duties.tell)(&format!("{reason}; trying again"));
                    pause(duties, delay);
                }
                Err(failures) => return Err(WorkError::Unfit { failures, reason }),
            },
            Err(BoardError::Link(error)) => {
                (duties.tell)(&format!("Redis: {error}; trying again"));
                std::thread::sleep(PATIENCE);
            }
            Err(other) => return Err(other.into()),
        }
    }
    Ok(worked)
}

/// Waits so long, or until it is asked to end.
fn pause(duties: &Duties<'_>, delay: Duration) {
    let end = Instant::now() + delay;
    while let Some(left) = end.checked_duration_since(Instant::now()) {
        if left.is_zero() || duties.stop.load(Relaxed) {
            return;
        }
        std::thread::sleep(left.min(PATIENCE));
    }
}

enum Step {
    Again,
    Wait,
    /// The worker failed at its own side; the job, if there was one, is with others.
    Failed(String),
    Over,
}

fn step(
    board: &mut Board,
    duties: &Duties<'_>,
    current: &mut Current,
    sink_for: OpenSink<'_>,
    record: (&mut Worked, &mut Standing),
) -> Result<Step, BoardError> {
    let Some(task) = board.task()? else {
        // Not there yet, or lost by Redis: then the coordinator posts it again.
        let is_over = match current {
            Some((task, _)) => board.is_over(task)?,
            None => false,
        };
        return Ok(if is_over { Step::Over } else { Step::Wait });
    };
    if current.as_ref().is_none_or(|(known, _)| known.id != task.id) {
        match sink_for(&task) {
            Ok(sink) => *current = Some((task.clone(), sink)),
            Err(reason) => return Ok(Step::Failed(reason)),
        }
    }
    let Some((task, sink)) = current.as_ref() else { return Ok(Step::Wait) };
    let Some(taken) = board.take(duties.name, task)? else {
        return Ok(if board.done()? >= task.jobs { Step::Over } else { Step::Wait });
    };
    if board.is_done(&taken.job)? {
        // Somebody else finished it, and died before saying so.
        board.drop_done(&taken).map(|()| Step::Again)
    } else {
        one(board, duties, task, &**sink, &taken, record)
    }
}

fn one(
    board: &mut Board,
    duties: &Duties<'_>,
    task: &Task,
    sink: &dyn Sink,
    taken: &Taken,
    (worked, standing): (&mut Worked, &mut Standing),
) -> Result<Step, BoardError> {
    let Some(outcome) = import(board, duties, task, sink, taken) else { return Ok(Step::Again) };
    // Records that are no text are refused, too, and are shown as far as they can be.
    let rejects = std::fs::read(&duties.scratch).unwrap_or_default();
    let rejects = String::from_utf8_lossy(&rejects).into_owned();
    let failure = match outcome.stopped {
        None => {
            standing.succeeded();
            None
        }
        Some(Stopped::Asked) => {
            return board.give_back(duties.name, task, taken, Back::AtOnce).map(|()| Step::Again);
        }
        Some(Stopped::Failed(error)) => {
            let reason = format!("{}: {error}", taken.job.input.name);
            // Nobody else would find fewer of them.
            let is_final = matches!(error, ImportError::TooManyErrors { .. });
            let is_over = is_final || (standing.is_try(&error) && board.count_failure(&taken.job)? >= ATTEMPTS);
            if !is_over && is_own(&error) {
                board.give_back(duties.name, task, taken, Back::AtOnce)?;
                return Ok(Step::Failed(reason));
            }
            (duties.tell)(&reason);
            if !is_over {
                // Somebody else may be luckier.
                board.give_back(duties.name, task, taken, Back::AfterLease)?;
                return Ok(Step::Wait);
            }
            Some(GivenUp { reason: format!("{error} (at {})", duties.name), tries: board.tries(taken)? })
        }
    };
    let result = JobDone { counts: outcome.counts, rejects, failure, worker: duties.name.to_owned() };
    finish(board, duties, task, taken, &result)?;
    worked.jobs += u64::from(result.failure.is_none());
    worked.counts = worked.counts.and(&outcome.counts);
    Ok(Step::Again)
}

/// Imports a job; `None`: it is somebody else's now.
fn import(board: &mut Board, duties: &Duties<'_>, task: &Task, sink: &dyn Sink, taken: &Taken) -> Option<Outcome> {
    let options = Options { max_errors: task.max_errors, ..duties.options.clone() };
    let (counters, stop, mut lost) = (Counters::default(), AtomicBool::new(false), false);
    // What a job before left there belongs to that job.
    std::fs::remove_file(&duties.scratch).ok();
    let import = Import {
        inputs: std::slice::from_ref(&taken.job.input),
        layout: &task.layout,
        sink,
        options: &options,
        checkpoint: Checkpoint::new(task.id.clone()),
        rejects: Rejects::new(duties.scratch.clone(), 0),
        counters: &counters,
        stop: &stop,
    };
    let mut renewed = Instant::now();
    let outcome = import.run(&mut |watched| {
        if renewed.elapsed() >= task.lease / 5 {
            renewed = Instant::now();
            // While Redis is away the work goes on: at worst it is done twice.
            lost |= matches!(board.renew(duties.name, taken, watched.counts().points), Ok(false));
        }
        if lost || duties.stop.load(Relaxed) {
            stop.store(true, Relaxed);
        }
        Ok(())
    });
    match outcome {
        Ok(outcome) if !lost => Some(outcome),
        // `watch` above reports no errors.
        _ => None,
    }
}

/// Tells the result, however long Redis is away, unless it is asked to end.
fn finish(
    board: &mut Board,
    duties: &Duties<'_>,
    task: &Task,
    taken: &Taken,
    result: &JobDone,
) -> Result<(), BoardError> {
    loop {
        match board.finish(task, taken, result) {
            Err(BoardError::Link(error)) if !duties.stop.load(Relaxed) => {
                (duties.tell)(&format!("Redis: {error}; trying again"));
                std::thread::sleep(PATIENCE);
            }
            other => return other,
        }
    }
}
