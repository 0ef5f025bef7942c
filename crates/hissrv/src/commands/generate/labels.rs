//! The file of labels: what goes wrong, a JSON object a line, series by series.

use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::Path;

use anyhow::Context;
use generate::Plan;

use crate::cli::Failure;
use crate::commands::same_file::is_same;

/// Looks whether labels can be written to a file, before long work, and whether that is another one than that of the points.
pub(super) fn check(path: &Path, out: Option<&Path>) -> Result<(), Failure> {
    let named = format!("the labels {}", path.display());
    if let Some(out) = out
        && is_same(path, out)
    {
        return Err(Failure::Usage(format!("{named}: the points go to this file: name another one with --labels")));
    }
    File::options().create(true).append(true).open(path).with_context(|| named)?;
    Ok(())
}

/// Writes the labels of the first times of a plan; gives their number.
pub(super) fn write(plan: &Plan, ticks: u64, path: &Path) -> anyhow::Result<u64> {
    let place = || format!("the labels {}", path.display());
    let mut file = BufWriter::new(File::create(path).with_context(place)?);
    let mut count = 0;
    for anomaly in plan.anomalies(0..ticks) {
        serde_json::to_writer(&mut file, &anomaly).with_context(place)?;
        file.write_all(b"\n").with_context(place)?;
        count += 1;
    }
    file.flush().with_context(place)?;
    Ok(count)
}
