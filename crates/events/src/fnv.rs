//! FNV-1a with 128 bits: a hash that stays the same for ever, of which event ids, the fingerprint of the rules and invented events are made.
//! Not for hash tables, and no protection against somebody who looks for collisions.

const OFFSET: u128 = 0x6c62_272e_07bb_0142_62b8_2175_6295_c58d;
const PRIME: u128 = 0x0000_0000_0100_0000_0000_0000_0000_013b;

/// A hash in the making.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Fnv(u128);

impl Fnv {
    pub(crate) const fn new() -> Self {
        Self(OFFSET)
    }

    fn bytes(mut self, bytes: &[u8]) -> Self {
        for &byte in bytes {
            self.0 = (self.0 ^ u128::from(byte)).wrapping_mul(PRIME);
        }
        self
    }

    /// Adds a text and its end, so that `ab`, `c` differs from `a`, `bc`.
    pub(crate) fn text(self, text: &str) -> Self {
        self.bytes(text.as_bytes()).bytes(&[0xff])
    }

    pub(crate) fn integer(self, value: i64) -> Self {
        self.bytes(&value.to_le_bytes())
    }

    pub(crate) fn float(self, value: f64) -> Self {
        self.bytes(&value.to_bits().to_le_bytes())
    }

    pub(crate) const fn finish(self) -> u128 {
        self.0
    }

    /// 64 bits in which every input bit counts (the finaliser of splitmix64: FNV alone mixes its last bytes badly).
    pub(crate) const fn finish_mixed(self) -> u64 {
        let mut z = (self.0 >> 64) as u64 ^ self.0 as u64;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_hash_is_fnv_1a() {
        assert_eq!(Fnv::new().finish(), OFFSET);
        assert_eq!(Fnv::new().bytes(b"a").finish(), 0xd228_cb69_6f1a_8caf_7891_2b70_4e4a_8964);
        assert_eq!(Fnv::new().bytes(b"foobar").finish(), 0x343e_1662_793c_64bf_6f0d_3597_ba44_6f18);
    }

    #[test]
    fn where_texts_end_matters() {
        assert_ne!(Fnv::new().text("ab").text("c").finish(), Fnv::new().text("a").text("bc").finish());
    }
}
