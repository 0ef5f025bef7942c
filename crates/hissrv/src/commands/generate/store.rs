//! A plan into a store, by the crew of `hissrv import`.

use std::path::PathBuf;
use std::sync::Arc;

use generate::{Order, Plan};
use import::{Checkpoint, Counters, Import, Input, Layout, MadeLines, Rejects, Stopped};

use super::STOP;
use super::done::Done;
use crate::cli::{Failure, GenerateArgs};
use crate::commands::import::delivery;
use crate::commands::progress::Progress;
use crate::commands::target::Target;
use crate::config::Config;

/// File for points that the store refuses.
const REJECTS: &str = "hissrv-generate.rejects";

/// Writes all points, or what is in flight when somebody stops it.
pub(super) fn write(
    args: &GenerateArgs,
    config: &Config,
    plan: &Plan,
    progress: &mut Progress,
) -> Result<Done, Failure> {
    let target = Target::open(&args.target, config)?;
    let inputs = [Input::made("generated".to_owned(), Arc::new(Made(plan.clone())))];
    let (counters, layout, options) = (Counters::default(), Layout::default(), delivery(&args.delivery));
    let import = Import {
        inputs: &inputs,
        layout: &layout,
        sink: target.sink(),
        options: &options,
        rejects: Rejects::new(PathBuf::from(REJECTS), 0),
        checkpoint: Checkpoint::new(String::new()),
        counters: &counters,
        stop: &STOP,
    };
    let outcome = import.run(&mut |watched| {
        progress.show(&watched.counts(), watched.trouble());
        Ok(())
    });
    // Also after a failure: what was written is then in files, and the next start is short.
    target.close();
    let outcome = outcome.map_err(anyhow::Error::from)?;
    let counts = &outcome.counts;
    // Before this place all is stored.
    let stored = outcome.checkpoint.files.first().and_then(|file| file.done).map_or(0, |done| done.offset);
    Ok(Done {
        target: target.name(),
        points: counts.points,
        ticks: stored.div_ceil((plan.series().len() as u64).max(1)),
        complete: outcome.stopped.is_none(),
        refused: counts.refused,
        reason: (counts.refused > 0).then(|| format!("see {REJECTS}")),
        retries: counts.retries,
        took: outcome.took,
        published: None,
        failure: match outcome.stopped {
            Some(Stopped::Failed(error)) => Some(error.to_string()),
            _ => None,
        },
    })
}

struct Made(Plan);

impl MadeLines for Made {
    fn points(&self) -> u64 {
        self.0.len()
    }

    fn write(&self, positions: std::ops::Range<u64>, out: &mut Vec<u8>) {
        self.0.write_lines(Order::ByTime, positions, out);
    }
}
