//! Merging the files of a partition: late data and deletions are worked in, and columns are packed as small as they get.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::sync::atomic::Ordering::Relaxed;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use model::{BucketId, ColumnId, FieldType, Seq, TimeRange, TimestampNs};

use crate::block::{BlockError, BlockSpec, BlockWriter, ChunkMeta, Footer, Index, TimesMeta, start_s};
use crate::error::EngineError;
use crate::files::{Change, FileSet, LiveFile};
use crate::merge::{Waiting, merge};
use crate::points::Points;
use crate::scan::ScanCache;
use crate::state::Shared;
use crate::tombstones::Deleted;

/// Most values in a merged file. Larger files would make merges, and the memory for their indexes, grow without bound.
const MERGE_VALUES_MAX: u64 = 256_000_000;
/// An older file is merged with newer ones when it is at most so many times as large as they are together.
const SIZE_RATIO: u64 = 2;

type Files = Vec<Arc<LiveFile>>;

/// Numbers of files that cannot be merged because they are damaged: they are left as they are until the next start.
#[derive(Default)]
pub(crate) struct Unmergeable(Mutex<HashSet<u64>>);

impl Unmergeable {
    /// The files after the last one that cannot be merged. Those before it must not be merged with those after, or old values
    /// would come to stand after newer ones.
    fn cut(&self, mut files: Files) -> Files {
        let known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let from = files.iter().rposition(|f| known.contains(&f.block.number)).map_or(0, |at| at + 1);
        files.split_off(from)
    }

    fn add(&self, number: u64) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(number);
    }
}

impl Shared {
    /// Merges until nothing is due.
    pub(crate) fn merge_where_due(&self) -> Result<(), EngineError> {
        loop {
            let _turn = self.merging.lock().unwrap_or_else(PoisonError::into_inner);
            self.remove_dropped_buckets()?;
            self.look_for_deletions();
            let Some(files) = self.partitions().into_values().find_map(|files| self.due(files)) else { return Ok(()) };
            self.merge(&files)?;
        }
    }

    /// Merges every partition that is not one merged file yet.
    pub(crate) fn compact_all(&self) -> Result<(), EngineError> {
        let _turn = self.merging.lock().unwrap_or_else(PoisonError::into_inner);
        self.remove_dropped_buckets()?;
        self.look_for_deletions();
        for files in self.partitions().into_values().filter(|files| !self.is_settled(files)) {
            self.merge(&files)?;
        }
        Ok(())
    }

    /// Files that may be merged, by bucket and partition, oldest data first. A partition of which a file could not even be
    /// opened is left alone: where among the others that file stands is not known.
    fn partitions(&self) -> BTreeMap<(BucketId, TimestampNs), Files> {
        let set = self.read_state().files.clone();
        let mut partitions: BTreeMap<_, Files> = BTreeMap::new();
        for file in set.files.iter() {
            partitions.entry(partition(&file.block.footer)).or_default().push(Arc::clone(file));
        }
        let damaged: HashSet<_> = set.damaged().map(|(_, partition)| partition).collect();
        partitions.retain(|(bucket, start), _| !damaged.contains(&(*bucket, start_s(*start))));
        partitions.into_iter().map(|(key, files)| (key, self.unmergeable.cut(files))).collect()
    }

    /// True when there is nothing to gain from merging: one file, merged, without deletions to be worked in or dropped columns.
    fn is_settled(&self, files: &[Arc<LiveFile>]) -> bool {
        let [only] = files else { return files.is_empty() };
        only.block.footer.level > 0 && !self.holds_dropped(only) && !self.awaits_deletion(only)
    }

    /// The files of a partition that should be merged now.
    fn due(&self, files: Files) -> Option<Files> {
        if self.is_settled(&files) {
            return None;
        }
        let cold = files.iter().all(|f| f.since.elapsed() >= self.config.cold_after);
        let group = if cold { files } else { similar(&files, self.config.merge_at)? };
        let values: u64 = group.iter().map(|f| f.block.footer.values).sum();
        (values <= MERGE_VALUES_MAX).then_some(group)
    }

    /// Merges the newest files of one partition. The caller has the turn to merge.
    fn merge(&self, files: &[Arc<LiveFile>]) -> Result<(), EngineError> {
        self.settle_doubt()?;
        let started = Instant::now();
        let merged = match self.write_merged(files) {
            Ok(merged) => merged,
            Err(MergeError::Damaged { number, source }) => {
                self.unmergeable.add(number);
                tracing::error!(error = %source, "a file is not merged any more because it is damaged");
                return Ok(());
            }
            Err(MergeError::Failed(e)) => return Err(e),
        };
        self.replace(files, merged)?;
        self.counters.merges.fetch_add(1, Relaxed);
        self.counters.merge_ns.fetch_add(started.elapsed().as_nanos() as u64, Relaxed);
        Ok(())
    }

    /// Writes the manifest again when the last change failed half-way, so that not every attempt leaves files behind.
    fn settle_doubt(&self) -> Result<(), EngineError> {
        let _turn = self.commit.lock().unwrap_or_else(PoisonError::into_inner);
        let set = self.read_state().files.clone();
        if set.is_in_doubt() {
            let next = set.commit(Change::default())?;
            self.write_state().files = next;
        }
        Ok(())
    }

    /// Puts the merged file in the place of those it was made of, unless one of them went away meanwhile.
    fn replace(&self, files: &[Arc<LiveFile>], merged: Option<Arc<LiveFile>>) -> Result<(), EngineError> {
        let _turn = self.commit.lock().unwrap_or_else(PoisonError::into_inner);
        let set = self.read_state().files.clone();
        if !files.iter().all(|f| set.files.iter().any(|l| l.block.number == f.block.number)) {
            return Ok(());
        }
        let remove = files.iter().map(|f| f.block.number).collect();
        let next = set.commit(Change { add: merged.into_iter().collect(), remove, ..Change::default() })?;
        self.write_state().files = next;
        Ok(())
    }

