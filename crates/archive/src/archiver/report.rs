//! What archiving did.

use std::time::Duration;

use model::TimestampNs;
use serde::{Deserialize, Serialize};

use crate::config::ArchiveConfig;

/// Failures that are told one by one.
const MAX_FAILURES: usize = 20;

/// What one run did.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize, Serialize)]
pub struct RunReport {
    /// Files written.
    pub files: u64,
    /// Rows in them.
    pub rows: u64,
    /// Field values in them.
    pub values: u64,
    /// Their length.
    pub bytes: u64,
    /// Days that could not be archived and stay due.
    pub failed: u64,
    /// The first 20 of them.
    pub failures: Vec<Failure>,
    /// True when the run ended early: it was stopped, or the target could not be reached. What is left stays due.
    pub is_cut_short: bool,
}

/// A day that could not be archived.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize)]
pub struct Failure {
    /// The file that is missing.
    pub file: String,
    /// Why.
    pub reason: String,
}

/// Figures of an archiver since its start.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct ArchiverStatus {
    /// Where to.
    pub target: String,
    /// When.
    pub schedule: String,
    /// True during a run.
    pub is_running: bool,
    /// Runs that ended.
    pub runs: u64,
    /// Files written.
    pub files: u64,
    /// Rows in them.
    pub rows: u64,
    /// Field values in them.
    pub values: u64,
    /// Their length.
    pub bytes: u64,
    /// Days that could not be archived; each counts again with each run.
    pub failures: u64,
    /// Time spent.
    pub seconds: f64,
    /// When the newest run by schedule was through, also before the start; in nanoseconds since 1970.
    pub last_run_ns: Option<i64>,
    /// Why the newest failure was one; empty once a run was through without.
    pub last_error: String,
    /// Stretches of days that are written to and not archived yet; the present day is always in one.
    pub due: usize,
}

/// Totals since the start.
#[derive(Default)]
pub(super) struct Totals {
    runs: u64,
    all: RunReport,
    spent: Duration,
    last_error: String,
}

impl RunReport {
    pub(super) fn fail(&mut self, file: String, reason: String) {
        self.failed += 1;
        if self.failures.len() < MAX_FAILURES {
            self.failures.push(Failure { file, reason });
        }
    }

    /// True when nothing is left that could have been archived.
    pub fn is_complete(&self) -> bool {
        self.failed == 0 && !self.is_cut_short
    }
}

impl Totals {
    pub(super) fn add(&mut self, report: &RunReport, spent: Duration) {
        self.runs += 1;
        self.all.files += report.files;
        self.all.rows += report.rows;
        self.all.values += report.values;
        self.all.bytes += report.bytes;
        self.all.failed += report.failed;
        self.spent += spent;
        self.last_error = report.failures.last().map(|f| format!("{}: {}", f.file, f.reason)).unwrap_or_default();
    }

    pub(super) fn status(
        &self,
        config: &ArchiveConfig,
        last_run: Option<TimestampNs>,
        due: usize,
        is_running: bool,
    ) -> ArchiverStatus {
        ArchiverStatus {
            target: config.target.to_string(),
            schedule: config.schedule.to_string(),
            is_running,
            runs: self.runs,
            files: self.all.files,
            rows: self.all.rows,
            values: self.all.values,
            bytes: self.all.bytes,
            failures: self.all.failed,
            seconds: self.spent.as_secs_f64(),
            last_run_ns: last_run.map(|t| t.0),
            last_error: self.last_error.clone(),
            due,
        }
    }
}
