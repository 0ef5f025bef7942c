//! Changes of databases, retention policies, continuous queries, subscriptions and users. Each is durable when it is answered.

mod continuous_queries;
mod databases;
mod users;

use influxql::ast::Statement;

use crate::failure::Failure;
use crate::task::Task;

/// Makes the change that a statement asks for.
pub(crate) fn run(task: &Task<'_>, statement: &Statement) -> Result<(), Failure> {
    use Statement as S;
    match statement {
        S::CreateDatabase { name, policy } => databases::create(task, name, policy.as_ref()),
        S::DropDatabase { name } => databases::drop(task, name),
        S::CreateRetentionPolicy { name, database, options } => databases::create_policy(task, database, name, options),
        S::AlterRetentionPolicy { name, database, options } => databases::alter_policy(task, database, name, options),
        S::DropRetentionPolicy { name, database } => databases::drop_policy(task, database, name),
        S::CreateSubscription { name, database, policy, mode, destinations } => {
            let subscription = databases::subscription(name, mode, destinations);
            Ok(task.parts.catalog.create_subscription(database, policy, subscription)?)
        }
        S::DropSubscription { name, database, policy } => {
            Ok(task.parts.catalog.drop_subscription(database, policy, name)?)
        }
        S::CreateContinuousQuery(query) => continuous_queries::create(task, query),
        S::DropContinuousQuery { name, database } => Ok(task.parts.catalog.drop_continuous_query(database, name)?),
        user => users::run(task, user),
    }
}
