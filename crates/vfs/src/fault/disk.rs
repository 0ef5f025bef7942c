//! The whole tree with its faults. Every change passes through [`Disk::begin`], which decides whether power is still on.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};

use super::random::Random;
use super::split;
use super::tree::{Content, FileId, Folder, NameChange};

/// All files and folders, what is to fail, and what was counted.
pub(super) struct Disk {
    files: Vec<Content>,
    folders: BTreeMap<PathBuf, Folder>,
    capacity: u64,
    operations: u64,
    syncs: u64,
    last_operation: u64,
    last_sync: u64,
    sync_fails: bool,
    stopped: bool,
}

impl Default for Disk {
    fn default() -> Self {
        Self {
            files: Vec::new(),
            folders: BTreeMap::new(),
            capacity: u64::MAX,
            operations: 0,
            syncs: 0,
            last_operation: u64::MAX,
            last_sync: u64::MAX,
            sync_fails: false,
            stopped: false,
        }
    }
}

impl Disk {
    pub(super) fn stop_after_operations(&mut self, count: u64) {
        self.last_operation = self.operations.saturating_add(count);
    }

    pub(super) fn stop_after_syncs(&mut self, count: u64) {
        self.last_sync = self.syncs.saturating_add(count);
        self.stopped |= count == 0;
    }

    pub(super) fn operations(&self) -> u64 {
        self.operations
    }

    pub(super) fn syncs(&self) -> u64 {
        self.syncs
    }

    pub(super) fn fail_next_sync(&mut self) {
        self.sync_fails = true;
    }

    pub(super) fn limit_space(&mut self, bytes: u64) {
        self.capacity = bytes;
    }

    pub(super) fn crash(&self, random: &mut Random) -> Self {
        Self {
            files: self.files.iter().map(|f| f.crash(random)).collect(),
            folders: self.folders.iter().map(|(path, f)| (path.clone(), f.crash(random))).collect(),
            capacity: self.capacity,
            ..Self::default()
        }
    }

    /// Counts a change. `Err` when power was off before; otherwise the change is to be recorded, and [`Disk::end`] tells
    /// whether its caller still learns of it.
    fn begin(&mut self) -> io::Result<()> {
        self.check_power()?;
        self.operations += 1;
        self.stopped |= self.operations > self.last_operation;
        Ok(())
    }

    fn end(&self) -> io::Result<()> {
        self.check_power()
    }

    fn check_power(&self) -> io::Result<()> {
        if self.stopped { Err(io::Error::other("the power is off")) } else { Ok(()) }
    }

    pub(super) fn create(&mut self, path: &Path) -> io::Result<FileId> {
        let (dir, name) = split(path)?;
        if self.folder(&dir)?.now.contains_key(&name) {
            return Err(io::ErrorKind::AlreadyExists.into());
        }
        let id = FileId(self.files.len());
        self.files.push(Content::default());
        self.change_name(&dir, NameChange::Link { name, id })?;
        Ok(id)
    }

    pub(super) fn find(&self, path: &Path) -> io::Result<FileId> {
        self.check_power()?;
        let (dir, name) = split(path)?;
        self.folder(&dir)?.now.get(&name).copied().ok_or_else(|| io::ErrorKind::NotFound.into())
    }

    /// Renames inside one folder, replacing the target.
    pub(super) fn rename(&mut self, from: &Path, to: &Path) -> io::Result<()> {
        let id = self.find(from)?;
        let ((dir, from), (target_dir, to)) = (split(from)?, split(to)?);
        if dir != target_dir {
            return Err(io::ErrorKind::CrossesDevices.into());
        }
        self.change_name(&dir, NameChange::Rename { from, to, id })
    }

    pub(super) fn change_name(&mut self, dir: &Path, change: NameChange) -> io::Result<()> {
        self.begin()?;
        self.folder_mut(dir)?.record(change);
        self.end()
    }

    pub(super) fn create_dir_all(&mut self, path: &Path) -> io::Result<()> {
        self.begin()?;
        for ancestor in path.ancestors() {
            self.folders.entry(ancestor.to_owned()).or_default();
        }
        self.end()
    }

    pub(super) fn names(&self, dir: &Path) -> io::Result<Vec<String>> {
        self.check_power()?;
        Ok(self.folder(dir)?.now.keys().cloned().collect())
    }

    pub(super) fn sync_dir(&mut self, dir: &Path) -> io::Result<()> {
        self.folder(dir)?;
        self.begin()?;
        self.end()?;
        self.folder_mut(dir)?.sync();
        self.count_sync();
        Ok(())
    }

    pub(super) fn content(&self, id: FileId) -> io::Result<&[u8]> {
        self.check_power()?;
        self.file(id).map(|f| f.now.as_slice())
    }

    pub(super) fn write(&mut self, id: FileId, data: &[u8], offset: u64) -> io::Result<()> {
        self.begin()?;
        let offset = usize::try_from(offset).map_err(|_| io::ErrorKind::FileTooLarge)?;
        let room = self.room_at(id, offset)?;
        let stored = data.get(..room).unwrap_or(data);
        self.file_mut(id)?.write(stored, offset);
        self.end()?;
        if stored.len() < data.len() { Err(io::ErrorKind::StorageFull.into()) } else { Ok(()) }
    }

    /// Bytes that can be written at `offset` before the disk is full.
    fn room_at(&self, id: FileId, offset: usize) -> io::Result<usize> {
        let end = (self.file(id)?.now.len() as u64).saturating_add(self.free_space()?);
        Ok(usize::try_from(end).unwrap_or(usize::MAX).saturating_sub(offset))
    }

    pub(super) fn set_len(&mut self, id: FileId, len: u64) -> io::Result<()> {
        self.begin()?;
        let len = usize::try_from(len).map_err(|_| io::ErrorKind::FileTooLarge)?;
        self.file_mut(id)?.set_len(len);
        self.end()
    }

    pub(super) fn sync(&mut self, id: FileId) -> io::Result<()> {
        self.begin()?;
        self.end()?;
        if std::mem::take(&mut self.sync_fails) {
            self.file_mut(id)?.lose_unsynced();
            return Err(io::Error::from_raw_os_error(libc::EIO));
        }
        self.file_mut(id)?.sync();
        self.count_sync();
        Ok(())
    }

    fn count_sync(&mut self) {
        self.syncs += 1;
        self.stopped |= self.syncs >= self.last_sync;
    }

    pub(super) fn free_space(&self) -> io::Result<u64> {
        let named = self.folders.values().flat_map(|f| f.now.values());
        let used: u64 = named.filter_map(|id| self.file(*id).ok()).map(|f| f.now.len() as u64).sum();
        Ok(self.capacity.saturating_sub(used))
    }

    fn file(&self, id: FileId) -> io::Result<&Content> {
        self.files.get(id.0).ok_or_else(|| io::ErrorKind::NotFound.into())
    }

    fn file_mut(&mut self, id: FileId) -> io::Result<&mut Content> {
        self.files.get_mut(id.0).ok_or_else(|| io::ErrorKind::NotFound.into())
    }

    fn folder(&self, dir: &Path) -> io::Result<&Folder> {
        self.folders.get(dir).ok_or_else(|| io::ErrorKind::NotFound.into())
    }

    fn folder_mut(&mut self, dir: &Path) -> io::Result<&mut Folder> {
        self.folders.get_mut(dir).ok_or_else(|| io::ErrorKind::NotFound.into())
    }
}
