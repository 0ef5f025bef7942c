//! Columns of ascending times: the coarsest unit that all differences share is divided out, the rest is an integer column.
//!
//! ```text
//! unit:varint (nanoseconds) | first:zigzag (nanoseconds) | integer column of (time - first) / unit
//! ```

use model::TimestampNs;
use model::wire::{Cursor, put_varint, put_zigzag};

use super::{DecodeError, Effort, integers};

/// Units tried, coarsest first. Polls are stamped in whole milliseconds or seconds far more often than not.
const UNITS: [i64; 4] = [1_000_000_000, 1_000_000, 1_000, 1];

/// Appends the encoded times.
pub(crate) fn encode_times(times: &[TimestampNs], effort: Effort, out: &mut Vec<u8>) {
    let first = times.first().map_or(0, |t| t.0);
    let offsets: Vec<i64> = times.iter().map(|t| t.0.wrapping_sub(first)).collect();
    let unit = UNITS.into_iter().find(|u| offsets.iter().all(|o| o % u == 0)).unwrap_or(1);
    put_varint(out, unit as u64);
    put_zigzag(out, first);
    integers::encode(&offsets.iter().map(|o| o / unit).collect::<Vec<_>>(), effort, out);
}

/// The inverse of [`encode_times`] for `count` times.
pub(crate) fn decode_times(bytes: &[u8], count: usize) -> Result<Vec<TimestampNs>, DecodeError> {
    let mut r = Cursor(bytes);
    let unit = r.varint()? as i64;
    let first = r.zigzag()?;
    let steps = integers::decode(r.0, count, count)?;
    Ok(steps.into_iter().map(|s| TimestampNs(first.wrapping_add(s.wrapping_mul(unit)))).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn times_come_back(mut times in prop::collection::vec(any::<i64>(), 1..300), unit in prop::sample::select(&UNITS[..])) {
            times.iter_mut().for_each(|t| *t = t.div_euclid(unit).saturating_mul(unit));
            times.sort_unstable();
            let times: Vec<TimestampNs> = times.into_iter().map(TimestampNs).collect();
            for effort in [Effort::Fast, Effort::Small] {
                let mut bytes = Vec::new();
                encode_times(&times, effort, &mut bytes);
                prop_assert_eq!(&decode_times(&bytes, times.len()).unwrap(), &times);
            }
        }
    }

    #[test]
    fn regular_times_take_a_few_bytes_whatever_their_number() {
        let times: Vec<TimestampNs> =
            (0..5000).map(|i| TimestampNs(1_795_132_800_000_000_000 + i * 10_000_000_000)).collect();
        let mut bytes = Vec::new();
        encode_times(&times, Effort::Fast, &mut bytes);
        assert!(bytes.len() < 24, "{} bytes", bytes.len());
    }
}
