//! Inner loops over slices, written so that the compiler vectorises them.
//!
//! A sum of floats in one variable must be added up one by one, since their addition is not associative; several partial sums
//! may go side by side. They differ from the plain sum in the last digits only.

/// Partial results side by side: enough for the latency of an addition on two vector units.
const LANES: usize = 16;

/// Sum of floats.
pub(super) fn sum_of_floats(values: &[f64]) -> f64 {
    join(values, 0.0, |sum, value| sum + value)
}

/// Smallest value; `None` of nothing.
pub(super) fn smallest<T: Copy + PartialOrd>(values: &[T]) -> Option<T> {
    Some(join(values, *values.first()?, lesser))
}

/// Largest value; `None` of nothing.
pub(super) fn largest<T: Copy + PartialOrd>(values: &[T]) -> Option<T> {
    Some(join(values, *values.first()?, greater))
}

/// The lesser of two.
pub(super) fn lesser<T: PartialOrd>(a: T, b: T) -> T {
    if b < a { b } else { a }
}

/// The greater of two.
pub(super) fn greater<T: PartialOrd>(a: T, b: T) -> T {
    if b > a { b } else { a }
}

/// Joins all values and `start`, which joined once more changes nothing.
fn join<T: Copy>(values: &[T], start: T, join: impl Fn(T, T) -> T) -> T {
    let (chunks, rest) = values.as_chunks::<LANES>();
    let rest = rest.iter().fold(start, |joined, &value| join(joined, value));
    if chunks.is_empty() {
        return rest;
    }
    let mut lanes = [start; LANES];
    for chunk in chunks {
        for (lane, &value) in lanes.iter_mut().zip(chunk) {
            *lane = join(*lane, value);
        }
    }
    lanes.into_iter().fold(rest, join)
}

/// Values whose halves can be summed in 64 bits without an overflow.
const BLOCK: usize = 1 << 31;

/// Sum of integers of 64 bits, exact. `halves` gives the upper and lower 32 bits, whose sums fit 64 bits.
pub(super) fn sum_of_halves<T: Copy>(values: &[T], halves: impl Fn(T) -> (i64, u32)) -> i128 {
    let block = |block: &[T]| {
        let add = |(high, low): (i64, u64), &value: &T| {
            let (upper, lower) = halves(value);
            (high + upper, low + u64::from(lower))
        };
        let (high, low) = block.iter().fold((0, 0), add);
        (i128::from(high) << 32) + i128::from(low)
    };
    values.chunks(BLOCK).map(block).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_length_gives_what_a_plain_loop_gives() {
        for len in 0..100u32 {
            let values: Vec<f64> = (0..len).map(|i| f64::from((i * 37) % 101) - 50.0).collect();
            assert_eq!(sum_of_floats(&values), values.iter().sum::<f64>(), "{len}");
            assert_eq!(smallest(&values), values.iter().copied().reduce(f64::min));
            assert_eq!(largest(&values), values.iter().copied().reduce(f64::max));
        }
    }

    #[test]
    fn sums_of_integers_are_exact() {
        let values = [i64::MAX, i64::MAX, -1, i64::MIN, 5];
        let exact = values.iter().map(|&v| i128::from(v)).sum::<i128>();
        assert_eq!(sum_of_halves(&values, |value| (value >> 32, value as u32)), exact);
    }
}
