//! Figures over samples.

/// The value below which `share` (0 to 1) of the sorted samples lie; NaN without samples.
pub fn percentile(sorted: &[f64], share: f64) -> f64 {
    let last = sorted.len().saturating_sub(1) as f64;
    sorted.get((last * share).round() as usize).copied().unwrap_or(f64::NAN)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_samples_and_the_ends_are_least_and_greatest() {
        let sorted = [1.0, 2.0, 3.0, 4.0, 10.0];
        assert_eq!([0.0, 0.5, 1.0].map(|share| percentile(&sorted, share)), [1.0, 3.0, 10.0]);
        assert!(percentile(&[], 0.5).is_nan());
    }
}
