//! Scans of one query: every piece is preceded by a look at the clock, every damage is remembered, errors end the scan.

use std::collections::BTreeSet;
use std::ops::ControlFlow;
use std::time::Instant;

use model::{FieldValue, TimeRange, TimestampNs, Values};

use super::limits::{Budget, Cancel, Limits};
use crate::scan::ScanReport;
use crate::{ColumnSource, FieldColumn, Piece, QueryError, Selection, SeriesColumns, Summary};

/// Warnings kept, so that a badly damaged store does not make answers of nothing else.
const MAX_WARNINGS: usize = 100;

/// The source, the limits and what was met so far.
pub(super) struct Scanner<'a> {
    source: &'a dyn ColumnSource,
    cancel: Cancel,
    damaged: BTreeSet<String>,
    pub(super) budget: Budget,
}

/// Says whether the summary of a run from its first to its last time is enough.
pub(super) type Suffices<'a> = &'a dyn Fn(TimestampNs, TimestampNs) -> bool;

/// Takes in a piece and says whether more are wanted.
pub(super) type Visit<'a> = &'a mut dyn FnMut(&mut Budget, Checked<'_>) -> Result<ControlFlow<()>, QueryError>;

/// No run's summary is enough.
pub(super) const POINTS_ONLY: Suffices<'static> = &|_, _| false;

/// A piece whose type was checked.
pub(super) enum Checked<'a> {
    Points { times: &'a [TimestampNs], values: &'a Values },
    Summary(Summary),
}

impl<'a> Scanner<'a> {
    pub(super) fn new(source: &'a dyn ColumnSource, limits: &Limits, cancel: &Cancel) -> Self {
        let cancel = cancel.no_later_than(Instant::now().checked_add(limits.timeout));
        Self { source, cancel, damaged: BTreeSet::new(), budget: Budget::new(*limits) }
    }

    /// The series selected, within the limit on their number.
    pub(super) fn columns(&self, selection: &Selection) -> Result<Vec<SeriesColumns>, QueryError> {
        self.cancel.check()?;
        let series = self.source.columns(selection)?;
        self.budget.check_series(series.len())?;
        Ok(series)
    }

    /// Hands the pieces of a column to `visit` until it breaks or fails.
    pub(super) fn scan(
        &mut self,
        column: &FieldColumn,
        range: TimeRange,
        suffices: Suffices<'_>,
        visit: Visit<'_>,
    ) -> Result<(), QueryError> {
        let mut outcome = self.cancel.check();
        if outcome.is_err() || range.is_empty() {
            return outcome;
        }
        let (cancel, budget) = (&self.cancel, &mut self.budget);
        let report = self.source.scan(column.id, range, suffices, &mut |piece| {
            let step = cancel.check().and_then(|()| check(column, piece)).and_then(|piece| visit(budget, piece));
            step.unwrap_or_else(|error| {
                outcome = Err(error);
                ControlFlow::Break(())
            })
        })?;
        self.note(report);
        outcome
    }

    /// The newest point of a column, handed to `visit`.
    pub(super) fn latest(
        &mut self,
        column: &FieldColumn,
        range: TimeRange,
        visit: &mut dyn FnMut(TimestampNs, FieldValue<'_>),
    ) -> Result<(), QueryError> {
        self.cancel.check()?;
        let report = self.source.latest(column.id, range, visit)?;
        self.note(report);
        Ok(())
    }

    /// Looks at the clock and the flag.
    pub(super) fn check_cancelled(&self) -> Result<(), QueryError> {
        self.cancel.check()
    }

    fn note(&mut self, report: ScanReport) {
        self.damaged.extend(report.damaged);
    }

    /// What was damaged, in the order of names.
    pub(super) fn into_warnings(self) -> Vec<String> {
        let left_out = self.damaged.len().saturating_sub(MAX_WARNINGS);
        let mut warnings: Vec<_> = self.damaged.into_iter().take(MAX_WARNINGS).collect();
        if left_out > 0 {
            warnings.push(format!("{left_out} further parts are damaged"));
        }
        warnings
    }
}

fn check<'p>(column: &FieldColumn, piece: Piece<'p>) -> Result<Checked<'p>, QueryError> {
    match piece {
        Piece::Summary(summary) => Ok(Checked::Summary(summary)),
        Piece::Points { times, values } if values.field_type() == column.kind && values.len() == times.len() => {
            Ok(Checked::Points { times, values })
        }
        Piece::Points { times, values } => Err(QueryError::Store(format!(
            "column {} of field `{}` is of type {}, but a piece of {} times has {} values of type {}",
            column.id,
            column.field,
            column.kind,
            times.len(),
            values.len(),
            values.field_type()
        ))),
    }
}
