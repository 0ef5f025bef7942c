//! One statement under way: what it is run with, and where it looks.

use std::sync::Arc;

use catalog::Database;
use model::{BucketId, TimestampNs};
use pipeline::Target;
use query::compile::Context;

use crate::failure::Failure;
use crate::request::Request;
use crate::run::{Inner, Parts};

/// A statement under way.
pub(crate) struct Task<'a> {
    pub(crate) parts: &'a Parts,
    pub(crate) inner: &'a Inner,
    pub(crate) request: &'a Request<'a>,
    /// What `now()` is, from its start to its end.
    pub(crate) now: TimestampNs,
}

/// Takes the tables of an answer.
pub(crate) type Sink<'a> = &'a mut dyn FnMut(query::Table) -> Result<(), query::QueryError>;

impl Task<'_> {
    /// The database that a statement is about: the one it names, else that of the request.
    pub(crate) fn database<'b>(&'b self, own: Option<&'b str>) -> Result<&'b str, Failure> {
        let named = |name: &&str| !name.is_empty();
        own.filter(named).or(self.request.database.filter(named)).ok_or(Failure::NoDatabase)
    }

    /// The database with this name, which must exist.
    pub(crate) fn known_database(&self, name: &str) -> Result<Database, Failure> {
        let found = self.parts.catalog.meta().database(name).cloned();
        found.ok_or_else(|| Failure::DatabaseNotFound(name.to_owned()))
    }

    /// The buckets of all retention policies of a database.
    pub(crate) fn buckets(&self, database: &str) -> Vec<BucketId> {
        self.buckets_where(database, |policy| !catalog::is_hidden(policy))
    }

    /// All buckets of a database, also those that hissrv keeps for itself: what goes, goes there, too.
    pub(crate) fn all_buckets(&self, database: &str) -> Vec<BucketId> {
        self.buckets_where(database, |_| true)
    }

    fn buckets_where(&self, database: &str, is_meant: impl Fn(&str) -> bool) -> Vec<BucketId> {
        let names = self.parts.catalog.read();
        let meant = names.buckets().filter(|(_, known, policy)| *known == database && is_meant(policy));
        meant.map(|(id, ..)| id).collect()
    }

    /// The buckets that are meant where one retention policy is: that of the one named, else of the request's where it is about the
    /// request's database, else of the database's default one and of those that measurements are at home in.
    pub(crate) fn buckets_of(&self, database: &str, policy: Option<&str>) -> Result<Vec<BucketId>, Failure> {
        Ok(self.parts.catalog.buckets_for(database, self.policy(database, policy))?)
    }

    /// Where values go that are written to a retention policy, by the same rule.
    pub(crate) fn target(&self, database: &str, policy: Option<&str>) -> Result<Target, Failure> {
        Ok(self.parts.intake.target(database, self.policy(database, policy))?)
    }

    fn policy<'b>(&'b self, database: &str, own: Option<&'b str>) -> Option<&'b str> {
        let named = |name: &&str| !name.is_empty();
        let of_request = self.request.policy.filter(|_| self.request.database == Some(database));
        own.filter(named).or(of_request.filter(named))
    }

    /// For statements about stored values, which only the embedded store can do.
    pub(crate) fn needs_values_here(&self, statement: &str) -> Result<(), Failure> {
        if self.parts.has_values_here {
            return Ok(());
        }
        Err(Failure::message(format!(
            "{statement} is about values of the embedded store, which is switched off: run it in the store that has them, {}",
            self.parts.backend.name()
        )))
    }

    /// True when the embedded store can tell which series have values.
    pub(crate) fn has_values_here(&self) -> bool {
        self.parts.has_values_here
    }

    /// What queries are compiled with.
    pub(crate) fn context(&self, into: bool) -> Context {
        Context {
            now: self.now,
            database: self.request.database.map(str::to_owned),
            policy: self.request.policy.map(str::to_owned),
            dialect: self.parts.dialect,
            into,
        }
    }

    /// Database and retention policy of every bucket, for those who list them all.
    pub(crate) fn meta(&self) -> Arc<catalog::Meta> {
        self.parts.catalog.meta()
    }
}
