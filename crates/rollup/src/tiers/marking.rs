//! Which windows a write touches: those of the tiers that are made of its columns.

use std::sync::PoisonError;

use catalog::Names;
use engine::Touched;
use model::ColumnId;
use roaring::RoaringBitmap;

use super::Tiers;
use crate::ledger::TaskNumber;
use crate::outlet::SourceField;

/// Set in a mark once the column was looked up.
const LOOKED_UP: u32 = 1 << 31;

impl Tiers {
    /// Marks what records have changed.
    pub(crate) fn note(&self, touched: &Touched) {
        let mut interests = self.interests.lock().unwrap_or_else(PoisonError::into_inner);
        self.look_at(&mut interests, touched);
        let is_for =
            |column: ColumnId, tier: usize| interests.get(column.index()).is_some_and(|mark| mark >> tier & 1 == 1);
        for tier in 0..self.plan.tiers.len() {
            let meant = touched.written.iter().copied().filter(|(column, _)| is_for(*column, tier));
            self.ledger.mark(TaskNumber(tier), meant);
            for (columns, range) in &touched.deleted {
                let meant: RoaringBitmap = columns.iter().filter(|c| is_for(**c, tier)).map(|c| c.0).collect();
                if !meant.is_empty() {
                    self.ledger.mark_range(TaskNumber(tier), &meant, *range);
                }
            }
        }
    }

    /// Looks columns up that were not met before.
    fn look_at(&self, interests: &mut Vec<u32>, touched: &Touched) {
        let is_new = |column: &ColumnId| interests.get(column.index()).is_none_or(|mark| *mark == 0);
        let deleted = touched.deleted.iter().flat_map(|(columns, _)| columns.iter().copied());
        let written = touched.written.iter().map(|(column, _)| *column);
        let new: Vec<ColumnId> = written.chain(deleted).filter(is_new).collect();
        if new.is_empty() {
            return;
        }
        let names = self.catalog.read();
        for column in new {
            let index = column.index();
            // An absurd number would take absurd memory: it belongs to no column.
            if names.column_info(column).is_none() && index >= catalog::MAX_COLUMNS {
                continue;
            }
            if interests.len() <= index {
                interests.resize(index + 1, 0);
            }
            if let Some(mark) = interests.get_mut(index).filter(|mark| **mark == 0) {
                *mark = self.interest(&names, column);
            }
        }
    }

    fn interest(&self, names: &Names, column: ColumnId) -> u32 {
        let Some(info) = names.column_info(column) else { return LOOKED_UP };
        let mut mark = LOOKED_UP;
        for (number, tier) in self.plan.tiers.iter().enumerate() {
            let is_source = self.buckets_of(number).is_some_and(|buckets| buckets.source == info.bucket);
            if is_source && SourceField::of(names, column, tier.parent.is_some()).is_some() {
                mark |= 1 << number;
            }
        }
        mark
    }
}
