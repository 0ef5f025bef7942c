//! What can go wrong with an archive.

use std::io;
use std::path::{Path, PathBuf};

/// Why something of the archive failed. Messages name file or object, never a secret.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A file operation failed.
    #[error("{op} {}: {source}", .path.display())]
    Io {
        /// What was tried.
        op: &'static str,
        /// On which file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The object store cannot be reached, is busy or cuts connections; several attempts failed.
    #[error("{0}")]
    Away(String),
    /// The object store refuses: wrong key, no such bucket, no right. Trying again does not help.
    #[error("{0}")]
    Refused(String),
    /// A file is damaged, or not one of ours.
    #[error("{file}: {what}")]
    File {
        /// Which file or object.
        file: String,
        /// What is wrong, and what to do.
        what: String,
    },
    /// Larger than what one request may carry.
    #[error(
        "{file} has {bytes} bytes, and one request to an object store carries {limit} at most: use a folder as target"
    )]
    TooLarge {
        /// Which object.
        file: String,
        /// Its length.
        bytes: u64,
        /// The largest.
        limit: u64,
    },
    /// Asked to stop on the way; nothing is half done.
    #[error("stopped")]
    Stopped,
}

impl Error {
    pub(crate) fn io(op: &'static str, path: &Path, source: io::Error) -> Self {
        Self::Io { op, path: path.to_owned(), source }
    }

    pub(crate) fn file(file: &str, what: impl ToString) -> Self {
        Self::File { file: file.to_owned(), what: what.to_string() }
    }

    /// True when every other file would meet the same: the rest of a run is left for later.
    pub(crate) fn concerns_all(&self) -> bool {
        match self {
            Self::Away(_) | Self::Refused(_) | Self::Stopped => true,
            Self::Io { source, .. } => {
                matches!(source.kind(), io::ErrorKind::StorageFull | io::ErrorKind::ReadOnlyFilesystem)
            }
            Self::File { .. } | Self::TooLarge { .. } => false,
        }
    }
}
