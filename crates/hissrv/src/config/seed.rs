//! The sections of the document that hissrv was asked for in, with its keys and meanings.

use std::time::Duration;

use model::{ByteSize, HumanDuration};
use query::QueryError;
use query::plan::Windowing;
use query::request::parse_interval;
use serde::{Deserialize, Serialize};

/// Batches of values on their way from a source to the journal.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct BufferSection {
    /// A batch of so many values is handed over at once. Default 5 000.
    pub max_batch_size: usize,
    /// Upper bound on the time that a value waits in a batch. A batch is handed over after 50 ms at the latest, so that its
    /// values become durable and visible soon; only a shorter time than that makes a difference. Default 10 s.
    pub max_wait_time: HumanDuration,
    /// Memory for messages that were received and not yet decoded, in MB; what does not fit is counted as lost. Default 100.
    pub max_memory_mb: u64,
}

impl Default for BufferSection {
    fn default() -> Self {
        Self { max_batch_size: 5_000, max_wait_time: HumanDuration(Duration::from_secs(10)), max_memory_mb: 100 }
    }
}

/// How long data is kept.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct RetentionSection {
    /// The policies.
    pub policies: Vec<Policy>,
}

/// One retention policy.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Policy {
    /// Its name.
    pub name: String,
    /// How long data is kept.
    pub duration: HumanDuration,
    /// Copies of the data; InfluxDB's key, of use in clusters only.
    #[serde(default = "one")]
    pub replication: u32,
    /// Length of a partition.
    #[serde(default)]
    pub shard_duration: Option<HumanDuration>,
    /// Measurements at home in it: names, or beginnings of names with a `*` behind. Where nobody names a policy they are written to
    /// this one and looked for here. None: it has what names it, and as the default policy all that is at home nowhere.
    #[serde(default)]
    pub measurements: Vec<String>,
}

fn one() -> u32 {
    1
}

/// Rollups.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct DownsamplingSection {
    /// The tasks.
    pub tasks: Vec<DownsamplingTask>,
    /// Windows are made so long after their end, so that what is a little late does not make them twice. Default 5 s.
    pub delay: HumanDuration,
    /// Which windows come first: `oldest` or `newest`. Default `oldest`.
    pub order: WindowOrder,
    /// Part of one processor's time that making rows takes at most, above 0 and up to 1. Default 0.25.
    pub share: f64,
    /// Memory for knowing which windows have changed; past it more is made anew than needed. Default 64 MiB.
    pub max_memory: ByteSize,
}

/// See [`DownsamplingSection::order`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum WindowOrder {
    /// What is longest ago.
    #[default]
    Oldest,
    /// What is newest.
    Newest,
}

impl Default for DownsamplingSection {
    fn default() -> Self {
        let settings = rollup::Settings::default();
        Self {
            tasks: Vec::new(),
            delay: HumanDuration(settings.delay),
            order: WindowOrder::Oldest,
            share: settings.share,
            max_memory: settings.max_memory,
        }
    }
}

impl DownsamplingSection {
    /// As rollups take it.
    pub fn to_settings(&self) -> rollup::Settings {
        let order = match self.order {
            WindowOrder::Oldest => rollup::Order::OldestFirst,
            WindowOrder::Newest => rollup::Order::NewestFirst,
        };
        rollup::Settings {
            order,
            delay: self.delay.0,
            share: self.share,
            max_memory: self.max_memory,
            ..rollup::Settings::default()
        }
    }
}

/// One rollup.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct DownsamplingTask {
    /// Its name.
    pub name: String,
    /// Retention policy read from.
    pub source: String,
    /// Retention policy written to.
    pub target: String,
    /// Length of a window: `10s`, `1h`, `1d`, `1w`, `1mo`, `1y`. Months and years are those of the calendar, days and weeks too where
    /// there is a time zone.
    pub interval: String,
    /// IANA name of the zone on whose clocks windows start, such as `Europe/Berlin`. UTC without one.
    #[serde(default)]
    pub time_zone: Option<String>,
    /// What is computed.
    pub aggregations: Vec<Aggregation>,
}

impl DownsamplingTask {
    /// Its windows.
    ///
    /// # Errors
    /// What is wrong with interval or time zone.
    pub fn window(&self) -> Result<Windowing, QueryError> {
        parse_interval(&self.interval, self.time_zone.as_deref())
    }

    /// Length of its windows, if that is always the same.
    pub fn fixed(&self) -> Option<Duration> {
        match self.window().ok()? {
            Windowing::Fixed { width, .. } => Some(Duration::from_nanos(width.get().unsigned_abs())),
            Windowing::Calendar { .. } => None,
        }
    }
}

/// One function of a rollup.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Aggregation {
    /// Name of the function, such as `MEAN`.
    pub function: String,
    /// Name of the result.
    pub alias: String,
}
