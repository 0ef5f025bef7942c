//! Databases, and what belongs to them besides policies: continuous queries and subscriptions.

use serde::{Deserialize, Serialize};

use super::{Meta, MetaError, Policy};

/// A database.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Database {
    /// Its name.
    pub name: String,
    /// Name of the policy that is meant where none is named. When that policy was dropped there is none of this name.
    pub default_policy: String,
    /// Its retention policies, in the order of creation.
    pub policies: Vec<Policy>,
    /// Its continuous queries, in the order of creation.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub continuous_queries: Vec<ContinuousQuery>,
}

impl Database {
    /// The retention policy with this name.
    pub fn policy(&self, name: &str) -> Option<&Policy> {
        self.policies.iter().find(|p| p.name == name)
    }
}

/// A query that is to be run again and again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ContinuousQuery {
    /// Its name, unique in its database.
    pub name: String,
    /// The whole `CREATE CONTINUOUS QUERY` statement in normal form.
    pub text: String,
}

/// Somebody who is to be sent what is written to a policy.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Subscription {
    /// Its name, unique in its policy.
    pub name: String,
    /// To whom each write goes.
    pub mode: SubscriptionMode,
    /// URLs.
    pub destinations: Vec<String>,
}

/// To which destinations of a subscription a write goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum SubscriptionMode {
    /// To each of them.
    All,
    /// To one of them in turn.
    Any,
}

impl Meta {
    /// `DROP DATABASE`; nobody keeps privileges on it.
    pub(crate) fn drop_database(&mut self, name: &str) {
        self.databases.retain(|d| d.name != name);
        for user in &mut self.users {
            user.privileges.remove(name);
        }
    }

    /// `CREATE CONTINUOUS QUERY`. The same text again is fine.
    pub(super) fn create_continuous_query(&mut self, database: &str, name: &str, text: &str) -> Result<(), MetaError> {
        let queries = &mut self.database_mut(database)?.continuous_queries;
        match queries.iter().find(|q| q.name == name) {
            Some(stands) if stands.text.to_lowercase() == text.to_lowercase() => Ok(()),
            Some(_) => Err(MetaError::QueryExists),
            None => {
                queries.push(ContinuousQuery { name: name.to_owned(), text: text.to_owned() });
                Ok(())
            }
        }
    }

    /// `DROP CONTINUOUS QUERY`. One that does not exist is fine.
    pub(super) fn drop_continuous_query(&mut self, database: &str, name: &str) {
        if let Ok(database) = self.database_mut(database) {
            database.continuous_queries.retain(|q| q.name != name);
        }
    }

    /// `CREATE SUBSCRIPTION`.
    pub(super) fn create_subscription(
        &mut self,
        database: &str,
        policy: &str,
        subscription: Subscription,
    ) -> Result<(), MetaError> {
        if let Some(bad) = subscription.destinations.iter().find(|d| !is_destination(d)) {
            return Err(MetaError::InvalidDestination(bad.clone()));
        }
        let policy = self.policy_mut(database, policy)?;
        if policy.subscriptions.iter().any(|s| s.name == subscription.name) {
            return Err(MetaError::SubscriptionExists);
        }
        policy.subscriptions.push(subscription);
        Ok(())
    }

    /// `DROP SUBSCRIPTION`.
    pub(super) fn drop_subscription(&mut self, database: &str, policy: &str, name: &str) -> Result<(), MetaError> {
        let subscriptions = &mut self.policy_mut(database, policy)?.subscriptions;
        let before = subscriptions.len();
        subscriptions.retain(|s| s.name != name);
        if subscriptions.len() == before { Err(MetaError::SubscriptionNotFound) } else { Ok(()) }
    }
}

/// True for `http`, `https` or `udp` with a host and a port.
fn is_destination(url: &str) -> bool {
    let Some((scheme, rest)) = url.split_once("://") else { return false };
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    let host = authority.rsplit_once('@').map_or(authority, |(_, host)| host);
    let has_port = host.rsplit_once(':').is_some_and(|(_, port)| port.parse::<u16>().is_ok());
    matches!(scheme.to_ascii_lowercase().as_str(), "http" | "https" | "udp") && has_port
}
