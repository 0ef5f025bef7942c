//! A plan into a file, or to stdout.

use std::fs::File;
use std::io::{self, ErrorKind, Write};
use std::path::Path;
use std::sync::atomic::Ordering::Relaxed;
use std::time::Instant;

use anyhow::Context;
use formats::{Output, Packing};
use generate::{Order, Plan};
use import::{FileFormat, Snapshot};

use super::done::Done;
use super::{STOP, table};
use crate::cli::Failure;
use crate::commands::progress::Progress;

/// Points that are made at a time.
const PORTION: u64 = 20_000;

/// Writes all points, or those before somebody stops it; then the file ends with a whole line.
pub(super) fn write(plan: &Plan, path: &Path, progress: &mut Progress) -> Result<Done, Failure> {
    let format = FileFormat::of_name(path).unwrap_or(FileFormat::Lines);
    if format != FileFormat::Lines {
        table::check(plan)?;
    }
    let is_stdout = path == Path::new("-");
    let to: Box<dyn Write + Send> = match is_stdout {
        true => Box::new(io::stdout()),
        false => Box::new(File::create(path).with_context(|| path.display().to_string())?),
    };
    let start = Instant::now();
    let mut points = 0;
    let written = match format {
        FileFormat::Lines => lines(plan, to, Packing::of(path), &mut points, progress),
        FileFormat::Csv | FileFormat::Parquet => {
            table::write(plan, to, (format, Packing::of(path)), &mut points, progress)
        }
    };
    let left = match written {
        // Whoever reads has what it wants.
        Err(e) if is_stdout && is_broken_pipe(&e) => true,
        written => written.map(|()| false).with_context(|| path.display().to_string())?,
    };
    let series = plan.series().len() as u64;
    let ticks = if format == FileFormat::Lines { points.div_ceil(series) } else { plan.ticks() };
    let (target, complete) = (path.display().to_string(), left || points == plan.len());
    Ok(Done { target, points, ticks, complete, took: start.elapsed(), ..Done::default() })
}

fn is_broken_pipe(error: &anyhow::Error) -> bool {
    error.downcast_ref::<io::Error>().is_some_and(|e| e.kind() == ErrorKind::BrokenPipe)
}

/// Writes lines, time by time; `points` counts them.
fn lines(
    plan: &Plan,
    to: Box<dyn Write + Send>,
    packing: Packing,
    points: &mut u64,
    progress: &mut Progress,
) -> anyhow::Result<()> {
    let mut output = Output::new(to, packing)?;
    let mut text = Vec::new();
    while *points < plan.len() && !STOP.load(Relaxed) {
        let end = (*points + PORTION).min(plan.len());
        text.clear();
        plan.write_lines(Order::ByTime, *points..end, &mut text);
        output.write_all(&text)?;
        *points = end;
        show(progress, end);
    }
    Ok(output.finish()?)
}

/// Shows how many points were written.
pub(super) fn show(progress: &mut Progress, points: u64) {
    progress.show(&Snapshot { read_bytes: points, points, ..Snapshot::default() }, None);
}
