//! A folder of files.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use vfs::{Fs, durable_rename, replace_durably, temporary_name};

use crate::error::Error;

use super::{Draft, MAX_SMALL, Object, Opened, Target};

/// Folders below each other: database, policy, measurement.
const MAX_DEPTH: usize = 3;

/// Objects as files below `root`.
pub(super) struct Folder {
    fs: Arc<dyn Fs>,
    root: PathBuf,
}

impl Folder {
    pub(super) fn new(fs: Arc<dyn Fs>, root: PathBuf) -> Self {
        Self { fs, root }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.root.join(name)
    }

    /// Makes the folder of a file, durably with those above it.
    fn make_folder_of(&self, path: &Path) -> Result<(), Error> {
        let Some(folder) = path.parent() else { return Ok(()) };
        let has_root = self.fs.list(&self.root).is_ok();
        self.fs.create_dir_all(folder).map_err(|source| Error::io("create folder", folder, source))?;
        // A folder's name is in the one above it, so that is what must be synced. What is above the root may not be ours to read.
        let above = folder.ancestors().skip(1).take_while(|above| above.starts_with(&self.root));
        let above_root = self.root.parent().filter(|_| !has_root);
        for above in above.chain(above_root) {
            self.fs.sync_dir(above).map_err(|source| Error::io("sync folder", above, source))?;
        }
        Ok(())
    }

    /// Files below `folder`, which need not exist.
    fn walk(&self, folder: &Path, depth: usize, out: &mut Vec<Object>) -> io::Result<()> {
        let entries = match fs::read_dir(folder) {
            Err(e) if e.kind() == io::ErrorKind::NotFound && folder != self.root => return Ok(()),
            entries => entries?,
        };
        for entry in entries {
            let (entry, path) = entry.map(|entry| (entry.metadata(), entry.path()))?;
            let entry = entry?;
            if entry.is_dir() && depth < MAX_DEPTH {
                self.walk(&path, depth + 1, out)?;
            } else if let (true, Some(name)) =
                (entry.is_file(), path.strip_prefix(&self.root).ok().and_then(Path::to_str))
            {
                out.push(Object { name: name.to_owned(), bytes: entry.len() });
            }
        }
        Ok(())
    }
}

impl Target for Folder {
    // NOTE: past `Fs`, which knows no folders inside of folders: only people ask for lists.
    fn list(&self, prefix: &str, _: &AtomicBool) -> Result<Vec<Object>, Error> {
        let folder = self.path(prefix.trim_end_matches('/'));
        let depth = prefix.matches('/').count();
        let mut found = Vec::new();
        self.walk(&folder, depth, &mut found).map_err(|source| Error::io("list", &folder, source))?;
        found.sort_unstable();
        Ok(found)
    }

    fn read(&self, name: &str, stop: &AtomicBool) -> Result<Option<Vec<u8>>, Error> {
        let Some(opened) = self.open(name, stop)? else { return Ok(None) };
        let path = self.path(name);
        let len = opened.file.len().map_err(|source| Error::io("read", &path, source))?;
        if len > MAX_SMALL {
            return Err(Error::file(&self.address(name), format!("has {len} bytes, too many for a manifest")));
        }
        self.fs.read(&path).map(Some).map_err(|source| Error::io("read", &path, source))
    }

    fn open(&self, name: &str, _: &AtomicBool) -> Result<Option<Opened>, Error> {
        let path = self.path(name);
        if !self.fs.exists(&path) {
            return Ok(None);
        }
        let file = self.fs.open(&path).map_err(|source| Error::io("open", &path, source))?;
        Ok(Some(Opened { file, _copy: None }))
    }

    fn draft(&self, name: &str) -> Result<Draft, Error> {
        let path = self.path(name);
        self.make_folder_of(&path)?;
        Draft::create(&self.fs, temporary_name(&path), name)
    }

    fn publish(&self, mut draft: Draft, _: &AtomicBool) -> Result<(), Error> {
        let path = self.path(&draft.name);
        draft.sync()?;
        durable_rename(&*self.fs, draft.path(), &path).map_err(|source| Error::io("rename to", &path, source))?;
        draft.keep();
        Ok(())
    }

    fn write(&self, name: &str, content: &[u8], _: &AtomicBool) -> Result<(), Error> {
        let path = self.path(name);
        self.make_folder_of(&path)?;
        replace_durably(&*self.fs, &path, content).map_err(|source| Error::io("write", &path, source))
    }

    fn address(&self, name: &str) -> String {
        self.path(name).display().to_string()
    }
}
