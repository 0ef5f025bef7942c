//! All rollups of a node: where their rows are, and which of their windows must not be believed.

mod buckets;
mod columns;
mod marking;

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError, RwLock};

use catalog::Catalog;
use model::{ColumnId, TimeRange, TimestampNs};
use query::execute::Grid;

use crate::ledger::{Ledger, TaskNumber};
use crate::outlet::Buckets;
use crate::rewritings::Rewritings;
use crate::task::Plan;
use columns::Rows;
pub(crate) use columns::{ColumnTier, ColumnTiers};

/// See [`Tiers::are_few`].
const FEW_WINDOWS: i64 = 20_000;
/// Most tasks: their marks on a column are bits of a number.
pub(crate) const MAX_TASKS: usize = 31;

/// All rollups.
pub struct Tiers {
    pub(crate) plan: Plan,
    /// Nanoseconds of a window, about, by tier.
    lengths: Vec<i64>,
    pub(crate) catalog: Arc<Catalog>,
    pub(crate) ledger: Ledger,
    /// By tier; `None` while its database or policies do not exist.
    buckets: RwLock<Vec<Option<Buckets>>>,
    /// By column: the tiers that are made of it.
    interests: Mutex<Vec<u32>>,
    /// Rows of columns of points, found earlier by their names, which takes long. Columns are never given another name; they may be gone.
    rows: RwLock<HashMap<ColumnId, Rows>>,
    rewritings: Rewritings,
}

impl Tiers {
    pub(crate) fn new(plan: Plan, catalog: Arc<Catalog>, ledger: Ledger) -> Self {
        let lengths = plan.tiers.iter().map(|tier| length_of(&tier.grid)).collect();
        let buckets = RwLock::new(vec![None; plan.tiers.len()]);
        Self {
            plan,
            lengths,
            catalog,
            ledger,
            buckets,
            interests: Mutex::default(),
            rows: RwLock::default(),
            rewritings: Rewritings::default(),
        }
    }

    pub(crate) fn name(&self, tier: usize) -> String {
        self.plan.tiers.get(tier).map(|tier| tier.task.name.clone()).unwrap_or_default()
    }

    pub(crate) fn grid(&self, tier: usize) -> Option<&Grid> {
        self.plan.tiers.get(tier).map(|tier| &tier.grid)
    }

    pub(crate) fn buckets_of(&self, tier: usize) -> Option<Buckets> {
        self.buckets.read().unwrap_or_else(PoisonError::into_inner).get(tier).copied().flatten()
    }

    fn window_length(&self, tier: usize) -> i64 {
        self.lengths.get(tier).copied().unwrap_or(0)
    }

    /// Rewritings begun so far.
    pub(crate) fn rewritten(&self) -> u64 {
        self.rewritings.count()
    }

    /// True when rows of a tier inside a stretch may have been written since that many rewritings were begun.
    pub(crate) fn was_rewritten(&self, tier: usize, range: TimeRange, since: u64) -> bool {
        self.rewritings.met_since(since, tier, range)
    }

    /// Rows of a tier inside a stretch, which is marked, are about to be written.
    pub(crate) fn begin_rewriting(&self, tier: usize, range: TimeRange) {
        self.rewritings.begin(tier, range);
    }

    /// True while something that is made of the column is to be made anew.
    pub(crate) fn is_marked(&self, column: ColumnId) -> bool {
        let mut tiers = 0..self.plan.tiers.len();
        tiers.any(|number| !self.ledger.dirty(TaskNumber(number), column, TimeRange::ALL).is_empty())
    }

    /// True when a range has so few windows that it is quicker to go through all of them than to look where there are rows.
    pub(crate) fn are_few(&self, tier: usize, range: TimeRange) -> bool {
        let is_bounded = range.start > TimestampNs::MIN && range.end < TimestampNs::MAX;
        let length = range.end.0.saturating_sub(range.start.0);
        is_bounded && length / self.window_length(tier).max(1) <= FEW_WINDOWS
    }
}

/// Nanoseconds of a window, about.
fn length_of(grid: &Grid) -> i64 {
    let window = grid.containing(TimestampNs(0));
    window.end.0.saturating_sub(window.start.0)
}
