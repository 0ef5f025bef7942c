//! Floats that are short decimals, as nearly all measured values are, become integers: 25.31 is 2531 with two digits.

/// Digits after the point that are tried.
const DIGITS_MAX: u8 = 9;
/// Powers of ten are exact in a double up to here.
const POWERS: [f64; DIGITS_MAX as usize + 1] = [1.0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9];
/// Below this every integer is a double.
const EXACT_MAX: f64 = 9_007_199_254_740_992.0;

/// Floats as integers: each is `values[i] / 10^digits`, bit for bit.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Scaled {
    /// Digits after the decimal point.
    pub(crate) digits: u8,
    /// The values times `10^digits`.
    pub(crate) values: Vec<i64>,
}

/// The fewest digits with which every value is an integer; `None` when some value has too many, or is no finite number.
pub(crate) fn scale(values: &[f64]) -> Option<Scaled> {
    let mut digits = 0;
    for value in values {
        while !fits(*value, digits) {
            digits += 1;
            if digits > DIGITS_MAX {
                return None;
            }
        }
    }
    let factor = power(digits);
    let scaled: Vec<i64> = values.iter().map(|v| (v * factor).round_ties_even() as i64).collect();
    // More digits may push an earlier large value out of the exact range, so every value is checked again.
    let exact = scaled.iter().zip(values).all(|(s, v)| (*s as f64 / factor).to_bits() == v.to_bits());
    exact.then_some(Scaled { digits, values: scaled })
}

/// The inverse of [`scale`].
pub(crate) fn unscale(values: &[i64], digits: u8) -> Vec<f64> {
    let factor = power(digits);
    values.iter().map(|v| *v as f64 / factor).collect()
}

fn power(digits: u8) -> f64 {
    POWERS.get(usize::from(digits)).copied().unwrap_or(1.0)
}

#[inline]
fn fits(value: f64, digits: u8) -> bool {
    let factor = power(digits);
    let scaled = (value * factor).round_ties_even();
    scaled.abs() < EXACT_MAX && (scaled / factor).to_bits() == value.to_bits()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decimals_take_the_fewest_digits() {
        assert_eq!(scale(&[25.5, 3.0, -0.25]), Some(Scaled { digits: 2, values: vec![2550, 300, -25] }));
        assert_eq!(scale(&[1.0, 0.0]), Some(Scaled { digits: 0, values: vec![1, 0] }));
    }

    #[test]
    fn what_is_no_short_decimal_is_left_alone() {
        for value in [1.0 / 3.0, f64::NAN, f64::INFINITY, -0.0, 1e300] {
            assert_eq!(scale(&[value]), None, "{value}");
        }
    }

    #[test]
    fn a_large_value_beside_a_fine_one_is_left_alone() {
        assert_eq!(scale(&[9_007_199_254_740_991.0, 0.000_001]), None);
    }
}
