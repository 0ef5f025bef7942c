//! All rollups of a node: where their rows are, and which of their windows must not be believed.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError, RwLock};

use catalog::{Catalog, Names};
use engine::{Engine, Touched};
use model::{BucketId, ColumnId, TimeRange, TimestampNs, WindowNs};
use query::execute::Grid;
use roaring::RoaringBitmap;

use crate::ledger::{Ledger, TaskNumber};
use crate::outlet::{Buckets, PartColumns, SourceField, find_rows};
use crate::part::Part;
use crate::rewritings::Rewritings;
use crate::segments::united;
use crate::task::{Plan, Tier};

/// Rows of one column that a partition should hold at least, so that reading years does not open thousands of files.
const ROWS_A_PARTITION: i64 = 1024;
const DAY_NS: i64 = 86_400_000_000_000;
/// Partitions of one retention time at least: old rows go by whole partitions.
const PARTITIONS_KEPT: i64 = 8;
/// See [`Tiers::are_few`].
const FEW_WINDOWS: i64 = 20_000;
/// Most tasks: their marks on a column are bits of a number.
pub(crate) const MAX_TASKS: usize = 31;
/// Set in a mark once the column was looked up.
const LOOKED_UP: u32 = 1 << 31;

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

/// Tiers with the columns of their rows.
type Rows = Arc<[(usize, PartColumns)]>;

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

    /// Looks up all buckets. Where those of a tier have changed, as when a database was dropped and made again, everything of it is to be made
    /// anew.
    ///
    /// # Errors
    /// When new names could not be made durable.
    pub(crate) fn find_buckets(&self, engine: &Engine) -> Result<bool, catalog::CatalogError> {
        let mut found: Vec<Option<Buckets>> = Vec::new();
        for tier in &self.plan.tiers {
            let buckets = self.look_up(tier, &found)?;
            if let Some(buckets) = buckets {
                let kept_ns = self.kept_ns(buckets.target);
                let width = partition_width(&tier.grid, kept_ns);
                engine.set_partition(buckets.hidden, width);
                engine.set_partition(buckets.target, width);
            }
            found.push(buckets);
        }
        let mut known = self.buckets.write().unwrap_or_else(PoisonError::into_inner);
        if *known == found {
            return Ok(false);
        }
        let were_known = known.clone();
        known.clone_from(&found);
        drop(known);
        self.interests.lock().unwrap_or_else(PoisonError::into_inner).clear();
        self.plan.tiers.iter().for_each(|tier| tier.outlets.clear());
        self.rows.write().unwrap_or_else(PoisonError::into_inner).clear();
        for (number, (before, now)) in were_known.iter().zip(&found).enumerate() {
            if before.is_some() && before != now {
                self.ledger.mark_everything(TaskNumber(number));
            }
        }
        Ok(true)
    }

    fn look_up(&self, tier: &Tier, before: &[Option<Buckets>]) -> Result<Option<Buckets>, catalog::CatalogError> {
        let task = &tier.task;
        let of_policy = |policy: &str| self.catalog.bucket_of(&task.database, Some(policy)).ok();
        let source = match tier.parent {
            Some(parent) => before.get(parent).copied().flatten().map(|buckets| buckets.hidden),
            None => of_policy(&task.source),
        };
        let (Some(source), Some(target)) = (source, of_policy(&task.target)) else { return Ok(None) };
        let hidden = self.catalog.ensure_hidden_bucket(&task.database, &task.name)?;
        Ok(Some(Buckets { source, hidden, target }))
    }

    fn kept_ns(&self, bucket: BucketId) -> Option<i64> {
        self.catalog.policy_of(bucket).map(|policy| policy.duration_ns).filter(|ns| *ns > 0)
    }

    fn kept_from(&self, bucket: BucketId, now: TimestampNs) -> Option<TimestampNs> {
        self.kept_ns(bucket).map(|ns| now.saturating_add(-ns))
    }

    /// The bucket of the points that a tier is made of in the end.
    fn root(&self, tier: usize) -> Option<BucketId> {
        match self.plan.tiers.get(tier)?.parent {
            Some(parent) => self.root(parent),
            None => self.buckets_of(tier).map(|buckets| buckets.source),
        }
    }

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

    /// From when on values of a bucket must stay because a rollup is still to be made of them; `None`: none is.
    pub fn held_from(&self, bucket: BucketId) -> Option<TimestampNs> {
        let made_of = |number: &usize| {
            let tier = self.plan.tiers.get(*number);
            let source = self.buckets_of(*number).map(|buckets| buckets.source);
            // Rows of the parent stand for its target, too.
            let parent = tier.and_then(|tier| tier.parent).and_then(|parent| self.buckets_of(parent));
            source == Some(bucket) || parent.is_some_and(|parent| parent.target == bucket)
        };
        let tiers = (0..self.plan.tiers.len()).filter(made_of);
        tiers.filter_map(|number| self.ledger.oldest(TaskNumber(number))).min()
    }

    /// Buckets of rows with the policies whose time they are kept for.
    pub(crate) fn hidden(&self) -> Vec<(BucketId, Option<i64>)> {
        let found = (0..self.plan.tiers.len()).filter_map(|number| self.buckets_of(number));
        found.map(|buckets| (buckets.hidden, self.kept_ns(buckets.target))).collect()
    }

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

/// Nanoseconds of a window, about.
fn length_of(grid: &Grid) -> i64 {
    let window = grid.containing(TimestampNs(0));
    window.end.0.saturating_sub(window.start.0)
}

/// Length of the partitions of rows: enough rows in each, but enough partitions for old ones to go in time.
fn partition_width(grid: &Grid, kept_ns: Option<i64>) -> WindowNs {
    let wanted = length_of(grid).saturating_mul(ROWS_A_PARTITION);
    let bounded = kept_ns.map_or(wanted, |kept| wanted.min(kept / PARTITIONS_KEPT));
    let days = (bounded / DAY_NS).clamp(1, ROWS_A_PARTITION);
    WindowNs::new(days * DAY_NS).unwrap_or(const { WindowNs::new(DAY_NS).unwrap() })
}

#[cfg(test)]
mod tests {
    use super::*;
    use query::request::parse_interval;

    #[test]
    fn partitions_hold_many_rows_and_go_in_time() {
        let days = |interval: &str, kept_days: Option<i64>| {
            let grid = Grid::new(&parse_interval(interval, None).unwrap(), None).unwrap();
            partition_width(&grid, kept_days.map(|days| days * DAY_NS)).get() / DAY_NS
        };
        assert_eq!(days("1h", None), 42);
        assert_eq!(days("1d", None), 1024);
        assert_eq!(days("1h", Some(30)), 3);
        assert_eq!(days("1m", Some(7)), 1);
        assert_eq!(days("1mo", None), 1024);
    }
}
