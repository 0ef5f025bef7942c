//! The configuration file. The seed's sections (`influxdb`, `redis`, `buffer`, `writer`, `retention`, `downsampling`) keep their
//! keys and meanings; unknown keys and bad values are refused with file, line and a hint.

mod error;
mod interpolate;
mod load;
mod sections;
mod seed;

#[cfg(test)]
mod example;

use std::path::PathBuf;

use serde::{Deserialize, Serialize};
use server::ServerConfig;
use source::RedisConfig;

pub use error::ConfigError;
pub use load::{Loaded, find, load, parse};
pub use sections::{
    EmbeddedSection, EngineSection, FsyncMode, JournalSection, Language, LogFormat, LogSection, QuerySection,
    StorageSection, WhenFullMode,
};
pub use seed::{
    Aggregation, BufferSection, DownsamplingSection, DownsamplingTask, InfluxdbSection, Policy, RetentionSection,
    WriterSection,
};

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
    pub storage: StorageSection,
    /// The embedded store.
    pub engine: EngineSection,
    /// Limits of queries.
    pub query: QuerySection,
    /// The Redis that values come from.
    pub redis: RedisConfig,
    /// Batches of values from sources.
    pub buffer: BufferSection,
    /// Writers to remote stores.
    pub writer: WriterSection,
    /// How long data is kept.
    pub retention: RetentionSection,
    /// Rollups.
    pub downsampling: DownsamplingSection,
    /// An InfluxDB server; its `bucket` names the default database.
    pub influxdb: Option<InfluxdbSection>,
    /// What is logged, and how.
    pub log: LogSection,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            server: ServerConfig::default(),
            data_dir: PathBuf::from("./data"),
            journal: JournalSection::default(),
            storage: StorageSection::default(),
            engine: EngineSection::default(),
            query: QuerySection::default(),
            redis: RedisConfig::default(),
            buffer: BufferSection::default(),
            writer: WriterSection::default(),
            retention: RetentionSection::default(),
            downsampling: DownsamplingSection::default(),
            influxdb: None,
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

    /// What is set but has no effect in this version, a sentence each.
    pub fn without_effect(&self) -> Vec<&'static str> {
        let mut notes = Vec::new();
        if self.influxdb.is_some() {
            notes.push(
                "influxdb: this version does not write to InfluxDB yet; values are kept in the embedded store, \
                 in the database named by influxdb.bucket",
            );
        }
        if self.writer != WriterSection::default() {
            notes.push("writer: there are no remote stores in this version; its settings have no effect yet");
        }
        if self.retention.policies.iter().any(|policy| !policy.measurements.is_empty()) {
            notes.push(
                "retention: values of Redis go to the default policy; the list of measurements of a policy has no effect yet",
            );
        }
        if !self.downsampling.tasks.is_empty() {
            notes.push("downsampling: this version makes no rollups; the tasks were checked but have no effect yet");
        }
        notes
    }
}
