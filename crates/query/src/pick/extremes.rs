//! `top` and `bottom`: the largest or smallest values of a window.
//!
//! Of equal values the earlier ones come first. With keys the best point of each key is found first, and the best of these then.

use std::cmp::Ordering;
use std::collections::BTreeMap;

use crate::aggregate::{Point, compare};

/// Which end of the values is the best.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Side {
    /// Large values, as for `top`.
    Largest,
    /// Small values, as for `bottom`.
    Smallest,
}

impl Side {
    /// The better of two points comes first: by value, then the earlier one.
    fn order(self, a: &Point, b: &Point) -> Ordering {
        let by_value = match self {
            Self::Largest => compare(&b.cell, &a.cell),
            Self::Smallest => compare(&a.cell, &b.cell),
        };
        by_value.then(a.time.cmp(&b.time))
    }
}

/// The `n` largest values, in the order of time.
pub fn top(points: Vec<Point>, n: usize) -> Vec<Point> {
    best(points, n, Side::Largest)
}

/// The `n` smallest values, in the order of time.
pub fn bottom(points: Vec<Point>, n: usize) -> Vec<Point> {
    best(points, n, Side::Smallest)
}

fn best(points: Vec<Point>, n: usize, side: Side) -> Vec<Point> {
    let mut numbered: Vec<_> = points.into_iter().enumerate().collect();
    let order = |a: &(usize, Point), b: &(usize, Point)| side.order(&a.1, &b.1).then(a.0.cmp(&b.0));
    if n < numbered.len() {
        numbered.select_nth_unstable_by(n, order);
        numbered.truncate(n);
    }
    in_order_of_time(numbered)
}

/// The best point of each key, in the order of time: what `top` and `bottom` with tags choose from.
pub fn best_per_key<K: Ord>(points: impl IntoIterator<Item = (K, Point)>, side: Side) -> Vec<Point> {
    let mut best: BTreeMap<K, (usize, Point)> = BTreeMap::new();
    for (number, (key, point)) in points.into_iter().enumerate() {
        match best.get_mut(&key) {
            Some((_, known)) if side.order(&point, known) != Ordering::Less => {}
            Some(known) => *known = (number, point),
            None => {
                best.insert(key, (number, point));
            }
        }
    }
    in_order_of_time(best.into_values().collect())
}

/// By time; points at the same time stay in the order they came in.
fn in_order_of_time(mut numbered: Vec<(usize, Point)>) -> Vec<Point> {
    numbered.sort_unstable_by_key(|(number, point)| (point.time, *number));
    numbered.into_iter().map(|(_, point)| point).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pick::support::floats;

    #[test]
    fn of_equal_values_the_earlier_are_taken_and_the_answer_is_in_order_of_time() {
        let points = || floats(&[(0, 5.0), (1, 9.0), (2, 7.0), (3, 9.0), (4, 9.0), (5, 1.0), (6, 1.0)]);
        assert_eq!(top(points(), 2), floats(&[(1, 9.0), (3, 9.0)]));
        assert_eq!(bottom(points(), 2), floats(&[(5, 1.0), (6, 1.0)]));
        assert_eq!(bottom(points(), 3), floats(&[(0, 5.0), (5, 1.0), (6, 1.0)]));
        assert_eq!(top(points(), 99), points());
        assert!(top(points(), 0).is_empty());
    }

    #[test]
    fn equal_points_stay_in_the_order_they_came_in() {
        let mut twins = floats(&[(0, 1.0), (0, 1.0), (0, 1.0)]);
        for (number, twin) in twins.iter_mut().enumerate() {
            let series = model::SeriesId(number as u32);
            twin.at = Some(crate::aggregate::Origin { series, time: twin.time });
        }
        assert_eq!(top(twins.clone(), 2), twins[..2]);
    }

    #[test]
    fn each_key_has_its_best_point() {
        let points = floats(&[(0, 3.0), (1, 4.0), (2, 4.0), (3, 8.0)]);
        let keyed = || ["b", "a", "a", "b"].into_iter().zip(points.clone());
        assert_eq!(best_per_key(keyed(), Side::Largest), floats(&[(1, 4.0), (3, 8.0)]));
        assert_eq!(best_per_key(keyed(), Side::Smallest), floats(&[(0, 3.0), (1, 4.0)]));
    }
}
