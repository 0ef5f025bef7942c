//! The bytes of one slot of a cursor file. Both versions are read, version 2 is written.
//!
//! ```text
//! version 2 = magic "hcu2" | generation:u64le | seq:u64le | range | crc32c:u32le
//! range     = after:u64le | to:u64le | since:i64le          (all 0 when there is none)
//! version 1 = magic "hcur" | generation:u64le | seq:u64le | crc32c:u32le
//! ```
//!
//! The checksum covers all that stands before it.

use model::{Seq, TimestampNs};

use super::{Ahead, Progress, SLOT_APART};

const MAGIC: &[u8; 4] = b"hcu2";
const LEN: usize = 48;
const MAGIC_1: &[u8; 4] = b"hcur";
const LEN_1: usize = 24;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Slot {
    pub(super) generation: u64,
    pub(super) progress: Progress,
}

impl Slot {
    pub(super) fn encode(self) -> Vec<u8> {
        let none = Ahead { after: Seq(0), to: Seq(0), since: TimestampNs(0) };
        let ahead = self.progress.ahead.unwrap_or(none);
        let mut out = MAGIC.to_vec();
        for number in [self.generation, self.progress.seq.0, ahead.after.0, ahead.to.0] {
            out.extend_from_slice(&number.to_le_bytes());
        }
        out.extend_from_slice(&ahead.since.0.to_le_bytes());
        out.extend_from_slice(&crc32c::crc32c(&out).to_le_bytes());
        debug_assert_eq!(out.len(), LEN);
        out
    }

    /// The slot at the start of `bytes`, if it is whole.
    pub(super) fn decode(bytes: &[u8]) -> Option<Self> {
        Self::decode_2(bytes).or_else(|| Self::decode_1(bytes))
    }

    fn decode_2(bytes: &[u8]) -> Option<Self> {
        let [generation, seq, after, to, since] = numbers(bytes, MAGIC, LEN)?;
        let ahead = Ahead { after: Seq(after), to: Seq(to), since: TimestampNs(since.cast_signed()) };
        Some(Self { generation, progress: Progress::new(Seq(seq), Some(ahead)) })
    }

    fn decode_1(bytes: &[u8]) -> Option<Self> {
        let [generation, seq] = numbers(bytes, MAGIC_1, LEN_1)?;
        Some(Self { generation, progress: Progress::new(Seq(seq), None) })
    }

    /// Where it belongs in the file.
    pub(super) fn offset(self) -> u64 {
        (self.generation % 2) * SLOT_APART as u64
    }
}

/// The numbers between magic and checksum of a slot of `len` bytes; `None` when it is not whole.
fn numbers<const N: usize>(bytes: &[u8], magic: &[u8; 4], len: usize) -> Option<[u64; N]> {
    let (checked, crc) = bytes.get(..len)?.split_last_chunk::<4>()?;
    let (words, rest) = checked.strip_prefix(magic)?.as_chunks::<8>();
    debug_assert!(rest.is_empty());
    let words: &[[u8; 8]; N] = words.try_into().ok()?;
    (crc32c::crc32c(checked) == u32::from_le_bytes(*crc)).then(|| words.map(u64::from_le_bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slot_is_read_back_with_and_without_a_range() {
        let range = Ahead { after: Seq(9), to: Seq(12), since: TimestampNs(-5) };
        for ahead in [None, Some(range)] {
            let slot = Slot { generation: 7, progress: Progress::new(Seq(8), ahead) };
            assert_eq!(slot.progress.ahead, ahead);
            assert_eq!(Slot::decode(&slot.encode()), Some(slot));
        }
    }

    #[test]
    fn a_slot_with_any_bit_turned_or_cut_short_is_none() {
        let ahead = Ahead { after: Seq(9), to: Seq(12), since: TimestampNs(77) };
        let bytes = Slot { generation: 7, progress: Progress::new(Seq(8), Some(ahead)) }.encode();
        for bit in 0..bytes.len() * 8 {
            let mut turned = bytes.clone();
            turned[bit / 8] ^= 1 << (bit % 8);
            assert_eq!(Slot::decode(&turned), None, "bit {bit}");
        }
        for len in 0..bytes.len() {
            assert_eq!(Slot::decode(&bytes[..len]), None, "{len} bytes");
        }
    }

    #[test]
    fn a_slot_of_version_1_is_read() {
        // As version 1 wrote it: generation 3, position 0x0102.
        let mut bytes = b"hcur\x03\0\0\0\0\0\0\0\x02\x01\0\0\0\0\0\0".to_vec();
        bytes.extend(crc32c::crc32c(&bytes).to_le_bytes());
        assert_eq!(Slot::decode(&bytes), Some(Slot { generation: 3, progress: Progress::new(Seq(0x0102), None) }));
        bytes[6] ^= 1;
        assert_eq!(Slot::decode(&bytes), None);
    }
}
