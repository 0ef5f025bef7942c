//! The set of block files and deletions that make up the store on disk, and its changes.

use std::collections::{HashMap, HashSet};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use model::{BucketId, Seq, TimestampNs};
use vfs::Fs;

use crate::block::{self, BlockError, BlockFile, Handles, number_of};
use crate::blocks_dir;
use crate::error::{EngineError, OpenReport};
use crate::manifest::{FileEntry, Manifest};
use crate::tombstones::{Concern, Need, Tombstones};

/// One version of the set; a change makes a new one.
#[derive(Clone)]
pub(crate) struct FileSet {
    pub(crate) fs: Arc<dyn Fs>,
    pub(crate) dir: PathBuf,
    /// In the order of their newest record: later ones win.
    pub(crate) files: Arc<Vec<Arc<LiveFile>>>,
    /// The same files by bucket, since a scan is of one.
    by_bucket: Arc<HashMap<BucketId, Bucket>>,
    /// Deletions up to `flushed_seq` that some file still needs.
    pub(crate) tombstones: Arc<Tombstones>,
    pub(crate) flushed_seq: Seq,
    /// Files that are listed but could not be opened: kept in the manifest so that they are reported again.
    damaged: Arc<Vec<FileEntry>>,
    shared: Arc<Common>,
}

/// Files of one bucket, in the order of their newest record.
type Bucket = Arc<[Arc<LiveFile>]>;

/// What all versions of a set have in common.
struct Common {
    handles: Arc<Handles>,
    /// Of the last manifest written or tried, so that no two differ under one number.
    generation: AtomicU64,
    /// Number of the next file; none is given out twice.
    next_number: AtomicU64,
    /// Files of changes that failed half-way: the manifest on disk may list them, the set in memory does not.
    doubtful: Mutex<Vec<Arc<LiveFile>>>,
}

/// A block file in use. One that no manifest lists is removed from the disk when its last user is done with it.
pub(crate) struct LiveFile {
    pub(crate) block: BlockFile,
    /// When it came to be, for telling whether its partition is still being written.
    pub(crate) since: Instant,
    listed: AtomicBool,
    /// How many columns of its bucket had been dropped when its index was last looked at, and whether it held one of them.
    pub(crate) dropped: Mutex<(u64, bool)>,
    /// What is known of it and later deletions.
    pub(crate) concern: Mutex<Concern>,
}

impl LiveFile {
    fn new(block: BlockFile, listed: bool) -> Arc<Self> {
        Arc::new(Self {
            block,
            since: Instant::now(),
            listed: AtomicBool::new(listed),
            dropped: Mutex::default(),
            concern: Mutex::default(),
        })
    }

    fn set_listed(&self, listed: bool) {
        self.listed.store(listed, Relaxed);
    }
}

impl Drop for LiveFile {
    /// Failures are logged: the next start removes the file.
    fn drop(&mut self) {
        if !self.listed.load(Relaxed)
            && let Err(e) = self.block.remove()
        {
            tracing::warn!(path = %self.block.path.display(), error = %e, "a file no longer needed could not be removed");
        }
    }
}

/// What is to change in a set.
#[derive(Default)]
pub(crate) struct Change {
    pub(crate) add: Vec<Arc<LiveFile>>,
    /// Numbers of files that are replaced.
    pub(crate) remove: HashSet<u64>,
    pub(crate) flushed_seq: Option<Seq>,
    /// Deletions of the head that was written.
    pub(crate) tombstones: Tombstones,
}

impl FileSet {
    /// Reads the manifest and opens every file it lists; makes both copies of it agree, then removes files of unfinished work.
    pub(crate) fn open(fs: Arc<dyn Fs>, dir: &Path) -> Result<(Self, OpenReport), EngineError> {
        let loaded = Manifest::load(&*fs, dir)?;
        let mut report = OpenReport { findings: loaded.findings, leftovers: 0 };
        let names = fs.list(&blocks_dir(dir)).map_err(|e| EngineError::io("list", &blocks_dir(dir), e))?;
        let stray = names.iter().find(|n| number_of(n).is_some());
        if let (None, Some(name)) = (&loaded.manifest, stray) {
            let dir = dir.display();
            return Err(EngineError::Stored(format!(
                "{dir}: the manifest is missing, but there is {name}: restore a backup"
            )));
        }
        let manifest = loaded.manifest.unwrap_or_default();
        // IMPORTANT: before anything is removed. The older copy may list files that the newer one has replaced, and would be
        // all there is should the newer one be damaged later. A new store gets its first manifest here, before its first file.
        if !loaded.agree {
            manifest.save(&*fs, dir)?;
        }
        let set = Self::with_manifest(fs, dir, &manifest, &mut report.findings);
        report.leftovers = set.remove_leftovers(&names, &manifest)?;
        Ok((set, report))
    }

