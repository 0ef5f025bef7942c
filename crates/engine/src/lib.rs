//! The embedded time-series store: the journal's records in memory first, then in immutable block files.
//!
//! The journal is its write-ahead log: [`Engine::apply`] takes its records in order, [`Engine::flushed_seq`] tells up to where
//! they are in synced files and need not be replayed. Of several values for one column and time the one with the highest
//! journal position stays. Reads take a lock for as long as it takes to copy one column out of memory.
//! Not here: names (`catalog`), the meaning of queries (`query`), the journal itself.

mod block;
mod codec;
mod compact;
mod config;
mod drops;
mod error;
mod files;
mod flush;
mod head;
mod manifest;
mod merge;
mod partitions;
mod points;
mod retention;
mod scan;
mod state;
mod stats;
mod tombstones;
mod touched;
mod verify;
mod work;

use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError};
use std::thread::JoinHandle;

use catalog::Catalog;
use model::{Seq, TimeRange};
use vfs::Fs;

pub use config::EngineConfig;
pub use error::{ApplyReport, EngineError, OpenReport};
pub use partitions::Partition;
pub use retention::{Ended, Holding, Removed};
pub use scan::{ChunkSummary, Extent, Piece, ScanCache, ScanReport};
pub use stats::Stats;
pub use touched::Touched;
pub use verify::verify;

use crate::files::FileSet;
use crate::state::Shared;

/// Folder of the block files inside the engine's folder.
const BLOCKS: &str = "blocks";

/// The store of one data directory. All methods may be called from any thread; `apply` from one at a time.
pub struct Engine {
    shared: Arc<Shared>,
    workers: Vec<JoinHandle<()>>,
}

impl Engine {
    /// Opens, or creates, the store in `dir` and starts its two background threads.
    ///
    /// # Errors
    /// When files cannot be read or written, or both copies of the manifest are damaged. A damaged block file is reported and
    /// left out; everything else stays readable.
    pub fn open(
        fs: Arc<dyn Fs>,
        dir: &Path,
        catalog: Arc<Catalog>,
        config: EngineConfig,
    ) -> Result<(Self, OpenReport), EngineError> {
        let blocks = dir.join(BLOCKS);
        fs.create_dir_all(&blocks).map_err(|source| EngineError::io("create folder", &blocks, source))?;
        let (files, report) = FileSet::open(fs, dir)?;
        let shared = Arc::new(Shared::new(catalog, config, files));
        let workers = work::start(&shared).map_err(|source| EngineError::io("start a thread for", dir, source))?;
        Ok((Self { shared, workers }, report))
    }

    /// Takes one journal record in. Waits while memory is full of values that are still being written to files.
    ///
    /// # Errors
    /// [`EngineError::Batch`] when the record cannot be decoded; what came before the fault inside it is kept.
    pub fn apply(&self, seq: Seq, batch: &[u8]) -> Result<ApplyReport, EngineError> {
        self.shared.apply(seq, batch, None)
    }

    /// [`Engine::apply`], with what the record changed added to `touched`; nothing when it had been taken in before.
    ///
    /// # Errors
    /// As [`Engine::apply`].
    pub fn apply_and_tell(&self, seq: Seq, batch: &[u8], touched: &mut Touched) -> Result<ApplyReport, EngineError> {
        self.shared.apply(seq, batch, Some(touched))
    }

    /// Sets the length of the time partitions that a bucket's values go to from now on. Files that are there stay as they are.
    pub fn set_partition(&self, bucket: model::BucketId, width: model::WindowNs) {
        self.shared.widths.write().unwrap_or_else(PoisonError::into_inner).set(bucket, width);
    }

    /// Position of the newest record taken in.
    pub fn applied_seq(&self) -> Seq {
        self.shared.read_state().applied
    }

    /// Every record up to here is in synced block files; replay starts after it.
    pub fn flushed_seq(&self) -> Seq {
        self.shared.read_state().files.flushed_seq
    }

    /// Writes everything taken in so far to block files, and waits for it.
    ///
    /// # Errors
    /// When writing failed; the values stay in memory and in the journal, and writing is tried again by itself.
    pub fn flush(&self) -> Result<(), EngineError> {
        self.shared.flush_and_wait()
    }

    /// Merges every partition into one file, and waits for it.
    ///
    /// # Errors
    /// When a merge failed; nothing is lost then.
    pub fn compact_all(&self) -> Result<(), EngineError> {
        self.shared.compact_all()
    }

