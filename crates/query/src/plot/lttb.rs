//! Largest triangle three buckets (Sveinn Steinarsson, Downsampling Time Series for Visual Representation, 2013): the points between the
//! first and the last are dealt into buckets of equal numbers, and each bucket keeps the one point that makes the largest
//! triangle with the point kept before and the mean of the bucket behind.

use std::ops::Range;

use crate::aggregate::Point;
use crate::result::Cell;

/// `count` of the points, which come in the order of time; all where there are no more.
pub fn lttb(points: Vec<Point>, count: usize) -> Vec<Point> {
    if points.len() <= count {
        return points;
    }
    let corners = corners(&points);
    let mut kept = chosen(&corners, count).into_iter().peekable();
    let is_kept = |(index, point): (usize, Point)| kept.next_if_eq(&index).map(|_| point);
    points.into_iter().enumerate().filter_map(is_kept).collect()
}

/// A point in the plane.
#[derive(Debug, Clone, Copy)]
struct Corner {
    x: f64,
    y: f64,
}

impl Corner {
    /// Twice the area of a triangle.
    fn area(self, b: Self, c: Self) -> f64 {
        ((self.x - c.x) * (b.y - self.y) - (self.x - b.x) * (c.y - self.y)).abs()
    }
}

/// The points; times count from the first one, since a float holds no nanoseconds of our days.
fn corners(points: &[Point]) -> Vec<Corner> {
    let origin = points.first().map_or(0, |point| point.time.0);
    let corner = |point: &Point| Corner {
        x: (i128::from(point.time.0) - i128::from(origin)) as f64,
        y: match point.cell {
            Cell::Float(v) => v,
            Cell::Integer(v) => v as f64,
            Cell::Unsigned(v) => v as f64,
            Cell::Null | Cell::Boolean(_) | Cell::String(_) => 0.0,
        },
    };
    points.iter().map(corner).collect()
}

/// Indexes of the points kept, ascending; fewer than there are.
fn chosen(corners: &[Corner], count: usize) -> Vec<usize> {
    let (Some(&first), Some(last)) = (corners.first(), corners.len().checked_sub(1)) else { return Vec::new() };
    let buckets = Buckets { inner: last.saturating_sub(1), count: count.saturating_sub(2) };
    let mut kept = Vec::with_capacity(count);
    kept.extend((count > 0).then_some(0));
    let mut before = first;
    for number in 0..buckets.count {
        let behind = if number + 1 < buckets.count { buckets.range(number + 1) } else { last..last + 1 };
        let behind = mean(corners.get(behind).unwrap_or_default());
        if let Some((index, corner)) = largest(corners, buckets.range(number), before, behind) {
            kept.push(index);
            before = corner;
        }
    }
    kept.extend((count > 1).then_some(last));
    kept
}

/// The points between the first and the last one, dealt out.
struct Buckets {
    inner: usize,
    count: usize,
}

impl Buckets {
    fn range(&self, number: usize) -> Range<usize> {
        self.start(number)..self.start(number + 1)
    }

    fn start(&self, number: usize) -> usize {
        1 + (number as u128 * self.inner as u128 / self.count.max(1) as u128) as usize
    }
}

fn mean(corners: &[Corner]) -> Corner {
    let sum = corners.iter().fold(Corner { x: 0.0, y: 0.0 }, |sum, c| Corner { x: sum.x + c.x, y: sum.y + c.y });
    let count = corners.len().max(1) as f64;
    Corner { x: sum.x / count, y: sum.y / count }
}

/// The first point of a range that makes the largest triangle.
fn largest(corners: &[Corner], range: Range<usize>, before: Corner, behind: Corner) -> Option<(usize, Corner)> {
    let mut best: Option<(f64, usize, Corner)> = None;
    for (index, &corner) in range.clone().zip(corners.get(range).unwrap_or_default()) {
        let area = before.area(corner, behind);
        if best.is_none_or(|(known, ..)| area > known) {
            best = Some((area, index, corner));
        }
    }
    best.map(|(_, index, corner)| (index, corner))
}

#[cfg(test)]
mod tests {
    use super::*;
    use model::TimestampNs;
    use proptest::prelude::*;

    const START: i64 = 1_700_000_000_000_000_000;

    /// A nanosecond apart, which floats that count from the epoch could not tell.
    fn points(values: &[i32]) -> Vec<Point> {
        let point = |(time, &v): (i64, &i32)| Point {
            time: TimestampNs(START + time),
            cell: Cell::Float(f64::from(v)),
            at: None,
        };
        (0..).zip(values).map(point).collect()
    }

    /// Straight from the thesis' pseudocode. The same operations in the same order, so that floats are equal to the last bit.
    fn reference(values: &[i32], n: usize) -> Vec<usize> {
        let (len, y) = (values.len(), |i: usize| f64::from(values[i]));
        let border = |bucket: usize| bucket * (len - 2) / (n - 2) + 1;
        let mut kept = vec![0];
        for bucket in 0..n - 2 {
            let (from, to) = (border(bucket + 1), border(bucket + 2).min(len));
            let mean_x = (from..to).map(|i| i as f64).sum::<f64>() / (to - from) as f64;
            let mean_y = (from..to).map(y).sum::<f64>() / (to - from) as f64;
            let a = kept[kept.len() - 1];
            let (mut best, mut largest) = (0, -1.0);
            for i in border(bucket)..border(bucket + 1) {
                let area = 0.5 * ((a as f64 - mean_x) * (y(i) - y(a)) - (a as f64 - i as f64) * (mean_y - y(a))).abs();
                if area > largest {
                    (best, largest) = (i, area);
                }
            }
            kept.push(best);
        }
        kept.push(len - 1);
        kept
    }

    fn indexes(kept: &[Point]) -> Vec<usize> {
        kept.iter().map(|point| (point.time.0 - START) as usize).collect()
    }

    #[test]
    fn few_points_stay_and_ends_are_always_kept() {
        let five = points(&[1, 2, 3, 4, 5]);
        assert_eq!(lttb(five.clone(), 5), five);
        assert_eq!(indexes(&lttb(five.clone(), 2)), [0, 4]);
        assert_eq!(indexes(&lttb(five.clone(), 1)), [0]);
        assert!(lttb(five, 0).is_empty());
        assert!(lttb(Vec::new(), 3).is_empty());
    }

    #[test]
    fn a_peak_is_kept() {
        let mut values = [0; 100];
        values[37] = 10;
        assert!(indexes(&lttb(points(&values), 5)).contains(&37));
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        #[test]
        fn it_keeps_what_the_thesis_keeps(values in prop::collection::vec(-50..50, 4..300), share in 3_usize..100) {
            let count = 3 + share * (values.len() - 4) / 100;
            let kept = indexes(&lttb(points(&values), count));
            prop_assert_eq!(kept.len(), count);
            prop_assert_eq!(kept, reference(&values, count));
        }
    }
}
