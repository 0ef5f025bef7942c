//! Settings of the engine.

use std::time::Duration;

use model::{ByteSize, WindowNs};

/// How the engine uses memory and files. The defaults suit a two-core gateway.
#[derive(Debug, Clone)]
pub struct EngineConfig {
    /// Memory for values that are not yet in block files. While one such head is written out another may fill, so twice as
    /// much may be in use. Default 32 MiB, some two million values.
    pub head_max: ByteSize,
    /// Values stay in memory (and in the journal) no longer than this before they are written to a block file. Default 30 min.
    pub head_max_age: Duration,
    /// Length of a time partition: the unit in which retention drops files. Default 1 day.
    pub partition: WindowNs,
    /// So many files of a partition, of similar size, are merged into one. Default 8.
    pub merge_at: usize,
    /// A partition that got no new file for so long is merged into one file. Default 10 min.
    pub cold_after: Duration,
    /// Memory for indexes of block files, the least recently used going first. Default 32 MiB.
    pub index_cache: ByteSize,
    /// Memory for points of block files that are read again and again in small parts. Default 16 MiB.
    pub chunk_cache: ByteSize,
}

const DAY_NS: i64 = 86_400_000_000_000;

impl Default for EngineConfig {
    fn default() -> Self {
        Self {
            head_max: ByteSize(32 << 20),
            head_max_age: Duration::from_secs(30 * 60),
            partition: const { WindowNs::new(DAY_NS).unwrap() },
            merge_at: 8,
            cold_after: Duration::from_secs(10 * 60),
            index_cache: ByteSize(32 << 20),
            chunk_cache: ByteSize(16 << 20),
        }
    }
}
