//! Reads block files. Every blob is compared with its checksum before it is decoded.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use model::{FieldType, TimestampNs, Values};
use vfs::{File, Fs};

use super::{ChunkMeta, FOOTER_LEN, Footer, Handles, Index, MAGIC, TimesMeta};
use crate::codec::{decode_times, decode_values};

/// Largest index unpacked, in bytes.
const INDEX_MAX: u32 = 1 << 30;

/// A block file that cannot be read, wholly or in part.
#[derive(Debug, thiserror::Error)]
pub(crate) enum BlockError {
    /// The file system failed.
    #[error("{}: {source}", .path.display())]
    Io { path: PathBuf, source: io::Error },
    /// Bytes are not what was written.
    #[error("{}: offset {offset}: {what}", .path.display())]
    Damaged { path: PathBuf, offset: u64, what: String },
}

/// A block file that can be read.
pub(crate) struct BlockFile {
    pub(crate) number: u64,
    pub(crate) path: PathBuf,
    pub(crate) footer: Footer,
    /// Length in bytes.
    pub(crate) len: u64,
    access: Access,
}

/// How the file is got at.
enum Access {
    /// Opened anew whenever it was closed to make room for others.
    Shared(Arc<Handles>),
    Open(Arc<dyn File>),
}

impl BlockFile {
    /// Reads the footer of a file that is opened whenever it is read.
    pub(crate) fn open(handles: &Arc<Handles>, path: &Path, number: u64) -> Result<Self, BlockError> {
        let file = handles.get(number, path).map_err(|source| BlockError::Io { path: path.to_owned(), source })?;
        Self::with_footer(&*file, Access::Shared(Arc::clone(handles)), path, number)
    }

    /// Reads the footer of a file that stays open.
    pub(crate) fn open_alone(fs: &dyn Fs, path: &Path) -> Result<Self, BlockError> {
        let file = fs.open(path).map_err(|source| BlockError::Io { path: path.to_owned(), source })?;
        Self::with_footer(&*Arc::clone(&file), Access::Open(file), path, 0)
    }

    fn with_footer(file: &dyn File, access: Access, path: &Path, number: u64) -> Result<Self, BlockError> {
        let io = |source| BlockError::Io { path: path.to_owned(), source };
        let len = file.len().map_err(io)?;
        let damaged = |offset, what: String| BlockError::Damaged { path: path.to_owned(), offset, what };
        let Some(footer_at) = len.checked_sub((FOOTER_LEN + MAGIC.len()) as u64).map(|n| n + MAGIC.len() as u64) else {
            return Err(damaged(0, format!("the file has only {len} bytes")));
        };
        let mut bytes = [0u8; FOOTER_LEN];
        file.read_at(&mut bytes, footer_at).map_err(io)?;
        let footer = Footer::decode(&bytes).map_err(|what| damaged(footer_at, what))?;
        if footer.index_offset.checked_add(u64::from(footer.index_len)) != Some(footer_at) {
            return Err(damaged(footer_at, "the index does not end at the footer".to_owned()));
        }
        Ok(Self { number, path: path.to_owned(), footer, len, access })
    }

    /// Removes the file, if it is one of those that are opened when needed.
    pub(crate) fn remove(&self) -> io::Result<()> {
        match &self.access {
            Access::Shared(handles) => handles.remove(self.number, &self.path),
            Access::Open(_) => Ok(()),
        }
    }

    /// Reads the index.
    pub(crate) fn read_index(&self) -> Result<Index, BlockError> {
        let f = &self.footer;
        let packed = self.blob(f.index_offset, f.index_len, f.index_crc, "the index")?;
        if f.index_raw_len > INDEX_MAX {
            return Err(self.damaged(f.index_offset, format!("an index of {} bytes", f.index_raw_len)));
        }
        let raw = zstd::bulk::decompress(&packed, f.index_raw_len as usize);
        let raw = raw.map_err(|e| self.damaged(f.index_offset, e.to_string()))?;
        Index::decode(&raw).map_err(|e| self.damaged(f.index_offset, e.to_string()))
    }

    /// Reads a column of times.
    pub(crate) fn read_times(&self, meta: &TimesMeta) -> Result<Vec<TimestampNs>, BlockError> {
        let bytes = self.blob(meta.offset, meta.len, meta.crc, "a column of times")?;
        decode_times(&bytes, meta.count as usize).map_err(|e| self.damaged(meta.offset, e.to_string()))
    }

    /// Reads the values of a chunk of `count` points.
    pub(crate) fn read_values(&self, meta: &ChunkMeta, kind: FieldType, count: u32) -> Result<Values, BlockError> {
        self.read_first_values(meta, kind, count, count as usize)
    }

    /// Reads at least the first `needed` values of a chunk of `count` points.
    pub(crate) fn read_first_values(
        &self,
        meta: &ChunkMeta,
        kind: FieldType,
        count: u32,
        needed: usize,
    ) -> Result<Values, BlockError> {
        let bytes = self.blob(meta.offset, meta.len, meta.crc, "a chunk")?;
        decode_values(kind, &bytes, count as usize, needed).map_err(|e| self.damaged(meta.offset, e.to_string()))
    }

    /// Compares the first bytes and every checksum; one error for each damaged place.
    pub(crate) fn verify(&self) -> Vec<BlockError> {
        let mut magic = [0u8; MAGIC.len()];
        let mut errors = Vec::new();
        match self.file().and_then(|file| file.read_at(&mut magic, 0)) {
            Err(source) => errors.push(BlockError::Io { path: self.path.clone(), source }),
            Ok(()) if magic != *MAGIC => errors.push(self.damaged(0, "not a block file (bad magic)".to_owned())),
            Ok(()) => {}
        }
        match self.read_index() {
            Err(e) => errors.push(e),
            Ok(index) => {
                errors.extend(index.times.iter().filter_map(|t| self.read_times(t).err()));
                for column in &index.columns {
                    let chunks = index.chunks_of(column.id);
                    errors.extend(chunks.filter_map(|(c, t)| self.read_values(c, column.kind, t.count).err()));
                }
            }
        }
        errors
    }

    fn blob(&self, offset: u64, len: u32, crc: u32, what: &str) -> Result<Vec<u8>, BlockError> {
        if offset.checked_add(u64::from(len)).is_none_or(|end| end > self.len) {
            return Err(self.damaged(offset, format!("{what} would reach past the end of the file")));
        }
        let mut bytes = vec![0; len as usize];
        self.file()
            .and_then(|file| file.read_at(&mut bytes, offset))
            .map_err(|source| BlockError::Io { path: self.path.clone(), source })?;
        if crc32c::crc32c(&bytes) != crc {
            return Err(self.damaged(offset, format!("{what} of {len} bytes does not match its checksum")));
        }
        Ok(bytes)
    }

    fn file(&self) -> io::Result<Arc<dyn File>> {
        match &self.access {
            Access::Shared(handles) => handles.get(self.number, &self.path),
            Access::Open(file) => Ok(Arc::clone(file)),
        }
    }

    pub(crate) fn damaged(&self, offset: u64, what: String) -> BlockError {
        BlockError::Damaged { path: self.path.clone(), offset, what }
    }
}
