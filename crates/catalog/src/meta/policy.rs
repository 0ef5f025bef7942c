//! Retention policies: how long values are kept, and what follows from that.

use model::TimestampNs;
use serde::{Deserialize, Serialize};

use super::{Meta, MetaError, Subscription, is_valid_name};
use crate::DEFAULT_POLICY;

const HOUR_NS: i64 = 3_600_000_000_000;
const DAY_NS: i64 = 24 * HOUR_NS;

/// How long the values of a bucket are kept.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Policy {
    /// Its name, unique in its database.
    pub name: String,
    /// Values older than this go, in nanoseconds; 0 keeps them for ever. At least an hour otherwise.
    pub duration_ns: i64,
    /// Length of a shard in nanoseconds, at least an hour. Kept for those who ask; the engine has partitions of its own.
    pub shard_duration_ns: i64,
    /// Copies kept, at least 1. Kept for those who ask; there is one.
    pub replication: u32,
    /// Who is to be sent what is written to it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub subscriptions: Vec<Subscription>,
}

/// Wanted settings of a policy; what is `None` takes its default, or stays as it is when a policy is altered.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PolicySpec {
    /// How long values are kept, in nanoseconds; 0 for ever. Default 0.
    pub duration_ns: Option<i64>,
    /// Length of a shard in nanoseconds; `None` or 0 takes what suits the duration.
    pub shard_duration_ns: Option<i64>,
    /// Copies. Default 1.
    pub replication: Option<u32>,
}

impl PolicySpec {
    /// A new policy with these settings.
    fn build(&self, name: &str) -> Result<Policy, MetaError> {
        if !is_valid_name(name) {
            return Err(MetaError::InvalidName);
        }
        self.check_duration()?;
        let duration_ns = self.duration_ns.unwrap_or(0);
        let shard_duration_ns = shard_duration(self.shard_duration_ns, duration_ns);
        let replication = self.replication.unwrap_or(1);
        if replication == 0 {
            return Err(MetaError::ReplicationTooLow);
        }
        if duration_ns > 0 && duration_ns < shard_duration_ns {
            return Err(MetaError::IncompatibleDurations);
        }
        Ok(Policy { name: name.to_owned(), duration_ns, shard_duration_ns, replication, subscriptions: Vec::new() })
    }

    fn check_duration(&self) -> Result<(), MetaError> {
        match self.duration_ns {
            Some(duration) if duration != 0 && duration < HOUR_NS => Err(MetaError::DurationTooLow),
            _ => Ok(()),
        }
    }

    /// True when a policy that stands has the settings wanted.
    fn matches(&self, policy: &Policy) -> bool {
        self.duration_ns.is_none_or(|d| d == policy.duration_ns)
            && self.replication.is_none_or(|r| r == policy.replication)
            && shard_duration(self.shard_duration_ns, policy.duration_ns) == policy.shard_duration_ns
    }
}

/// Length of a shard: as wanted, but at least an hour, or what suits the time for which values are kept.
fn shard_duration(wanted: Option<i64>, kept_ns: i64) -> i64 {
    match wanted.unwrap_or(0) {
        0 if kept_ns == 0 || kept_ns >= 180 * DAY_NS => 7 * DAY_NS,
        0 if kept_ns >= 2 * DAY_NS => DAY_NS,
        wanted => wanted.max(HOUR_NS),
    }
}

impl Meta {
    /// `CREATE DATABASE`, where `policy` has the name and settings that were given for its default policy.
    pub(super) fn create_database(
        &mut self,
        name: &str,
        policy: Option<(Option<&str>, &PolicySpec)>,
    ) -> Result<(), MetaError> {
        if !is_valid_name(name) {
            return Err(MetaError::InvalidName);
        }
        let existing = self.database(name);
        let Some((policy_name, spec)) = policy else {
            if existing.is_none() {
                self.add_database(name, Policy::endless(DEFAULT_POLICY));
            }
            return Ok(());
        };
        let policy_name = policy_name.unwrap_or(DEFAULT_POLICY);
        let Some(existing) = existing.filter(|d| !d.policies.is_empty()) else {
            let policy = spec.build(policy_name)?;
            self.add_database(name, policy);
            return Ok(());
        };
        spec.check_duration()?;
        let matches = existing.policy(policy_name).is_some_and(|p| spec.matches(p));
        if matches && existing.default_policy == policy_name { Ok(()) } else { Err(MetaError::PolicyConflict) }
    }

