//! The last bytes of a block file: what it holds and where its index is. Enough to open a data directory quickly.
//!
//! ```text
//! bucket:u32 | version:u32 | partition start:i64 | partition end:i64 | min time:i64 | max time:i64 | last seq:u64 |
//! values:u64 | level:u32 | columns:u32 | index crc:u32 | index offset:u64 | index len:u32 | index raw len:u32 | crc32c of all before:u32 | "HSBF"
//! ```

use model::wire::{Cursor, WireError};
use model::{BucketId, Seq, TimeRange, TimestampNs};

/// Length of the footer in bytes.
pub(crate) const FOOTER_LEN: usize = 92;
const VERSION: u32 = 1;
const END: &[u8; 4] = b"HSBF";

/// What a block file says of itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Footer {
    pub(crate) bucket: BucketId,
    /// Times that may stand in this file.
    pub(crate) partition: TimeRange,
    pub(crate) min_time: TimestampNs,
    pub(crate) max_time: TimestampNs,
    /// Journal position of the newest data inside; of two files the one with the larger wins.
    pub(crate) last_seq: Seq,
    pub(crate) values: u64,
    /// 0 as flushed from memory, above as merged.
    pub(crate) level: u32,
    pub(crate) columns: u32,
    pub(crate) index_crc: u32,
    pub(crate) index_offset: u64,
    pub(crate) index_len: u32,
    pub(crate) index_raw_len: u32,
}

impl Footer {
    pub(crate) fn encode(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(FOOTER_LEN);
        out.extend_from_slice(&self.bucket.0.to_le_bytes());
        out.extend_from_slice(&VERSION.to_le_bytes());
        for time in [self.partition.start, self.partition.end, self.min_time, self.max_time] {
            out.extend_from_slice(&time.0.to_le_bytes());
        }
        out.extend_from_slice(&self.last_seq.0.to_le_bytes());
        out.extend_from_slice(&self.values.to_le_bytes());
        out.extend_from_slice(&self.level.to_le_bytes());
        out.extend_from_slice(&self.columns.to_le_bytes());
        out.extend_from_slice(&self.index_crc.to_le_bytes());
        out.extend_from_slice(&self.index_offset.to_le_bytes());
        out.extend_from_slice(&self.index_len.to_le_bytes());
        out.extend_from_slice(&self.index_raw_len.to_le_bytes());
        let crc = crc32c::crc32c(&out);
        out.extend_from_slice(&crc.to_le_bytes());
        out.extend_from_slice(END);
        debug_assert_eq!(out.len(), FOOTER_LEN);
        out
    }

    /// The error says in words what is wrong.
    pub(crate) fn decode(bytes: &[u8]) -> Result<Self, String> {
        let checked = bytes.get(..FOOTER_LEN - 8).ok_or("the file is too short")?;
        let mut tail = Cursor(bytes.get(FOOTER_LEN - 8..).unwrap_or_default());
        let short = |e: WireError| e.to_string();
        let crc = u32::from_le_bytes(tail.array().map_err(short)?);
        if tail.0 != END || crc32c::crc32c(checked) != crc {
            return Err("the footer is damaged".to_owned());
        }
        let mut r = Cursor(checked);
        let footer = Self::decode_checked(&mut r).map_err(short)?;
        footer.ok_or_else(|| format!("the file is of a later version than {VERSION}, which this build reads"))
    }

    fn decode_checked(r: &mut Cursor<'_>) -> Result<Option<Self>, WireError> {
        let bucket = BucketId(u32::from_le_bytes(r.array()?));
        if u32::from_le_bytes(r.array()?) != VERSION {
            return Ok(None);
        }
        let mut time = || r.array().map(|b| TimestampNs(i64::from_le_bytes(b)));
        let partition = TimeRange::new(time()?, time()?);
        let (min_time, max_time) = (time()?, time()?);
        Ok(Some(Self {
            bucket,
            partition,
            min_time,
            max_time,
            last_seq: Seq(u64::from_le_bytes(r.array()?)),
            values: u64::from_le_bytes(r.array()?),
            level: u32::from_le_bytes(r.array()?),
            columns: u32::from_le_bytes(r.array()?),
            index_crc: u32::from_le_bytes(r.array()?),
            index_offset: u64::from_le_bytes(r.array()?),
            index_len: u32::from_le_bytes(r.array()?),
            index_raw_len: u32::from_le_bytes(r.array()?),
        }))
    }
}
