//! An object being put together in a file.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use ring::digest;
use vfs::{File, Fs};

use crate::error::Error;
use crate::names::hex;

/// Bytes gathered before they are written.
const BUFFER: usize = 256 << 10;

/// A file that becomes an object. Removed when it is dropped before.
pub(crate) struct Draft {
    pub(crate) name: String,
    pub(crate) file: Arc<dyn File>,
    removed: Removed,
    buffer: Vec<u8>,
    bytes: u64,
    digest: digest::Context,
}

/// A file that is removed when this is dropped.
pub(super) struct Removed {
    fs: Arc<dyn Fs>,
    pub(super) path: PathBuf,
    is_kept: bool,
}

impl Draft {
    /// Begins the object `name` in a file at `path`, which is replaced when a crash has left one there.
    pub(super) fn create(fs: &Arc<dyn Fs>, path: PathBuf, name: &str) -> Result<Self, Error> {
        let (file, removed) = Removed::create(fs, path)?;
        let digest = digest::Context::new(&digest::SHA256);
        Ok(Self { name: name.to_owned(), file, removed, buffer: Vec::new(), bytes: 0, digest })
    }

    /// Length of what was written.
    pub(crate) fn bytes(&self) -> u64 {
        self.bytes + self.buffer.len() as u64
    }

    /// SHA-256 of what was written, in hexadecimal digits.
    pub(crate) fn sha256(&self) -> String {
        let mut digest = self.digest.clone();
        digest.update(&self.buffer);
        hex(digest.finish().as_ref())
    }

    pub(super) fn path(&self) -> &Path {
        &self.removed.path
    }

    /// Writes what is gathered and makes the file durable.
    pub(super) fn sync(&mut self) -> Result<(), Error> {
        let done = self.write_out().and_then(|()| self.file.sync());
        done.map_err(|source| Error::io("write", self.path(), source))
    }

    /// The file has got its name and stays.
    pub(super) fn keep(mut self) {
        self.removed.is_kept = true;
    }

    fn write_out(&mut self) -> io::Result<()> {
        self.file.write_at(&self.buffer, self.bytes)?;
        self.digest.update(&self.buffer);
        self.bytes += self.buffer.len() as u64;
        self.buffer.clear();
        Ok(())
    }
}

impl io::Write for Draft {
    fn write(&mut self, data: &[u8]) -> io::Result<usize> {
        self.buffer.extend_from_slice(data);
        if self.buffer.len() >= BUFFER {
            self.write_out()?;
        }
        Ok(data.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.write_out()
    }
}

impl Removed {
    pub(super) fn create(fs: &Arc<dyn Fs>, path: PathBuf) -> Result<(Arc<dyn File>, Self), Error> {
        let wrong = |source| Error::io("create", &path, source);
        if fs.exists(&path) {
            fs.remove(&path).map_err(wrong)?;
        }
        let file = fs.create(&path).map_err(wrong)?;
        Ok((file, Self { fs: Arc::clone(fs), path, is_kept: false }))
    }
}

impl Drop for Removed {
    fn drop(&mut self) {
        if self.is_kept {
            return;
        }
        if let Err(error) = self.fs.remove(&self.path) {
            tracing::debug!(path = %self.path.display(), %error, "a temporary file of the archive could not be removed");
        }
    }
}
