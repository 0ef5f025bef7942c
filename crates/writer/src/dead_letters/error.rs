//! What can go wrong with dead letters.

use std::io;
use std::path::{Path, PathBuf};

/// Why dead letters cannot be kept, removed or listed.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The name of the store cannot be that of a folder.
    #[error("`{0}` is no name of a store: expected one or more of a-z 0-9 _ -")]
    Name(String),
    /// A file or folder cannot be read or written. The same call may be made again.
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

impl Error {
    pub(super) fn io(op: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Self {
        let path = path.to_owned();
        move |source| Self::Io { op, path, source }
    }
}

/// Something among the dead letters that cannot be read, and is passed over.
#[derive(Debug, thiserror::Error)]
pub enum Problem {
    /// A line that is no letter.
    #[error("{}, line {line}: {what}", .path.display())]
    Line {
        /// The file.
        path: PathBuf,
        /// The line in it, from 1.
        line: u64,
        /// What is wrong with it.
        what: String,
    },
    /// A file cannot be read on from here.
    #[error("cannot read {}: {source}", .path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
}
