//! Names and the small integers that stand for them: buckets, measurements, fields, series, columns.
//!
//! The journal and the engine speak in identifiers; this room is the only one that can turn them back into names, so an
//! identifier is durable (in two files, see [`log`]) before anything may be written under it, and is never used again for
//! another name. Lookups take a shared lock for a moment; creations are serialised and do their I/O without holding it.
//! Not here: values, retention, which store a bucket lives in.

mod define;
mod entry;
mod error;
mod log;
mod names;
mod tags;

use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError, RwLock, RwLockReadGuard};

use model::BucketId;
use vfs::Fs;

pub use define::{MAX_COLUMNS, MAX_SERIES, Wanted};
pub use error::CatalogError;
pub use log::{CatalogReport, verify};
pub use names::{ColumnInfo, FieldInfo, Names};
pub use tags::TagCondition;

use crate::entry::Entry;
use crate::log::Log;

/// Name of the retention policy that every database has from the start, as in InfluxDB.
pub const DEFAULT_POLICY: &str = "autogen";

/// The catalog of one data directory. Cheap to share; all methods may be called from any thread.
pub struct Catalog {
    names: RwLock<Names>,
    log: Mutex<Log>,
}

impl Catalog {
    /// Opens, or creates, the catalog in `dir`.
    ///
    /// # Errors
    /// [`CatalogError::Io`] when a file cannot be read or repaired. Damage that the second copy can mend is mended and reported.
    pub fn open(fs: Arc<dyn Fs>, dir: &Path) -> Result<(Self, CatalogReport), CatalogError> {
        let (log, batches, report) = Log::open(fs, dir)?;
        let mut names = Names::default();
        for entry in batches.into_iter().flatten() {
            names.apply(entry);
        }
        Ok((Self { names: RwLock::new(names), log: Mutex::new(log) }, report))
    }

    /// The names, locked for reading: hold it for a batch of lookups, not across I/O.
    pub fn read(&self) -> RwLockReadGuard<'_, Names> {
        self.names.read().unwrap_or_else(PoisonError::into_inner)
    }

    /// The bucket of a database and retention policy, created when it does not exist.
    ///
    /// # Errors
    /// When it had to be created and that could not be made durable.
    pub fn ensure_bucket(&self, database: &str, policy: &str) -> Result<BucketId, CatalogError> {
        let mut log = self.log.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(id) = self.read().bucket(database, policy) {
            return Ok(id);
        }
        let id = self.read().next_bucket();
        let entry = Entry::Bucket { id, database: database.to_owned(), policy: policy.to_owned() };
        self.publish(&mut log, vec![entry])?;
        Ok(id)
    }

    /// Makes `entries` durable, then visible. The caller holds the log, so identifiers cannot be given out twice.
    fn publish(&self, log: &mut Log, entries: Vec<Entry>) -> Result<(), CatalogError> {
        if entries.is_empty() {
            return Ok(());
        }
        log.append(&entries)?;
        let mut names = self.names.write().unwrap_or_else(PoisonError::into_inner);
        for entry in entries {
            names.apply(entry);
        }
        Ok(())
    }
}
