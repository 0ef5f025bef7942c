//! Merging the files of a partition: late data and deletions are worked in, and columns are packed as small as they get.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::sync::atomic::Ordering::Relaxed;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use model::{BucketId, ColumnId, FieldType, TimeRange, TimestampNs};

use crate::block::{BlockError, BlockFile, BlockSpec, BlockWriter, Index};
use crate::error::EngineError;
use crate::files::{Change, LiveFile};
use crate::manifest::Tombstone;
use crate::points::Points;
use crate::scan::ScanCache;
use crate::state::Shared;

/// Most values in a merged file. Larger files would make merges, and the memory for their indexes, grow without bound.
const MERGE_VALUES_MAX: u64 = 256_000_000;
/// An older file is merged with newer ones when it is at most so many times as large as they are together.
const SIZE_RATIO: u64 = 2;

type Files = Vec<Arc<LiveFile>>;

/// Files that could not be merged because one of them is damaged: they are left as they are until the next start.
#[derive(Default)]
pub(crate) struct Unmergeable(Mutex<HashSet<u64>>);

impl Unmergeable {
    fn holds_any(&self, files: &[Arc<LiveFile>]) -> bool {
        let known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        files.iter().any(|f| known.contains(&f.block.number))
    }

    fn add(&self, files: &[Arc<LiveFile>]) {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        known.extend(files.iter().map(|f| f.block.number));
    }
}

impl Shared {
    /// Merges until nothing is due.
    pub(crate) fn merge_where_due(&self) -> Result<(), EngineError> {
        while let Some(files) = self.partitions().into_values().find_map(|files| self.due(files)) {
            self.merge(&files)?;
            if self.signals.lock().stopping {
                break;
            }
        }
        Ok(())
    }

    /// Merges every partition that is not one merged file yet.
    pub(crate) fn compact_all(&self) -> Result<(), EngineError> {
        for files in self.partitions().into_values() {
            if !self.is_settled(&files) && !self.unmergeable.holds_any(&files) {
                self.merge(&files)?;
            }
        }
        Ok(())
    }

    /// Files by bucket and partition, oldest data first.
    fn partitions(&self) -> BTreeMap<(BucketId, TimestampNs), Files> {
        let mut partitions: BTreeMap<_, Files> = BTreeMap::new();
        for file in self.read_state().files.files.iter() {
            let key = (file.block.footer.bucket, file.block.footer.partition.start);
            partitions.entry(key).or_default().push(Arc::clone(file));
        }
        partitions
    }

    /// True when there is nothing to gain from merging: one file, merged, without deletions to be worked in.
    fn is_settled(&self, files: &[Arc<LiveFile>]) -> bool {
        let [only] = files else { return false };
        let footer = &only.block.footer;
        let state = self.read_state();
        let deleted = |t: &Tombstone| footer.last_seq < t.seq && t.range.meets(footer.min_time, footer.max_time);
        footer.level > 0 && !state.tombstones.iter().any(deleted)
    }

    /// The files of a partition that should be merged now.
    fn due(&self, files: Files) -> Option<Files> {
        let cold = files.iter().all(|f| f.since.elapsed() >= self.config.cold_after);
        let group = if cold && !self.is_settled(&files) { files } else { similar(&files, self.config.merge_at)? };
        let values: u64 = group.iter().map(|f| f.block.footer.values).sum();
        (values <= MERGE_VALUES_MAX && !self.unmergeable.holds_any(&group)).then_some(group)
    }

    /// Merges files of one partition that follow each other.
    fn merge(&self, files: &[Arc<LiveFile>]) -> Result<(), EngineError> {
        let _turn = self.merging.lock().unwrap_or_else(PoisonError::into_inner);
        if !self.are_live(files) {
            return Ok(());
        }
        let started = Instant::now();
        let merged = match self.write_merged(files) {
            Ok(merged) => merged,
            Err(MergeError::Damaged(e)) => {
                self.unmergeable.add(files);
                tracing::error!(error = %e, "a partition is not merged any more because a file of it is damaged");
                return Ok(());
            }
            Err(MergeError::Write(e)) => return Err(e),
        };
        self.replace(files, merged)?;
        self.counters.merges.fetch_add(1, Relaxed);
        self.counters.merge_ns.fetch_add(started.elapsed().as_nanos() as u64, Relaxed);
        Ok(())
    }

    fn are_live(&self, files: &[Arc<LiveFile>]) -> bool {
        let state = self.read_state();
        files.iter().all(|f| state.files.files.iter().any(|l| l.block.number == f.block.number))
    }

