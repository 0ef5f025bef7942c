//! `distinct`: each value once, at the point where it was first seen.

use std::collections::HashSet;

use crate::aggregate::{Point, ValueKey, compare};
use crate::eval::value_of;

/// The first point of each value, in the order they come in; those at the same time by value. (InfluxDB shows them at the start of
/// the window, in this order.)
pub fn distinct(points: Vec<Point>) -> Vec<Point> {
    let mut seen = HashSet::new();
    let mut first: Vec<Point> = points;
    first.retain(|point| value_of(&point.cell).is_some_and(|value| seen.insert(ValueKey::of(value))));
    for same_time in first.chunk_by_mut(|a, b| a.time == b.time) {
        same_time.sort_by(|a, b| compare(&a.cell, &b.cell));
    }
    first
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pick::support::floats;

    #[test]
    fn values_come_once_in_the_order_they_were_first_seen_in() {
        // As recorded: `distinct(rx)` of a window shows 70, 90, 5.
        let points = floats(&[(0, 70.0), (10, 90.0), (20, 70.0), (20, 5.0), (30, 90.0)]);
        assert_eq!(distinct(points), floats(&[(0, 70.0), (10, 90.0), (20, 5.0)]));
    }

    #[test]
    fn values_of_one_time_come_sorted() {
        let points = floats(&[(0, 40.0), (0, 10.0), (0, -0.0), (0, 0.0), (1, 5.0)]);
        assert_eq!(distinct(points), floats(&[(0, -0.0), (0, 10.0), (0, 40.0), (1, 5.0)]));
    }
}
