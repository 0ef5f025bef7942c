//! One query under way: the store, the limits, and what all its threads count and find.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Mutex, PoisonError};
use std::time::Instant;

use model::ByteSize;

use super::Options;
use crate::QueryError;
use crate::aggregate::Registry;
use crate::cache::Session;
use crate::plan::Select;
use crate::scan::ScanReport;
use crate::store::Store;
use crate::{Cancel, Limits};

/// Warnings kept, so that a badly damaged store does not make answers of nothing else.
const MAX_WARNINGS: usize = 100;

/// One query under way; shared by its threads.
pub(super) struct Job<'a> {
    pub(super) store: &'a dyn Store,
    pub(super) registry: &'a Registry,
    pub(super) threads: usize,
    pub(super) into: bool,
    pub(super) rollups: bool,
    pub(super) session: Session<'a>,
    limits: Limits,
    cancel: Cancel,
    held: AtomicU64,
    points: AtomicU64,
    rows: AtomicU64,
    damaged: Mutex<BTreeSet<String>>,
}

impl<'a> Job<'a> {
    pub(super) fn new(plan: &Select, store: &'a dyn Store, options: &Options<'a>) -> Self {
        Self {
            store,
            registry: options.registry,
            threads: options.threads.max(1),
            into: options.into,
            rollups: options.shortcuts.rollups,
            session: Session::open(plan, options),
            limits: *options.limits,
            cancel: options.cancel.no_later_than(Instant::now().checked_add(options.limits.timeout)),
            held: AtomicU64::new(0),
            points: AtomicU64::new(0),
            rows: AtomicU64::new(0),
            damaged: Mutex::default(),
        }
    }

    /// Looks at the clock and at whether somebody still waits.
    pub(super) fn check(&self) -> Result<(), QueryError> {
        self.cancel.check()
    }

    /// Counts memory; give it back with [`Job::release`].
    pub(super) fn hold(&self, bytes: usize) -> Result<(), QueryError> {
        let held = self.held.fetch_add(bytes as u64, Relaxed) + bytes as u64;
        let max = self.limits.max_memory;
        if held <= max.0 {
            return Ok(());
        }
        Err(too_much(format!("max_memory = {max}"), format!("{} to hold", ByteSize(held))))
    }

    pub(super) fn release(&self, bytes: usize) {
        // What is given back is estimated anew and may have grown meanwhile.
        let less = |held: u64| Some(held.saturating_sub(bytes as u64));
        self.held.fetch_update(Relaxed, Relaxed, less).ok();
    }

    /// Counts points held in order to become rows.
    pub(super) fn hold_points(&self, count: usize) -> Result<(), QueryError> {
        let points = self.points.fetch_add(count as u64, Relaxed) + count as u64;
        let max = self.limits.max_points;
        if points <= max {
            return Ok(());
        }
        Err(too_much(format!("max_points = {max}"), format!("{points} points to hold")))
    }

    pub(super) fn release_points(&self, count: usize) {
        self.points.fetch_sub(count as u64, Relaxed);
    }

    /// Checks the number of series of an input.
    pub(super) fn check_series(&self, count: usize) -> Result<(), QueryError> {
        let max = self.limits.max_series;
        if count as u64 <= max {
            return Ok(());
        }
        Err(too_much(format!("max_series = {max}"), format!("{count} series are selected")))
    }

    /// Checks the number of windows of a series of the answer.
    pub(super) fn check_windows(&self, count: usize) -> Result<(), QueryError> {
        let max = self.limits.max_rows;
        if count as u64 <= max {
            return Ok(());
        }
        Err(too_much(format!("max_rows = {max}"), format!("at least {count} windows")))
    }

    /// Counts rows given out.
    pub(super) fn give_rows(&self, count: usize) -> Result<(), QueryError> {
        let rows = self.rows.fetch_add(count as u64, Relaxed) + count as u64;
        let max = self.limits.max_rows;
        if rows <= max {
            return Ok(());
        }
        Err(too_much(format!("max_rows = {max}"), format!("at least {rows} rows")))
    }

    /// Remembers what a scan could not read.
    pub(super) fn note(&self, report: ScanReport) {
        if !report.damaged.is_empty() {
            self.damaged.lock().unwrap_or_else(PoisonError::into_inner).extend(report.damaged);
        }
    }

    /// Whether anything could not be read so far.
    pub(super) fn has_damage(&self) -> bool {
        !self.damaged.lock().unwrap_or_else(PoisonError::into_inner).is_empty()
    }

    /// What was damaged, in the order of names.
    pub(super) fn into_warnings(self) -> Vec<String> {
        let damaged = self.damaged.into_inner().unwrap_or_else(PoisonError::into_inner);
        let left_out = damaged.len().saturating_sub(MAX_WARNINGS);
        let mut warnings: Vec<_> = damaged.into_iter().take(MAX_WARNINGS).collect();
        if left_out > 0 {
            warnings.push(format!("{left_out} further parts are damaged"));
        }
        warnings
    }
}

fn too_much(limit: String, detail: String) -> QueryError {
    QueryError::TooMuch { limit, detail }
}
