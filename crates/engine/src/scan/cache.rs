//! What reading keeps: indexes of block files for everybody, decoded times for one query.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, PoisonError};

use model::{ByteSize, ColumnId, TimestampNs};

use crate::block::{BlockError, BlockFile, Index, TimesMeta};

/// Indexes of block files, at most so many bytes of them; the least recently used go first.
pub(crate) struct IndexCache {
    limit: ByteSize,
    held: Mutex<Held>,
}

#[derive(Default)]
struct Held {
    /// By file number: the index and when it was last asked for.
    indexes: HashMap<u64, (Arc<Index>, u64)>,
    bytes: usize,
    clock: u64,
}

impl IndexCache {
    pub(crate) fn new(limit: ByteSize) -> Self {
        Self { limit, held: Mutex::default() }
    }

    /// The index of a file, read when it is not at hand. Two callers may read the same one at once; either result serves.
    pub(crate) fn get(&self, block: &BlockFile) -> Result<Arc<Index>, BlockError> {
        let mut held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        held.clock += 1;
        let now = held.clock;
        if let Some((index, used)) = held.indexes.get_mut(&block.number) {
            *used = now;
            return Ok(Arc::clone(index));
        }
        drop(held);
        let index = Arc::new(block.read_index()?);
        self.keep(block.number, &index);
        Ok(index)
    }

    /// Bytes held.
    pub(crate) fn bytes(&self) -> usize {
        self.held.lock().unwrap_or_else(PoisonError::into_inner).bytes
    }

    fn keep(&self, number: u64, index: &Arc<Index>) {
        let mut held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        let now = held.clock;
        held.bytes += index.bytes();
        if let Some((old, _)) = held.indexes.insert(number, (Arc::clone(index), now)) {
            held.bytes -= old.bytes();
        }
        while held.bytes as u64 > self.limit.0 {
            let oldest = held.indexes.iter().min_by_key(|(_, (_, used))| *used).map(|(number, _)| *number);
            let Some((gone, _)) = oldest.and_then(|number| held.indexes.remove(&number)) else { break };
            held.bytes -= gone.bytes();
        }
    }
}

/// What one query keeps: indexes of the files it reads, so that they cannot be evicted between two of its columns, and decoded
/// times, which columns that were polled together have in common. Both are bounded.
#[derive(Default)]
pub struct ScanCache {
    /// The columns that will be asked for, ascending, when that is known: of others nothing is kept.
    columns: Option<Vec<ColumnId>>,
    indexes: HashMap<u64, Arc<Index>>,
    index_bytes: usize,
    /// By file and offset.
    recent: VecDeque<(u64, u64, Arc<[TimestampNs]>)>,
}

/// Indexes that one query keeps for itself. A query over more reads the rest of them anew for each column, which is slow.
const INDEX_BYTES_KEPT: usize = 128 << 20;
/// Columns of times kept: enough for a day of one-second data. 1 MiB.
const TIMES_KEPT: usize = 64;

impl ScanCache {
    /// For a query over these columns. An index of a million columns is then in memory only while it is read.
    pub fn of(columns: impl IntoIterator<Item = ColumnId>) -> Self {
        let mut columns: Vec<ColumnId> = columns.into_iter().collect();
        columns.sort_unstable();
        columns.dedup();
        Self { columns: Some(columns), ..Self::default() }
    }

    /// An index of a file that tells all of this column.
    pub(crate) fn index(
        &mut self,
        shared: &IndexCache,
        block: &BlockFile,
        column: ColumnId,
    ) -> Result<Arc<Index>, BlockError> {
        if self.columns.as_ref().is_some_and(|columns| columns.binary_search(&column).is_err()) {
            return shared.get(block);
        }
        if let Some(index) = self.indexes.get(&block.number) {
            return Ok(Arc::clone(index));
        }
        let whole = shared.get(block)?;
        let index = self.columns.as_ref().map_or(whole.clone(), |columns| Arc::new(whole.only(columns)));
        if self.index_bytes + index.bytes() <= INDEX_BYTES_KEPT {
            self.index_bytes += index.bytes();
            self.indexes.insert(block.number, Arc::clone(&index));
        }
        Ok(index)
    }

    /// A column of times of a file.
    pub(crate) fn times(&mut self, block: &BlockFile, meta: &TimesMeta) -> Result<Arc<[TimestampNs]>, BlockError> {
        let known = self.recent.iter().find(|(number, at, _)| *number == block.number && *at == meta.offset);
        if let Some((_, _, times)) = known {
            return Ok(Arc::clone(times));
        }
        let times: Arc<[TimestampNs]> = block.read_times(meta)?.into();
        if self.recent.len() == TIMES_KEPT {
            self.recent.pop_front();
        }
        self.recent.push_back((block.number, meta.offset, Arc::clone(&times)));
        Ok(times)
    }
}
