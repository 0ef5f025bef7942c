//! Where measurements belong for which nobody names a retention policy: what is written plainly and what is asked plainly meet.
//!
//! A measurement with a home is written to, and looked for in, the policy that is its home; any other in the database's default
//! one. A home that does not exist, since somebody dropped the policy, is none. Set once, after the start; not stored.

use model::BucketId;

use crate::{Catalog, MetaError};

/// Names of measurements: one, or all that begin alike.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Pattern {
    /// This one.
    Name(String),
    /// All that begin so.
    Prefix(String),
}

impl Pattern {
    /// Reads a name, or the beginning of names with a `*` behind it; `None` for an empty name and one with a `*` elsewhere.
    pub fn parse(text: &str) -> Option<Self> {
        let (stem, is_prefix) = text.strip_suffix('*').map_or((text, false), |stem| (stem, true));
        if stem.contains('*') || text.is_empty() {
            return None;
        }
        Some(if is_prefix { Self::Prefix(stem.to_owned()) } else { Self::Name(stem.to_owned()) })
    }

    /// True for a measurement that is meant.
    pub fn takes(&self, measurement: &str) -> bool {
        match self {
            Self::Name(name) => name == measurement,
            Self::Prefix(stem) => measurement.starts_with(stem),
        }
    }

    /// True when a measurement may be meant by both.
    pub fn meets(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Prefix(a), Self::Prefix(b)) => a.starts_with(b) || b.starts_with(a),
            (Self::Name(name), pattern) | (pattern, Self::Name(name)) => pattern.takes(name),
        }
    }
}

/// The homes of measurements of one database.
#[derive(Debug, Clone, Default)]
pub struct Homes {
    database: String,
    rules: Vec<(Pattern, String)>,
}

impl Homes {
    /// Patterns with the policy that each is at home in; no measurement may be meant by two of them.
    pub fn new(database: &str, rules: Vec<(Pattern, String)>) -> Self {
        Self { database: database.to_owned(), rules }
    }
}

impl Catalog {
    /// Says where measurements are at home. To be called once, before anything is written or asked; later calls do nothing.
    pub fn settle(&self, homes: Homes) {
        self.homes.get_or_init(|| homes);
    }

    /// The patterns of a database with the policies that they are at home in, those that exist.
    pub fn homes(&self, database: &str) -> Vec<(&Pattern, &str)> {
        let Some(homes) = self.homes.get().filter(|h| h.database == database && !h.rules.is_empty()) else {
            return Vec::new();
        };
        let meta = self.meta();
        let exists = |policy: &str| meta.policy(database, Some(policy)).is_ok();
        let rules = homes.rules.iter().map(|(pattern, policy)| (pattern, policy.as_str()));
        rules.filter(|(_, policy)| exists(policy)).collect()
    }

    /// The policy that a measurement is at home in; `None`: the database's default one.
    pub fn home(&self, database: &str, measurement: &str) -> Option<&str> {
        self.homes(database).into_iter().find(|(pattern, _)| pattern.takes(measurement)).map(|(_, policy)| policy)
    }

    /// The bucket that a measurement is written to and looked for in: of the policy named, else of its home, else of the
    /// default policy.
    ///
    /// # Errors
    /// As [`Catalog::bucket_of`].
    pub fn bucket_for(&self, database: &str, policy: Option<&str>, measurement: &str) -> Result<BucketId, MetaError> {
        self.bucket_of(database, policy.or_else(|| self.home(database, measurement)))
    }

    /// The buckets in which measurements are looked for under a policy, and without one: first that of the default policy, then
    /// those that are the home of some.
    ///
    /// # Errors
    /// As [`Catalog::bucket_of`].
    pub fn buckets_for(&self, database: &str, policy: Option<&str>) -> Result<Vec<BucketId>, MetaError> {
        let mut buckets = vec![self.bucket_of(database, policy)?];
        let homes = if policy.is_none() { self.homes(database) } else { Vec::new() };
        for (_, home) in homes {
            let bucket = self.bucket_of(database, Some(home))?;
            if !buckets.contains(&bucket) {
                buckets.push(bucket);
            }
        }
        Ok(buckets)
    }

    /// Names of the measurements that are found under a policy, and without one: sorted, each once.
    ///
    /// # Errors
    /// As [`Catalog::bucket_of`].
    pub fn measurements_of(&self, database: &str, policy: Option<&str>) -> Result<Vec<String>, MetaError> {
        let mut found = Vec::new();
        for bucket in self.buckets_for(database, policy)? {
            let names: Vec<String> = self.read().measurements(bucket).map(|(_, name)| name.to_owned()).collect();
            for name in names {
                if policy.is_some() || self.bucket_for(database, None, &name)? == bucket {
                    found.push(name);
                }
            }
        }
        found.sort_unstable();
        Ok(found)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pattern(text: &str) -> Pattern {
        Pattern::parse(text).unwrap()
    }

    #[test]
    fn a_star_may_stand_at_the_end_only() {
        assert_eq!(pattern("signal"), Pattern::Name("signal".to_owned()));
        assert_eq!(pattern("sig*"), Pattern::Prefix("sig".to_owned()));
        assert_eq!(pattern("*"), Pattern::Prefix(String::new()));
        for wrong in ["", "a*b", "*a", "a**"] {
            assert_eq!(Pattern::parse(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn patterns_meet_when_one_measurement_fits_both() {
        for (a, b, meets) in [
            ("signal", "signal", true),
            ("signal", "sig*", true),
            ("sig*", "signal*", true),
            ("sig*", "alarm", false),
            ("sig*", "alarm*", false),
            ("*", "alarm", true),
            ("signal", "signals", false),
        ] {
            assert_eq!((pattern(a).meets(&pattern(b)), pattern(b).meets(&pattern(a))), (meets, meets), "{a} {b}");
        }
    }
}
