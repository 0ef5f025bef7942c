//! Numbers for metrics and status pages.

use std::time::Duration;

use model::{ByteSize, Seq};

/// State and counters of a journal. Counters start at 0 when it is opened.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Stats {
    /// Segment files.
    pub segments: usize,
    /// Space they take.
    pub disk: ByteSize,
    /// Records waiting for the committer.
    pub queue_items: usize,
    /// Memory of records waiting or being committed.
    pub queue: ByteSize,
    /// Oldest retained position.
    pub first_seq: Seq,
    /// Newest written position; 0 when nothing was ever written.
    pub last_seq: Seq,
    /// Newest position that survives power loss.
    pub durable_seq: Seq,
    /// Records, points and payload bytes written.
    pub appended: Appended,
    /// Syncs of segments.
    pub fsyncs: u64,
    /// Time spent in them, in all.
    pub fsync_sum: Duration,
    /// The longest one.
    pub fsync_max: Duration,
    /// Records deleted unread because the disk space was used up.
    pub dropped_records: u64,
    /// Points in them, estimated inside a block of 64 KiB.
    pub dropped_points: u64,
    /// Damaged records that consumers had to pass over; each consumer counts.
    pub corrupt_records: u64,
    /// A write failed; appends are refused until restart.
    pub poisoned: bool,
    /// The disk space is used up: the last append was refused, or no other segment could be begun.
    pub full: bool,
    /// The consumers by name.
    pub consumers: Vec<ConsumerStats>,
}

/// What was written since the journal was opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Appended {
    /// Records.
    pub records: u64,
    /// Points in them.
    pub points: u64,
    /// Bytes of their payloads.
    pub bytes: u64,
}

/// Where a consumer is.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ConsumerStats {
    /// Its name.
    pub name: String,
    /// True while somebody holds it.
    pub open: bool,
    /// Its durable position.
    pub committed_seq: Seq,
    /// The position delivered last.
    pub read_seq: Seq,
    /// Records after the durable position.
    pub lag_records: u64,
    /// Bytes of segments after it, estimated inside a block of 64 KiB.
    pub lag: ByteSize,
    /// Points after it, estimated alike.
    pub lag_points: u64,
}
