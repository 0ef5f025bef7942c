//! `hissrv generate`: points of a plan to a file, into a store, or to Redis; and the labels of what goes wrong with them.

mod done;
mod file;
mod labels;
mod options;
mod pace;
mod redis;
mod store;
mod summary;
mod table;

use std::sync::atomic::AtomicBool;

use anyhow::{Context, anyhow};
use generate::Plan;
use model::TimestampNs;

use super::progress::{Progress, Total};
use crate::cli::{Failure, GenerateArgs, TimeSource};
use crate::commands::address::load;
use crate::node::now;
use done::Done;

/// Set by SIGINT and SIGTERM.
static STOP: AtomicBool = AtomicBool::new(false);

pub(crate) fn run(args: &GenerateArgs) -> Result<(), Failure> {
    let times = args.times.unwrap_or(if args.plan.start.is_some() { TimeSource::Plan } else { TimeSource::Now });
    if args.redis.is_some() && times == TimeSource::Now && args.plan.labels.is_some() {
        let message = "--labels have the times of the plan: add --times plan";
        return Err(Failure::Usage(message.to_owned()));
    }
    let plan = options::plan(&args.plan, args.redis.is_some(), now())?;
    if let Some(path) = &args.plan.labels {
        labels::check(path, args.out.as_deref())?;
    }
    super::signals::on_stop(&STOP).context("listen for signals")?;
    let mut progress = Progress::new(total(&plan), args.quiet);
    let made = make(args, &plan, times, &mut progress);
    progress.end();
    let done = made?;
    let labels = args.plan.labels.as_deref().map(|path| labels::write(&plan, done.ticks, path)).transpose()?;
    summary::tell(args, &plan, &done, labels)?;
    ended(args, &done)
}

fn total(plan: &Plan) -> Total {
    match plan.options().range.end {
        TimestampNs::MAX => Total::Endless,
        _ => Total::Points(plan.len()),
    }
}

fn make(args: &GenerateArgs, plan: &Plan, times: TimeSource, progress: &mut Progress) -> Result<Done, Failure> {
    if let Some(path) = &args.out {
        return file::write(plan, path, progress);
    }
    let config = load(args.target.config.as_deref())?;
    match &args.redis {
        Some(_) => redis::publish(args, config.redis, plan, times, progress),
        None => store::write(args, &config, plan, progress),
    }
}

fn ended(args: &GenerateArgs, done: &Done) -> Result<(), Failure> {
    match &done.failure {
        Some(reason) => Err(anyhow!("{reason}").into()),
        // Publishing ends so.
        None if done.complete || args.redis.is_some() => Ok(()),
        None => Err(anyhow!("stopped before the end; the same command makes the same points again").into()),
    }
}