    fn with_manifest(fs: Arc<dyn Fs>, dir: &Path, manifest: &Manifest, findings: &mut Vec<String>) -> Self {
        let handles = Arc::new(Handles::new(Arc::clone(&fs)));
        let mut files = Vec::new();
        let mut damaged = Vec::new();
        for entry in &manifest.files {
            match BlockFile::open(&handles, &blocks_dir(dir).join(&entry.name), entry.number) {
                Ok(block) => files.push(LiveFile::new(block, true)),
                Err(e) => {
                    findings.push(e.to_string());
                    damaged.push(entry.clone());
                }
            }
        }
        let shared = Common {
            handles,
            generation: AtomicU64::new(manifest.generation),
            next_number: AtomicU64::new(manifest.next_number),
            doubtful: Mutex::default(),
        };
        let files = in_order(files);
        // Earlier versions listed later ones, too. The journal brings these again.
        let flushed: Vec<_> = manifest.tombstones.iter().filter(|t| t.seq <= manifest.flushed_seq).cloned().collect();
        Self {
            fs,
            dir: dir.to_owned(),
            by_bucket: Arc::new(by_bucket(&files)),
            files: Arc::new(files),
            tombstones: Arc::new(Tombstones::from_list(&flushed)),
            flushed_seq: manifest.flushed_seq,
            damaged: Arc::new(damaged),
            shared: Arc::new(shared),
        }
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

    /// The files of a bucket, in the order of their newest record.
    pub(crate) fn of_bucket(&self, bucket: BucketId) -> Bucket {
        self.by_bucket.get(&bucket).map(Arc::clone).unwrap_or_default()
    }

    /// Path and number for a file that is about to be written.
    pub(crate) fn name_next(&self, bucket: BucketId, partition_start: TimestampNs) -> (PathBuf, u64) {
        let number = self.shared.next_number.fetch_add(1, Relaxed);
        (blocks_dir(&self.dir).join(block::file_name(bucket, partition_start, number)), number)
    }

    /// Opens a file that was just written. It is removed again unless a change that adds it is committed.
    pub(crate) fn adopt_new(&self, path: &Path, number: u64) -> Result<Arc<LiveFile>, BlockError> {
        Ok(LiveFile::new(BlockFile::open(&self.shared.handles, path, number)?, false))
    }

    /// Makes the names of files written before durable.
    pub(crate) fn sync_names(&self) -> Result<(), EngineError> {
        let blocks = blocks_dir(&self.dir);
        self.fs.sync_dir(&blocks).map_err(|e| EngineError::io("sync folder", &blocks, e))
    }

    /// The set after a change, durable when this returns. Files to be added have durable names. On failure the manifest on disk
    /// may or may not have the change; the files of either stay. Replaced files go when their last reader is done.
    pub(crate) fn commit(&self, change: Change) -> Result<Self, EngineError> {
        change.add.iter().for_each(|file| file.set_listed(true));
        let (gone, mut files): (Vec<_>, Vec<_>) =
            self.files.iter().cloned().partition(|f| change.remove.contains(&f.block.number));
        files.extend(change.add.iter().cloned());
        let mut tombstones = Tombstones::clone(&self.tombstones);
        tombstones.absorb(&change.tombstones);
        let flushed_seq = change.flushed_seq.unwrap_or(self.flushed_seq);
        let damaged: Vec<_> = self.damaged.iter().filter(|f| !change.remove.contains(&f.number)).cloned().collect();
        // A file that cannot be read now may be restored from a backup, so deletions that it does not know of are kept.
        if damaged.is_empty() {
            let need = Need::of(&files);
            tombstones.retain(|deleted| need.has(deleted));
        }
        let files = in_order(files);
        let next = Self {
            by_bucket: Arc::new(by_bucket(&files)),
            files: Arc::new(files),
            tombstones: Arc::new(tombstones),
            flushed_seq,
            damaged: Arc::new(damaged),
            ..self.clone()
        };
        let mut doubtful = self.shared.doubtful.lock().unwrap_or_else(PoisonError::into_inner);
        if let Err(e) = next.manifest().save(&*self.fs, &self.dir) {
            doubtful.extend(change.add);
            return Err(e.into());
        }
        gone.iter().for_each(|file| file.set_listed(false));
        let dropped = doubtful.drain(..).filter(|d| !next.files.iter().any(|f| f.block.number == d.block.number));
        dropped.for_each(|file| file.set_listed(false));
        Ok(next)
    }

    /// True when it is not known which set the manifest on disk describes, since a change failed half-way.
    pub(crate) fn is_in_doubt(&self) -> bool {
        !self.shared.doubtful.lock().unwrap_or_else(PoisonError::into_inner).is_empty()
    }

    /// Listed files that could not be opened, with the bucket and the start in seconds of their partition.
    pub(crate) fn damaged(&self) -> impl Iterator<Item = (&FileEntry, (BucketId, i64))> {
        self.damaged.iter().filter_map(|f| Some((f, block::partition_of(&f.name)?)))
    }

    /// Removes a file that was damaged and is not listed any more. Failures are logged: the next start removes it.
    pub(crate) fn remove_damaged(&self, file: &FileEntry) {
        let path = blocks_dir(&self.dir).join(&file.name);
        if let Err(e) = self.fs.remove(&path) {
            tracing::warn!(path = %path.display(), error = %e, "a damaged file no longer needed could not be removed");
        }
    }

    fn manifest(&self) -> Manifest {
        let live = self.files.iter().map(|f| FileEntry {
            number: f.block.number,
            name: f.block.path.file_name().unwrap_or_default().to_string_lossy().into_owned(),
        });
        Manifest {
            generation: self.shared.generation.fetch_add(1, Relaxed) + 1,
            flushed_seq: self.flushed_seq,
            next_number: self.shared.next_number.load(Relaxed),
            files: live.chain(self.damaged.iter().cloned()).collect(),
            tombstones: self.tombstones.to_list(),
        }
    }
}

fn in_order(mut files: Vec<Arc<LiveFile>>) -> Vec<Arc<LiveFile>> {
    files.sort_by_key(|f| (f.block.footer.last_seq, f.block.number));
    files
}

fn by_bucket(files: &[Arc<LiveFile>]) -> HashMap<BucketId, Bucket> {
    let mut buckets: HashMap<BucketId, Vec<Arc<LiveFile>>> = HashMap::new();
    for file in files {
        buckets.entry(file.block.footer.bucket).or_default().push(Arc::clone(file));
    }
    buckets.into_iter().map(|(bucket, files)| (bucket, files.into())).collect()
}

#[cfg(test)]
mod tests {
    use model::TimeRange;
    use vfs::FaultFs;

    use super::*;
    use crate::manifest::Tombstone;

    #[test]
    fn listed_deletions_that_are_newer_than_what_is_flushed_are_left_to_the_journal() {
        let fs = FaultFs::new();
        let dir = Path::new("engine");
        fs.create_dir_all(&blocks_dir(dir)).unwrap();
        let tombstone = |seq| Tombstone { seq: Seq(seq), range: TimeRange::ALL, columns: [3].into_iter().collect() };
        let tombstones = vec![tombstone(8), tombstone(9), tombstone(6)];
        let manifest =
            Manifest { generation: 1, flushed_seq: Seq(8), next_number: 1, tombstones, ..Manifest::default() };
        manifest.save(&fs, dir).unwrap();
        let (set, _) = FileSet::open(Arc::new(fs), dir).unwrap();
        assert_eq!((set.tombstones.len(), set.tombstones.newest()), (1, Seq(8)));
    }
}
