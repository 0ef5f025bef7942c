//! Random numbers that are looked up instead of drawn: the n-th number of a stream is a function of the stream and n, so any part of a
//! range can be made on its own.
//!
//! This is SplitMix64: G. Steele, D. Lea, C. Flood, "Fast Splittable Pseudorandom Number Generators", OOPSLA 2014, with the constants of
//! S. Vigna's public-domain `splitmix64.c`. Its state after n steps is `seed + n * GAMMA`, which is what makes looking up cheap.

/// The golden ratio in 64 bits, odd.
const GAMMA: u64 = 0x9e37_79b9_7f4a_7c15;

/// What the numbers of a stream are for. The numbers are part of what a seed gives: never change them.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Purpose {
    Base = 1,
    Noise = 2,
    Drift = 3,
    Anomaly = 4,
    Shift = 5,
    Jitter = 6,
}

/// An endless sequence of random numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Stream(u64);

impl Stream {
    /// The stream of a text (FNV-1a, mixed with the seed).
    pub(crate) fn of_text(seed: u64, text: &[u8]) -> Self {
        let hash = text.iter().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
            (hash ^ u64::from(*byte)).wrapping_mul(0x0000_0100_0000_01b3)
        });
        Self(mix(hash ^ mix(seed.wrapping_add(GAMMA))))
    }

    /// A stream that starts far from this one and from those of other purposes.
    pub(crate) const fn branch(self, purpose: Purpose) -> Self {
        Self(self.0 ^ mix((purpose as u64).wrapping_mul(GAMMA)))
    }

    /// The number at a place, which may be negative.
    pub(crate) fn at(self, place: i64) -> u64 {
        mix(self.0.wrapping_add(place.cast_unsigned().wrapping_add(1).wrapping_mul(GAMMA)))
    }
}

const fn mix(mut z: u64) -> u64 {
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

/// Uniform in -1..1.
pub(crate) fn symmetric(bits: u32) -> f64 {
    f64::from(bits) / f64::from(1u32 << 31) - 1.0
}

/// Uniform in `0..count`, from eight bits; exact enough for a `count` of some dozens.
pub(crate) fn pick(bits: u8, count: u32) -> u32 {
    (u32::from(bits) * count) >> 8
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_numbers_are_those_of_the_published_generator() {
        let stream = Stream(1_234_567);
        let numbers: Vec<u64> = (0..3).map(|n| stream.at(n)).collect();
        assert_eq!(numbers, [6_457_827_717_110_365_317, 3_203_168_211_198_807_973, 9_817_491_932_198_370_423]);
    }

    #[test]
    fn streams_of_other_seeds_texts_and_purposes_are_others() {
        let stream = Stream::of_text(1, b"a");
        assert_ne!(stream, Stream::of_text(2, b"a"));
        assert_ne!(stream, Stream::of_text(1, b"b"));
        assert_ne!(stream.branch(Purpose::Noise), stream.branch(Purpose::Drift));
    }

    #[test]
    fn numbers_stay_in_their_ranges() {
        assert_eq!(symmetric(0), -1.0);
        assert!(symmetric(u32::MAX) < 1.0);
        assert_eq!((pick(0, 5), pick(255, 5)), (0, 4));
    }
}
