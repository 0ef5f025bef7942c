//! Samples as the Redis messages and keys that producers in the field write, in every form that `source` reads (its FORMS.md).
//!
//! A node's metric is published like a data point of a channel: the node's id is the channel, the metric's name the number. Forms say what
//! they say: some carry no time, no channel or no type. Not here: the connection, and how often messages are sent.

mod format;
mod keys;
mod messages;
mod words;

pub use format::{Format, FormatError};

use crate::offset::UtcOffset;
use crate::plan::Sample;
use words::Words;

/// The key of the stream that [`Format::StreamFlat`] and [`Format::StreamJson`] add to.
pub const STREAM_KEY: &str = "plant:points";

/// One command for Redis.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Message {
    /// `PUBLISH`.
    Publish {
        /// Name of the channel.
        channel: String,
        /// The message.
        payload: String,
    },
    /// `HSET`.
    HashSet {
        /// Key of the hash.
        key: String,
        /// Name of the field.
        field: String,
        /// Its value.
        value: String,
    },
    /// `SET`.
    Set {
        /// The key.
        key: String,
        /// The string.
        value: String,
    },
    /// `LPUSH`: readers look at the head. The list only grows; nothing here shortens it.
    ListPush {
        /// Key of the list.
        key: String,
        /// The item.
        value: String,
    },
    /// `XADD` with `*`. The stream only grows; nothing here shortens it.
    StreamAdd {
        /// Key of the stream.
        key: String,
        /// Names and values.
        fields: Vec<(&'static str, String)>,
    },
}

impl Message {
    /// The words of the command.
    pub fn command(&self) -> Vec<&str> {
        match self {
            Self::Publish { channel, payload } => vec!["PUBLISH", channel, payload],
            Self::HashSet { key, field, value } => vec!["HSET", key, field, value],
            Self::Set { key, value } => vec!["SET", key, value],
            Self::ListPush { key, value } => vec!["LPUSH", key, value],
            Self::StreamAdd { key, fields } => {
                let fields = fields.iter().flat_map(|(name, value)| [*name, value.as_str()]);
                ["XADD", key, "*"].into_iter().chain(fields).collect()
            }
        }
    }
}

impl Format {
    /// Appends the messages for one sample, mostly one; to be sent in this order. `offset` is the zone of times that some producers write
    /// without one.
    pub fn render(self, sample: &Sample<'_>, offset: UtcOffset, out: &mut Vec<Message>) {
        let words = Words::of(sample, offset);
        if !messages::render(self, &words, out) {
            keys::render(self, &words, out);
        }
    }
}

#[cfg(test)]
mod tests;
