//! Block files: immutable, one time partition of one bucket each, every byte under a checksum.
//!
//! ```text
//! file   = "HSBLOCK1" | blob* | zstd(index) | footer[FOOTER_LEN]
//! blob   = an encoded column of times or of values (see `codec`), its crc32c kept in the index
//! index  = see `index`: which column has which chunks, where, and their statistics
//! footer = see `footer`
//! ```
//! A column is cut into chunks of at most [`CHUNK_POINTS`] points. A chunk names the column of times it goes with, so series
//! that are polled together keep their times once. A file is written under a temporary name, synced and renamed.

mod footer;
mod index;
mod reader;
mod summary;
mod writer;

pub(crate) use footer::{FOOTER_LEN, Footer};
pub(crate) use index::{ChunkMeta, Index, TimesMeta};
pub(crate) use reader::{BlockError, BlockFile};
pub(crate) use summary::summarize;
pub(crate) use writer::{BlockSpec, BlockWriter};

/// First bytes of every block file.
pub(crate) const MAGIC: &[u8; 8] = b"HSBLOCK1";

/// Most points in a chunk: large enough for pco, small enough that an hour of one-second data is not all in one.
pub(crate) const CHUNK_POINTS: usize = 2048;

/// File name of a block: bucket, start of its partition in seconds, number of the file.
pub(crate) fn file_name(bucket: model::BucketId, start_s: i64, number: u64) -> String {
    format!("{:04}_{start_s}_{number:08}.blk", bucket.0)
}

/// The number in a name that [`file_name`] made; `None` for other files.
pub(crate) fn number_of(name: &str) -> Option<u64> {
    name.strip_suffix(".blk")?.rsplit('_').next()?.parse().ok()
}
