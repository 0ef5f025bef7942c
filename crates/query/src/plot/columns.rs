//! How wide pixel columns are: windows aligned to the epoch, so that those of the next request are the same although `now` has moved
//! on, and of a round length, so that whole windows of rollups lie inside.

use model::{TimeRange, WindowNs};

use crate::plan::Windowing;

const SECOND: u128 = 1_000_000_000;
const MINUTE: u128 = 60 * SECOND;
const HOUR: u128 = 60 * MINUTE;
const DAY: u128 = 24 * HOUR;

/// Lengths of which columns that are at least as long are multiples.
const STEPS: [u128; 9] = [SECOND, 5 * SECOND, 15 * SECOND, MINUTE, 5 * MINUTE, 15 * MINUTE, HOUR, 6 * HOUR, DAY];

/// Windows of one length, of which at most `count` meet `range`; `None`: the whole range is one.
pub fn pixel_columns(range: TimeRange, count: usize) -> Option<Windowing> {
    // The last instant, not the end: a range of an hour with its last instant in it is an hour long.
    let length = (i128::from(range.end.0) - 1 - i128::from(range.start.0)).max(0).cast_unsigned();
    // The range may begin and end inside a window: one more meets it than its length makes.
    let between = (count as u128).checked_sub(1).filter(|between| *between > 0)?;
    let width = i64::try_from(rounded_up(length.div_ceil(between).max(1))).ok()?;
    Some(Windowing::Fixed { width: WindowNs::new(width)?, offset_ns: 0 })
}

/// A multiple of the largest step that is not longer.
fn rounded_up(width: u128) -> u128 {
    let step = STEPS.into_iter().rev().find(|step| *step <= width).unwrap_or(1);
    width.div_ceil(step) * step
}

#[cfg(test)]
mod tests {
    use super::*;
    use model::TimestampNs;
    use proptest::prelude::*;

    fn width(start: i64, end: i64, count: usize) -> Option<i64> {
        match pixel_columns(TimeRange::new(TimestampNs(start), TimestampNs(end)), count) {
            Some(Windowing::Fixed { width, offset_ns: 0 }) => Some(width.get()),
            None => None,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn columns_are_as_long_as_a_round_number_of_units() {
        let second = SECOND as i64;
        let of = |length_s: i64, count| width(7, 8 + length_s * second, count).unwrap() as f64 / 1e9;
        assert_eq!(of(1, 1001), 0.001);
        assert_eq!(of(1000, 1001), 1.0);
        assert_eq!(of(7200, 1001), 10.0);
        assert_eq!(of(86_400, 1001), 120.0);
        assert_eq!(of(30 * 86_400, 1001), 2700.0);
        assert_eq!(of(365 * 86_400, 1001), 12.0 * 3600.0);
        assert_eq!(of(365 * 86_400, 100), 4.0 * 86_400.0);
    }

    #[test]
    fn a_single_pixel_and_all_of_time_are_one_column() {
        assert_eq!(width(0, 100, 1), None);
        assert_eq!(width(i64::MIN, i64::MAX, 2), None);
        assert_eq!(width(5, 6, 10), Some(1));
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(256))]

        #[test]
        fn never_more_columns_meet_the_range_than_pixels(
            start in -1_i64 << 60..1 << 60,
            length in prop_oneof![1_i64..1000, 1_i64..1 << 40, 1_i64..1 << 60],
            count in 2_usize..10_000,
        ) {
            let width = width(start, start + length, count).unwrap();
            let columns = (start + length - 1).div_euclid(width) - start.div_euclid(width) + 1;
            prop_assert!(columns <= count as i64, "{columns} of {width}");
        }
    }
}
