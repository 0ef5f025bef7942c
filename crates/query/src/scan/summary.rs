//! What is known of a run of points of one series without reading them.
//!
//! Summaries of consecutive runs join to the summary of both ([`Summary::then`]), in whatever way a run was cut: exactly for what is
//! compared or counted, for what is added up but for the last digits of floats. How points become a summary: [`Summing`].

use model::TimestampNs;

use super::Summing;

const NS_PER_SECOND: f64 = 1e9;
/// Up to here every whole number is a float.
const LARGEST_EXACT: f64 = 9_007_199_254_740_992.0;

/// What is known of a run of points without reading them. Of its parts only those mean something that were offered.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Summary {
    /// Number of points, at least 1.
    pub count: u64,
    /// Time of the first point.
    pub first_time: TimestampNs,
    /// Time of the last point.
    pub last_time: TimestampNs,
    /// Sum of the values.
    pub sum: f64,
    /// Smallest value.
    pub min: f64,
    /// Largest value.
    pub max: f64,
    /// Value of the first point.
    pub first: f64,
    /// Value of the last point.
    pub last: f64,
    /// Time of the first point that has the smallest value.
    pub min_time: TimestampNs,
    /// Time of the first point that has the largest value.
    pub max_time: TimestampNs,
    /// Sum of the squared distances from the mean.
    pub squares: f64,
    /// Area below the values from the first to the last point, each standing until the next, in value times seconds.
    pub step_area: f64,
    /// Area below straight lines from point to point, in value times seconds.
    pub line_area: f64,
    /// What a counter has counted from the first to the last point: rises as they are, after a fall the value itself.
    pub increase: f64,
}

impl Summary {
    /// The summary of points, whose times ascend; there is one value a time. All its parts are filled. `None` of no points.
    pub fn of_points(times: &[TimestampNs], values: impl IntoIterator<Item = f64>) -> Option<Self> {
        let mut summing = Summing::default();
        times.iter().zip(values).for_each(|(&time, value)| summing.add(time, value));
        summing.finish()
    }

    /// The summary of this run and a `later` one of the same series, where no point lies between both. With `n`, `m` points, a
    /// `gap` in seconds from the last point of this run to the first of the later one, and means `a`, `b`:
    /// - `count sum min max first last` and their times: the sum, the lesser, the earlier and so on; of equal extremes the earlier
    /// - `squares = squares + later.squares + (b - a)² n m / (n + m)` (Chan, Golub, LeVeque 1983)
    /// - `step_area = step_area + last × gap + later.step_area`
    /// - `line_area = line_area + (last + later.first) / 2 × gap + later.line_area`
    /// - `increase = increase + rise + later.increase`, where `rise` is `later.first - last`, or after a fall `later.first`
    #[must_use]
    pub fn then(&self, later: &Self) -> Self {
        let gap = seconds_between(self.last_time, later.first_time);
        let (min, min_time) =
            if later.min < self.min { (later.min, later.min_time) } else { (self.min, self.min_time) };
        let (max, max_time) =
            if later.max > self.max { (later.max, later.max_time) } else { (self.max, self.max_time) };
        Self {
            count: self.count + later.count,
            first_time: self.first_time,
            last_time: later.last_time,
            sum: self.sum + later.sum,
            min,
            max,
            first: self.first,
            last: later.last,
            min_time,
            max_time,
            squares: self.joined_squares(later),
            step_area: self.step_area + self.last * gap + later.step_area,
            line_area: self.line_area + self.last.midpoint(later.first) * gap + later.line_area,
            increase: self.increase + rise(self.last, later.first) + later.increase,
        }
    }

    fn joined_squares(&self, later: &Self) -> f64 {
        let (n, m) = (self.count as f64, later.count as f64);
        let apart = later.mean() - self.mean();
        self.squares + later.squares + apart * apart * (n * m / (n + m))
    }

    /// Mean of the values, of count and sum.
    pub fn mean(&self) -> f64 {
        self.sum / self.count as f64
    }

    /// True when no value and no partial sum of whole numbers was rounded: what [`super::Parts::EXACT`] promises. It may be false although
    /// nothing was; needs count, smallest and largest value.
    pub fn is_exact(&self) -> bool {
        self.count as f64 * self.min.abs().max(self.max.abs()) < LARGEST_EXACT
    }
}

/// What a counter has counted from one value to the next: after a fall it has begun again at 0.
pub(crate) fn rise(from: f64, to: f64) -> f64 {
    if to >= from { to - from } else { to }
}

