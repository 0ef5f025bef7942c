//! A tree of files in memory that can lose power, fail and run full, for tests of what survives.
//!
//! It forgets like a disk does: a write is durable after [`File::sync`], a name after [`Fs::sync_dir`], and what was
//! not synced may survive a [`FaultFs::crash`] whole, in part or not at all. Folders themselves are durable at once.
//! Not here: timing, permissions, links.

mod disk;
mod random;
mod tree;

use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::{File, Fs};
use disk::Disk;
use random::Random;
use tree::{FileId, NameChange};

/// Files in memory with faults on demand. A clone is the same tree.
#[derive(Clone, Default)]
pub struct FaultFs(Arc<Mutex<Disk>>);

impl FaultFs {
    /// An empty tree of unlimited space.
    pub fn new() -> Self {
        Self::default()
    }

    /// Lets `count` more changes succeed (creations, writes, cuts, renames, removals, syncs); the one after that fails
    /// half done, and so does everything from then on, reads too.
    pub fn stop_after_operations(&self, count: u64) {
        self.lock().stop_after_operations(count);
    }

    /// Lets `count` more syncs of files or folders succeed; everything after the last of them fails.
    pub fn stop_after_syncs(&self, count: u64) {
        self.lock().stop_after_syncs(count);
    }

    /// Changes so far, failed ones included: how many points there are to stop at.
    pub fn operations(&self) -> u64 {
        self.lock().operations()
    }

    /// Syncs of files and folders that succeeded so far.
    pub fn syncs(&self) -> u64 {
        self.lock().syncs()
    }

    /// The next sync of a file fails with EIO. As on Linux, what it should have made durable is then never written,
    /// also not by a later sync, although reads still show it.
    pub fn fail_next_sync(&self) {
        self.lock().fail_next_sync();
    }

    /// All files together may hold `bytes`; a write beyond that stores what fits and fails with `StorageFull`.
    pub fn limit_space(&self, bytes: u64) {
        self.lock().limit_space(bytes);
    }

    /// The tree as found after a power cut at this moment. The same seed gives the same outcome; seed 0 loses all
    /// that was not synced, seed 1 keeps all of it, others keep some, torn. This tree is left as it is.
    pub fn crash(&self, seed: u64) -> Self {
        Self(Arc::new(Mutex::new(self.lock().crash(&mut Random::new(seed)))))
    }

    fn lock(&self) -> MutexGuard<'_, Disk> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn handle(&self, id: FileId) -> Arc<dyn File> {
        Arc::new(FaultFile { fs: self.clone(), id })
    }
}

struct FaultFile {
    fs: FaultFs,
    id: FileId,
}

impl File for FaultFile {
    fn write_at(&self, data: &[u8], offset: u64) -> io::Result<()> {
        self.fs.lock().write(self.id, data, offset)
    }

    fn read_at(&self, buf: &mut [u8], offset: u64) -> io::Result<()> {
        let disk = self.fs.lock();
        let content = disk.content(self.id)?;
        let start = usize::try_from(offset).map_err(|_| io::ErrorKind::UnexpectedEof)?;
        let end = start.checked_add(buf.len()).ok_or(io::ErrorKind::UnexpectedEof)?;
        buf.copy_from_slice(content.get(start..end).ok_or(io::ErrorKind::UnexpectedEof)?);
        Ok(())
    }

    fn sync(&self) -> io::Result<()> {
        self.fs.lock().sync(self.id)
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        self.fs.lock().set_len(self.id, len)
    }

    fn len(&self) -> io::Result<u64> {
        Ok(self.fs.lock().content(self.id)?.len() as u64)
    }
}

impl Fs for FaultFs {
    fn create(&self, path: &Path) -> io::Result<Arc<dyn File>> {
        let id = self.lock().create(path)?;
        Ok(self.handle(id))
    }

    fn open(&self, path: &Path) -> io::Result<Arc<dyn File>> {
        let id = self.lock().find(path)?;
        Ok(self.handle(id))
    }

    fn read(&self, path: &Path) -> io::Result<Vec<u8>> {
        let disk = self.lock();
        let id = disk.find(path)?;
        Ok(disk.content(id)?.to_vec())
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        self.lock().rename(from, to)
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        let mut disk = self.lock();
        disk.find(path)?;
        let (dir, name) = split(path)?;
        disk.change_name(&dir, NameChange::Unlink { name })
    }

    fn create_dir_all(&self, path: &Path) -> io::Result<()> {
        self.lock().create_dir_all(path)
    }

    fn list(&self, dir: &Path) -> io::Result<Vec<String>> {
        self.lock().names(dir)
    }

    fn sync_dir(&self, dir: &Path) -> io::Result<()> {
        self.lock().sync_dir(dir)
    }

    fn exists(&self, path: &Path) -> bool {
        self.lock().find(path).is_ok()
    }

    fn free_space(&self, _path: &Path) -> io::Result<u64> {
        self.lock().free_space()
    }
}

/// Folder and name of a path.
fn split(path: &Path) -> io::Result<(PathBuf, String)> {
    let name = path.file_name().and_then(|n| n.to_str()).ok_or(io::ErrorKind::InvalidInput)?;
    Ok((path.parent().unwrap_or(Path::new("")).to_owned(), name.to_owned()))
}

#[cfg(test)]
mod tests;
