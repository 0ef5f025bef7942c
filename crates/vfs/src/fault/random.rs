//! Seeded choices for a crash (SplitMix64): the same seed, the same crash.

/// Yields the same choices for the same seed.
pub(super) struct Random {
    mode: Mode,
    state: u64,
}

enum Mode {
    LoseAll,
    KeepAll,
    Mixed,
}

/// What becomes of a write that was not synced.
pub(super) enum Fate {
    /// Nothing of it is on the disk.
    Lost,
    /// All of it is on the disk.
    Kept,
    /// Its first bytes are on the disk, and the file ends there unless something else made it longer.
    Prefix(usize),
    /// The file got its length, but some sectors were never written and still hold what was there before, or zeros.
    Sectors,
}

impl Random {
    pub(super) fn new(seed: u64) -> Self {
        let mode = match seed {
            0 => Mode::LoseAll,
            1 => Mode::KeepAll,
            _ => Mode::Mixed,
        };
        Self { mode, state: seed }
    }

    /// Whether something that is all or nothing survives.
    pub(super) fn survives(&mut self) -> bool {
        match self.mode {
            Mode::LoseAll => false,
            Mode::KeepAll => true,
            Mode::Mixed => self.below(2) == 0,
        }
    }

    /// The fate of an unsynced write of `len` bytes.
    pub(super) fn fate(&mut self, len: usize) -> Fate {
        match self.mode {
            Mode::LoseAll => Fate::Lost,
            Mode::KeepAll => Fate::Kept,
            Mode::Mixed => match self.below(4) {
                0 => Fate::Lost,
                1 => Fate::Kept,
                2 => Fate::Prefix(self.below(len as u64 + 1) as usize),
                _ => Fate::Sectors,
            },
        }
    }

    /// A number below `bound`, which must not be 0. Slightly uneven, which does not matter here.
    fn below(&mut self, bound: u64) -> u64 {
        self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.state;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (z ^ (z >> 31)) % bound
    }
}
