//! Why a notification was not taken.

use std::time::Duration;

use crate::config::ConfigError;

/// Longest text of a receiver that gets into a message, in characters.
const MAX_LEN: usize = 300;
/// Longest wait that a receiver can ask for.
const MAX_WAIT: Duration = Duration::from_secs(3600);

/// A notification was not taken, or nobody knows whether it was. Holds no secrets.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct SendError {
    /// True when trying again may help.
    pub is_retryable: bool,
    /// What happened.
    pub message: String,
    /// How long the receiver wants us to wait.
    pub retry_after: Option<Duration>,
}

impl SendError {
    /// Something that may be different the next time.
    pub fn retryable(message: impl ToString) -> Self {
        Self { is_retryable: true, message: shorten(&message.to_string()), retry_after: None }
    }

    /// Something that will be the same the next time.
    pub fn refused(message: impl ToString) -> Self {
        Self { is_retryable: false, ..Self::retryable(message) }
    }

    /// The same, with a wait of at most an hour that the receiver asks for.
    #[must_use]
    pub fn after(self, wait: Option<Duration>) -> Self {
        Self { retry_after: wait.map(|wait| wait.min(MAX_WAIT)), ..self }
    }
}

/// Why a channel could not be tried, or failed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TestError {
    /// There is no such channel.
    #[error("there is no channel `{name}` below alerts.channels; there are: {known}")]
    Unknown {
        /// What was asked for.
        name: String,
        /// What there is.
        known: String,
    },
    /// Its settings cannot work.
    #[error(transparent)]
    Settings(#[from] ConfigError),
    /// It failed.
    #[error(transparent)]
    Send(#[from] SendError),
}

/// One line of at most 300 characters.
pub(super) fn shorten(text: &str) -> String {
    let words = text.trim().chars().map(|c| if c.is_control() { ' ' } else { c });
    let mut short: String = words.take(MAX_LEN + 1).collect();
    if let Some((at, _)) = short.char_indices().nth(MAX_LEN) {
        short.truncate(at);
        short.push_str("...");
    }
    short
}
