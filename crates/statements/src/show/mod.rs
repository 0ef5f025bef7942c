//! SHOW: what there is, told from names. Unless said otherwise the names of all retention policies of a database count.

mod cardinality;
mod databases;
mod diagnostics;
mod fields;
mod measurements;
mod queries;
mod series;
mod shards;
mod stats;
mod tags;
mod users;

use influxql::ast::{Measurement, Scope, Show};

use crate::failure::Failure;
use crate::task::{Sink, Task};

/// Answers a SHOW statement.
pub(crate) fn run(task: &Task<'_>, show: &Show, sink: Sink<'_>) -> Result<(), Failure> {
    match show {
        Show::Databases => databases::databases(task, sink),
        Show::Measurements { with, scope } => measurements::run(task, with.as_ref(), scope, sink),
        Show::Series(scope) => series::run(task, scope, sink),
        Show::TagKeys { with, scope } => tags::keys(task, with.as_ref(), scope, sink),
        Show::TagValues { with, scope } => tags::values(task, with, scope, sink),
        Show::FieldKeys(scope) => fields::run(task, scope, sink),
        Show::Cardinality { of, exact, with, dimensions, scope } => {
            let count = cardinality::Count { of: *of, exact: *exact, with: with.as_ref(), dimensions, scope };
            count.run(task, sink)
        }
        Show::RetentionPolicies { database } => databases::policies(task, database.as_deref(), sink),
        Show::ContinuousQueries => databases::continuous_queries(task, sink),
        Show::Subscriptions => databases::subscriptions(task, sink),
        Show::Users => users::users(task, sink),
        Show::Grants { user } => users::grants(task, user, sink),
        Show::Queries => queries::run(task, sink),
        Show::Stats { module } => stats::run(task, module.as_deref(), sink),
        Show::Diagnostics { module } => diagnostics::run(task, module.as_deref(), sink),
        Show::Shards => shards::shards(task, sink),
        Show::ShardGroups => shards::groups(task, sink),
    }
}

/// Database and retention policy that FROM names; those of several sources must be the same.
fn place_in<'a>(sources: &'a [Measurement]) -> (Option<&'a str>, Option<&'a str>) {
    let named = |name: &'a Option<String>| name.as_deref().filter(|name| !name.is_empty());
    let database = sources.iter().find_map(|source| named(&source.database));
    (database, sources.iter().find_map(|source| named(&source.policy)))
}

/// The database that a SHOW is about: that in FROM, else that behind ON, else the request's. It must exist.
fn database_of<'a>(task: &'a Task<'_>, scope: &'a Scope) -> Result<&'a str, Failure> {
    let (in_from, _) = place_in(&scope.sources);
    let database = task.database(in_from.or(scope.database.as_deref()))?;
    task.known_database(database)?;
    Ok(database)
}
