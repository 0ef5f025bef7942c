//! Retention policies that the configuration names: the same objects that CREATE RETENTION POLICY makes, in the database that
//! values of Redis go to. They are made, or changed to what the configuration says, at every start; none is removed. The one that
//! rollups start from becomes the database's default one, so that values and questions that name none go there, but for measurements
//! that a policy lists as its own.

use anyhow::Context;
use catalog::{Catalog, PolicySpec};

use crate::config::{Config, Policy};

/// Sees to it that every policy of the configuration exists as it is written there.
pub(super) fn ensure(catalog: &Catalog, config: &Config) -> anyhow::Result<()> {
    let database = config.database();
    for policy in &config.retention.policies {
        let spec = spec_of(policy)?;
        let is_default = config.raw_policy() == Some(&policy.name);
        let exists = catalog.meta().policy(database, Some(&policy.name)).is_ok();
        let made = match exists {
            true => catalog.alter_policy(database, &policy.name, &spec, is_default),
            false => catalog.create_policy(database, &policy.name, &spec, is_default),
        };
        made.with_context(|| format!("retention policy `{}` of the configuration", policy.name))?;
    }
    catalog.settle(config.homes());
    Ok(())
}

fn spec_of(policy: &Policy) -> anyhow::Result<PolicySpec> {
    let nanoseconds = |length: model::HumanDuration| {
        i64::try_from(length.0.as_nanos()).with_context(|| format!("retention policy `{}` is too long", policy.name))
    };
    Ok(PolicySpec {
        duration_ns: Some(nanoseconds(policy.duration)?),
        shard_duration_ns: policy.shard_duration.map(nanoseconds).transpose()?,
        replication: Some(policy.replication),
    })
}
