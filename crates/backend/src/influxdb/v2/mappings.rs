//! Mappings from database and retention policy to buckets (DBRP), so that InfluxQL finds them by their old names.

use serde::Deserialize;
use serde_json::{Value, json};

use super::api::{Api, Changed};
use super::buckets::Bucket;
use crate::http::form;
use crate::{Database, Step, WriteError};

#[derive(Debug, Deserialize)]
struct List {
    #[serde(default)]
    content: Vec<Mapping>,
}

#[derive(Debug, Deserialize)]
struct Mapping {
    #[serde(default)]
    id: String,
    retention_policy: String,
    #[serde(default, rename = "default")]
    is_default: bool,
    #[serde(rename = "bucketID")]
    bucket_id: String,
    /// The server made it up from the bucket's name.
    #[serde(default, rename = "virtual")]
    is_virtual: bool,
}

/// Makes the mappings of a database that are missing.
///
/// # Errors
/// Those of the first request that failed.
pub(super) fn keep_in_step(
    api: &Api<'_>,
    database: &Database,
    buckets: &[Bucket<'_>],
    steps: &mut Vec<Step>,
) -> Result<(), WriteError> {
    let list: Option<List> = api.list("dbrps", &[("db", &database.name)])?;
    let existing = list.map(|list| list.content).unwrap_or_default();
    for bucket in buckets {
        let is_default = bucket.policy.name == database.default_policy;
        let mapping =
            existing.iter().find(|mapping| mapping.retention_policy == bucket.policy.name && !mapping.is_virtual);
        let made_up =
            existing.iter().find(|mapping| mapping.retention_policy == bucket.policy.name && mapping.is_virtual);
        let fits = |mapping: &Mapping| mapping.bucket_id == bucket.id && (mapping.is_default || !is_default);
        let wish = Wish { api, database: &database.name, bucket, is_default };
        match (mapping, made_up) {
            (Some(mapping), _) if fits(mapping) => {}
            (Some(mapping), _) if mapping.bucket_id == bucket.id => steps.push(wish.make_default(mapping)?),
            (Some(mapping), _) => steps.push(wish.taken(mapping)),
            (None, Some(made_up)) if fits(made_up) => {}
            (None, _) => steps.push(wish.create()?),
        }
    }
    Ok(())
}

/// A mapping that should be there.
struct Wish<'a> {
    api: &'a Api<'a>,
    database: &'a str,
    bucket: &'a Bucket<'a>,
    is_default: bool,
}

impl Wish<'_> {
    fn create(&self) -> Result<Step, WriteError> {
        let body = json!({
            "orgID": self.api.org_id,
            "bucketID": self.bucket.id,
            "database": self.database,
            "retention_policy": self.bucket.policy.name,
            "default": self.is_default,
        });
        self.step(self.api.create::<Value>("dbrps", &body)?, "made")
    }

    fn make_default(&self, mapping: &Mapping) -> Result<Step, WriteError> {
        let path = format!("dbrps/{}?{}", mapping.id, form(&[("orgID", &self.api.org_id)]));
        self.step(self.api.update(&path, &json!({ "default": true }))?, "made the default")
    }

    fn step(&self, changed: Changed<Value>, done: &str) -> Result<Step, WriteError> {
        Ok(match changed {
            Changed::Done(_) => Step::Done(format!("{} {done}", self.subject())),
            Changed::Refused(reason) => Step::Impossible(format!("{}: {reason}", self.subject())),
        })
    }

    fn taken(&self, mapping: &Mapping) -> Step {
        let subject = self.subject();
        Step::Impossible(format!("{subject}: it leads to another bucket; remove the mapping {:?} there", mapping.id))
    }

    fn subject(&self) -> String {
        let (database, policy) = (self.database, &self.bucket.policy.name);
        format!("mapping of database {database:?} and policy {policy:?} to bucket {:?}", self.bucket.name)
    }
}
