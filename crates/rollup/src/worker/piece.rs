//! One piece of work: rows of some windows and columns, computed, compared with what stands there, written.

use std::collections::BTreeMap;
use std::sync::Arc;

use model::{ColumnId, FieldValue, TimeRange, TimestampNs};
use pipeline::{ColumnValue, Deletion, Intake, Origin};
use query::execute::Grid;
use query::{Cell, Parts};

use super::Failure;
use crate::compute::{self, Computed};
use crate::ledger::Marked;
use crate::outlet::{Buckets, Outlet, Outlets};
use crate::part::Part;
use crate::rollups::Shared;
use crate::row::{self, EngineSource, Row};
use crate::task::Tier;

/// Columns whose rows are held at once.
const COLUMNS: usize = 256;

/// A piece of work on one tier.
pub(crate) struct Piece<'a> {
    pub(super) shared: &'a Shared,
    pub(super) intake: &'a Intake,
    pub(super) tier: usize,
    pub(super) source: EngineSource<'a>,
    pub(super) now: TimestampNs,
    /// Columns, and those of their rows, that may have no values left.
    pub(super) emptied: Vec<ColumnId>,
}

/// What is to be written.
#[derive(Default)]
struct Changes {
    values: Vec<ColumnValue<'static>>,
    /// Columns whose values go, by stretch.
    gone: BTreeMap<(TimestampNs, TimestampNs), Vec<ColumnId>>,
    rows: u64,
    deleted: u64,
    kept: u64,
}

impl Piece<'_> {
    /// Makes the rows of windows that are marked one by one.
    pub(super) fn windows(&mut self, marked: &[Marked]) -> Result<(), Failure> {
        let windows: Vec<TimeRange> = marked.iter().map(|marked| marked.range).collect();
        let mut columns: Vec<ColumnId> = Vec::new();
        for marked in marked {
            columns.extend(self.columns_of(&marked.columns)?);
        }
        columns.sort_unstable();
        columns.dedup();
        let is_meant = |(column, window): (ColumnId, usize)| {
            marked.get(window).is_some_and(|marked| marked.columns.contains(column))
        };
        self.make(&windows, &is_meant, &columns)
    }

    /// Makes the rows of the windows of columns that are meant.
    pub(super) fn make(
        &mut self,
        windows: &[TimeRange],
        is_meant: &dyn Fn((ColumnId, usize)) -> bool,
        columns: &[ColumnId],
    ) -> Result<(), Failure> {
        for columns in columns.chunks(COLUMNS) {
            if self.shared.bell.is_rung() {
                return Err(Failure::Stopping);
            }
            // No series is dropped for being empty while rows are on their way to it.
            let _names_stay = self.intake.names_stay();
            let mut changes = Changes::default();
            for (column, outlet) in columns.iter().zip(self.outlets(columns)?) {
                let Some(outlet) = outlet else { continue };
                let meant: Vec<TimeRange> = (0..windows.len())
                    .filter(|&i| is_meant((*column, i)))
                    .filter_map(|i| windows.get(i).copied())
                    .collect();
                self.column(*column, &outlet, &meant, &mut changes)?;
            }
            if let (Some(first), Some(last)) = (windows.first(), windows.last()) {
                self.shared.tiers.begin_rewriting(self.tier, TimeRange::new(first.start, last.end));
            }
            self.write(changes)?;
        }
        Ok(())
    }

    /// What is to change for one column.
    fn column(
        &mut self,
        column: ColumnId,
        outlet: &Outlet,
        windows: &[TimeRange],
        changes: &mut Changes,
    ) -> Result<(), Failure> {
        let is_whole = outlet.kind != model::FieldType::Float;
        let computed = match self.tier()?.parent {
            None => compute::of_points(&mut self.source, column, is_whole, windows),
            Some(parent) => {
                let rows = self.rows_of_parent(parent, column)?;
                compute::of_rows(&mut self.source, &rows, is_whole, windows)
            }
        };
        let before = self.counts_before(outlet, windows, &computed)?;
        for ((window, row), before) in windows.iter().zip(computed.rows).zip(before) {
            match row {
                _ if before > row.map_or(0, |row| row.count())
                    && self.may_have_lost(*window, computed.is_damaged)? =>
                {
                    changes.kept += 1;
                }
                Some(row) => changes.put(outlet, *window, row, before > 0),
                None if before > 0 => {
                    self.emptied.push(column);
                    self.emptied.extend(outlet.all_columns());
                    changes.remove(outlet, *window);
                }
                None => {}
            }
        }
        Ok(())
    }

    /// How many points the rows have that stand there; 0 where there are none. They are looked at only where that makes a difference.
    fn counts_before(
        &mut self,
        outlet: &Outlet,
        windows: &[TimeRange],
        computed: &Computed,
    ) -> Result<Vec<u64>, Failure> {
        let mut counts = vec![0; windows.len()];
        let (Some(first), Some(last)) = (windows.first(), windows.last()) else { return Ok(counts) };
        let is_complete = |row: &Option<Row>| row.is_some_and(|row| outlet.is_complete(&row));
        if computed.rows.iter().all(is_complete) && !self.may_have_lost(*first, computed.is_damaged)? {
            return Ok(counts);
        }
        let (rows, _) = row::read(&mut self.source, &outlet.parts, TimeRange::new(first.start, last.end), Parts::NONE);
        for (time, row) in rows {
            if let Ok(index) = windows.binary_search_by_key(&time, |window| window.start)
                && let Some(count) = counts.get_mut(index)
            {
                *count = row.count();
            }
        }
        Ok(counts)
    }

    /// True when points of a window may be gone without having been deleted: past their time, or damaged.
    fn may_have_lost(&self, window: TimeRange, is_damaged: bool) -> Result<bool, Failure> {
        let tier = self.tier()?;
        // Rows are kept as long as the policy that they stand for.
        let source = match tier.parent.and_then(|parent| self.shared.tiers.buckets_of(parent)) {
            Some(parent) => parent.target,
            None => self.buckets()?.source,
        };
        let kept_ns = self.shared.tiers.catalog.policy_of(source).map_or(0, |policy| policy.duration_ns);
        Ok(is_damaged || (kept_ns > 0 && window.start < self.now.saturating_add(-kept_ns)))
    }

    /// IMPORTANT: durably. A mark that is taken back is not made again when a power cut takes the row.
    fn write(&self, changes: Changes) -> Result<(), Failure> {
        let mut gone = changes.gone;
        for columns in gone.values_mut() {
            columns.sort_unstable();
            columns.dedup();
        }
        let ranges = gone.iter().map(|((start, end), columns)| (TimeRange::new(*start, *end), columns));
        let deletions: Vec<_> = ranges.map(|(range, columns)| Deletion { columns, range }).collect();
        self.intake.delete_all(&deletions).map_err(|e| e.source)?;
        self.intake.write_values(Origin::Rollup, changes.values)?;
        self.intake.until_durable()?;
        if let Some(book) = self.shared.books.get(self.tier) {
            book.change(|totals| {
                totals.rows += changes.rows;
                totals.deleted += changes.deleted;
                totals.kept += changes.kept;
            });
        }
        Ok(())
    }

    pub(super) fn outlets(&self, columns: &[ColumnId]) -> Result<Vec<Option<Arc<Outlet>>>, Failure> {
        let tier = self.tier()?;
        let outlets: &Outlets = &tier.outlets;
        Ok(outlets.ensure(
            &self.shared.tiers.catalog,
            self.buckets()?,
            tier.parent.is_some(),
            &tier.task.fields,
            columns,
        )?)
    }

    /// The rows of the tier that this one is made of, by their column of counts.
    fn rows_of_parent(&self, parent: usize, counts: ColumnId) -> Result<crate::outlet::PartColumns, Failure> {
        let names = self.shared.tiers.catalog.read();
        let buckets = self.shared.tiers.buckets_of(parent).ok_or(Failure::NoBuckets)?;
        crate::outlet::rows_of_counts(&names, buckets.hidden, counts).ok_or(Failure::NoBuckets)
    }

    pub(super) fn tier(&self) -> Result<&Tier, Failure> {
        self.shared.tiers.plan.tiers.get(self.tier).ok_or(Failure::NoBuckets)
    }

    pub(super) fn grid(&self) -> Result<&Grid, Failure> {
        Ok(&self.tier()?.grid)
    }

    pub(super) fn buckets(&self) -> Result<Buckets, Failure> {
        self.shared.tiers.buckets_of(self.tier).ok_or(Failure::NoBuckets)
    }

    pub(super) fn is_of_rows(&self) -> bool {
        self.tier().is_ok_and(|tier| tier.parent.is_some())
    }
}

