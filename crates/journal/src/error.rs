//! What can go wrong, and what the caller may do about it.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use model::{ByteSize, Seq};

/// Why a journal cannot be opened. Damaged records are not a reason: they are skipped and reported.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The files cannot be read, or the cut of a torn tail cannot be made durable.
    #[error("{op} {}", .path.display())]
    Io {
        /// What was attempted.
        op: &'static str,
        /// On what.
        path: PathBuf,
        /// Why it failed.
        source: io::Error,
    },
    /// Written by a later hissrv; nothing was changed.
    #[error("{} has format version {version}, this build reads version {known}", .path.display())]
    Version {
        /// The segment.
        path: PathBuf,
        /// Its version.
        version: u32,
        /// The version this build reads and writes.
        known: u32,
    },
    /// The limits leave no room for a single record.
    #[error("segments of {segment_max} within {max_disk} leave no room for a record")]
    TooSmall {
        /// As configured.
        segment_max: ByteSize,
        /// As configured.
        max_disk: ByteSize,
    },
    /// The committer thread cannot be started.
    #[error("start the journal's committer thread")]
    Thread(#[source] io::Error),
}

impl OpenError {
    pub(crate) fn io(op: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Self {
        let path = path.to_owned();
        move |source| Self::Io { op, path, source }
    }
}

/// Why a record was not appended. Except after `Io`, nothing of it is in the journal; after `Io` it may be.
#[derive(Debug, Clone, thiserror::Error)]
pub enum AppendError {
    /// The disk space is used up; retry once consumers have committed.
    #[error("journal full: {used} of {limit}")]
    Full {
        /// Space the segments take.
        used: ByteSize,
        /// Space they may take, or could take on this disk.
        limit: ByteSize,
    },
    /// Appends come faster than the disk takes them; retry shortly, or use `append_wait`.
    #[error("journal queue full: {queued} of {limit}")]
    QueueFull {
        /// Memory the queue takes.
        queued: ByteSize,
        /// Memory it may take.
        limit: ByteSize,
    },
    /// Never retry: no segment can hold the record.
    #[error("record of {len} exceeds limit {limit}")]
    TooLarge {
        /// Length of the payload.
        len: ByteSize,
        /// Longest payload that can be appended.
        limit: ByteSize,
    },
    /// The write or its sync failed, and the journal is poisoned by it.
    #[error("{op} {}", .path.display())]
    Io {
        /// What was attempted.
        op: &'static str,
        /// On what.
        path: PathBuf,
        /// Why it failed; shared by all records of the commit.
        source: Arc<io::Error>,
    },
    /// An earlier write failed. Appends stay refused until restart; fsync errors are never retried.
    #[error("journal poisoned by an earlier write error")]
    Poisoned,
    /// The journal was closed.
    #[error("journal closed")]
    Closed,
}

/// Of several records not all were appended.
#[derive(Debug, thiserror::Error)]
#[error("record {} of several: {source}", .place + 1)]
pub struct NotAppended {
    /// The first that was not, from 0: all before it are durable. Some behind it may be.
    pub place: usize,
    /// Why.
    pub source: AppendError,
}

impl AppendError {
    /// True when the same record may be accepted later by this journal.
    pub fn is_retryable(&self) -> bool {
        matches!(self, Self::Full { .. } | Self::QueueFull { .. })
    }

    pub(crate) fn io(op: &'static str, path: &Path, source: io::Error) -> Self {
        Self::Io { op, path: path.to_owned(), source: Arc::new(source) }
    }
}

/// Why a consumer cannot be opened or removed.
#[derive(Debug, thiserror::Error)]
pub enum ConsumerError {
    /// The name is empty or holds something else than `a-z 0-9 _ -`.
    #[error("`{0}` is no consumer name: expected one or more of a-z 0-9 _ -")]
    Name(String),
    /// Somebody holds the consumer of this name.
    #[error("consumer `{0}` is in use")]
    InUse(String),
    /// The cursor file cannot be read or created.
    #[error("{op} {}", .path.display())]
    Io {
        /// What was attempted.
        op: &'static str,
        /// On what.
        path: PathBuf,
        /// Why it failed.
        source: io::Error,
    },
}

impl ConsumerError {
    pub(crate) fn io(op: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Self {
        let path = path.to_owned();
        move |source| Self::Io { op, path, source }
    }
}

/// Why the next record cannot be read. The position is unchanged: the same call may be made again.
#[derive(Debug, thiserror::Error)]
#[error("{op} {}", .path.display())]
pub struct ReadError {
    /// What was attempted.
    pub op: &'static str,
    /// On what.
    pub path: PathBuf,
    /// Why it failed.
    pub source: io::Error,
}

impl ReadError {
    pub(crate) fn new(op: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Self {
        let path = path.to_owned();
        move |source| Self { op, path, source }
    }
}

/// Why a cursor was not moved. It is where it was.
#[derive(Debug, thiserror::Error)]
pub enum CommitError {
    /// Never retry: the position was not reached yet.
    #[error("cannot commit {seq}: only {read} was read")]
    NotRead {
        /// What was to be committed.
        seq: Seq,
        /// Last position delivered or sought.
        read: Seq,
    },
    /// Never retry: the range ends with a record that does not exist yet.
    #[error("cannot commit records up to {to} ahead: only {last} was written")]
    NotWritten {
        /// Where the range was to end.
        to: Seq,
        /// Newest written position.
        last: Seq,
    },
    /// The cursor file cannot be written; may be retried.
    #[error("write cursor {}", .path.display())]
    Io {
        /// The cursor file.
        path: PathBuf,
        /// Why it failed.
        source: io::Error,
    },
}

impl CommitError {
    /// True when the same commit may succeed later.
    pub fn is_retryable(&self) -> bool {
        matches!(self, Self::Io { .. })
    }
}
