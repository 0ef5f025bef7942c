//! SHOW of what belongs to databases: these, retention policies, continuous queries, subscriptions.

use catalog::SubscriptionMode;
use query::Cell;

use crate::failure::Failure;
use crate::rows::{Rows, text};
use crate::task::{Sink, Task};
use crate::time::go_duration;

pub(super) fn databases(task: &Task<'_>, sink: Sink<'_>) -> Result<(), Failure> {
    let mut rows = Rows::new("databases", &["name"]);
    task.meta().databases().iter().for_each(|database| rows.push([text(&database.name)]));
    Ok(rows.send(sink)?)
}

pub(super) fn policies(task: &Task<'_>, database: Option<&str>, sink: Sink<'_>) -> Result<(), Failure> {
    let database = task.known_database(task.database(database)?)?;
    let mut rows = Rows::new("", &["name", "duration", "shardGroupDuration", "replicaN", "default"]);
    for policy in &database.policies {
        rows.push([
            text(&policy.name),
            text(go_duration(policy.duration_ns)),
            text(go_duration(policy.shard_duration_ns)),
            Cell::Integer(i64::from(policy.replication)),
            Cell::Boolean(policy.name == database.default_policy),
        ]);
    }
    Ok(rows.send(sink)?)
}

/// One table a database, also where there is none.
pub(super) fn continuous_queries(task: &Task<'_>, sink: Sink<'_>) -> Result<(), Failure> {
    for database in task.meta().databases() {
        let mut rows = Rows::new(&database.name, &["name", "query"]);
        database.continuous_queries.iter().for_each(|query| rows.push([text(&query.name), text(&query.text)]));
        rows.send(sink)?;
    }
    Ok(())
}

/// NOTE: several destinations stand in one text, separated by commas, since a cell holds no list.
pub(super) fn subscriptions(task: &Task<'_>, sink: Sink<'_>) -> Result<(), Failure> {
    for database in task.meta().databases() {
        let mut rows = Rows::new(&database.name, &["retention_policy", "name", "mode", "destinations"]);
        for policy in &database.policies {
            for subscription in &policy.subscriptions {
                let mode = match subscription.mode {
                    SubscriptionMode::All => "ALL",
                    SubscriptionMode::Any => "ANY",
                };
                let destinations = subscription.destinations.join(",");
                rows.push([text(&policy.name), text(&subscription.name), text(mode), text(destinations)]);
            }
        }
        rows.send_unless_empty(sink)?;
    }
    Ok(())
}
