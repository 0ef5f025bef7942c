//! Which queries are worth keeping: those of hot data, those over long ranges, and those that come again and again.

use std::collections::HashMap;
use std::fmt::{self, Write};
use std::hash::{BuildHasher, Hasher};

use foldhash::fast::RandomState;
use model::{TimeRange, TimestampNs};

use super::config::CacheConfig;
use crate::plan::{Select, Source};

/// Most plans counted at a time.
const MAX_PLANS: usize = 1024;

/// How often plans were asked, whatever their times.
#[derive(Default)]
pub(super) struct Seen {
    hash: RandomState,
    counts: HashMap<u64, u32, RandomState>,
}

/// True when the range alone is a reason: it reaches into the last while, or is long.
pub(super) fn is_worth_it(config: &CacheConfig, range: TimeRange, now: TimestampNs) -> bool {
    let ns = |duration: std::time::Duration| i64::try_from(duration.as_nanos()).unwrap_or(i64::MAX);
    let is_hot = range.end > now.saturating_add(-ns(config.hot.0));
    is_hot || range.end.0.saturating_sub(range.start.0) > ns(config.min_range.0)
}

impl Seen {
    /// Counts a plan; how often it was asked, this time included.
    pub(super) fn count(&mut self, plan: &Select) -> u32 {
        let plan = self.fingerprint(plan);
        if self.counts.len() >= MAX_PLANS && !self.counts.contains_key(&plan) {
            self.make_room();
        }
        let count = self.counts.entry(plan).or_default();
        *count = count.saturating_add(1);
        *count
    }

    /// Lets every count fade, so that plans asked once go first.
    fn make_room(&mut self) {
        self.counts.retain(|_, count| {
            *count /= 2;
            *count > 0
        });
        if self.counts.len() >= MAX_PLANS {
            self.counts.clear();
        }
    }

    fn fingerprint(&self, plan: &Select) -> u64 {
        let mut hasher = Hashing(self.hash.build_hasher());
        // Writing to a hasher never fails.
        write!(hasher, "{:?}", without_times(plan)).ok();
        hasher.0.finish()
    }
}

fn without_times(plan: &Select) -> Select {
    let mut plan = Select { range: TimeRange::ALL, ..plan.clone() };
    for source in &mut plan.sources {
        if let Source::Subquery(inner) = source {
            **inner = without_times(inner);
        }
    }
    plan
}

/// Hashes a text while it is made.
struct Hashing<H>(H);

impl<H: Hasher> Write for Hashing<H> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        self.0.write(text.as_bytes());
        Ok(())
    }
}
