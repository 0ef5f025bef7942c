//! What can go wrong in the catalog.

use std::io;
use std::path::PathBuf;

/// A failure to open, read or extend the catalog.
#[derive(Debug, thiserror::Error)]
pub enum CatalogError {
    /// The file system failed. Nothing was defined; trying again is fine, for instance once space is freed.
    #[error("catalog: {op} {}: {source}", .path.display())]
    Io {
        /// What was tried.
        op: &'static str,
        /// On which file.
        path: PathBuf,
        /// Why it failed.
        source: io::Error,
    },
    /// An earlier sync failed, so what is on the disk is not known; names that exist still work.
    #[error("catalog takes no new names since an earlier sync failed: restart once the disk is well")]
    Poisoned,
    /// The limit on series is reached: a tag with ever new values (a time, an id) is the usual cause.
    #[error("{wanted} new series would exceed the limit of {limit}: is there a tag whose values never repeat?")]
    TooManySeries {
        /// Series that were to be created.
        wanted: usize,
        /// How many there may be.
        limit: usize,
    },
    /// The limit on columns is reached: ever new field names are the usual cause.
    #[error(
        "{wanted} new fields of series would exceed the limit of {limit}: are there field names that never repeat?"
    )]
    TooManyColumns {
        /// Series that were to be created.
        wanted: usize,
        /// How many there may be.
        limit: usize,
    },
    /// Neither copy holds a single intact record, yet they are not new: starting afresh would give identifiers out twice.
    #[error("catalog: {}: offset 0: both copies are damaged from the start: restore the data directory from a backup", .path.display())]
    Damaged {
        /// One of the files.
        path: PathBuf,
    },
    /// Neither copy of the databases and users is intact.
    #[error(
        "catalog: {}: both copies of databases and users are damaged: restore one from a backup, or remove both, and every \
         database gets a policy without end, while users, continuous queries and subscriptions are to be made again",
        .path.display()
    )]
    MetaDamaged {
        /// The first of the files.
        path: PathBuf,
    },
    /// The database or retention policy was dropped.
    #[error("the database or retention policy was dropped")]
    Dropped,
    /// More names at once than one record holds: define them in smaller batches. Nothing was defined.
    #[error("catalog: {len} bytes of new names at once, of {limit} that one record holds")]
    TooManyNames {
        /// Bytes that were to be written.
        len: usize,
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
