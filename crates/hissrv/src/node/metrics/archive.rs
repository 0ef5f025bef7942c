//! The archive as Prometheus text.

use archive::ArchiverStatus;

use super::{Kind, Text};
use crate::node::Node;

/// A gauge or counter: name, help, value.
type Row = (Kind, &'static str, &'static str, fn(&ArchiverStatus) -> f64);

const ROWS: [Row; 10] = [
    (Kind::Gauge, "archive_running", "1 while days are being archived.", |s| f64::from(u8::from(s.is_running))),
    (Kind::Counter, "archive_runs_total", "Times that days were looked for and archived.", |s| s.runs as f64),
    (Kind::Counter, "archive_files_total", "Files written: a day of a measurement each.", |s| s.files as f64),
    (Kind::Counter, "archive_rows_total", "Rows in them.", |s| s.rows as f64),
    (Kind::Counter, "archive_values_total", "Values in them.", |s| s.values as f64),
    (Kind::Counter, "archive_bytes_total", "Their length.", |s| s.bytes as f64),
    (
        Kind::Counter,
        "archive_failures_total",
        "Days that could not be archived; each counts again with each try.",
        |s| s.failures as f64,
    ),
    (Kind::Counter, "archive_busy_seconds_total", "Time spent on archiving.", |s| s.seconds),
    (
        Kind::Gauge,
        "archive_due_stretches",
        "Stretches of days that are written to and not archived yet; the present day is always in one.",
        |s| s.due as f64,
    ),
    (
        Kind::Gauge,
        "archive_last_run_timestamp_seconds",
        "When everything that was due was archived the last time; 0 before the first time.",
        |s| s.last_run_ns.map_or(0.0, |ns| ns as f64 / 1e9),
    ),
];

impl Node {
    pub(super) fn archive_metrics(&self, text: &mut Text) {
        let Some(status) = self.archiver.as_ref().map(|archiver| archiver.status()) else { return };
        for (kind, name, help, value) in ROWS {
            text.one(kind, name, help, value(&status));
        }
    }
}
