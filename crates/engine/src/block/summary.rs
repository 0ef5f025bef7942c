//! Statistics of a chunk, so that a window that covers it whole need not read it.
//!
//! ```text
//! none    = 0
//! decimal = 2 + digits | first | first - min | max - first | last - first | sum      (zigzag varints of values times 10^digits)
//! raw     = 1 | sum | min | max | first | last                                       (8 bytes each)
//! ```
//! Integers are kept only while they are exact as doubles; booleans and texts have none.

use model::Values;
use model::wire::{Cursor, WireError, put_zigzag};

use crate::codec::Scaled;

const NONE: u8 = 0;
const RAW: u8 = 1;
const DECIMAL: u8 = 2;
const DIGITS_MAX: u8 = 9;
/// Below this every integer is a double.
const EXACT_MAX: i64 = 1 << 53;

/// Statistics of the values of a chunk; count and times stand with its column of times.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct ChunkSummary {
    pub(crate) sum: f64,
    pub(crate) min: f64,
    pub(crate) max: f64,
    pub(crate) first: f64,
    pub(crate) last: f64,
}

/// Appends the statistics of a chunk.
pub(crate) fn summarize(values: &Values, scaled: Option<&Scaled>, out: &mut Vec<u8>) {
    let done = match (values, scaled) {
        (Values::Float(_), Some(scaled)) => put_decimal(&scaled.values, scaled.digits, out),
        (Values::Integer(v), _) if v.iter().all(|x| x.unsigned_abs() < EXACT_MAX as u64) => put_exact(v, out),
        (Values::Unsigned(v), _) if v.iter().all(|x| *x < EXACT_MAX as u64) => {
            put_exact(&v.iter().map(|x| *x as i64).collect::<Vec<_>>(), out)
        }
        _ => false,
    };
    if done {
        return;
    }
    match values {
        Values::Float(v) => put_raw(v, out),
        _ => out.push(NONE),
    }
}

fn put_exact(values: &[i64], out: &mut Vec<u8>) -> bool {
    let sum: i128 = values.iter().map(|v| i128::from(*v)).sum();
    sum.unsigned_abs() < EXACT_MAX as u128 && put_decimal(values, 0, out)
}

/// False, and nothing is appended, when the sum does not fit.
fn put_decimal(values: &[i64], digits: u8, out: &mut Vec<u8>) -> bool {
    let (Some(&first), Some(&last)) = (values.first(), values.last()) else { return false };
    let (mut min, mut max, mut sum) = (first, first, 0i128);
    for v in values {
        min = min.min(*v);
        max = max.max(*v);
        sum += i128::from(*v);
    }
    let Ok(sum) = i64::try_from(sum) else { return false };
    out.push(DECIMAL + digits);
    for v in [first, first - min, max - first, last - first, sum] {
        put_zigzag(out, v);
    }
    true
}

fn put_raw(values: &[f64], out: &mut Vec<u8>) {
    let (Some(&first), Some(&last)) = (values.first(), values.last()) else { return out.push(NONE) };
    let (mut min, mut max, mut sum) = (first, first, 0.0);
    for v in values {
        min = min.min(*v);
        max = max.max(*v);
        sum += v;
    }
    out.push(RAW);
    for v in [sum, min, max, first, last] {
        out.extend_from_slice(&v.to_bits().to_le_bytes());
    }
}

/// Reads what [`summarize`] appended.
pub(crate) fn read_summary(r: &mut Cursor<'_>) -> Result<Option<ChunkSummary>, WireError> {
    match r.byte()? {
        NONE => Ok(None),
        RAW => {
            let mut number = || r.array().map(|b| f64::from_bits(u64::from_le_bytes(b)));
            Ok(Some(ChunkSummary { sum: number()?, min: number()?, max: number()?, first: number()?, last: number()? }))
        }
        tag if tag <= DECIMAL + DIGITS_MAX => {
            let factor = 10f64.powi(i32::from(tag - DECIMAL));
            let (first, below, above, to_last, sum) = (r.zigzag()?, r.zigzag()?, r.zigzag()?, r.zigzag()?, r.zigzag()?);
            let value = |v: i64| v as f64 / factor;
            Ok(Some(ChunkSummary {
                sum: value(sum),
                min: value(first.wrapping_sub(below)),
                max: value(first.wrapping_add(above)),
                first: value(first),
                last: value(first.wrapping_add(to_last)),
            }))
        }
        _ => Err(WireError::Malformed("unknown statistics")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::codec::scale;

    fn of(values: &Values) -> Option<ChunkSummary> {
        let scaled = match values {
            Values::Float(v) => scale(v),
            _ => None,
        };
        let mut bytes = Vec::new();
        summarize(values, scaled.as_ref(), &mut bytes);
        let mut r = Cursor(&bytes);
        let summary = read_summary(&mut r).unwrap();
        assert!(r.0.is_empty());
        summary
    }

    #[test]
    fn decimals_and_others_give_the_same_statistics() {
        let expected = ChunkSummary { sum: 4.25, min: -1.5, max: 4.0, first: 1.75, last: -1.5 };
        assert_eq!(of(&Values::Float(vec![1.75, 4.0, -1.5])), Some(expected));
        let third = 1.0 / 3.0;
        let expected = ChunkSummary { sum: third + 2.0, min: third, max: 2.0, first: third, last: 2.0 };
        assert_eq!(of(&Values::Float(vec![third, 2.0])), Some(expected));
    }

    #[test]
    fn integers_that_are_no_doubles_have_no_statistics() {
        assert_eq!(of(&Values::Integer(vec![i64::MAX, 1])), None);
        assert_eq!(of(&Values::Unsigned(vec![u64::MAX])), None);
        assert!(of(&Values::Integer(vec![-3, 4])).is_some_and(|s| s.sum == 1.0 && s.min == -3.0));
    }
}
