//! Walks the records in the bytes of a segment, past damaged ones. The sequence numbers of a segment follow each other
//! without holes, so a record is believed only when its checksum holds and its number is the expected one; after damage,
//! when its number is one that the skipped bytes can have led up to.

use std::ops::Range;

use model::Seq;

use crate::record::{self, HEADER_LEN, Header, Parsed, Record};

/// What stands at an offset.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Item<'a> {
    Record {
        offset: usize,
        record: Record<'a>,
    },
    /// Bytes that are no record, up to the next valid one.
    Damage {
        bytes: Range<usize>,
        skipped: Range<Seq>,
    },
    /// Bytes that are no record, up to the end.
    Garbage {
        bytes: Range<usize>,
    },
}

/// The items of some bytes in order.
pub(crate) struct Scan<'a> {
    bytes: &'a [u8],
    at: usize,
    expected: Seq,
    limit: Seq,
}

impl<'a> Scan<'a> {
    /// Starts at `from`, where the record `expected` should stand. Numbers of `limit` and above belong elsewhere.
    pub(crate) fn new(bytes: &'a [u8], from: usize, expected: Seq, limit: Seq) -> Self {
        Self { bytes, at: from, expected, limit }
    }

    fn skip_damage(&mut self) -> Item<'a> {
        let from = self.at;
        let Some(found) = resync(self.bytes, from, self.expected, self.limit) else {
            self.at = self.bytes.len();
            return Item::Garbage { bytes: from..self.at };
        };
        let skipped = self.expected..found.seq;
        self.at = found.offset;
        self.expected = found.seq;
        Item::Damage { bytes: from..found.offset, skipped }
    }
}

impl<'a> Iterator for Scan<'a> {
    type Item = Item<'a>;

    fn next(&mut self) -> Option<Item<'a>> {
        let rest = self.bytes.get(self.at..).filter(|rest| !rest.is_empty())?;
        match record::parse(rest) {
            Parsed::Record(record) if record.seq == self.expected && record.seq < self.limit => {
                let offset = self.at;
                self.at += record.encoded_len();
                self.expected = record.seq.next();
                Some(Item::Record { offset, record })
            }
            _ => Some(self.skip_damage()),
        }
    }
}

/// Where a valid record was found.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Found {
    pub(crate) offset: usize,
    pub(crate) seq: Seq,
}

/// The next valid record after the damaged one at `from`, where `expected` should have been.
pub(crate) fn resync(bytes: &[u8], from: usize, expected: Seq, limit: Seq) -> Option<Found> {
    // The length is probably right. Trusting it first keeps a payload that looks like a record from being taken for one.
    let by_length = bytes.get(from..).and_then(Header::read).map(|h| from.saturating_add(h.encoded_len()));
    let last = bytes.len().checked_sub(HEADER_LEN)?;
    by_length.into_iter().chain(from + 1..=last).find_map(|offset| valid_at(bytes, from, offset, expected, limit))
}

fn valid_at(bytes: &[u8], from: usize, offset: usize, expected: Seq, limit: Seq) -> Option<Found> {
    let rest = bytes.get(offset..)?;
    let seq = Header::read(rest)?.seq;
    let most_skipped = ((offset - from) / HEADER_LEN) as u64;
    let plausible = expected <= seq && seq.0 - expected.0 <= most_skipped && seq < limit;
    (plausible && matches!(record::parse(rest), Parsed::Record(_))).then_some(Found { offset, seq })
}

#[cfg(test)]
mod tests {
    use super::*;

    const NO_LIMIT: Seq = Seq(u64::MAX);

    fn records(payloads: &[&[u8]]) -> Vec<u8> {
        let mut out = Vec::new();
        for (seq, payload) in (1..).zip(payloads) {
            Record { seq: Seq(seq), points: 1, payload }.encode(&mut out);
        }
        out
    }

    fn seqs(bytes: &[u8]) -> Vec<u64> {
        let items = Scan::new(bytes, 0, Seq(1), NO_LIMIT);
        items.filter_map(|i| if let Item::Record { record, .. } = i { Some(record.seq.0) } else { None }).collect()
    }

    #[test]
    fn a_damaged_payload_costs_one_record() {
        let mut bytes = records(&[b"one", b"two", b"three"]);
        bytes[23 + 21] ^= 1;
        let items: Vec<Item<'_>> = Scan::new(&bytes, 0, Seq(1), NO_LIMIT).collect();
        assert_eq!(items[1], Item::Damage { bytes: 23..46, skipped: Seq(2)..Seq(3) });
        assert_eq!(seqs(&bytes), [1, 3]);
    }

    #[test]
    fn a_damaged_length_costs_one_record() {
        for byte in 23..27 {
            let mut bytes = records(&[b"one", b"two", b"three"]);
            bytes[byte] ^= 0x81;
            assert_eq!(seqs(&bytes), [1, 3], "byte {byte}");
        }
    }

    #[test]
    fn damage_at_the_end_is_garbage() {
        let mut bytes = records(&[b"one", b"two"]);
        bytes.truncate(40);
        assert_eq!(Scan::new(&bytes, 0, Seq(1), NO_LIMIT).last(), Some(Item::Garbage { bytes: 23..40 }));
        let mut zeros = records(&[b"one"]);
        zeros.resize(4096, 0);
        assert_eq!(Scan::new(&zeros, 0, Seq(1), NO_LIMIT).last(), Some(Item::Garbage { bytes: 23..4096 }));
    }

    #[test]
    fn a_record_inside_a_payload_is_not_taken_for_one() {
        let inner = records(&[b"1", b"2"]);
        let mut bytes = records(&[b"one", &inner, b"three"]);
        bytes[23 + 5] ^= 1; // the checksum of the outer record
        assert_eq!(seqs(&bytes), [1, 3]);
    }

    #[test]
    fn a_record_of_another_place_is_not_believed() {
        let mut bytes = records(&[b"one"]);
        Record { seq: Seq(900), points: 1, payload: b"stale" }.encode(&mut bytes);
        assert_eq!(seqs(&bytes), [1]);
        let limited = Scan::new(&bytes, 0, Seq(1), Seq(1));
        assert_eq!(limited.collect::<Vec<_>>(), [Item::Garbage { bytes: 0..bytes.len() }]);
    }
}
