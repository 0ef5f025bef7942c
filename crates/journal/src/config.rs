//! Settings of the journal. They are read from the configuration file by `hissrv`, which owns their spelling there.

use std::time::Duration;

use model::ByteSize;

/// When an append counts as done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum FsyncPolicy {
    /// Once it is synced. Appends that arrive during a sync share the next one.
    #[default]
    Always,
    /// Once it is written; a sync follows at most this long after. A power cut may lose what was written since.
    Interval(Duration),
}

/// What happens when the journal has used its disk space.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum WhenFull {
    /// Appends are refused until the consumers have passed a segment.
    #[default]
    Block,
    /// The oldest segment is deleted, read or not. Consumers that lost records are told how many.
    DropOldest,
}

/// Settings of one journal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JournalConfig {
    /// When an append counts as done. Default: always synced.
    pub fsync: FsyncPolicy,
    /// Largest segment file. Larger means fewer files, a larger record limit and a slower recovery. Default 64 MiB.
    pub segment_max: ByteSize,
    /// Space all segments together may take; may be exceeded by one segment header. Default 10 GB.
    pub max_disk: ByteSize,
    /// What happens when that space is used. Default: appends are refused.
    pub when_full: WhenFull,
    /// Memory for records that were appended and are not committed yet. Default 32 MiB.
    pub queue_max: ByteSize,
    /// Memory for committed records, kept for consumers that keep up. Default 8 MiB.
    pub tail_max: ByteSize,
}

impl Default for JournalConfig {
    fn default() -> Self {
        Self {
            fsync: FsyncPolicy::Always,
            segment_max: ByteSize(64 << 20),
            max_disk: ByteSize(10_000_000_000),
            when_full: WhenFull::Block,
            queue_max: ByteSize(32 << 20),
            tail_max: ByteSize(8 << 20),
        }
    }
}
