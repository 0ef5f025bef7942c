//! Buckets: one for each retention policy, named as `encode` says.

use std::time::Duration;

use serde::Deserialize;
use serde_json::{Value, json};

use super::api::{Api, Changed};
use crate::influxdb::encode::bucket_name;
use crate::{Database, Policy, Step, WriteError};

const HOUR: u64 = 3600;
const DAY: u64 = 24 * HOUR;

/// A bucket of a policy.
#[derive(Debug)]
pub(super) struct Bucket<'a> {
    pub(super) policy: &'a Policy,
    pub(super) name: String,
    pub(super) id: String,
}

#[derive(Debug, Deserialize)]
struct List {
    #[serde(default)]
    buckets: Vec<Existing>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Existing {
    id: String,
    name: String,
    #[serde(default)]
    retention_rules: Vec<Rule>,
}

#[derive(Debug, Clone, Copy, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Rule {
    every_seconds: u64,
    shard_group_duration_seconds: u64,
}

/// Makes and changes the buckets of a database; gives those that are there then.
///
/// # Errors
/// Those of the first request that failed.
pub(super) fn keep_in_step<'d>(
    api: &Api<'_>,
    database: &'d Database,
    steps: &mut Vec<Step>,
) -> Result<Vec<Bucket<'d>>, WriteError> {
    let mut buckets = Vec::new();
    for policy in &database.policies {
        let is_other = policy.name != database.default_policy;
        let name = bucket_name(&database.name, is_other.then_some(&policy.name));
        let id = match find(api, &name)? {
            Some(existing) => {
                steps.extend(change(api, &existing, policy)?);
                Some(existing.id)
            }
            None => create(api, &name, policy, steps)?,
        };
        buckets.extend(id.map(|id| Bucket { policy, name, id }));
    }
    Ok(buckets)
}

fn find(api: &Api<'_>, name: &str) -> Result<Option<Existing>, WriteError> {
    let list: Option<List> = api.list("buckets", &[("name", name)])?;
    Ok(list.and_then(|list| list.buckets.into_iter().find(|bucket| bucket.name == name)))
}

/// The new bucket's number; `None` when the server refuses it.
fn create(api: &Api<'_>, name: &str, policy: &Policy, steps: &mut Vec<Step>) -> Result<Option<String>, WriteError> {
    let body = json!({ "orgID": api.org_id, "name": name, "retentionRules": rules(policy, None) });
    match api.create::<Existing>("buckets", &body)? {
        Changed::Done(made) => {
            steps.push(Step::Done(format!("bucket {name:?} created")));
            Ok(Some(made.id))
        }
        Changed::Refused(reason) => {
            steps.push(Step::Impossible(format!("bucket {name:?}: {reason}")));
            Ok(None)
        }
    }
}

fn change(api: &Api<'_>, existing: &Existing, policy: &Policy) -> Result<Option<Step>, WriteError> {
    let rule = existing.retention_rules.first().copied().unwrap_or_default();
    let shard = policy.shard_duration.map(seconds);
    let is_same =
        rule.every_seconds == every(policy) && shard.is_none_or(|shard| rule.shard_group_duration_seconds == shard);
    if is_same {
        return Ok(None);
    }
    let body = json!({ "retentionRules": rules(policy, Some(rule)) });
    let name = &existing.name;
    Ok(Some(match api.update(&format!("buckets/{}", existing.id), &body)? {
        Changed::Done(_) => Step::Done(format!("bucket {name:?} changed: kept for {}", shown(policy))),
        Changed::Refused(reason) => Step::Impossible(format!("bucket {name:?}: {reason}")),
    }))
}

/// NOTE: a bucket keeps its length of shards when its retention changes, and a retention shorter than that is refused. Where the
/// length is left to the server it is set to what the server would choose.
fn rules(policy: &Policy, existing: Option<Rule>) -> Value {
    let every = every(policy);
    let shard = policy.shard_duration.map(seconds).or_else(|| existing.map(|_| usual_shard(every)));
    match (every, shard) {
        (0, None) => json!([]),
        (every, None) => json!([{ "type": "expire", "everySeconds": every }]),
        (every, Some(shard)) => {
            json!([{ "type": "expire", "everySeconds": every, "shardGroupDurationSeconds": shard }])
        }
    }
}

/// InfluxDB's own choice.
fn usual_shard(every: u64) -> u64 {
    match every {
        0 => 7 * DAY,
        every if every < 2 * DAY => HOUR,
        every if every <= 180 * DAY => DAY,
        _ => 7 * DAY,
    }
}

/// 0: for ever.
fn every(policy: &Policy) -> u64 {
    policy.duration.map_or(0, seconds)
}

/// Rounded up: nothing is deleted too early.
fn seconds(duration: Duration) -> u64 {
    duration.as_secs() + u64::from(duration.subsec_nanos() > 0)
}

fn shown(policy: &Policy) -> String {
    policy.duration.map_or_else(|| "ever".to_owned(), |duration| model::HumanDuration(duration).to_string())
}
