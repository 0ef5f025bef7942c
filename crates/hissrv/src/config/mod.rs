//! The configuration file. The seed's sections (`influxdb`, `redis`, `buffer`, `writer`, `retention`, `downsampling`) keep their
//! keys and meanings; unknown keys and bad values are refused with file, line and a hint.

mod alerting;
mod error;
mod interpolate;
mod load;
mod rollups;
mod sections;
mod seed;
mod stores;

#[cfg(test)]
mod example;

use std::path::PathBuf;

use backend::influxdb::InfluxdbConfig;
use catalog::{Homes, Pattern};
use serde::{Deserialize, Serialize};
use server::ServerConfig;
use source::RedisConfig;
use writer::WriterConfig;

pub use error::ConfigError;
pub use load::{Loaded, find, load, parse};
pub use sections::{
    EngineSection, FsyncMode, JournalSection, Language, LogFormat, LogSection, QuerySection, WhenFullMode,
};
pub use seed::{
    Aggregation, BufferSection, DownsamplingSection, DownsamplingTask, Policy, RetentionSection, WindowOrder,
};
pub use stores::{EmbeddedSection, InfluxdbSwitch, StorageSection, StoreName};

/// Everything that can be set. Every section may be left out.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// Where HTTP listens, and its limits.
    pub server: ServerConfig,
    /// Folder of everything stored: `journal/`, `catalog/`, `engine/` are made below it. Default `./data`.
    pub data_dir: PathBuf,
    /// The durable log that every value goes through first.
    pub journal: JournalSection,
    /// Which stores are fed.
    pub storage: Option<StorageSection>,
    /// The embedded store.
    pub engine: EngineSection,
    /// Limits of queries.
    pub query: QuerySection,
    /// The Redis that values come from.
    pub redis: RedisConfig,
    /// Batches of values from sources.
    pub buffer: BufferSection,
    /// Writers to remote stores.
    pub writer: WriterConfig,
    /// How long data is kept.
    pub retention: RetentionSection,
    /// Rollups.
    pub downsampling: DownsamplingSection,
    /// An InfluxDB server; its `bucket` names the default database.
    pub influxdb: Option<InfluxdbConfig>,
    /// What to alert about, and whom to tell.
    pub alerts: alerts::Config,
    /// What is logged, and how.
    pub log: LogSection,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            server: ServerConfig::default(),
            data_dir: PathBuf::from("./data"),
            journal: JournalSection::default(),
            storage: None,
            engine: EngineSection::default(),
            query: QuerySection::default(),
            redis: RedisConfig::default(),
            buffer: BufferSection::default(),
            writer: WriterConfig::default(),
            retention: RetentionSection::default(),
            downsampling: DownsamplingSection::default(),
            influxdb: None,
            alerts: alerts::Config::default(),
            log: LogSection::default(),
        }
    }
}

/// Name of the database that exists from the start, unless `influxdb.bucket` names another.
pub const DEFAULT_DATABASE: &str = "telemetry";

impl Config {
    /// The database that sources write to and that exists from the start.
    pub fn database(&self) -> &str {
        self.influxdb.as_ref().map_or(DEFAULT_DATABASE, |i| &i.bucket)
    }

    /// The retention policy that becomes the default one: the one that rollups start from; `None`: the one there always is.
    pub fn raw_policy(&self) -> Option<&str> {
        let tasks = &self.downsampling.tasks;
        let first = tasks.iter().find(|task| !tasks.iter().any(|other| other.target == task.source))?;
        let policy = self.retention.policies.iter().find(|policy| policy.name == first.source)?;
        Some(&policy.name)
    }

    /// Where measurements are at home that a retention policy lists.
    pub fn homes(&self) -> Homes {
        let of_policy = |policy: &Policy| {
            let patterns = policy.measurements.iter().filter_map(|text| Pattern::parse(text));
            patterns.map(|pattern| (pattern, policy.name.clone())).collect::<Vec<_>>()
        };
        Homes::new(self.database(), self.retention.policies.iter().flat_map(of_policy).collect())
    }

    /// What is set but has no effect in this version, a sentence each.
    pub fn without_effect(&self) -> Vec<&'static str> {
        let mut notes = Vec::new();
        let stores = self.stores();
        if self.influxdb.is_some() && !stores.contains(&StoreName::Influxdb) {
            notes.push(
                "influxdb: not written to, since storage.influxdb is not enabled; only its bucket counts, as the name of the database",
            );
        }
        if !self.downsampling.tasks.is_empty() && !self.feeds_embedded() {
            if !stores.contains(&StoreName::Influxdb) {
                notes.push(
                    "downsampling: rollups are made of what the embedded store has, or by InfluxDB; with neither they have no effect",
                );
            } else if self.downsampling.tasks.iter().any(|task| task.fixed().is_none()) {
                notes.push(
                    "downsampling: InfluxDB makes rollups of windows of a fixed length only; those of the calendar have no effect",
                );
            }
        }
        notes
    }
}
