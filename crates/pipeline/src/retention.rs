//! Old values go: a bucket whose policy has a duration loses the partitions that ended before it.

use catalog::{Catalog, Policy};
use engine::{Engine, EngineError, Removed};
use model::{BucketId, TimestampNs};

/// The time from which on a policy keeps values; `None` when it keeps them for ever.
pub(crate) fn cutoff(policy: Option<&Policy>, now: TimestampNs) -> Option<TimestampNs> {
    let duration_ns = policy.map(|p| p.duration_ns).filter(|d| *d > 0)?;
    Some(TimestampNs(now.0.saturating_sub(duration_ns)))
}

/// Removes what is older than the policies keep. To be called every minute or so; cheap when there is nothing to do. Gives the
/// buckets of which something was removed or should have been.
pub fn enforce_retention(
    catalog: &Catalog,
    engine: &Engine,
    now: TimestampNs,
) -> Vec<(BucketId, Result<Removed, EngineError>)> {
    let buckets: Vec<BucketId> = catalog.read().buckets().map(|(id, ..)| id).collect();
    let limited = buckets.into_iter().filter_map(|id| Some((id, cutoff(catalog.policy_of(id).as_ref(), now)?)));
    let outcomes = limited.map(|(id, cutoff)| (id, engine.drop_before(id, cutoff)));
    outcomes.filter(|(_, outcome)| !matches!(outcome, Ok(removed) if removed.files == 0)).collect()
}
