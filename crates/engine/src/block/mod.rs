//! Block files: immutable, one time partition of one bucket each, every byte under a checksum.
//!
//! ```text
//! file   = "HSBLOCK1" | blob* | zstd(index) | footer[FOOTER_LEN]
//! blob   = an encoded column of times or of values (see `codec`), its crc32c kept in the index
//! index  = see `index`: which column has which chunks, where, and their statistics
//! footer = see `footer`
//! ```
//! A column is cut into chunks of at most [`CHUNK_POINTS`] points, of texts some [`CHUNK_TEXT`] bytes. A chunk names the column of times it goes with, so series
//! that are polled together keep their times once. A file is written under a temporary name, synced and
//! renamed; whoever lists it in the manifest syncs the folder first.

mod footer;
mod handles;
mod index;
mod reader;
mod summary;
mod writer;

pub(crate) use footer::{FOOTER_LEN, Footer};
pub(crate) use handles::Handles;
pub(crate) use index::{ChunkMeta, Index, TimesMeta};
pub(crate) use reader::{BlockError, BlockFile};
pub(crate) use summary::summarize;
pub(crate) use writer::{BlockSpec, BlockWriter};

use model::{BucketId, TimestampNs};

/// First bytes of every block file.
pub(crate) const MAGIC: &[u8; 8] = b"HSBLOCK1";

/// Most points in a chunk: large enough for pco, small enough that an hour of one-second data is not all in one.
pub(crate) const CHUNK_POINTS: usize = 2048;

/// Bytes of texts with which a chunk is full, however few they are: reading holds chunks of several files at once.
pub(crate) const CHUNK_TEXT: usize = 512 << 10;

/// File name of a block: bucket, start of its partition in seconds, number of the file.
pub(crate) fn file_name(bucket: BucketId, partition_start: TimestampNs, number: u64) -> String {
    format!("{:04}_{}_{number:08}.blk", bucket.0, start_s(partition_start))
}

/// Bucket and start of the partition in seconds, from a name that [`file_name`] made.
pub(crate) fn partition_of(name: &str) -> Option<(BucketId, i64)> {
    let (partition, _) = name.rsplit_once('_')?;
    let (bucket, start_s) = partition.split_once('_')?;
    Some((BucketId(bucket.parse().ok()?), start_s.parse().ok()?))
}

/// Start of a partition as it stands in file names.
pub(crate) fn start_s(partition_start: TimestampNs) -> i64 {
    partition_start.0.div_euclid(1_000_000_000)
}

/// The number in a name that [`file_name`] made; `None` for other files.
pub(crate) fn number_of(name: &str) -> Option<u64> {
    name.strip_suffix(".blk")?.rsplit('_').next()?.parse().ok()
}
