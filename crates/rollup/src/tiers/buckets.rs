//! Where a tier's rows are and what they are made of: looked up by names, since databases and policies come and go.

use std::sync::PoisonError;

use engine::Engine;
use model::{BucketId, TimestampNs, WindowNs};
use query::execute::Grid;

use super::{Tiers, length_of};
use crate::ledger::TaskNumber;
use crate::outlet::Buckets;
use crate::task::Tier;

/// Rows of one column that a partition should hold at least, so that reading years does not open thousands of files.
const ROWS_A_PARTITION: i64 = 1024;
const DAY_NS: i64 = 86_400_000_000_000;
/// Partitions of one retention time at least: old rows go by whole partitions.
const PARTITIONS_KEPT: i64 = 8;
impl Tiers {
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

    pub(super) fn kept_from(&self, bucket: BucketId, now: TimestampNs) -> Option<TimestampNs> {
        self.kept_ns(bucket).map(|ns| now.saturating_add(-ns))
    }

    /// The bucket of the points that a tier is made of in the end.
    pub(super) fn root(&self, tier: usize) -> Option<BucketId> {
        match self.plan.tiers.get(tier)?.parent {
            Some(parent) => self.root(parent),
            None => self.buckets_of(tier).map(|buckets| buckets.source),
        }
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
