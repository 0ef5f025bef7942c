//! Databases and retention policies.

use catalog::{MetaError, PolicySpec, Subscription, SubscriptionMode};
use influxql::ast::PolicyOptions;

use crate::failure::Failure;
use crate::task::Task;

pub(super) fn create(task: &Task<'_>, name: &str, policy: Option<&PolicyOptions>) -> Result<(), Failure> {
    let Some(options) = policy else { return Ok(task.parts.catalog.create_database(name, None)?) };
    let spec = spec(options)?;
    Ok(task.parts.catalog.create_database(name, Some((options.name.as_deref(), &spec)))?)
}

/// With all data in it.
pub(super) fn drop(task: &Task<'_>, name: &str) -> Result<(), Failure> {
    Ok(pipeline::drop_database(&task.parts.catalog, &task.parts.engine, name)?)
}

pub(super) fn create_policy(
    task: &Task<'_>,
    database: &str,
    name: &str,
    options: &PolicyOptions,
) -> Result<(), Failure> {
    Ok(task.parts.catalog.create_policy(database, name, &spec(options)?, options.default)?)
}

pub(super) fn alter_policy(
    task: &Task<'_>,
    database: &str,
    name: &str,
    options: &PolicyOptions,
) -> Result<(), Failure> {
    Ok(task.parts.catalog.alter_policy(database, name, &spec(options)?, options.default)?)
}

/// With all data in it.
pub(super) fn drop_policy(task: &Task<'_>, database: &str, name: &str) -> Result<(), Failure> {
    Ok(pipeline::drop_policy(&task.parts.catalog, &task.parts.engine, database, name)?)
}

pub(super) fn subscription(name: &str, mode: &str, destinations: &[String]) -> Subscription {
    let mode = if mode.eq_ignore_ascii_case("any") { SubscriptionMode::Any } else { SubscriptionMode::All };
    Subscription { name: name.to_owned(), mode, destinations: destinations.to_vec() }
}

fn spec(options: &PolicyOptions) -> Result<PolicySpec, Failure> {
    let replication = options.replication.map(|n| u32::try_from(n).map_err(|_| MetaError::ReplicationTooLow));
    Ok(PolicySpec {
        duration_ns: options.duration,
        shard_duration_ns: options.shard_duration,
        replication: replication.transpose()?,
    })
}
