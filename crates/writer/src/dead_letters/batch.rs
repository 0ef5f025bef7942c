//! Letters that are written together.

use super::letter::{LETTER_MAX, Letter};
use super::tally::Tally;

/// Lines for one file.
#[derive(Default)]
pub(super) struct Batch {
    bytes: Vec<u8>,
    tally: Tally,
    taken: usize,
}

impl Batch {
    /// Takes letters from the front until there are `enough` bytes, at least one, but none beyond `room`. One that is longer
    /// than a letter may be is taken and left out.
    pub(super) fn fill(letters: &[Letter], enough: u64, room: u64) -> Self {
        let mut batch = Self::default();
        for letter in letters {
            let line = letter.encode();
            let len = batch.len() + line.len() as u64;
            if line.len() <= LETTER_MAX {
                if len > room || (batch.len() > 0 && len > enough) {
                    break;
                }
                batch.bytes.extend_from_slice(&line);
                batch.tally.add(&letter.reason);
            }
            batch.taken += 1;
        }
        batch
    }

    pub(super) fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    pub(super) fn len(&self) -> u64 {
        self.bytes.len() as u64
    }

    pub(super) fn tally(&self) -> &Tally {
        &self.tally
    }

    /// How many letters were taken, those left out included.
    pub(super) fn taken(&self) -> usize {
        self.taken
    }
}