/// Seconds from `from` to `to`; never negative for ascending times.
pub(crate) fn seconds_between(from: TimestampNs, to: TimestampNs) -> f64 {
    (i128::from(to.0) - i128::from(from.0)) as f64 / NS_PER_SECOND
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn at(points: &[(i64, f64)]) -> Summary {
        let times: Vec<_> = points.iter().map(|&(time, _)| TimestampNs(time * 1_000_000_000)).collect();
        Summary::of_points(&times, points.iter().map(|p| p.1)).unwrap()
    }

    #[test]
    fn every_part_is_filled() {
        let second = |s: i64| TimestampNs(s * 1_000_000_000);
        let expected = Summary {
            count: 4,
            first_time: second(0),
            last_time: second(6),
            sum: 12.0,
            min: 1.0,
            max: 6.0,
            first: 2.0,
            last: 3.0,
            min_time: second(4),
            max_time: second(2),
            squares: 14.0,
            step_area: 4.0 + 12.0 + 2.0,
            line_area: 8.0 + 7.0 + 4.0,
            increase: 4.0 + 1.0 + 2.0,
        };
        assert_eq!(at(&[(0, 2.0), (2, 6.0), (4, 1.0), (6, 3.0)]), expected);
        assert_eq!(Summary::of_points(&[], []), None);
    }

    #[test]
    fn of_equal_extremes_the_earliest_counts() {
        let whole = at(&[(0, 1.0), (1, 5.0)]).then(&at(&[(2, 5.0), (3, 1.0)]));
        assert_eq!((whole.min_time, whole.max_time), (TimestampNs(0), TimestampNs(1_000_000_000)));
    }

    #[test]
    fn whole_numbers_are_exact_up_to_53_bits() {
        assert!(at(&[(0, -3.0), (1, 5.0)]).is_exact());
        assert!(at(&[(0, LARGEST_EXACT - 1.0)]).is_exact());
        // It may have been one more.
        assert!(!at(&[(0, LARGEST_EXACT)]).is_exact());
        assert!(!at(&[(0, LARGEST_EXACT - 1.0), (1, -1.0)]).is_exact());
    }

    /// The sums are exact for small whole numbers at whole seconds; squares are not, since means are not.
    fn assert_same(a: &Summary, b: &Summary) {
        assert!((a.squares - b.squares).abs() <= 1e-9 * b.squares.max(1.0), "{a:?} {b:?}");
        assert_eq!(Summary { squares: 0.0, ..*a }, Summary { squares: 0.0, ..*b });
    }

    fn points() -> impl Strategy<Value = Vec<(i64, f64)>> {
        let points = prop::collection::btree_map(-2000i64..2000, (-50i32..50).prop_map(f64::from), 1..40);
        points.prop_map(|points| points.into_iter().collect())
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(200))]

        #[test]
        fn summaries_of_parts_join_to_that_of_the_whole(points in points(), cuts in prop::collection::vec(0usize..40, 0..6)) {
            let mut cuts: Vec<usize> = cuts.into_iter().filter(|cut| (1..points.len()).contains(cut)).collect();
            cuts.extend([0, points.len()]);
            cuts.sort_unstable();
            cuts.dedup();
            let parts: Vec<Summary> = cuts.windows(2).map(|cut| at(&points[cut[0]..cut[1]])).collect();
            let from_left = parts.iter().copied().reduce(|a, b| a.then(&b)).unwrap();
            let from_right = parts.iter().rev().copied().reduce(|b, a| a.then(&b)).unwrap();
            assert_same(&from_left, &at(&points));
            assert_same(&from_right, &at(&points));
        }

        #[test]
        fn any_floats_join_within_a_billionth(
            values in prop::collection::vec(1.0f64..1e6, 2..40),
            cut in 1usize..39,
        ) {
            let points: Vec<(i64, f64)> = (0..).zip(values).collect();
            let cut = cut.min(points.len() - 1);
            let (whole, joined) = (at(&points), at(&points[..cut]).then(&at(&points[cut..])));
            let parts = |s: &Summary| [s.sum, s.squares, s.step_area, s.line_area, s.increase];
            for (a, b) in parts(&whole).into_iter().zip(parts(&joined)) {
                prop_assert!((a - b).abs() <= 1e-9 * a.abs().max(1.0), "{} {}", a, b);
            }
        }
    }
}
