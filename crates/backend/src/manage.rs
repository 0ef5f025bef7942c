//! What is wished of a store besides its points: databases, retention policies, rollups that it computes itself.

use std::time::Duration;

use crate::WriteError;

/// A store whose databases and policies can be kept in step with hissrv's.
pub trait Manage: Send + Sync {
    /// Makes, and changes where they differ, what is `wanted`; removes nothing else. Returns a sentence for each thing it did
    /// and each wish that the store cannot fulfil; calling it again then changes nothing. Blocks for some requests.
    ///
    /// # Errors
    /// The first request that failed.
    fn keep_in_step(&self, wanted: &Wanted) -> Result<Vec<Step>, WriteError>;
}

/// One thing that [`Manage::keep_in_step`] did or could not do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// It was done: `retention policy "hourly" of "telemetry" created`.
    Done(String),
    /// The store cannot do it: `VictoriaMetrics has one retention for all data: start it with -retentionPeriod=365d`.
    Impossible(String),
}

/// Everything wished.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Wanted {
    /// The databases.
    pub databases: Vec<Database>,
    /// Rollups, in an order in which each source stands before what is made of it.
    pub rollups: Vec<Rollup>,
}

/// A database with its retention policies.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Database {
    /// Its name.
    pub name: String,
    /// Name of the policy that is meant where none is named.
    pub default_policy: String,
    /// The policies, the default one included.
    pub policies: Vec<Policy>,
}

/// A retention policy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Policy {
    /// Its name.
    pub name: String,
    /// How long points are kept; `None`: for ever.
    pub duration: Option<Duration>,
    /// Length of a shard; `None`: the store decides.
    pub shard_duration: Option<Duration>,
    /// Copies in a cluster.
    pub replication: u32,
}

/// A rollup of all measurements of one policy into another one of the same database.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rollup {
    /// Its name.
    pub name: String,
    /// Database.
    pub database: String,
    /// Policy read.
    pub source: String,
    /// Policy written.
    pub target: String,
    /// Length of a window.
    pub interval: Duration,
    /// What is computed.
    pub columns: Vec<RollupColumn>,
}

/// One field that a rollup writes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RollupColumn {
    /// Name of the function, lower case, as in InfluxQL.
    pub function: String,
    /// Field it reads.
    pub field: String,
    /// Field it writes.
    pub alias: String,
}
