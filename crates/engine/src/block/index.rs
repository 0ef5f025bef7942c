//! The index of a block file.
//!
//! ```text
//! index   = counts | times* | columns* | chunks* | statistics* | crcs
//! counts  = times:varint | columns:varint | chunks:varint
//! times   = offset minus that of the times before | len | count | first: zigzag minus the first before | last - first
//! column  = id minus the id before | type:u8 | number of chunks
//! chunk   = times index: zigzag minus that of the chunk before | bytes since the end of the chunk before | len
//! statistics: see `summary`, one a chunk
//! crcs    = u32le for each of the times, then for each chunk
//! ```

use std::collections::HashMap;

use model::wire::{Cursor, WireError, put_varint, put_zigzag};
use model::{ColumnId, FieldType, TimestampNs};

use super::summary::{ChunkSummary, read_summary};

/// Where a column of times is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct TimesMeta {
    pub(crate) offset: u64,
    pub(crate) len: u32,
    pub(crate) crc: u32,
    pub(crate) count: u32,
    pub(crate) first: TimestampNs,
    pub(crate) last: TimestampNs,
}

/// A column and its run of chunks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct ColumnMeta {
    pub(crate) id: ColumnId,
    pub(crate) kind: FieldType,
    pub(crate) first_chunk: u32,
    pub(crate) chunks: u32,
}

/// Where a chunk's values are.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct ChunkMeta {
    /// Index of its column of times.
    pub(crate) times: u32,
    pub(crate) offset: u64,
    pub(crate) len: u32,
    pub(crate) crc: u32,
    pub(crate) summary: Option<ChunkSummary>,
}

/// Everything known of a block file without reading its data.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct Index {
    pub(crate) times: Vec<TimesMeta>,
    /// Ascending by identifier.
    pub(crate) columns: Vec<ColumnMeta>,
    pub(crate) chunks: Vec<ChunkMeta>,
}

impl Index {
    /// The chunks of a column, each with its times; none when the column is not in the file.
    pub(crate) fn chunks_of(&self, column: ColumnId) -> impl Iterator<Item = (&ChunkMeta, &TimesMeta)> {
        let found = self.column(column);
        let range = found.map_or(0..0, |c| c.first_chunk as usize..c.first_chunk as usize + c.chunks as usize);
        let chunks = self.chunks.get(range).unwrap_or_default();
        chunks.iter().filter_map(|c| self.times.get(c.times as usize).map(|t| (c, t)))
    }

    /// What the file says of a column; `None` when it is not in the file.
    pub(crate) fn column(&self, column: ColumnId) -> Option<&ColumnMeta> {
        self.columns.binary_search_by_key(&column, |c| c.id).ok().and_then(|i| self.columns.get(i))
    }

    /// What it says of some columns, which ascend by identifier.
    pub(crate) fn only(&self, columns: &[ColumnId]) -> Self {
        let (mut only, mut places) = (Self::default(), HashMap::new());
        for column in columns.iter().filter_map(|id| self.column(*id)) {
            let first_chunk = only.chunks.len() as u32;
            for (chunk, times) in self.chunks_of(column.id) {
                let place = *places.entry(chunk.times).or_insert(only.times.len() as u32);
                if place as usize == only.times.len() {
                    only.times.push(*times);
                }
                only.chunks.push(ChunkMeta { times: place, ..*chunk });
            }
            let chunks = only.chunks.len() as u32 - first_chunk;
            only.columns.push(ColumnMeta { first_chunk, chunks, ..*column });
        }
        only
    }

    /// Bytes of memory held.
    pub(crate) fn bytes(&self) -> usize {
        self.times.len() * size_of::<TimesMeta>()
            + self.columns.len() * size_of::<ColumnMeta>()
            + self.chunks.len() * size_of::<ChunkMeta>()
    }

    /// Reads an index whose checksum was compared.
    pub(crate) fn decode(bytes: &[u8]) -> Result<Self, WireError> {
        let mut r = Cursor(bytes);
        let mut count = || r.varint().map(|n| (n as usize).min(bytes.len()));
        let (times, columns, chunks) = (count()?, count()?, count()?);
        let mut index = Self {
            times: read_times(&mut r, times)?,
            columns: read_columns(&mut r, columns)?,
            chunks: read_chunks(&mut r, chunks)?,
        };
        for chunk in &mut index.chunks {
            chunk.summary = read_summary(&mut r)?;
        }
        for times in &mut index.times {
            times.crc = u32::from_le_bytes(r.array()?);
        }
        for chunk in &mut index.chunks {
            chunk.crc = u32::from_le_bytes(r.array()?);
        }
        Ok(index)
    }
}

fn read_times(r: &mut Cursor<'_>, count: usize) -> Result<Vec<TimesMeta>, WireError> {
    let mut all = Vec::with_capacity(count);
    let (mut offset, mut first) = (0u64, 0i64);
    for _ in 0..count {
        offset = offset.wrapping_add(r.varint()?);
        let len = r.varint()? as u32;
        let points = r.varint()? as u32;
        first = first.wrapping_add(r.zigzag()?);
        let last = first.wrapping_add(r.varint()? as i64);
        all.push(TimesMeta { offset, len, crc: 0, count: points, first: TimestampNs(first), last: TimestampNs(last) });
    }
    Ok(all)
}

