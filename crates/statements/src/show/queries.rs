//! SHOW QUERIES: the statements under way, this one included.

use crate::failure::Failure;
use crate::rows::{Rows, number, text};
use crate::task::{Sink, Task};
use crate::time::go_duration;

/// Nanoseconds that lengths of time are cut to, as they are long.
const fn unit_for(ns: i64) -> i64 {
    match ns {
        0..1_000_000 => 1_000,
        1_000_000..1_000_000_000 => 1_000_000,
        _ => 1_000_000_000,
    }
}

pub(super) fn run(task: &Task<'_>, sink: Sink<'_>) -> Result<(), Failure> {
    let mut rows = Rows::new("", &["qid", "query", "database", "duration", "status"]);
    for query in task.inner.running.list() {
        let ns = i64::try_from(query.duration.as_nanos()).unwrap_or(i64::MAX);
        let duration = go_duration(ns - ns % unit_for(ns));
        let status = if query.killed { "killed" } else { "running" };
        rows.push([number(query.id), text(query.text), text(query.database), text(duration), text(status)]);
    }
    Ok(rows.send(sink)?)
}