impl Changes {
    /// Writes a row. What it has no value for must not stand there from the row before, if there was one.
    fn put(&mut self, outlet: &Outlet, window: TimeRange, row: Row, is_rewritten: bool) {
        self.rows += 1;
        let time = window.start;
        let mut without = Vec::new();
        match row {
            Row::Full(summary) => {
                Part::ALL.iter().for_each(|part| self.push(outlet.parts.of(*part), time, part.value(&summary, time)));
            }
            Row::Count(count) => {
                self.push(outlet.parts.of(Part::Count), time, FieldValue::Integer(count.cast_signed()));
                without.extend(outlet.parts.all().iter().skip(1));
            }
        }
        for (function, column) in &outlet.fields {
            match function.of_row(&row, outlet.kind) {
                Some(Cell::Float(value)) => self.push(*column, time, FieldValue::Float(value)),
                Some(Cell::Integer(value)) => self.push(*column, time, FieldValue::Integer(value)),
                Some(Cell::Unsigned(value)) => self.push(*column, time, FieldValue::Unsigned(value)),
                _ => without.push(*column),
            }
        }
        if is_rewritten {
            self.remove_from(without.into_iter(), window);
        }
    }

    fn push(&mut self, column: ColumnId, time: TimestampNs, value: FieldValue<'static>) {
        self.values.push(ColumnValue { column, time, value });
    }

    fn remove(&mut self, outlet: &Outlet, window: TimeRange) {
        self.deleted += 1;
        self.remove_from(outlet.all_columns(), window);
    }

    fn remove_from(&mut self, columns: impl Iterator<Item = ColumnId>, window: TimeRange) {
        let range = (window.start, window.start.saturating_add(1));
        self.gone.entry(range).or_default().extend(columns);
    }
}
