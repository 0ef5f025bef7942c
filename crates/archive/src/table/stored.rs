//! A file of `vfs` as the Parquet reader wants it.

use std::io::{self, BufReader, Read};
use std::sync::Arc;

use bytes::Bytes;
use parquet::errors::{ParquetError, Result};
use parquet::file::reader::{ChunkReader, Length};
use vfs::File;

/// Bytes read ahead by a sequential reader.
const AHEAD: usize = 64 << 10;

/// A file that does not change any more.
pub(super) struct Stored {
    file: Arc<dyn File>,
    len: u64,
}

impl Stored {
    pub(super) fn new(file: Arc<dyn File>) -> io::Result<Self> {
        let len = file.len()?;
        Ok(Self { file, len })
    }
}

impl Length for Stored {
    fn len(&self) -> u64 {
        self.len
    }
}

impl ChunkReader for Stored {
    type T = BufReader<FileFrom>;

    fn get_read(&self, start: u64) -> Result<Self::T> {
        let from = FileFrom { file: Arc::clone(&self.file), at: start, len: self.len };
        Ok(BufReader::with_capacity(AHEAD, from))
    }

    fn get_bytes(&self, start: u64, length: usize) -> Result<Bytes> {
        // IMPORTANT: before memory is taken: a damaged file may ask for any length.
        if start.checked_add(length as u64).is_none_or(|end| end > self.len) {
            return Err(ParquetError::EOF(format!("the file ends before byte {start} + {length}")));
        }
        let mut buffer = vec![0; length];
        self.file.read_at(&mut buffer, start)?;
        Ok(buffer.into())
    }
}

/// The file from a position on.
pub(super) struct FileFrom {
    file: Arc<dyn File>,
    at: u64,
    len: u64,
}

impl Read for FileFrom {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let rest = usize::try_from(self.len.saturating_sub(self.at)).unwrap_or(usize::MAX);
        let count = buffer.len().min(rest);
        let Some(part) = buffer.get_mut(..count) else { return Ok(0) };
        self.file.read_at(part, self.at)?;
        self.at += count as u64;
        Ok(count)
    }
}