    fn write_merged(&self, files: &[Arc<LiveFile>]) -> Result<Option<Arc<LiveFile>>, MergeError> {
        let Some(newest) = files.last().map(|f| f.block.footer) else { return Ok(None) };
        let set = self.read_state().files.clone();
        let level = files.iter().map(|f| f.block.footer.level).max().unwrap_or(0) + 1;
        let last_seq = merged_seq(&set, &newest);
        // They start together, but the length of partitions may have been changed between them.
        let end = files.iter().map(|f| f.block.footer.partition.end).max().unwrap_or(newest.partition.end);
        let partition = TimeRange::new(newest.partition.start, end);
        let spec = BlockSpec { bucket: newest.bucket, partition, last_seq, level };
        let (path, number) = set.name_next(newest.bucket, newest.partition.start);
        let failed = |e| MergeError::Failed(EngineError::io("write", &path, e));
        let mut inputs = files.iter().map(Input::open).collect::<Result<Vec<_>, _>>()?;
        let columns: BTreeSet<ColumnId> = inputs.iter().flat_map(|i| i.index.columns.iter().map(|c| c.id)).collect();
        let dropped = self.catalog.read().dropped().columns_of(newest.bucket).cloned().unwrap_or_default();
        let mut writer = BlockWriter::create(&*set.fs, &path, spec).map_err(failed)?;
        for column in columns.into_iter().filter(|c| !dropped.contains(c.0)) {
            if self.is_stopping() {
                return Err(MergeError::Failed(EngineError::Stopping));
            }
            let deleted = Deleted::of(column, [&*set.tombstones]);
            // Should files not agree, as with a lost catalog, the newest has the type that values come in.
            let Some(kind) = inputs.iter().rev().find_map(|input| input.index.column(column)).map(|c| c.kind) else {
                continue;
            };
            let runs = inputs.iter().enumerate().flat_map(|(place, input)| input.runs(place, column, kind)).collect();
            let load = |run: Run| match inputs.get_mut(run.input) {
                Some(input) => input.read(&run, &deleted).map(Some),
                None => Ok(None),
            };
            merge(runs, load, |points| writer.points(points).map_err(failed))?;
            writer.end_column(column, kind).map_err(failed)?;
        }
        if writer.finish().map_err(failed)?.is_none() {
            return Ok(None);
        }
        let merged = set.adopt_new(&path, number).map_err(EngineError::from)?;
        set.sync_names()?;
        Ok(Some(merged))
    }
}

/// Journal position for a merged file whose newest part is `newest`. When that is the newest file of its partition, nothing up
/// to `flushed_seq` is missing from the merged file, deletions included, and whatever is flushed later has a higher position.
fn merged_seq(set: &FileSet, newest: &Footer) -> Seq {
    let others = set.files.iter().map(|f| &f.block.footer).filter(|f| partition(f) == partition(newest));
    match others.map(|f| f.last_seq).max() {
        Some(last) if last == newest.last_seq => set.flushed_seq.max(last),
        _ => newest.last_seq,
    }
}

fn partition(footer: &Footer) -> (BucketId, TimestampNs) {
    (footer.bucket, footer.partition.start)
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
    /// One of the files to be merged cannot be read.
    Damaged { number: u64, source: BlockError },
    /// The merged file could not be written.
    Failed(EngineError),
}

impl From<EngineError> for MergeError {
    fn from(e: EngineError) -> Self {
        Self::Failed(e)
    }
}

/// A chunk of a file that is merged.
struct Run {
    /// The place of its file among the inputs.
    input: usize,
    kind: FieldType,
    chunk: ChunkMeta,
    times: TimesMeta,
}

/// One of the files that are merged.
struct Input<'a> {
    file: &'a LiveFile,
    index: Index,
    cache: ScanCache,
}

impl<'a> Input<'a> {
    fn open(file: &'a Arc<LiveFile>) -> Result<Self, MergeError> {
        let damaged = |source| MergeError::Damaged { number: file.block.number, source };
        Ok(Self { file, index: file.block.read_index().map_err(damaged)?, cache: ScanCache::default() })
    }

    /// The chunks of a column, oldest first, if it is of this type; `place` is that of this file among the inputs.
    fn runs(&self, place: usize, column: ColumnId, kind: FieldType) -> Vec<Waiting<Run>> {
        if self.index.column(column).is_none_or(|c| c.kind != kind) {
            return Vec::new();
        }
        let run = |chunk: &ChunkMeta, times: &TimesMeta| Run { input: place, kind, chunk: *chunk, times: *times };
        let chunks = self.index.chunks_of(column);
        chunks.map(|(chunk, times)| Waiting { first: times.first, run: run(chunk, times) }).collect()
    }

    /// The points of a chunk that are not deleted.
    fn read(&mut self, run: &Run, deleted: &Deleted) -> Result<Points, MergeError> {
        let number = self.file.block.number;
        self.read_chunk(run, deleted).map_err(|source| MergeError::Damaged { number, source })
    }

    fn read_chunk(&mut self, run: &Run, deleted: &Deleted) -> Result<Points, BlockError> {
        let block = &self.file.block;
        let values = block.read_values(&run.chunk, run.kind, run.times.count)?;
        let times = self.cache.times(block, &run.times)?.to_vec();
        Ok(deleted.mask(Points { times, values }, block.footer.last_seq))
    }
}
