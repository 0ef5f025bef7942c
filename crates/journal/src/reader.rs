//! Reads one segment from its file, block by block, past damaged records.

use std::path::PathBuf;
use std::sync::Arc;

use model::Seq;
use vfs::{File, Fs};

use crate::error::ReadError;
use crate::record::{self, HEADER_LEN, Parsed};
use crate::scan;
use crate::segment::Mark;
use crate::segments::Place;

/// Bytes read at once.
const BLOCK: u64 = 256 << 10;

/// A position in a segment file.
pub(crate) struct Reader {
    file: Arc<dyn File>,
    path: PathBuf,
    /// Names the segment.
    first: Seq,
    /// The next record: where it stands, its number, the points before it.
    at: Mark,
    block: Vec<u8>,
    /// Where in the file `block` starts.
    block_at: u64,
}

/// What was read.
pub(crate) enum Found {
    Record {
        seq: Seq,
        points: u32,
        /// Points of all retained records up to and including this one.
        points_end: u64,
        payload: Arc<[u8]>,
    },
    /// Damage was passed over; the next record to come is this one.
    Resynced(Seq),
    /// No further record up to the given end.
    End,
}

impl Reader {
    pub(crate) fn open(fs: &dyn Fs, path: PathBuf, place: &Place) -> Result<Self, ReadError> {
        let file = fs.open(&path).map_err(ReadError::new("open segment", &path))?;
        Ok(Self { file, path, first: place.first, at: place.mark, block: Vec::new(), block_at: 0 })
    }

    /// True when the next record read is `seq` of the segment that starts with `first`.
    pub(crate) fn is_at(&self, first: Seq, seq: Seq) -> bool {
        self.first == first && self.at.seq == seq
    }

    /// The next record before the byte `end`, its number being below `limit`.
    pub(crate) fn next(&mut self, end: u64, limit: Seq) -> Result<Found, ReadError> {
        if self.at.offset >= end || self.at.seq >= limit {
            return Ok(Found::End);
        }
        let expected = self.at.seq;
        let mut wanted = HEADER_LEN as u64;
        loop {
            let Some(bytes) = self.bytes(wanted, end)? else { return self.resync(end, limit) };
            match record::parse(bytes) {
                Parsed::Record(found) if found.seq == expected => {
                    let (seq, points, len) = (found.seq, found.points, found.encoded_len() as u64);
                    let payload = found.payload.into();
                    self.at.offset += len;
                    self.at.seq = seq.next();
                    self.at.points += u64::from(points);
                    return Ok(Found::Record { seq, points, points_end: self.at.points, payload });
                }
                Parsed::Short(needed) => wanted = needed as u64,
                Parsed::Record(_) | Parsed::Corrupt => return self.resync(end, limit),
            }
        }
    }

    /// At least `wanted` bytes from the position on; `None` when they would go beyond `end`.
    fn bytes(&mut self, wanted: u64, end: u64) -> Result<Option<&[u8]>, ReadError> {
        if wanted > end - self.at.offset {
            return Ok(None);
        }
        let held = self.block_at..self.block_at + self.block.len() as u64;
        if self.at.offset < held.start || self.at.offset + wanted > held.end {
            self.load(wanted.max(BLOCK).min(end - self.at.offset))?;
        }
        Ok(self.block.get((self.at.offset - self.block_at) as usize..))
    }

    /// Reads `len` bytes from the position on.
    fn load(&mut self, len: u64) -> Result<(), ReadError> {
        self.block.clear();
        self.block.shrink_to(BLOCK as usize);
        self.block.resize(len as usize, 0);
        self.block_at = self.at.offset;
        let read = self.file.read_at(&mut self.block, self.at.offset);
        if read.is_err() {
            self.block.clear();
        }
        read.map_err(ReadError::new("read segment", &self.path))
    }

    /// Looks for the next valid record behind the damaged one at the position.
    fn resync(&mut self, end: u64, limit: Seq) -> Result<Found, ReadError> {
        self.load(end - self.at.offset)?;
        let Some(found) = scan::resync(&self.block, 0, self.at.seq, limit) else {
            self.at.offset = end;
            return Ok(Found::End);
        };
        self.at.offset += found.offset as u64;
        self.at.seq = found.seq;
        Ok(Found::Resynced(found.seq))
    }
}
