//! A small random generator that gives the same numbers for a seed on every machine: the data sets depend on it.

/// Xorshift seeded through splitmix64. Not for secrets.
pub struct Rng(u64);

impl Rng {
    /// A generator whose whole sequence follows from `seed`.
    pub fn new(seed: u64) -> Self {
        let mut z = seed.wrapping_add(0x9E37_79B9_7F4A_7C15);
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        Self((z ^ (z >> 31)) | 1)
    }

    /// 64 random bits.
    pub fn bits(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_F491_4F6C_DD1D)
    }

    /// A whole number `0 <= x < n`, for `n` below 2^32.
    pub fn below(&mut self, n: u64) -> u64 {
        ((self.bits() >> 32) * n) >> 32
    }

    /// A number `0 <= x < 1`.
    pub fn unit(&mut self) -> f64 {
        (self.bits() >> 11) as f64 / (1u64 << 53) as f64
    }

    /// About a standard normal: the sum of four uniform numbers, scaled.
    pub fn normal(&mut self) -> f64 {
        // NOTE: the root of three to eight digits, not the exact one: more digits would change every data set ever measured.
        (self.unit() + self.unit() + self.unit() + self.unit() - 2.0) * 1.732_050_8
    }

    /// One of `choices`, which must not be empty.
    pub fn pick<T: Copy + Default>(&mut self, choices: &[T]) -> T {
        choices.get(self.below(choices.len() as u64) as usize).copied().unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_gives_the_same_numbers_everywhere() {
        let mut rng = Rng::new(42);
        let first: Vec<u64> = (0..4).map(|_| rng.below(1000)).collect();
        let mut again = Rng::new(42);
        let second: Vec<u64> = (0..4).map(|_| again.below(1000)).collect();
        assert_eq!(first, second);
        assert_ne!(Rng::new(43).bits(), Rng::new(42).bits());
    }

    #[test]
    fn numbers_stay_inside_their_range() {
        let mut rng = Rng::new(1);
        for _ in 0..10_000 {
            assert!(rng.below(7) < 7);
            assert!((0.0..1.0).contains(&rng.unit()));
        }
    }
}
