//! Rollups as Prometheus text; the label `task` is one of the configured names.

use rollup::TaskStats;

use super::{Kind, Text};
use crate::node::{Node, now};

/// A gauge or counter that each task has: name, help, value.
type Row = (Kind, &'static str, &'static str, fn(&TaskStats) -> f64);

const ROWS: [Row; 9] = [
    (Kind::Gauge, "rollup_dirty_windows", "Windows whose rows are to be made anew.", |t| t.dirty_windows as f64),
    (Kind::Gauge, "rollup_dirty_rows", "Rows that are to be made anew, as far as they are known one by one.", |t| {
        t.dirty_pairs as f64
    }),
    (Kind::Gauge, "rollup_dirty_stretches", "Stretches of time that are to be made anew as a whole.", |t| {
        t.dirty_stretches as f64
    }),
    (Kind::Gauge, "rollup_lag_seconds", "Time since the end of the oldest window whose row is to be made anew.", |t| {
        t.lag(now()).as_secs_f64()
    }),
    (Kind::Counter, "rollup_rows_total", "Rows made.", |t| t.totals.rows as f64),
    (Kind::Counter, "rollup_deleted_rows_total", "Rows deleted because their points are gone.", |t| {
        t.totals.deleted as f64
    }),
    (Kind::Counter, "rollup_kept_rows_total", "Rows kept although some of their points are past their time.", |t| {
        t.totals.kept as f64
    }),
    (Kind::Counter, "rollup_failures_total", "Pieces of work that failed and are done again.", |t| {
        t.totals.failures as f64
    }),
    (Kind::Counter, "rollup_busy_seconds_total", "Time spent on making rows.", |t| t.totals.time.as_secs_f64()),
];

impl Node {
    pub(super) fn rollup_metrics(&self, text: &mut Text) {
        let Some(stats) = self.rollups.as_ref().map(|rollups| rollups.stats()) else { return };
        if stats.tasks.is_empty() {
            return;
        }
        for (kind, name, help, value) in ROWS {
            text.head(kind, name, help);
            for task in &stats.tasks {
                let label = task.name.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n");
                text.line(format_args!("hissrv_{name}{{task=\"{label}\"}} {}", value(task)));
            }
        }
    }
}
