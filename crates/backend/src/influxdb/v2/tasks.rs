//! Rollups as tasks.

use serde::Deserialize;
use serde_json::{Value, json};

use super::api::{Api, Changed};
use super::flux::Task;
use crate::{Rollup, Step, WriteError};

#[derive(Debug, Deserialize)]
struct List {
    #[serde(default)]
    tasks: Vec<Existing>,
}

#[derive(Debug, Deserialize)]
struct Existing {
    id: String,
    name: String,
    #[serde(default)]
    flux: String,
}

/// Makes the task of a rollup, or changes its script where it differs. A task that somebody has stopped stays so.
///
/// # Errors
/// Those of the first request that failed.
pub(super) fn keep_in_step(
    api: &Api<'_>,
    rollup: &Rollup,
    default_policy: Option<&str>,
) -> Result<Option<Step>, WriteError> {
    let name = format!("hissrv {}/{}", rollup.database, rollup.name);
    let subject = format!("task {name:?}");
    let script = match (Task { rollup, name: &name, org: api.org, default_policy }).script() {
        Ok(script) => script,
        Err(function) => {
            return Ok(Some(Step::Impossible(format!("{subject}: Flux has no function like {function}"))));
        }
    };
    let list: Option<List> = api.list("tasks", &[("name", &name)])?;
    let existing = list.and_then(|list| list.tasks.into_iter().find(|task| task.name == name));
    let (changed, done) = match existing {
        Some(existing) if words(&existing.flux) == words(&script) => return Ok(None),
        Some(existing) => (api.update(&format!("tasks/{}", existing.id), &json!({ "flux": script }))?, "changed"),
        None => {
            let body = json!({ "orgID": api.org_id, "flux": script, "status": "active" });
            (api.create::<Value>("tasks", &body)?, "created")
        }
    };
    Ok(Some(match changed {
        Changed::Done(_) => Step::Done(format!("{subject} {done}")),
        Changed::Refused(reason) => Step::Impossible(format!("{subject}: {reason}")),
    }))
}

/// Spaces and line breaks make no difference.
fn words(script: &str) -> Vec<&str> {
    script.split_whitespace().collect()
}
