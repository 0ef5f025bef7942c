//! The archive of the embedded store.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use archive::{Archive, ArchiveConfig, Archiver, Clock, Ledger};
use catalog::Catalog;
use engine::Engine;
use model::{BucketId, TimestampNs};
use pipeline::Hold;
use vfs::Fs;

use super::now;

/// Folder below the data directory.
const ARCHIVE: &str = "archive";
/// In it, files on their way to an object store.
const SPOOL: &str = "spool";
/// In it, the list of days that are due.
const DUE: &str = "due";

/// An archiver, and the ledger that must be told of what is written before anything is.
pub(super) struct Archiving {
    pub(super) archiver: Arc<Archiver>,
    pub(super) ledger: Arc<Ledger>,
}

/// Opens the archive of the configuration.
pub(super) fn open(
    fs: &Arc<dyn Fs>,
    dir: &Path,
    config: &ArchiveConfig,
    catalog: &Arc<Catalog>,
    engine: &Arc<Engine>,
) -> anyhow::Result<Archiving> {
    let ledger = Arc::new(Ledger::open(Arc::clone(fs), &due_days(dir), Arc::clone(catalog))?);
    let archive = Archive::new(Arc::clone(fs), config, &spool(dir), clock())?;
    let (names, store, days) = (Arc::clone(catalog), Arc::clone(engine), Arc::clone(&ledger));
    let archiver = Archiver::new(config.clone(), archive, names, store, days, clock());
    Ok(Archiving { archiver: Arc::new(archiver), ledger })
}

/// Without an archive nobody takes note of what is written: what an earlier list of days says would be wrong later.
pub(super) fn forget(fs: &Arc<dyn Fs>, dir: &Path) -> anyhow::Result<()> {
    Ok(Ledger::forget(&**fs, &due_days(dir))?)
}

/// What must stay of a bucket because it is not archived yet.
pub(super) fn hold(archiver: &Archiver, bucket: BucketId) -> Option<Hold> {
    if !archiver.is_before_deletion() {
        return None;
    }
    let from = archiver.first_missing(bucket)?;
    Some(Hold { from, why: "not all of it is archived yet".to_owned() })
}

/// Has what a policy does not keep any more archived soon, where it must be before it goes.
pub(super) fn hurry(archiver: &Archiver, bucket: BucketId, cutoff: TimestampNs) {
    if archiver.is_before_deletion() && !archiver.is_archived(bucket, cutoff) {
        archiver.hurry(bucket, cutoff);
    }
}

/// The system's clock as the archive takes it.
pub(crate) fn clock() -> Clock {
    Arc::new(now)
}

/// Files on their way to an object store are put together here.
pub(crate) fn spool(dir: &Path) -> PathBuf {
    dir.join(ARCHIVE).join(SPOOL)
}

pub(crate) fn due_days(dir: &Path) -> PathBuf {
    dir.join(ARCHIVE).join(DUE)
}