    /// Removes the files of a bucket whose partition ended at or before `cutoff`.
    ///
    /// # Errors
    /// When the change could not be made durable; nothing is removed then.
    pub fn drop_before(&self, bucket: model::BucketId, cutoff: model::TimestampNs) -> Result<Removed, EngineError> {
        self.shared.drop_before(bucket, cutoff)
    }

    /// What the files of a bucket hold whose partitions ended so. Nothing is read.
    pub fn holding(&self, bucket: model::BucketId, ended: Ended) -> Holding {
        self.shared.holding(bucket, ended)
    }

    /// The columns that have values in these files, ascending. Reads their indexes; a file whose index is damaged is passed over.
    pub fn columns_ended(&self, bucket: model::BucketId, ended: Ended) -> Vec<model::ColumnId> {
        self.shared.columns_ended(bucket, ended)
    }

    /// Removes all values of a bucket that was dropped in the catalog before. What a crash in between leaves behind, or a
    /// failure, is removed by the next merge.
    ///
    /// # Errors
    /// When the change could not be made durable; files may be left then.
    pub fn drop_bucket(&self, bucket: model::BucketId) -> Result<Removed, EngineError> {
        self.shared.drop_bucket(bucket)
    }

    /// True when a column has a value inside `range`. Chunks are decoded only where their first and last time do not tell.
    /// Where a chunk is damaged the answer is yes.
    pub fn has_values(&self, column: model::ColumnId, range: TimeRange, cache: &mut ScanCache) -> bool {
        scan::has_values(&self.shared, column, range, cache)
    }

    /// Hands out the points of a column inside `range`, oldest piece first; see [`Piece`]. Where `summary_suffices` says yes
    /// to the first and last time of a chunk that lies inside `range`, its summary comes instead of its points.
    pub fn scan(
        &self,
        column: model::ColumnId,
        range: TimeRange,
        cache: &mut ScanCache,
        summary_suffices: &dyn Fn(model::TimestampNs, model::TimestampNs) -> bool,
        visit: &mut dyn FnMut(Piece<'_>) -> std::ops::ControlFlow<()>,
    ) -> ScanReport {
        scan::scan(&self.shared, column, range, cache, summary_suffices, visit)
    }

    /// The newest point of a column inside `range`, given to `visit` when there is one.
    pub fn latest(
        &self,
        column: model::ColumnId,
        range: TimeRange,
        cache: &mut ScanCache,
        visit: &mut dyn FnMut(model::TimestampNs, model::FieldValue<'_>),
    ) -> ScanReport {
        scan::latest(&self.shared, column, range, cache, visit)
    }

    /// Adds the runs of points of a column that meet `range` to `out`, in no particular order; they may overlap. Nothing is
    /// decoded: files tell from their indexes.
    pub fn extents(&self, column: model::ColumnId, range: TimeRange, cache: &mut ScanCache, out: &mut Vec<Extent>) {
        scan::extents(&self.shared, column, range, cache, out);
    }

    /// Every bucket's time partitions that have values, by bucket, then by time.
    pub fn partitions(&self) -> Vec<Partition> {
        partitions::partitions(&self.shared)
    }

    /// Names of block files that could not be opened: what they hold is missing from every answer.
    pub fn damaged_files(&self) -> Vec<String> {
        self.shared.read_state().files.damaged().map(|(file, _)| file.name.clone()).collect()
    }

    /// Figures of the moment.
    pub fn stats(&self) -> Stats {
        Stats::of(&self.shared)
    }

    /// Writes everything to files, then stops the background threads.
    ///
    /// # Errors
    /// When the last flush failed; the journal still has the values.
    pub fn close(mut self) -> Result<(), EngineError> {
        let flushed = self.shared.flush_and_wait();
        self.stop();
        flushed
    }

    fn stop(&mut self) {
        self.shared.stop();
        for worker in self.workers.drain(..) {
            if worker.join().is_err() {
                tracing::error!("a thread of the engine had panicked");
            }
        }
    }
}

impl Drop for Engine {
    /// Stops the threads without flushing: as after a crash, the journal has what is not in files.
    fn drop(&mut self) {
        self.stop();
    }
}

/// Path of the folder of block files.
fn blocks_dir(dir: &Path) -> PathBuf {
    dir.join(BLOCKS)
}
