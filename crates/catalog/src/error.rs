//! What can go wrong in the catalog.

use std::io;
use std::path::PathBuf;

/// A failure to open, read or extend the catalog.
#[derive(Debug, thiserror::Error)]
pub enum CatalogError {
    /// The file system failed. After a failed append the catalog takes no new names until restart.
    #[error("catalog: {op} {}: {source}", .path.display())]
    Io {
        /// What was tried.
        op: &'static str,
        /// On which file.
        path: PathBuf,
        /// Why it failed.
        source: io::Error,
    },
    /// An earlier append failed; names that exist still work. Restart once the disk is well.
    #[error("catalog takes no new names since an earlier write failed: restart once the disk is well")]
    Poisoned,
    /// The limit on series is reached: a tag with ever new values (a time, an id) is the usual cause.
    #[error("{wanted} new series would exceed the limit of {limit}: is there a tag whose values never repeat?")]
    TooManySeries {
        /// Series that were to be created.
        wanted: usize,
        /// How many there may be.
        limit: usize,
    },
    /// Written by a later hissrv.
    #[error("catalog: {} holds entries of a later version of hissrv", .path.display())]
    Newer {
        /// The file.
        path: PathBuf,
    },
}
