//! The tiers of one column of points: which rows tell it, and in which windows they do not.

use std::sync::{Arc, PoisonError};

use catalog::Names;
use model::{BucketId, ColumnId, TimeRange, TimestampNs};
use query::execute::Grid;

use super::Tiers;
use crate::ledger::TaskNumber;
use crate::outlet::{PartColumns, find_rows};
use crate::part::Part;
use crate::segments::united;

/// Tiers with the columns of their rows.
pub(super) type Rows = Arc<[(usize, PartColumns)]>;

/// The tiers that have rows of a column of points, coarsest first.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct ColumnTiers {
    pub(crate) list: Vec<ColumnTier>,
    /// Points before this time are past the time for which they are kept.
    pub(crate) points_from: Option<TimestampNs>,
}

/// A tier's rows of a column of points.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct ColumnTier {
    pub(crate) number: usize,
    pub(crate) parts: PartColumns,
    /// Rows of earlier windows are past the time for which they are kept.
    pub(crate) visible_from: TimestampNs,
    /// What the rows are made of, from tier to tier down to the points: marks stand there.
    sources: Vec<(usize, ColumnId)>,
}

impl ColumnTier {
    pub(crate) fn counts(&self) -> ColumnId {
        self.parts.of(Part::Count)
    }

    pub(crate) fn grid<'t>(&self, tiers: &'t Tiers) -> &'t Grid {
        // The number is one of a tier.
        #[expect(clippy::indexing_slicing, reason = "numbers of column tiers are made from the plan's own")]
        &tiers.plan.tiers[self.number].grid
    }
}

impl Tiers {
    /// The tiers that have rows of a column of points.
    pub(crate) fn of_column(&self, column: ColumnId, now: TimestampNs) -> ColumnTiers {
        let names = self.catalog.read();
        let Some(bucket) = names.column_info(column).map(|info| info.bucket) else { return ColumnTiers::default() };
        let rows = self.rows_of(&names, column, bucket);
        drop(names);
        if rows.is_empty() {
            return ColumnTiers::default();
        }
        let mut list: Vec<ColumnTier> =
            rows.iter().filter_map(|(number, parts)| self.column_tier(*number, *parts, column, &rows, now)).collect();
        list.sort_by_key(|tier| std::cmp::Reverse(self.window_length(tier.number)));
        ColumnTiers { list, points_from: self.kept_from(bucket, now) }
    }

    /// The rows of a column of points, which is of `bucket`.
    fn rows_of(&self, names: &Names, column: ColumnId, bucket: BucketId) -> Rows {
        let known = self.rows.read().unwrap_or_else(PoisonError::into_inner).get(&column).cloned();
        let stand = |rows: &Rows| rows.iter().all(|(_, parts)| names.column_info(parts.of(Part::Count)).is_some());
        if let Some(known) = known.filter(stand) {
            return known;
        }
        let tiers: Vec<usize> =
            (0..self.plan.tiers.len()).filter(|number| self.root(*number) == Some(bucket)).collect();
        let found = tiers.iter().filter_map(|&number| {
            let hidden = self.buckets_of(number)?.hidden;
            Some((number, find_rows(names, hidden, column)?))
        });
        let rows: Rows = found.collect();
        // What is missing may come.
        if rows.len() == tiers.len() {
            self.rows.write().unwrap_or_else(PoisonError::into_inner).insert(column, Arc::clone(&rows));
        }
        rows
    }

    fn column_tier(
        &self,
        number: usize,
        parts: PartColumns,
        column: ColumnId,
        rows: &[(usize, PartColumns)],
        now: TimestampNs,
    ) -> Option<ColumnTier> {
        let mut sources = Vec::new();
        let mut at = number;
        loop {
            let Some(parent) = self.plan.tiers.get(at)?.parent else {
                sources.push((at, column));
                break;
            };
            let of_parent = rows.iter().find(|(number, _)| *number == parent)?;
            sources.push((at, of_parent.1.of(Part::Count)));
            at = parent;
        }
        let target = self.buckets_of(number)?.target;
        let visible_from = self.kept_from(target, now).unwrap_or(TimestampNs::MIN);
        Some(ColumnTier { number, parts, visible_from, sources })
    }

    /// Stretches of `range`, whole windows of the tier, that its rows do not tell rightly.
    pub(crate) fn dirty(&self, tier: &ColumnTier, range: TimeRange) -> Vec<TimeRange> {
        let grid = tier.grid(self);
        let widened = |dirty: TimeRange| {
            let last = grid.containing(dirty.end.saturating_add(-1));
            TimeRange::new(grid.containing(dirty.start).start, last.end)
        };
        // IMPORTANT: from the points upwards. A row that is made anew marks the tier above before its own mark is taken back, so where
        // the lower tier has no mark any more, the upper one has it already.
        let marked = tier
            .sources
            .iter()
            .rev()
            .flat_map(|(number, column)| self.ledger.dirty(TaskNumber(*number), *column, range));
        united(marked.map(widened).collect())
    }
}
