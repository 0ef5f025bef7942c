//! What an export says at its end: on stderr where the data went to stdout.

use std::io::{self, Write};
use std::time::Duration;

use serde_json::json;

use super::outputs::Place;
use crate::cli::ExportArgs;
use crate::commands::progress::grouped;
use crate::export::Summary;

pub(super) fn tell(args: &ExportArgs, place: &Place, files: usize, done: &Summary, took: Duration) -> io::Result<()> {
    let text = if args.json { machine(place, files, done, took) } else { human(place, files, done, took) };
    for damage in &done.damaged {
        writeln!(io::stderr(), "warning: {damage}")?;
    }
    if place.is_stdout() { io::stderr().write_all(text.as_bytes()) } else { io::stdout().write_all(text.as_bytes()) }
}

fn machine(place: &Place, files: usize, done: &Summary, took: Duration) -> String {
    let summary = json!({
        "target": place.name(), "format": place.format.text(), "files": files, "series": done.series, "rows": done.rows,
        "values": done.values, "left_out": done.left_out, "damaged": done.damaged, "seconds": took.as_secs_f64(),
    });
    format!("{summary}\n")
}

fn human(place: &Place, files: usize, done: &Summary, took: Duration) -> String {
    let seconds = took.as_secs_f64();
    let rate = done.values as f64 / seconds.max(1e-3);
    let mut text = format!(
        "to            {} ({files} files, {})\nvalues        {} in {} rows of {} series\n",
        place.name(),
        place.format.text(),
        grouped(done.values),
        grouped(done.rows),
        grouped(done.series)
    );
    if done.left_out > 0 {
        text += &format!("left out      {} floats that are no numbers\n", grouped(done.left_out));
    }
    text += &format!("time          {seconds:.1} s, {} values/s\n", grouped(rate as u64));
    text
}
