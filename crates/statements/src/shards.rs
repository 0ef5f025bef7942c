//! Shards: here they are the engine's partitions, each of one retention policy and one length of time.
//!
//! A shard's number is made of its bucket and its place in time, so that it stays the same and no list of them is kept.

use engine::Partition;
use model::{BucketId, TimeRange, TimestampNs};

use crate::task::Task;
use crate::time::rfc3339;

/// Room for places in time below the bucket; an hour is the shortest partition, and there are 5 million of them.
const PLACE_BITS: u32 = 24;
const PLACE_OF_1970: i64 = 1 << (PLACE_BITS - 1);

/// A shard with its names.
pub(crate) struct Shard {
    pub(crate) id: u64,
    pub(crate) bucket: BucketId,
    pub(crate) database: String,
    pub(crate) policy: String,
    pub(crate) range: TimeRange,
    /// When retention takes it away; its end where values are kept for ever, as InfluxDB shows it.
    pub(crate) expiry: TimestampNs,
}

impl Shard {
    pub(crate) fn start_text(&self) -> String {
        rfc3339(self.range.start)
    }

    pub(crate) fn end_text(&self) -> String {
        rfc3339(self.range.end)
    }

    pub(crate) fn expiry_text(&self) -> String {
        rfc3339(self.expiry)
    }
}

/// All shards, by database, retention policy and time.
pub(crate) fn all(task: &Task<'_>) -> Vec<Shard> {
    let mut found: Vec<Shard> = task.parts.engine.partitions().iter().filter_map(|p| named(task, p)).collect();
    found.sort_by(|a, b| (&a.database, &a.policy, a.range.start).cmp(&(&b.database, &b.policy, b.range.start)));
    found
}

/// `None` for one whose bucket was dropped.
fn named(task: &Task<'_>, partition: &Partition) -> Option<Shard> {
    let kept_ns = task.parts.catalog.policy_of(partition.bucket)?.duration_ns;
    let names = task.parts.catalog.read();
    let (database, policy) = names.bucket_names(partition.bucket)?;
    Some(Shard {
        id: id_of(partition.bucket, partition.range),
        bucket: partition.bucket,
        database: database.to_owned(),
        policy: policy.to_owned(),
        range: partition.range,
        expiry: partition.range.end.saturating_add(kept_ns),
    })
}

fn id_of(bucket: BucketId, range: TimeRange) -> u64 {
    let width = range.end.0.saturating_sub(range.start.0).max(1);
    let place = PLACE_OF_1970.saturating_add(range.start.0.div_euclid(width)).max(0) as u64;
    (u64::from(bucket.0) << PLACE_BITS).saturating_add(place)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_differ_by_bucket_and_by_time() {
        let day = 86_400_000_000_000;
        let at = |n: i64| TimeRange::new(TimestampNs(n * day), TimestampNs((n + 1) * day));
        let ids = [(0, -1), (0, 0), (0, 1), (0, 19_792), (1, -1), (1, 0)].map(|(b, n)| id_of(BucketId(b), at(n)));
        assert!(ids.windows(2).all(|pair| pair[0] < pair[1]), "{ids:?}");
    }
}
