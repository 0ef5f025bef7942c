//! Where files of the archive are: a folder or an object store, both seen as objects with names such as `plant/autogen/pcs/x.json`.
//! An object is there as a whole or not at all, also after a crash.

mod draft;
mod folder;
mod s3;

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use vfs::{File, Fs};

use crate::Clock;
use crate::config::{ArchiveConfig, ConfigError, Place};
use crate::error::Error;

pub(crate) use draft::Draft;
use folder::Folder;
use s3::S3;

/// Largest manifest that is read.
const MAX_SMALL: u64 = 16 << 20;

/// An object as it is listed.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Object {
    pub(crate) name: String,
    pub(crate) bytes: u64,
}

/// A place for objects. May block; long waits end soon after `stop` is set.
pub(crate) trait Target: Send + Sync {
    /// All objects whose names begin with `prefix` (empty, or a folder and `/`), by name.
    fn list(&self, prefix: &str, stop: &AtomicBool) -> Result<Vec<Object>, Error>;

    /// The whole content of a small object; `None` when there is none.
    fn read(&self, name: &str, stop: &AtomicBool) -> Result<Option<Vec<u8>>, Error>;

    /// An object as a file; `None` when there is none.
    fn open(&self, name: &str, stop: &AtomicBool) -> Result<Option<Opened>, Error>;

    /// Begins an object.
    fn draft(&self, name: &str) -> Result<Draft, Error>;

    /// Puts a finished draft under its name, durably, in place of what was there.
    fn publish(&self, draft: Draft, stop: &AtomicBool) -> Result<(), Error>;

    /// Puts a small object, like [`Target::publish`].
    fn write(&self, name: &str, content: &[u8], stop: &AtomicBool) -> Result<(), Error>;

    /// The object's full address, for messages.
    fn address(&self, name: &str) -> String;
}

/// An object that can be read. A copy of it is removed when this is dropped.
pub(crate) struct Opened {
    pub(crate) file: Arc<dyn File>,
    _copy: Option<draft::Removed>,
}

/// The target of the settings. `spool` is a folder of hissrv's own, where objects are put together before they are sent.
pub(crate) fn open(
    fs: Arc<dyn Fs>,
    config: &ArchiveConfig,
    spool: &Path,
    clock: Clock,
) -> Result<Box<dyn Target>, ConfigError> {
    Ok(match &config.target {
        Place::Folder(path) => Box::new(Folder::new(fs, path.clone())),
        Place::S3 { bucket, prefix } => Box::new(S3::new(fs, &config.s3, [bucket, prefix], spool, clock)?),
    })
}
