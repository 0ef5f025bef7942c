//! Why an import ended early.

use std::io;
use std::path::PathBuf;

use crate::checkpoint::CheckpointError;

/// Why an import ended early. What was done stays done.
#[derive(Debug, thiserror::Error)]
pub enum ImportError {
    /// A file cannot be opened or read.
    #[error("{name}: {source}")]
    File {
        /// The file.
        name: String,
        /// What is wrong with it.
        source: formats::Error,
    },
    /// An input cannot be found or is of no known format.
    #[error("{0}")]
    Input(String),
    /// The store took a batch neither at once nor later.
    #[error("the store does not take a batch, tried {tries} times: {message}")]
    Store {
        /// How often it was tried.
        tries: u32,
        /// What it said last.
        message: String,
    },
    /// The store refuses everything as things are.
    #[error("the store refuses what is sent: {0}")]
    Denied(String),
    /// Too many records were refused.
    #[error("more than {max} records were refused; the last one: {last}")]
    TooManyErrors {
        /// As many as are allowed.
        max: u64,
        /// The last one.
        last: String,
    },
    /// Rejects cannot be written.
    #[error("the file of rejects {}: {source}", .path.display())]
    Rejects {
        /// The file.
        path: PathBuf,
        /// How it failed.
        source: io::Error,
    },
    /// The checkpoint cannot be written.
    #[error(transparent)]
    Checkpoint(#[from] CheckpointError),
    /// The store was started anew and may have lost something that cannot be written again.
    #[error(
        "the store was started anew and may have lost what it was given last; {0} cannot be read again: import it once more"
    )]
    Lost(String),
    /// A thread died; a defect of this program.
    #[error("a thread of the import ended unexpectedly")]
    Panicked,
}
