//! How a writer is, for status pages and metrics.

use model::{Seq, TimestampNs};
use serde::{Serialize, Serializer};

use crate::account::Fates;
use crate::meter::Histogram;

/// What a writer is doing.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum State {
    /// It has not reached its store yet.
    #[default]
    Starting,
    /// Values reach the store as they come.
    Writing,
    /// Values reach the store, and those of an outage are made up for.
    Recovering,
    /// The store is away or busy; values wait in the journal.
    Waiting,
    /// The store refuses everything; a person must act. Values wait in the journal.
    Denied,
    /// A person said so. Values wait in the journal.
    Paused,
    /// It has ended.
    Stopped,
}

/// A writer at one moment. Counters start at 0 with the process.
#[derive(Debug, Clone, Default, Serialize)]
pub struct WriterStatus {
    /// Name of the store.
    pub store: String,
    /// What it is doing.
    pub state: State,
    /// Since when.
    #[serde(serialize_with = "ns")]
    pub state_since: TimestampNs,
    /// What failed last, in the store's words; `None` once a write succeeded after it.
    pub last_error: Option<String>,
    /// Product and version, once it was reached.
    pub version: Option<String>,
    /// What a person should know about its settings.
    pub advice: Vec<String>,
    /// Up to here everything is in the store, durably.
    #[serde(serialize_with = "seq")]
    pub committed_seq: Seq,
    /// The two lanes, while an outage is made up for.
    pub lanes: Option<LanesStatus>,
    /// Most values of a request at the moment.
    pub batch_size: usize,
    /// Requests that may be under way at once at the moment.
    pub concurrency: usize,
    /// Requests under way.
    pub in_flight: usize,
    /// Values read from the journal, each counted once.
    pub taken: u64,
    /// What became of them.
    #[serde(flatten)]
    pub fates: Fates,
    /// Values on their way: read, and without a fate.
    pub on_the_way: u64,
    /// Values that had a fate and were sent once more.
    pub resent: u64,
    /// Values that the journal lost before they could be read, where their number is known.
    pub lost: u64,
    /// Values given up before they were read, estimated by the journal.
    pub skipped_unread: u64,
    /// Records that say something is deleted; they are not forwarded.
    pub deletes: u64,
    /// Times the books did not balance; never, unless hissrv has a fault.
    pub mismatches: u64,
    /// Requests made, and those of them that failed.
    pub requests: u64,
    /// See `requests`.
    pub failures: u64,
    /// Tasks tried again.
    pub retries: u64,
    /// Requests split to find a bad point.
    pub bisections: u64,
    /// Seconds a request took.
    pub latencies: Histogram,
    /// Values a request had.
    pub sizes: Histogram,
    /// Values stored a second, over the last 10 s.
    pub values_per_second: f64,
    /// Values in the journal that are not in the store.
    pub lag_values: u64,
    /// Until `lag_values` is 0, at the pace of the last 10 s; `None` when it does not shrink.
    pub seconds_to_drained: Option<f64>,
    /// Everything that arrived before this moment is in the store; `None` when all is.
    #[serde(serialize_with = "maybe_ns")]
    pub unsent_since: Option<TimestampNs>,
    /// Memory of the values on their way, in bytes.
    pub memory: usize,
}

/// The two lanes while an outage is made up for.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct LanesStatus {
    /// The lane of live values has read so far.
    #[serde(serialize_with = "seq")]
    pub fresh: Seq,
    /// The one that catches up has read so far,
    #[serde(serialize_with = "seq")]
    pub backlog: Seq,
    /// and had to read from here
    #[serde(serialize_with = "seq")]
    pub backlog_from: Seq,
    /// up to here at least.
    #[serde(serialize_with = "seq")]
    pub backlog_to: Seq,
    /// Values that it has left, as the journal estimates.
    pub backlog_values: u64,
    /// Values from this time on are live ones.
    #[serde(serialize_with = "ns")]
    pub since: TimestampNs,
}

fn seq<S: Serializer>(seq: &Seq, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_u64(seq.0)
}

fn ns<S: Serializer>(time: &TimestampNs, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_i64(time.0)
}

fn maybe_ns<S: Serializer>(time: &Option<TimestampNs>, serializer: S) -> Result<S::Ok, S::Error> {
    time.map(|t| t.0).serialize(serializer)
}
