//! Databases and retention policies kept in step by InfluxQL: on InfluxDB 1.x and on another hissrv.

use std::time::Duration;

use influxql::ast::{PolicyOptions, Show, Statement};
use model::units::parse_duration_ns;
use serde_json::Value;

use super::statements::{Row, StatementError, Statements};
use crate::{Database, Policy, Step, WriteError};

/// Shorter shards are made so long by the server.
const MIN_SHARD_NS: i64 = 3_600_000_000_000;

/// Makes and changes what is wanted. A policy that the server refuses is a [`Step::Impossible`] with its reason.
///
/// # Errors
/// Those of the first request that failed; a database that is refused, too.
pub(crate) fn keep_policies_in_step(
    statements: &Statements<'_>,
    databases: &[Database],
) -> Result<Vec<Step>, WriteError> {
    let mut steps = Vec::new();
    for database in databases {
        let existing = match existing_policies(statements, &database.name)? {
            Some(existing) => existing,
            None => create_database(statements, database, &mut steps)?,
        };
        for policy in &database.policies {
            let existing = existing.iter().find(|existing| existing.name == policy.name);
            steps.extend(keep_policy(statements, database, policy, existing)?);
        }
    }
    Ok(steps)
}

/// A policy of the server.
#[derive(Debug)]
struct Existing {
    name: String,
    /// In nanoseconds; 0: for ever. `None`: not understood, so it counts as different.
    duration: Option<i64>,
    shard_duration: Option<i64>,
    replication: Option<i64>,
    is_default: bool,
}

impl Existing {
    fn read(row: Row<'_>) -> Self {
        let duration = |column| parse_duration_ns(row.text(column)).ok();
        Self {
            name: row.text("name").to_owned(),
            duration: duration("duration"),
            shard_duration: duration("shardGroupDuration"),
            replication: row.get("replicaN").and_then(Value::as_i64),
            is_default: row.get("default").and_then(Value::as_bool).unwrap_or_default(),
        }
    }
}

/// `None` when there is no such database.
fn existing_policies(statements: &Statements<'_>, database: &str) -> Result<Option<Vec<Existing>>, WriteError> {
    let show = Statement::Show(Show::RetentionPolicies { database: Some(database.to_owned()) });
    match statements.run(&show) {
        Ok(tables) => Ok(Some(tables.iter().flat_map(|table| table.rows().map(Existing::read)).collect())),
        Err(StatementError::Refused(reason)) if reason.starts_with("database not found") => Ok(None),
        Err(StatementError::Failed(error)) => Err(error),
        Err(StatementError::Refused(_)) => statements.demand(&show).map(|_| None),
    }
}

/// Made with its default policy at once; otherwise it would have a policy `autogen` beside it.
fn create_database(
    statements: &Statements<'_>,
    database: &Database,
    steps: &mut Vec<Step>,
) -> Result<Vec<Existing>, WriteError> {
    let default = database.policies.iter().find(|policy| policy.name == database.default_policy);
    let policy = default.map(|policy| PolicyOptions { name: Some(policy.name.clone()), ..all_options(policy) });
    let create = Statement::CreateDatabase { name: database.name.clone(), policy };
    statements.demand(&create)?;
    steps.push(Step::Done(format!("database {:?} created", database.name)));
    existing_policies(statements, &database.name).map(Option::unwrap_or_default)
}

fn keep_policy(
    statements: &Statements<'_>,
    database: &Database,
    policy: &Policy,
    existing: Option<&Existing>,
) -> Result<Option<Step>, WriteError> {
    let is_default = policy.name == database.default_policy;
    let (name, on) = (policy.name.clone(), database.name.clone());
    let (statement, done) = match existing {
        None => {
            let options = PolicyOptions { default: is_default, ..all_options(policy) };
            (Statement::CreateRetentionPolicy { name, database: on, options }, "created".to_owned())
        }
        Some(existing) => {
            let options = differences(policy, is_default, existing);
            if options == PolicyOptions::default() {
                return Ok(None);
            }
            let changed = format!("changed:{options}");
            (Statement::AlterRetentionPolicy { name, database: on, options }, changed)
        }
    };
    let subject = format!("retention policy {:?} of {:?}", policy.name, database.name);
    match statements.run(&statement) {
        Ok(_) => Ok(Some(Step::Done(format!("{subject} {done}")))),
        Err(StatementError::Refused(reason)) => Ok(Some(Step::Impossible(format!("{subject}: {reason}")))),
        Err(StatementError::Failed(error)) => Err(error),
    }
}

fn all_options(policy: &Policy) -> PolicyOptions {
    PolicyOptions {
        duration: Some(duration_ns(policy)),
        replication: Some(replication(policy)),
        shard_duration: shard_ns(policy),
        ..PolicyOptions::default()
    }
}

/// NOTE: where the length of shards is left to the server it is asked to choose again with a new duration, since it refuses shards
/// that are longer than the duration.
fn differences(policy: &Policy, is_default: bool, existing: &Existing) -> PolicyOptions {
    let duration = Some(duration_ns(policy)).filter(|_| existing.duration != Some(duration_ns(policy)));
    let shard_duration = match shard_ns(policy) {
        Some(wanted) => Some(wanted).filter(|_| existing.shard_duration != Some(wanted)),
        None => duration.map(|_| 0),
    };
    PolicyOptions {
        name: None,
        duration,
        replication: Some(replication(policy)).filter(|wanted| existing.replication != Some(*wanted)),
        shard_duration,
        default: is_default && !existing.is_default,
    }
}

fn duration_ns(policy: &Policy) -> i64 {
    policy.duration.map_or(0, nanoseconds)
}

fn shard_ns(policy: &Policy) -> Option<i64> {
    policy.shard_duration.map(|duration| nanoseconds(duration).max(MIN_SHARD_NS))
}

fn replication(policy: &Policy) -> i64 {
    i64::from(policy.replication.max(1))
}

/// What does not fit (292 years) is as good as for ever.
pub(super) fn nanoseconds(duration: Duration) -> i64 {
    i64::try_from(duration.as_nanos()).unwrap_or(0)
}
