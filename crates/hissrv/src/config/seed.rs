//! The sections of the document that hissrv was asked for in, with its keys and meanings.

use std::time::Duration;

use model::HumanDuration;
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
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct DownsamplingSection {
    /// The tasks.
    pub tasks: Vec<DownsamplingTask>,
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
    /// Length of a window.
    pub interval: HumanDuration,
    /// What is computed.
    pub aggregations: Vec<Aggregation>,
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