    /// Puts the merged file in the place of those it was made of, unless one of them went away meanwhile.
    fn replace(&self, files: &[Arc<LiveFile>], merged: Option<Arc<LiveFile>>) -> Result<(), EngineError> {
        let _turn = self.commit.lock().unwrap_or_else(PoisonError::into_inner);
        let set = self.read_state().files.clone();
        if !self.are_live(files) {
            set.unlink(merged.as_slice());
            return Ok(());
        }
        let remove = files.iter().map(|f| f.block.number).collect();
        let change = Change { add: merged.into_iter().collect(), remove, ..Change::default() };
        let next = set.commit(change)?;
        self.write_state().adopt(next);
        set.unlink(files);
        Ok(())
    }

    fn write_merged(&self, files: &[Arc<LiveFile>]) -> Result<Option<Arc<LiveFile>>, MergeError> {
        let Some(newest) = files.last().map(|f| f.block.footer) else { return Ok(None) };
        let state = self.read_state();
        let (set, tombstones) = (state.files.clone(), Arc::clone(&state.tombstones));
        drop(state);
        let level = files.iter().map(|f| f.block.footer.level).max().unwrap_or(0) + 1;
        let spec = BlockSpec { bucket: newest.bucket, partition: newest.partition, last_seq: newest.last_seq, level };
        let (path, number) = set.name_next(newest.bucket, newest.partition);
        let failed = |e| MergeError::Write(EngineError::io("write", &path, e));
        let mut inputs = Vec::new();
        for file in files {
            inputs.push(Input { file, index: file.block.read_index()?, cache: ScanCache::default() });
        }
        let columns: BTreeSet<ColumnId> = inputs.iter().flat_map(|i| i.index.columns.iter().map(|c| c.id)).collect();
        let mut writer = BlockWriter::create(&*set.fs, &path, spec).map_err(failed)?;
        for column in columns {
            let runs = inputs.iter_mut().map(|input| input.read(column, &tombstones)).collect::<Result<Vec<_>, _>>()?;
            if let Some(points) = Points::merge(runs.into_iter().flatten().collect()) {
                writer.column(column, &points.times, &points.values).map_err(failed)?;
            }
        }
        if writer.finish().map_err(failed)?.is_none() {
            return Ok(None);
        }
        let block = BlockFile::open(&*set.fs, &path, number)?;
        Ok(Some(Arc::new(LiveFile { block, since: Instant::now() })))
    }
}

/// The newest files of a partition while each older one is of similar size; `None` when they are fewer than `at_least`.
fn similar(files: &[Arc<LiveFile>], at_least: usize) -> Option<Files> {
    let mut sum = 0;
    let mut count = 0;
    for file in files.iter().rev() {
        let values = file.block.footer.values;
        if count > 0 && values > sum * SIZE_RATIO {
            break;
        }
        sum += values;
        count += 1;
    }
    (count >= at_least.max(2)).then(|| files.iter().skip(files.len() - count).cloned().collect())
}

enum MergeError {
    Damaged(BlockError),
    Write(EngineError),
}

impl From<BlockError> for MergeError {
    fn from(e: BlockError) -> Self {
        Self::Damaged(e)
    }
}

/// One of the files that are merged.
struct Input<'a> {
    file: &'a LiveFile,
    index: Index,
    cache: ScanCache,
}

impl Input<'_> {
    /// All points of a column that are not deleted; `None` when it has none.
    fn read(&mut self, column: ColumnId, tombstones: &[Tombstone]) -> Result<Option<Points>, BlockError> {
        let block = &self.file.block;
        let Some(kind) = self.kind_of(column) else { return Ok(None) };
        let mut runs = Vec::new();
        for (chunk, times) in self.index.chunks_of(column) {
            let values = block.read_values(chunk, kind, times.count)?;
            runs.push(Points { times: self.cache.times(block, chunk.times, times)?.to_vec(), values });
        }
        let points = Points::merge(runs).map(|p| mask(p, column, block.footer.last_seq, tombstones));
        Ok(points.filter(|p| !p.times.is_empty()))
    }

    fn kind_of(&self, column: ColumnId) -> Option<FieldType> {
        let found = self.index.columns.binary_search_by_key(&column, |c| c.id).ok()?;
        self.index.columns.get(found).map(|c| c.kind)
    }
}

/// Points without those that later deletions are about.
pub(crate) fn mask(points: Points, column: ColumnId, last_seq: model::Seq, tombstones: &[Tombstone]) -> Points {
    let ranges: Vec<TimeRange> = tombstones.iter().filter(|t| t.applies(column, last_seq)).map(|t| t.range).collect();
    ranges.into_iter().fold(points, Points::without)
}
