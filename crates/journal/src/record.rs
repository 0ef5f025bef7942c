//! One record as bytes.
//!
//! ```text
//! record = len:u32le | crc32c:u32le | seq:u64le | points:u32le | payload[len]      (crc covers seq, points and payload)
//! ```
//! A wrong `len` is found by the checksum too, since it then covers other bytes. Zeros are never a record.

use model::Seq;

/// Bytes of a record before its payload.
pub(crate) const HEADER_LEN: usize = 20;
/// Bytes of a record before those its checksum covers.
const UNCHECKED_LEN: usize = 8;

/// A record whose checksum held.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Record<'a> {
    pub(crate) seq: Seq,
    pub(crate) points: u32,
    pub(crate) payload: &'a [u8],
}

/// What stands at the beginning of some bytes.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Parsed<'a> {
    Record(Record<'a>),
    /// It would take this many bytes in all to tell.
    Short(usize),
    Corrupt,
}

impl Record<'_> {
    /// Bytes in the file.
    pub(crate) fn encoded_len(&self) -> usize {
        HEADER_LEN + self.payload.len()
    }

    /// Appends the record to `out`. The payload must be shorter than 4 GiB, which the segment size sees to.
    pub(crate) fn encode(&self, out: &mut Vec<u8>) {
        debug_assert!(u32::try_from(self.payload.len()).is_ok());
        let (seq, points) = (self.seq.0.to_le_bytes(), self.points.to_le_bytes());
        let crc = crc32c::crc32c_append(crc32c::crc32c_append(crc32c::crc32c(&seq), &points), self.payload);
        out.extend_from_slice(&(self.payload.len() as u32).to_le_bytes());
        out.extend_from_slice(&crc.to_le_bytes());
        out.extend_from_slice(&seq);
        out.extend_from_slice(&points);
        out.extend_from_slice(self.payload);
    }
}

/// The fixed part of a record, not checked.
pub(crate) struct Header {
    len: usize,
    crc: u32,
    pub(crate) seq: Seq,
    points: u32,
}

impl Header {
    /// `None` when there are too few bytes.
    pub(crate) fn read(bytes: &[u8]) -> Option<Self> {
        let (len, rest) = bytes.split_first_chunk()?;
        let (crc, rest) = rest.split_first_chunk()?;
        let (seq, rest) = rest.split_first_chunk()?;
        let (points, _) = rest.split_first_chunk()?;
        Some(Self {
            len: u32::from_le_bytes(*len) as usize,
            crc: u32::from_le_bytes(*crc),
            seq: Seq(u64::from_le_bytes(*seq)),
            points: u32::from_le_bytes(*points),
        })
    }

    /// Bytes of the whole record, if the length is true.
    pub(crate) fn encoded_len(&self) -> usize {
        HEADER_LEN.saturating_add(self.len)
    }
}

/// Reads the record at the beginning of `bytes`.
pub(crate) fn parse(bytes: &[u8]) -> Parsed<'_> {
    let Some(header) = Header::read(bytes) else { return Parsed::Short(HEADER_LEN) };
    let Some(checked) = bytes.get(UNCHECKED_LEN..header.encoded_len()) else {
        return Parsed::Short(header.encoded_len());
    };
    if crc32c::crc32c(checked) != header.crc {
        return Parsed::Corrupt;
    }
    let payload = checked.get(HEADER_LEN - UNCHECKED_LEN..).unwrap_or_default();
    Parsed::Record(Record { seq: header.seq, points: header.points, payload })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn encoded(seq: u64, payload: &[u8]) -> Vec<u8> {
        let mut out = Vec::new();
        Record { seq: Seq(seq), points: 7, payload }.encode(&mut out);
        out
    }

    #[test]
    fn what_is_encoded_is_parsed() {
        for payload in [&b""[..], b"x", &[9; 1000]] {
            let bytes = encoded(5, payload);
            let record = Record { seq: Seq(5), points: 7, payload };
            assert_eq!(parse(&bytes), Parsed::Record(record));
            assert_eq!(record.encoded_len(), bytes.len());
        }
    }

    #[test]
    fn the_stored_bytes_are_fixed() {
        let bytes = encoded(2, b"abc");
        assert_eq!(bytes.split_at(8).1, b"\x02\0\0\0\0\0\0\0\x07\0\0\0abc");
        assert_eq!(bytes[..4], 3u32.to_le_bytes());
        assert_eq!(bytes[4..8], crc32c::crc32c(b"\x02\0\0\0\0\0\0\0\x07\0\0\0abc").to_le_bytes());
    }

    #[test]
    fn no_flipped_byte_goes_unnoticed() {
        let bytes = encoded(5, b"payload");
        for at in 0..bytes.len() {
            let mut damaged = bytes.clone();
            damaged[at] ^= 0x10;
            assert!(!matches!(parse(&damaged), Parsed::Record(_)), "byte {at}");
        }
    }

    #[test]
    fn a_cut_record_says_how_many_bytes_it_needs() {
        let bytes = encoded(5, b"payload");
        assert_eq!(parse(&bytes[..7]), Parsed::Short(HEADER_LEN));
        assert_eq!(parse(&bytes[..22]), Parsed::Short(bytes.len()));
    }

    #[test]
    fn zeros_are_no_record() {
        assert_eq!(parse(&[0; 64]), Parsed::Corrupt);
    }
}
