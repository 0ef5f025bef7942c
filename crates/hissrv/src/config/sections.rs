//! Sections of our own.

use std::time::Duration;

use engine::EngineConfig;
use journal::{FsyncPolicy, JournalConfig, WhenFull};
use model::{ByteSize, HumanDuration, WindowNs};
use query::Limits;
use query::cache::CacheConfig;
use query::compile::Dialect;
use serde::{Deserialize, Serialize};

use super::StoreName;

/// Settings of the journal.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct JournalSection {
    /// `always`: a write is answered once it survives a power cut; concurrent writes share a sync. `interval`: once it
    /// survives a crash of the process; a power cut may lose the last `fsync_interval`. Default `always`.
    pub fsync: FsyncMode,
    /// Longest time between syncs with `fsync: interval`. Default 100 ms.
    pub fsync_interval: HumanDuration,
    /// Disk space for values that some store does not have yet. Default 10 GB.
    pub max_disk: ByteSize,
    /// What happens when that space is used: `block` refuses writes (503, and sources wait), `drop_oldest` deletes the oldest
    /// values and counts them. Default `block`.
    pub when_full: WhenFullMode,
}

/// See [`JournalSection::fsync`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum FsyncMode {
    /// Sync before the answer.
    #[default]
    Always,
    /// Sync at intervals.
    Interval,
}

/// See [`JournalSection::when_full`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum WhenFullMode {
    /// Refuse new values.
    #[default]
    Block,
    /// Delete the oldest.
    DropOldest,
}

impl Default for JournalSection {
    fn default() -> Self {
        Self {
            fsync: FsyncMode::Always,
            fsync_interval: HumanDuration(Duration::from_millis(100)),
            max_disk: JournalConfig::default().max_disk,
            when_full: WhenFullMode::Block,
        }
    }
}

impl JournalSection {
    /// As the journal takes it.
    pub fn to_config(&self) -> JournalConfig {
        JournalConfig {
            fsync: match self.fsync {
                FsyncMode::Always => FsyncPolicy::Always,
                FsyncMode::Interval => FsyncPolicy::Interval(self.fsync_interval.0),
            },
            max_disk: self.max_disk,
            when_full: match self.when_full {
                WhenFullMode::Block => WhenFull::Block,
                WhenFullMode::DropOldest => WhenFull::DropOldest,
            },
            ..JournalConfig::default()
        }
    }
}

/// Settings of the embedded store.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct EngineSection {
    /// Memory for values that are not in files yet; up to twice as much is used while one such part is written. Default 32 MiB.
    pub head_max: ByteSize,
    /// Longest time that values stay in memory (and journal) only. Default 30 min.
    pub head_max_age: HumanDuration,
    /// Length of a time partition, the unit in which old data goes. Default 1 day.
    pub partition: HumanDuration,
    /// Memory for indexes of files. Default 32 MiB.
    pub index_cache: ByteSize,
    /// Memory for points of files that are read again and again in small parts. Default 16 MiB.
    pub chunk_cache: ByteSize,
}

impl Default for EngineSection {
    fn default() -> Self {
        let engine = EngineConfig::default();
        Self {
            head_max: engine.head_max,
            head_max_age: HumanDuration(engine.head_max_age),
            partition: HumanDuration(Duration::from_nanos(engine.partition.get().unsigned_abs())),
            index_cache: engine.index_cache,
            chunk_cache: engine.chunk_cache,
        }
    }
}

impl EngineSection {
    /// As the engine takes it; `None` when the partition is no usable length.
    pub fn to_config(&self) -> Option<EngineConfig> {
        Some(EngineConfig {
            head_max: self.head_max,
            head_max_age: self.head_max_age.0,
            partition: i64::try_from(self.partition.0.as_nanos()).ok().and_then(WindowNs::new)?,
            index_cache: self.index_cache,
            chunk_cache: self.chunk_cache,
            ..EngineConfig::default()
        })
    }
}

/// How queries are understood, and their limits; one that would exceed these is refused with a clear error.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct QuerySection {
    /// The store that answers queries, one of those that are fed. Default: the embedded one, else the first of influxdb,
    /// victoriametrics, postgres, hissrv.
    pub backend: Option<StoreName>,
    /// Language of `/query`: `strict` is that of InfluxDB 1.x; `extended` has calendar windows and further functions, too.
    /// Default `strict`.
    pub influxql: InfluxqlMode,
    /// Stored points held at one moment. Default 50 million.
    pub max_points: u64,
    /// Series that a question may name. Default 1 million.
    pub max_series: u64,
    /// Rows of an answer. Default 1 million.
    pub max_rows: u64,
    /// Memory of one query. Default 512 MiB.
    pub max_memory: ByteSize,
    /// Results that are kept for later queries of the embedded store.
    pub cache: CacheConfig,
}

impl Default for QuerySection {
    fn default() -> Self {
        let Limits { max_points, max_series, max_rows, max_memory, .. } = Limits::default();
        let cache = CacheConfig::default();
        Self { backend: None, influxql: InfluxqlMode::Strict, max_points, max_series, max_rows, max_memory, cache }
    }
}

/// See [`QuerySection::influxql`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum InfluxqlMode {
    /// As InfluxDB.
    #[default]
    Strict,
    /// And more.
    Extended,
}

impl QuerySection {
    /// The language as the compiler of queries takes it.
    pub fn to_dialect(&self) -> Dialect {
        match self.influxql {
            InfluxqlMode::Strict => Dialect::Strict,
            InfluxqlMode::Extended => Dialect::Extended,
        }
    }

    /// As query execution takes it.
    pub fn to_limits(&self, timeout: Duration) -> Limits {
        let Self { max_points, max_series, max_rows, max_memory, .. } = *self;
        Limits { max_points, max_series, max_rows, max_memory, timeout }
    }
}

/// What is logged, and how. Logs go to stderr.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct LogSection {
    /// `error`, `warn`, `info`, `debug`, or a filter such as `info,source=debug`. Default `info`.
    pub level: String,
    /// `text` for people, `json` for machines. Default `text`.
    pub format: LogFormat,
    /// Language of messages: `en` or `zh`. Default `en`.
    pub language: Language,
}

/// See [`LogSection::format`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum LogFormat {
    /// One readable line a message.
    #[default]
    Text,
    /// One JSON object a line.
    Json,
}

/// Languages of messages.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Language {
    /// English.
    #[default]
    En,
    /// Chinese.
    Zh,
}

impl Default for LogSection {
    fn default() -> Self {
        Self { level: "info".to_owned(), format: LogFormat::Text, language: Language::En }
    }
}
