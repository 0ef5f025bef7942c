//! Where values go: to one bucket, or, where nobody named a retention policy, each to that of its measurement's home.

use catalog::{Catalog, MetaError, Pattern};
use model::key::SeriesKey;
use model::{BucketId, TimestampNs};

/// Where values go.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Target {
    /// That of all values whose measurement has no home.
    base: BucketId,
    /// Measurements that are at home elsewhere, with their bucket.
    elsewhere: Vec<(Pattern, BucketId)>,
    /// Nobody named a retention policy.
    is_plain: bool,
}

/// To this bucket, all of them.
impl From<BucketId> for Target {
    fn from(base: BucketId) -> Self {
        Self { base, elsewhere: Vec::new(), is_plain: false }
    }
}

impl Target {
    /// To the policy named; without one to each measurement's home, else to the default policy.
    pub(crate) fn find(catalog: &Catalog, database: &str, policy: Option<&str>) -> Result<Self, MetaError> {
        let base = catalog.bucket_of(database, policy)?;
        let mut target = Self { is_plain: policy.is_none(), ..Self::from(base) };
        target.find_homes(catalog, database);
        Ok(target)
    }

    /// Takes the buckets that the names stand for now, `policy` being that of measurements without a home.
    pub(crate) fn renew(&mut self, catalog: &Catalog, database: &str, policy: &str) {
        if let Ok(base) = catalog.bucket_of(database, Some(policy)) {
            self.base = base;
        }
        self.find_homes(catalog, database);
    }

    fn find_homes(&mut self, catalog: &Catalog, database: &str) {
        if self.is_plain {
            let homes = catalog.homes(database).into_iter();
            let found = homes.filter_map(|(p, home)| Some((p.clone(), catalog.bucket_of(database, Some(home)).ok()?)));
            self.elsewhere = found.collect();
        }
    }

    /// That of measurements without a home.
    pub(crate) fn base(&self) -> BucketId {
        self.base
    }

    /// Where values of a series go, by its key as it stands in a line or canonical.
    pub(crate) fn bucket_of(&self, key: &[u8]) -> BucketId {
        if self.elsewhere.is_empty() {
            return self.base;
        }
        // What is no key is refused wherever it would go.
        let Ok(measurement) = SeriesKey::parse(key).map(SeriesKey::measurement) else { return self.base };
        let home = self.elsewhere.iter().find(|(pattern, _)| pattern.takes(&measurement));
        home.map_or(self.base, |(_, bucket)| *bucket)
    }

    /// Every bucket that values may go to, once.
    pub(crate) fn buckets(&self) -> Vec<BucketId> {
        let mut buckets = vec![self.base];
        for (_, bucket) in &self.elsewhere {
            if !buckets.contains(bucket) {
                buckets.push(*bucket);
            }
        }
        buckets
    }

    /// Every bucket with the time of the oldest values that it takes.
    pub(crate) fn cutoffs(&self, catalog: &Catalog, now: TimestampNs) -> Vec<(BucketId, TimestampNs)> {
        let cutoff = |bucket| catalog.policy_of(bucket).and_then(|policy| policy.cutoff(now));
        self.buckets().into_iter().map(|bucket| (bucket, cutoff(bucket).unwrap_or(TimestampNs::MIN))).collect()
    }
}
