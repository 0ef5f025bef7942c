//! The set of block files and deletions that make up the store on disk, and its changes.

use std::collections::HashSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Instant;

use model::{Seq, TimeRange};
use vfs::Fs;

use crate::block::{BlockFile, number_of};
use crate::error::{EngineError, OpenReport};
use crate::manifest::{FileEntry, Manifest, Tombstone};
use crate::{block, blocks_dir};

/// One version of the set; a change makes a new one.
#[derive(Clone)]
pub(crate) struct FileSet {
    pub(crate) fs: Arc<dyn Fs>,
    pub(crate) dir: PathBuf,
    /// In the order of their newest record: later ones win.
    pub(crate) files: Arc<Vec<Arc<LiveFile>>>,
    pub(crate) tombstones: Arc<Vec<Tombstone>>,
    pub(crate) flushed_seq: Seq,
    /// Files that are listed but could not be opened: kept in the manifest so that they are reported again.
    damaged: Vec<FileEntry>,
    generation: u64,
    /// Number of the next file, shared by all versions so that no number is given out twice.
    next_number: Arc<AtomicU64>,
}

/// A block file in use.
pub(crate) struct LiveFile {
    pub(crate) block: BlockFile,
    /// When it came to be, for telling whether its partition is still being written.
    pub(crate) since: Instant,
}

/// What is to change in a set.
#[derive(Default)]
pub(crate) struct Change {
    pub(crate) add: Vec<Arc<LiveFile>>,
    /// Numbers of files that are replaced.
    pub(crate) remove: HashSet<u64>,
    pub(crate) flushed_seq: Option<Seq>,
    /// Deletions known in memory, all of them.
    pub(crate) tombstones: Option<Vec<Tombstone>>,
}

impl FileSet {
    /// Reads the manifest and opens every file it lists; removes files of unfinished work.
    pub(crate) fn open(fs: Arc<dyn Fs>, dir: &Path) -> Result<(Self, OpenReport), EngineError> {
        let (manifest, findings) = Manifest::load(&*fs, dir)?;
        let mut report = OpenReport { findings, leftovers: 0 };
        let names = fs.list(&blocks_dir(dir)).map_err(|e| EngineError::io("list", &blocks_dir(dir), e))?;
        let lost = manifest.is_none().then(|| names.iter().find(|n| number_of(n).is_some())).flatten();
        if let Some(name) = lost {
            let dir = dir.display();
            return Err(EngineError::Stored(format!("{dir}: the manifest is missing, but there is {name}: restore a backup")));
        }
        let manifest = manifest.unwrap_or_default();
        let mut files = Vec::new();
        let mut damaged = Vec::new();
        for entry in &manifest.files {
            match BlockFile::open(&*fs, &blocks_dir(dir).join(&entry.name), entry.number) {
                Ok(block) => files.push(Arc::new(LiveFile { block, since: Instant::now() })),
                Err(e) => {
                    report.findings.push(e.to_string());
                    damaged.push(entry.clone());
                }
            }
        }
        files.sort_by_key(|f| (f.block.footer.last_seq, f.block.number));
        let set = Self {
            dir: dir.to_owned(),
            files: Arc::new(files),
            tombstones: Arc::new(manifest.tombstones.clone()),
            flushed_seq: manifest.flushed_seq,
            damaged,
            generation: manifest.generation,
            next_number: Arc::new(AtomicU64::new(manifest.next_number)),
            fs,
        };
        report.leftovers = set.remove_leftovers(&names, &manifest)?;
        Ok((set, report))
    }

    fn remove_leftovers(&self, names: &[String], manifest: &Manifest) -> Result<usize, EngineError> {
        let listed: HashSet<&str> = manifest.files.iter().map(|f| f.name.as_str()).collect();
        let mut removed = 0;
        for name in names.iter().filter(|n| !listed.contains(n.as_str())) {
            if number_of(name).is_some() || name.ends_with(".blk.tmp") {
                let path = blocks_dir(&self.dir).join(name);
                self.fs.remove(&path).map_err(|e| EngineError::io("remove", &path, e))?;
                removed += 1;
            }
        }
        Ok(removed)
    }

    /// Path and number for a file that is about to be written.
    pub(crate) fn name_next(&self, bucket: model::BucketId, partition: TimeRange) -> (PathBuf, u64) {
        let number = self.next_number.fetch_add(1, Relaxed);
        let start_s = partition.start.0.div_euclid(1_000_000_000);
        (blocks_dir(&self.dir).join(block::file_name(bucket, start_s, number)), number)
    }

    /// The set after a change, durable when this returns. Replaced files are still on disk: see [`FileSet::unlink`].
    pub(crate) fn commit(&self, change: Change) -> Result<Self, EngineError> {
        let mut files: Vec<Arc<LiveFile>> =
            self.files.iter().filter(|f| !change.remove.contains(&f.block.number)).cloned().collect();
        files.extend(change.add);
        files.sort_by_key(|f| (f.block.footer.last_seq, f.block.number));
        let mut tombstones = change.tombstones.unwrap_or_else(|| self.tombstones.to_vec());
        let flushed_seq = change.flushed_seq.unwrap_or(self.flushed_seq);
        tombstones.retain(|t| t.seq > flushed_seq || files.iter().any(|f| is_subject(f, t)));
        let next = Self {
            files: Arc::new(files),
            tombstones: Arc::new(tombstones),
            flushed_seq,
            generation: self.generation + 1,
            ..self.clone()
        };
        next.manifest().save(&*self.fs, &self.dir)?;
        Ok(next)
    }

    /// Removes files that are no longer part of the store. Failures are logged: the next start removes them.
    pub(crate) fn unlink(&self, files: &[Arc<LiveFile>]) {
        for file in files {
            if let Err(e) = self.fs.remove(&file.block.path) {
                tracing::warn!(path = %file.block.path.display(), error = %e, "a replaced file could not be removed");
            }
        }
    }

    fn manifest(&self) -> Manifest {
        let live = self.files.iter().map(|f| FileEntry {
            number: f.block.number,
            name: f.block.path.file_name().unwrap_or_default().to_string_lossy().into_owned(),
        });
        Manifest {
            generation: self.generation,
            flushed_seq: self.flushed_seq,
            next_number: self.next_number.load(Relaxed),
            files: live.chain(self.damaged.iter().cloned()).collect(),
            tombstones: self.tombstones.to_vec(),
        }
    }
}

/// True when a file may hold values that a deletion is about.
fn is_subject(file: &LiveFile, tombstone: &Tombstone) -> bool {
    let footer = &file.block.footer;
    footer.last_seq < tombstone.seq && tombstone.range.meets(footer.min_time, footer.max_time)
}
