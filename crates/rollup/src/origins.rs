//! Where the values of an answer came from.

use std::collections::BTreeMap;

use model::TimeRange;
use query::Provenance;

use crate::segments::united;

/// Stretches of one tier that are told apart; past it they count as one.
const MAX_STRETCHES: usize = 64;
/// Stretches that may wait until they are put together.
const MAX_WAITING: usize = 4096;

/// Stretches by tier (`None`: points) and by whether values are missing in them.
#[derive(Debug, Default)]
pub(crate) struct Origins {
    seen: BTreeMap<(Option<usize>, bool), Vec<TimeRange>>,
}

impl Origins {
    pub(crate) fn add(&mut self, tier: Option<usize>, range: TimeRange, is_partial: bool) {
        let stretches = self.seen.entry((tier, is_partial)).or_default();
        // Series have their points at other instants, but the same tiers.
        match stretches.last_mut().filter(|last| range.start <= last.end && last.start <= range.end) {
            Some(last) => *last = TimeRange::new(last.start.min(range.start), last.end.max(range.end)),
            None => stretches.push(range),
        }
        if stretches.len() > MAX_WAITING {
            *stretches = few(std::mem::take(stretches));
        }
    }

    /// All of them, oldest first; `name_of` names tiers.
    pub(crate) fn told(&self, name_of: &dyn Fn(usize) -> String) -> Vec<Provenance> {
        let mut told: Vec<Provenance> = Vec::new();
        for ((tier, partial), stretches) in &self.seen {
            let tier = tier.map_or_else(|| "raw".to_owned(), name_of);
            let stretches = few(stretches.clone()).into_iter();
            told.extend(stretches.map(|range| Provenance { tier: tier.clone(), range, partial: *partial }));
        }
        told.sort_by_key(|p| p.range.start);
        told
    }
}

/// Put together, and if they are many still, one from the first to the last.
fn few(stretches: Vec<TimeRange>) -> Vec<TimeRange> {
    let united = united(stretches);
    match (united.first(), united.last()) {
        (Some(first), Some(last)) if united.len() > MAX_STRETCHES => vec![TimeRange::new(first.start, last.end)],
        _ => united,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use model::TimestampNs;

    fn range(start: i64, end: i64) -> TimeRange {
        TimeRange::new(TimestampNs(start), TimestampNs(end))
    }

    #[test]
    fn stretches_are_told_tier_by_tier_in_the_order_of_time() {
        let mut origins = Origins::default();
        origins.add(None, range(100, 130), false);
        origins.add(Some(0), range(0, 60), false);
        origins.add(Some(0), range(60, 100), false);
        origins.add(None, range(105, 140), false);
        origins.add(Some(0), range(0, 100), false);
        let told = origins.told(&|tier| format!("tier {tier}"));
        let expected = [("tier 0", range(0, 100)), ("raw", range(100, 140))];
        let told: Vec<_> = told.iter().map(|p| (p.tier.as_str(), p.range)).collect();
        assert_eq!(told, expected);
    }

    #[test]
    fn very_many_stretches_are_told_as_one() {
        let mut origins = Origins::default();
        (0..10_000).for_each(|i| origins.add(None, range(i * 10, i * 10 + 1), false));
        assert_eq!(origins.told(&|_| String::new()).len(), 1);
    }
}