    /// A database with its first policy, the default one; one that exists has no policy.
    fn add_database(&mut self, name: &str, policy: Policy) {
        let default_policy = policy.name.clone();
        match self.databases.iter_mut().find(|d| d.name == name) {
            Some(database) => {
                database.default_policy = default_policy;
                database.policies.push(policy);
            }
            None => self.databases.push(super::Database {
                name: name.to_owned(),
                default_policy,
                policies: vec![policy],
                continuous_queries: Vec::new(),
            }),
        }
    }

    /// `CREATE RETENTION POLICY`.
    pub(super) fn create_policy(
        &mut self,
        database: &str,
        name: &str,
        spec: &PolicySpec,
        make_default: bool,
    ) -> Result<(), MetaError> {
        let policy = spec.build(name)?;
        let database = self.database_mut(database)?;
        if let Some(stands) = database.policy(name) {
            if !stands.has_settings_of(&policy) {
                return Err(MetaError::PolicyExists);
            }
            let conflicts = make_default && database.default_policy != name;
            return if conflicts { Err(MetaError::PolicyConflict) } else { Ok(()) };
        }
        database.policies.push(policy);
        if make_default {
            database.default_policy = name.to_owned();
        }
        Ok(())
    }

    /// `ALTER RETENTION POLICY`.
    pub(super) fn alter_policy(
        &mut self,
        database: &str,
        name: &str,
        spec: &PolicySpec,
        make_default: bool,
    ) -> Result<(), MetaError> {
        let policy = self.policy_mut(database, name)?;
        spec.check_duration()?;
        let kept_ns = spec.duration_ns.unwrap_or(policy.duration_ns);
        let shard_ns = spec.shard_duration_ns.unwrap_or(policy.shard_duration_ns);
        let is_about_time = spec.duration_ns.is_some() || spec.shard_duration_ns.is_some();
        if is_about_time && kept_ns > 0 && kept_ns < shard_ns {
            return Err(MetaError::IncompatibleDurations);
        }
        if spec.replication == Some(0) {
            return Err(MetaError::ReplicationTooLow);
        }
        policy.duration_ns = kept_ns;
        policy.replication = spec.replication.unwrap_or(policy.replication);
        if spec.shard_duration_ns.is_some() {
            policy.shard_duration_ns = shard_duration(spec.shard_duration_ns, kept_ns);
        }
        if make_default {
            self.database_mut(database)?.default_policy = name.to_owned();
        }
        Ok(())
    }

    /// `DROP RETENTION POLICY`. The default one leaves the database without, until one of that name is made again.
    pub(crate) fn drop_policy(&mut self, database: &str, name: &str) {
        if let Ok(database) = self.database_mut(database) {
            database.policies.retain(|p| p.name != name);
        }
    }

    /// Sees to it that the policy of a bucket exists, and the default policy of a database that is new. Names are taken as
    /// they are: data under them exists.
    pub(crate) fn ensure_policy(&mut self, database: &str, policy: &str) {
        if self.database(database).is_none() {
            self.add_database(database, Policy::endless(DEFAULT_POLICY));
        }
        if let Ok(database) = self.database_mut(database)
            && database.policy(policy).is_none()
        {
            database.policies.push(Policy::endless(policy));
        }
    }
}

impl Policy {
    /// The time from which on values are kept at `now`: one of that very time is, an older one is not. `None` keeps them for ever.
    pub fn cutoff(&self, now: TimestampNs) -> Option<TimestampNs> {
        (self.duration_ns > 0).then(|| TimestampNs(now.0.saturating_sub(self.duration_ns)))
    }

    /// A policy that keeps values for ever.
    fn endless(name: &str) -> Self {
        let shard_duration_ns = shard_duration(None, 0);
        Self { name: name.to_owned(), duration_ns: 0, shard_duration_ns, replication: 1, subscriptions: Vec::new() }
    }

    fn has_settings_of(&self, other: &Self) -> bool {
        (self.duration_ns, self.shard_duration_ns, self.replication)
            == (other.duration_ns, other.shard_duration_ns, other.replication)
    }
}
