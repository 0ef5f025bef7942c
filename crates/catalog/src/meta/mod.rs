//! Everything the catalog knows besides the names of data: databases with their retention policies, continuous queries and
//! subscriptions, and users with their privileges. The rules, and the texts of the errors, are those of InfluxDB 1.6.
//! Kept as one value that is copied, changed, made durable and then shown; see [`file`] for how it is stored.
//! Not here: buckets, which hold the data of a policy (`names`), the meaning of a query's text, how passwords are hashed.

mod changes;
mod database;
mod error;
pub(crate) mod file;
mod policy;
mod user;

use serde::{Deserialize, Serialize};

pub use database::{ContinuousQuery, Database, Subscription, SubscriptionMode};
pub use error::MetaError;
pub use policy::{Policy, PolicySpec};
pub use user::{Privilege, User};

/// Databases and users at one moment.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Meta {
    /// In the order of creation.
    pub(crate) databases: Vec<Database>,
    /// In the order of creation.
    pub(crate) users: Vec<User>,
}

impl Meta {
    /// Every database, in the order of creation.
    pub fn databases(&self) -> &[Database] {
        &self.databases
    }

    /// The database with this name.
    pub fn database(&self, name: &str) -> Option<&Database> {
        self.databases.iter().find(|d| d.name == name)
    }

    /// A retention policy by the names of its database and its own; the database's default one where that is `None`.
    ///
    /// # Errors
    /// When one of the two does not exist.
    pub fn policy(&self, database: &str, policy: Option<&str>) -> Result<&Policy, MetaError> {
        let database = self.database(database).ok_or_else(|| MetaError::DatabaseNotFound(database.to_owned()))?;
        let name = policy.unwrap_or(&database.default_policy);
        database.policy(name).ok_or_else(|| MetaError::PolicyNotFound(name.to_owned()))
    }

    /// Every user, in the order of creation.
    pub fn users(&self) -> &[User] {
        &self.users
    }

    /// The user with this name.
    pub fn user(&self, name: &str) -> Option<&User> {
        self.users.iter().find(|u| u.name == name)
    }

    /// True when a user exists who may do everything.
    pub fn has_admin(&self) -> bool {
        self.users.iter().any(|u| u.admin)
    }

    fn database_mut(&mut self, name: &str) -> Result<&mut Database, MetaError> {
        let found = self.databases.iter_mut().find(|d| d.name == name);
        found.ok_or_else(|| MetaError::DatabaseNotFound(name.to_owned()))
    }

    fn policy_mut(&mut self, database: &str, policy: &str) -> Result<&mut Policy, MetaError> {
        let found = self.database_mut(database)?.policies.iter_mut().find(|p| p.name == policy);
        found.ok_or_else(|| MetaError::PolicyNotFound(policy.to_owned()))
    }

    fn user_mut(&mut self, name: &str) -> Result<&mut User, MetaError> {
        self.users.iter_mut().find(|u| u.name == name).ok_or(MetaError::UserNotFound)
    }
}

/// Longest name of a database or retention policy, in bytes.
const MAX_NAME: usize = 255;

/// True when a database or retention policy may have this name.
pub(crate) fn is_valid_name(name: &str) -> bool {
    name.len() <= MAX_NAME
        && !matches!(name, "" | "." | "..")
        && !name.contains(['/', '\\'])
        && !name.chars().any(char::is_control)
}