fn read_columns(r: &mut Cursor<'_>, count: usize) -> Result<Vec<ColumnMeta>, WireError> {
    let mut all = Vec::with_capacity(count);
    let (mut id, mut first_chunk) = (0u32, 0u32);
    for _ in 0..count {
        id = id.wrapping_add(r.varint()? as u32);
        let kind = FieldType::from_code(r.byte()?).ok_or(WireError::Malformed("unknown field type"))?;
        let chunks = r.varint()? as u32;
        all.push(ColumnMeta { id: ColumnId(id), kind, first_chunk, chunks });
        first_chunk = first_chunk.wrapping_add(chunks);
    }
    Ok(all)
}

fn read_chunks(r: &mut Cursor<'_>, count: usize) -> Result<Vec<ChunkMeta>, WireError> {
    let mut all = Vec::with_capacity(count);
    let (mut times, mut end) = (0i64, 0u64);
    for _ in 0..count {
        times = times.wrapping_add(r.zigzag()?);
        let offset = end.wrapping_add(r.varint()?);
        let len = r.varint()? as u32;
        end = offset.wrapping_add(u64::from(len));
        all.push(ChunkMeta { times: times as u32, offset, len, crc: 0, summary: None });
    }
    Ok(all)
}

/// Collects the parts of an index while a file is written.
#[derive(Default)]
pub(crate) struct IndexBuilder {
    times: Vec<u8>,
    columns: Vec<u8>,
    chunks: Vec<u8>,
    pub(crate) summaries: Vec<u8>,
    times_crcs: Vec<u8>,
    chunk_crcs: Vec<u8>,
    times_count: u32,
    pub(crate) columns_count: u32,
    chunks_count: u32,
    last_times_offset: u64,
    last_first: i64,
    last_column: u32,
    last_times: u32,
    last_end: u64,
}

impl IndexBuilder {
    /// Adds a column of times; its index is returned.
    pub(crate) fn add_times(&mut self, meta: &TimesMeta) -> u32 {
        put_varint(&mut self.times, meta.offset - self.last_times_offset);
        put_varint(&mut self.times, u64::from(meta.len));
        put_varint(&mut self.times, u64::from(meta.count));
        put_zigzag(&mut self.times, meta.first.0.wrapping_sub(self.last_first));
        put_varint(&mut self.times, meta.last.0.wrapping_sub(meta.first.0) as u64);
        self.times_crcs.extend_from_slice(&meta.crc.to_le_bytes());
        self.last_times_offset = meta.offset;
        self.last_first = meta.first.0;
        self.times_count += 1;
        self.times_count - 1
    }

    /// Adds a chunk; its statistics are appended to `summaries` by the caller.
    pub(crate) fn add_chunk(&mut self, times: u32, offset: u64, len: u32, crc: u32) {
        put_zigzag(&mut self.chunks, i64::from(times) - i64::from(self.last_times));
        put_varint(&mut self.chunks, offset - self.last_end);
        put_varint(&mut self.chunks, u64::from(len));
        self.chunk_crcs.extend_from_slice(&crc.to_le_bytes());
        self.last_times = times;
        self.last_end = offset + u64::from(len);
        self.chunks_count += 1;
    }

    /// Ends a column whose chunks were just added.
    pub(crate) fn end_column(&mut self, id: ColumnId, kind: FieldType, chunks: u32) {
        debug_assert!(self.columns_count == 0 || id.0 > self.last_column);
        put_varint(&mut self.columns, u64::from(id.0 - self.last_column));
        self.columns.push(kind.code());
        put_varint(&mut self.columns, u64::from(chunks));
        self.last_column = id.0;
        self.columns_count += 1;
    }

    /// The encoded index.
    pub(crate) fn finish(self) -> Vec<u8> {
        let mut out = Vec::new();
        for count in [self.times_count, self.columns_count, self.chunks_count] {
            put_varint(&mut out, u64::from(count));
        }
        for part in [self.times, self.columns, self.chunks, self.summaries, self.times_crcs, self.chunk_crcs] {
            out.extend_from_slice(&part);
        }
        out
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_said_of_some_columns_is_what_the_whole_index_says_of_them() {
        let times = |n: u32| TimesMeta {
            offset: u64::from(n) * 100,
            len: 100,
            crc: n,
            count: 7,
            first: TimestampNs(i64::from(n)),
            last: TimestampNs(i64::from(n) + 6),
        };
        let chunk = |n: u32| ChunkMeta { times: n % 5, offset: u64::from(n) * 10, len: 10, crc: n, summary: None };
        let column = |n: u32| ColumnMeta { id: ColumnId(n * 3), kind: FieldType::Float, first_chunk: n * 2, chunks: 2 };
        let whole = Index {
            times: (0..5).map(times).collect(),
            columns: (0..10).map(column).collect(),
            chunks: (0..20).map(chunk).collect(),
        };
        let wanted = [3, 4, 9, 27, 30].map(ColumnId);
        let only = whole.only(&wanted);
        assert_eq!((only.columns.len(), only.chunks.len()), (3, 6));
        for id in wanted {
            let said = |index: &Index| -> Vec<(u32, TimesMeta)> {
                index.chunks_of(id).map(|(chunk, times)| (chunk.crc, *times)).collect()
            };
            assert_eq!(said(&only), said(&whole));
            assert_eq!(only.column(id).map(|c| c.kind), whole.column(id).map(|c| c.kind));
        }
        assert!(only.chunks_of(ColumnId(6)).next().is_none());
    }
}
