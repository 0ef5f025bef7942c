//! The file of labels: what goes wrong, a JSON object a line, series by series.

use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::Path;

use anyhow::Context;
use generate::Plan;

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
