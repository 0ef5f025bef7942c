//! Mean and standard deviation of a sliding window, after Welford (Note on a Method for Calculating Corrected Sums of Squares and Products, 1962),
//! whose update takes a value out as well as in.

use super::Spread;

/// Mean, and sum of the squared differences from it.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub(super) struct Moments {
    mean: f64,
    squares: f64,
}

impl Moments {
    /// Of all values, in two passes.
    pub(super) fn of(values: &[f64]) -> Self {
        let mean = values.iter().sum::<f64>() / values.len() as f64;
        let squares = values.iter().map(|value| (value - mean) * (value - mean)).sum();
        Self { mean, squares }
    }

    /// With one value more; `len` counts it already.
    pub(super) fn add(&mut self, value: f64, len: usize) {
        let delta = value - self.mean;
        self.mean += delta / len as f64;
        self.squares += delta * (value - self.mean);
    }

    pub(super) fn replace(&mut self, oldest: f64, value: f64, len: usize) {
        let delta = value - oldest;
        let before = self.mean;
        self.mean += delta / len as f64;
        self.squares += delta * ((value - self.mean) + (oldest - before));
    }

    pub(super) fn spread(self, len: usize) -> Spread {
        // Rounding may take the sum a little below 0.
        let variance = self.squares.max(0.0) / (len.saturating_sub(1)).max(1) as f64;
        Spread { center: self.mean, scale: variance.sqrt() }
    }

    pub(super) const fn parts(self) -> (f64, f64) {
        (self.mean, self.squares)
    }

    pub(super) const fn from_parts(mean: f64, squares: f64) -> Self {
        Self { mean, squares }
    }
}
