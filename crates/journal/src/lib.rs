//! Append-only log between the sources and the stores. Once `append` reports success under [`FsyncPolicy::Always`], the
//! record survives power loss and is delivered to every consumer, in order, at least once.
//!
//! Records live in segment files of bounded size; a record never spans two. Each consumer has a durable cursor; a segment
//! is deleted once every cursor has passed it. One thread, the committer, does all writing and deleting of segments;
//! appending only queues, and consumers read from memory when they keep up and from the files when they do not. A
//! [`Follower`] reads likewise, but has no cursor and holds nothing back; what it has done ahead of a consumer's cursor can be
//! noted with it ([`Consumer::commit_ahead`]).
//!
//! | acknowledged under | survives a process crash | survives power loss |
//! | --- | --- | --- |
//! | [`FsyncPolicy::Always`] | yes | yes |
//! | [`FsyncPolicy::Interval`] | yes | all but the last interval |
//!
//! Not here: the meaning of payloads (`model::wire`), deduplication of what is delivered twice (the stores).

mod config;
mod error;

mod record;
mod scan;
mod segment;
mod segments;

mod cursor;
mod recovery;
mod verify;

mod queue;
mod shared;
mod stats;
mod tail;
mod trim;

mod committer;
mod consumer;
mod delivery;
mod follower;
mod log;
mod reader;

pub use config::{FsyncPolicy, JournalConfig, WhenFull};
pub use consumer::Consumer;
pub use cursor::Ahead;
pub use delivery::{Delivery, GapReason};
pub use error::{AppendError, CommitError, ConsumerError, NotAppended, OpenError, ReadError};
pub use follower::Follower;
pub use log::Journal;
pub use recovery::{RecoveryReport, TornTail};
pub use stats::{Appended, ConsumerStats, Stats};
pub use verify::{Finding, verify};
