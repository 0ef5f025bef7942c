//! Gzip bodies, inflated piece by piece: every piece is reserved before it is allocated and the sum is capped, so a body that
//! inflates a thousandfold costs no more memory than a plain one.

use std::io::Read;

use bytes::Bytes;
use flate2::bufread::MultiGzDecoder;

use crate::body::BodyError;
use crate::budget::Share;

const MIN_STEP: usize = 64 << 10;
const MAX_STEP: usize = 4 << 20;

/// The plain form of the gzip members in `packed`, at most `max` bytes. Reserves what it allocates in `share`.
///
/// # Errors
/// [`BodyError::TooLarge`] beyond `max`, [`BodyError::Busy`] when the budget is used up, [`BodyError::Gzip`] when `packed` is
/// no gzip, damaged or cut short.
pub(crate) fn gunzip(packed: &[u8], max: u64, share: &mut Share) -> Result<Bytes, BodyError> {
    let mut decoder = MultiGzDecoder::new(packed);
    let mut plain = Vec::new();
    let mut step = first_step(packed, max);
    loop {
        if !share.grow(step as u64) {
            return Err(BodyError::Busy);
        }
        plain.reserve_exact(step);
        let got =
            decoder.by_ref().take(step as u64).read_to_end(&mut plain).map_err(|e| BodyError::Gzip(e.to_string()))?;
        if plain.len() as u64 > max {
            return Err(BodyError::TooLarge { max });
        }
        if got < step {
            return Ok(plain.into());
        }
        // NOTE: one byte beyond `max` is enough to see that there is too much.
        let room = usize::try_from(max - plain.len() as u64 + 1).unwrap_or(MAX_STEP);
        step = plain.len().clamp(MIN_STEP, MAX_STEP).min(room);
    }
}

/// What the gzip trailer says the size is, plus one to see the end: one allocation for an honest body of one member. A
/// trailer that lies changes only the size of the first step.
fn first_step(packed: &[u8], max: u64) -> usize {
    let told = packed.last_chunk::<4>().map_or(0, |bytes| u64::from(u32::from_le_bytes(*bytes)));
    let told = usize::try_from(told.min(max)).unwrap_or(MIN_STEP);
    told.clamp(MIN_STEP, MAX_STEP) + 1
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::budget::Budget;
    use flate2::Compression;
    use flate2::write::GzEncoder;
    use model::ByteSize;
    use std::io::Write;

    fn gzip(plain: &[u8]) -> Vec<u8> {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
        encoder.write_all(plain).unwrap();
        encoder.finish().unwrap()
    }

    fn inflate(packed: &[u8], max: u64) -> Result<Bytes, BodyError> {
        let mut share = Budget::new(ByteSize(64 << 20)).reserve(0).unwrap();
        gunzip(packed, max, &mut share)
    }

    #[test]
    fn members_are_joined_and_every_size_comes_back() {
        for len in [0, 1, MIN_STEP, MIN_STEP + 1, 5 * MIN_STEP + 7, MAX_STEP + 3] {
            let plain: Vec<u8> = (0..len).map(|i| (i % 251) as u8).collect();
            assert_eq!(inflate(&gzip(&plain), 10 << 20).unwrap(), plain, "{len}");
        }
        let two = [gzip(b"a 1\n"), gzip(b"b 2\n")].concat();
        assert_eq!(inflate(&two, 100).unwrap(), "a 1\nb 2\n");
    }

    #[test]
    fn a_bomb_is_refused_at_the_cap() {
        let bomb = gzip(&vec![b'x'; 20 << 20]);
        assert!(matches!(inflate(&bomb, 1 << 20), Err(BodyError::TooLarge { max: 1_048_576 })));
        let exact = gzip(&vec![b'x'; 1 << 20]);
        assert_eq!(inflate(&exact, 1 << 20).unwrap().len(), 1 << 20);
    }

    #[test]
    fn inflating_stops_when_the_budget_is_used_up() {
        let budget = Budget::new(ByteSize(1 << 20));
        let mut share = budget.reserve(0).unwrap();
        let bomb = gzip(&vec![b'x'; 20 << 20]);
        assert!(matches!(gunzip(&bomb, 32 << 20, &mut share), Err(BodyError::Busy)));
    }

    #[test]
    fn damage_is_an_error() {
        let mut damaged = gzip(b"cpu v=1 1\ncpu v=2 2\n");
        assert!(matches!(inflate(&damaged[..damaged.len() - 3], 100), Err(BodyError::Gzip(_))));
        let len = damaged.len();
        damaged[len - 6] ^= 1;
        assert!(matches!(inflate(&damaged, 100), Err(BodyError::Gzip(_))));
        assert!(matches!(inflate(b"cpu v=1", 100), Err(BodyError::Gzip(_))));
        assert!(matches!(inflate(b"", 100), Err(BodyError::Gzip(_))));
    }
}
