//! Figures of the engine, for `/metrics` and `/status`.

use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;

use model::Seq;

use crate::state::Shared;

/// Figures of one moment; totals are since the start.
#[derive(Debug, Clone, Default)]
pub struct Stats {
    /// Position of the newest record taken in.
    pub applied_seq: Seq,
    /// Position up to which everything is in synced files.
    pub flushed_seq: Seq,
    /// Values in memory only, counting overwritten ones.
    pub head_values: u64,
    /// Memory they take, in bytes, about.
    pub head_bytes: u64,
    /// Values in block files, counting overwritten ones.
    pub file_values: u64,
    /// Block files.
    pub files: usize,
    /// Their length in bytes.
    pub file_bytes: u64,
    /// Deletions that still wait to be merged in, each counted once for a column that it is about, or once when it is about many.
    pub tombstones: usize,
    /// Memory for indexes, in bytes.
    pub index_bytes: u64,
    /// Memory for points kept decoded, in bytes.
    pub chunk_bytes: u64,
    /// Heads written to files.
    pub flushes: u64,
    /// Attempts at that which failed.
    pub flush_failures: u64,
    /// Time spent on it.
    pub flush_time: Duration,
    /// Merges done.
    pub merges: u64,
    /// Time spent on them.
    pub merge_time: Duration,
    /// Parts of files that were found damaged by a query.
    pub damaged_reads: u64,
    /// Values refused: their column was unknown or of another type.
    pub refused_values: u64,
    /// Values passed over: their column was dropped since they were written.
    pub dropped_values: u64,
}

impl Stats {
    pub(crate) fn of(shared: &Shared) -> Self {
        let state = shared.read_state();
        let (files, counters) = (&state.files.files, &shared.counters);
        let heads = || state.frozen.iter().map(|h| &**h).chain([&state.active]);
        Self {
            applied_seq: state.applied,
            flushed_seq: state.files.flushed_seq,
            head_values: heads().map(|h| h.values()).sum(),
            head_bytes: heads().map(|h| h.bytes() as u64).sum(),
            file_values: files.iter().map(|f| f.block.footer.values).sum(),
            files: files.len(),
            file_bytes: files.iter().map(|f| f.block.len).sum(),
            tombstones: state.files.tombstones.len() + heads().map(|h| h.tombstones.len()).sum::<usize>(),
            index_bytes: shared.indexes.bytes() as u64,
            chunk_bytes: shared.stretches.bytes() as u64,
            flushes: counters.flushes.load(Relaxed),
            flush_failures: counters.flush_failures.load(Relaxed),
            flush_time: Duration::from_nanos(counters.flush_ns.load(Relaxed)),
            merges: counters.merges.load(Relaxed),
            merge_time: Duration::from_nanos(counters.merge_ns.load(Relaxed)),
            damaged_reads: counters.damaged_reads.load(Relaxed),
            refused_values: counters.refused_values.load(Relaxed),
            dropped_values: counters.dropped_values.load(Relaxed),
        }
    }
}
