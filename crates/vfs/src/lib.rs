//! Files as hissrv uses them: append, positional read, durable rename. The trait exists so that the journal, the catalog and
//! the engine can be run over [`FaultFs`], which forgets everything that was not synced, as a power cut does.

mod fault;
mod real;

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

pub use fault::FaultFs;
pub use real::RealFs;

/// A file open for appending and reading.
pub trait File: Send + Sync {
    /// Writes all of `data` at `offset`; grows the file as needed. Not durable until [`File::sync`].
    fn write_at(&self, data: &[u8], offset: u64) -> io::Result<()>;
    /// Fills `buf` from `offset`; `UnexpectedEof` when the file is shorter.
    fn read_at(&self, buf: &mut [u8], offset: u64) -> io::Result<()>;
    /// Makes content and length durable (`fdatasync`).
    fn sync(&self) -> io::Result<()>;
    /// Cuts or extends (with zeros) to `len` bytes.
    fn set_len(&self, len: u64) -> io::Result<()>;
    /// Length in bytes.
    fn len(&self) -> io::Result<u64>;
    /// True when the file holds nothing.
    fn is_empty(&self) -> io::Result<bool> {
        Ok(self.len()? == 0)
    }
}

/// A tree of files. Paths are used as given.
pub trait Fs: Send + Sync {
    /// Creates a file that must not exist yet. The name is durable only after [`Fs::sync_dir`] of its folder.
    fn create(&self, path: &Path) -> io::Result<Arc<dyn File>>;
    /// Opens an existing file for reading and writing.
    fn open(&self, path: &Path) -> io::Result<Arc<dyn File>>;
    /// The whole content of a file.
    fn read(&self, path: &Path) -> io::Result<Vec<u8>>;
    /// Renames, replacing the target. Durable only after [`Fs::sync_dir`].
    fn rename(&self, from: &Path, to: &Path) -> io::Result<()>;
    /// Removes a file. Durable only after [`Fs::sync_dir`].
    fn remove(&self, path: &Path) -> io::Result<()>;
    /// Creates a folder and its parents; fine when it exists.
    fn create_dir_all(&self, path: &Path) -> io::Result<()>;
    /// Names (not paths) of the files directly inside a folder, sorted; folders are left out.
    fn list(&self, dir: &Path) -> io::Result<Vec<String>>;
    /// Makes creations, renames and removals inside `dir` durable.
    fn sync_dir(&self, dir: &Path) -> io::Result<()>;
    /// True when the path names a file.
    fn exists(&self, path: &Path) -> bool;
    /// Bytes still free for us on the file system holding `path`.
    fn free_space(&self, path: &Path) -> io::Result<u64>;
}

/// Writes `content` so that after a crash at any moment `path` holds either its old or its new content:
/// temporary file, sync, rename, sync of the folder.
///
/// # Errors
/// The first step that failed; the old content is then still there.
pub fn replace_durably(fs: &dyn Fs, path: &Path, content: &[u8]) -> io::Result<()> {
    let temporary = temporary_name(path);
    if fs.exists(&temporary) {
        fs.remove(&temporary)?;
    }
    let file = fs.create(&temporary)?;
    file.write_at(content, 0)?;
    file.sync()?;
    durable_rename(fs, &temporary, path)
}

/// Renames and syncs the folder, since a rename by itself may be lost by a power cut.
///
/// # Errors
/// When the rename or the sync failed.
pub fn durable_rename(fs: &dyn Fs, from: &Path, to: &Path) -> io::Result<()> {
    fs.rename(from, to)?;
    fs.sync_dir(to.parent().unwrap_or(Path::new(".")))
}

/// The name under which a file is written before it is renamed into place.
pub fn temporary_name(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".tmp");
    PathBuf::from(name)
}
