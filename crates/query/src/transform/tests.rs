//! Values recorded from InfluxDB where there are some, and the rules for equal times, signs and types.

use model::TimestampNs;

use super::*;

const SECOND: i64 = 1_000_000_000;

fn points<T: Copy>(values: &[(i64, T)], cell: impl Fn(T) -> Cell) -> Vec<Point> {
    values.iter().map(|&(time, value)| computed(TimestampNs(time * SECOND), cell(value))).collect()
}

fn floats(values: &[(i64, f64)]) -> Vec<Point> {
    points(values, Cell::Float)
}

fn integers(values: &[(i64, i64)]) -> Vec<Point> {
    points(values, Cell::Integer)
}

fn ascending(transform: Transform, points: Vec<Point>) -> Vec<Point> {
    apply(&transform, points, Order::Ascending, None).unwrap()
}

const DERIVATIVE: Transform = Transform::Derivative { unit_ns: None, non_negative: false };
const DIFFERENCE: Transform = Transform::Difference { non_negative: false };
const RISES: Transform = Transform::Difference { non_negative: true };

#[test]
fn a_derivative_is_per_second_or_per_window() {
    let rising = || floats(&[(0, 1.0), (10, 6.0), (12, 4.0)]);
    assert_eq!(ascending(DERIVATIVE, rising()), floats(&[(10, 0.5), (12, -1.0)]));
    let per_window = apply(&DERIVATIVE, rising(), Order::Ascending, Some(10 * SECOND)).unwrap();
    assert_eq!(per_window, floats(&[(10, 5.0), (12, -10.0)]));
    let per_minute = Transform::Derivative { unit_ns: Some(60 * SECOND), non_negative: true };
    assert_eq!(ascending(per_minute, rising()), floats(&[(10, 30.0)]));
    assert_eq!(ascending(DERIVATIVE, integers(&[(0, 1), (2, 4)])), floats(&[(2, 1.5)]));
}

#[test]
fn newest_first_turns_the_sign_of_changes() {
    let falling = || integers(&[(12, 4), (10, 6), (0, 1)]);
    let change = |transform| apply(&transform, falling(), Order::Descending, None).unwrap();
    assert_eq!(change(DIFFERENCE), integers(&[(10, 2), (0, -5)]));
    assert_eq!(change(DERIVATIVE), floats(&[(10, 1.0), (0, -0.5)]));
    assert_eq!(change(Transform::Elapsed { unit_ns: SECOND }), integers(&[(10, -2), (0, -10)]));
}

#[test]
fn of_points_at_one_time_the_first_counts() {
    let twice = integers(&[(0, 1), (0, 100), (10, 4), (10, 50), (20, 9)]);
    assert_eq!(ascending(DIFFERENCE, twice.clone()), integers(&[(10, 3), (20, 5)]));
    assert_eq!(ascending(Transform::CumulativeSum, twice.clone()).len(), 5);
    let elapsed = ascending(Transform::Elapsed { unit_ns: SECOND }, twice);
    assert_eq!(elapsed, integers(&[(0, 0), (10, 10), (10, 0), (20, 10)]));
}

#[test]
fn falls_are_left_out_and_the_next_change_starts_from_the_later_point() {
    assert_eq!(ascending(RISES, integers(&[(0, 5), (1, 2), (2, 4)])), integers(&[(2, 2)]));
    let unsigned = points(&[(0, 5u64), (1, 2), (2, 4)], Cell::Unsigned);
    assert_eq!(ascending(RISES, unsigned), points(&[(2, 2u64)], Cell::Unsigned));
}

#[test]
fn a_running_sum_keeps_the_type_and_wraps() {
    assert_eq!(ascending(Transform::CumulativeSum, integers(&[(0, 5), (1, -2)])), integers(&[(0, 5), (1, 3)]));
    assert_eq!(ascending(Transform::CumulativeSum, floats(&[(0, 0.5), (1, 1.0)])), floats(&[(0, 0.5), (1, 1.5)]));
    let wrapped = ascending(Transform::CumulativeSum, integers(&[(0, i64::MAX), (1, 1)]));
    assert_eq!(wrapped, integers(&[(0, i64::MAX), (1, i64::MIN)]));
}

#[test]
fn a_moving_average_starts_when_it_has_all_its_points() {
    let average = Transform::MovingAverage { points: 2 };
    assert_eq!(ascending(average, integers(&[(0, 1), (1, 2), (2, 6)])), floats(&[(1, 1.5), (2, 4.0)]));
    assert!(ascending(average, integers(&[(0, 1)])).is_empty());
}

#[test]
fn elapsed_is_told_in_whole_units_and_of_any_type() {
    let texts = points(&[(0, "a"), (3, "b")], |text| Cell::String(text.to_owned()));
    assert_eq!(ascending(Transform::Elapsed { unit_ns: 2 * SECOND }, texts), integers(&[(3, 1)]));
}

#[test]
fn a_type_that_cannot_be_reckoned_with_is_refused_in_influxdbs_words() {
    let texts = points(&[(0, "a")], |text| Cell::String(text.to_owned()));
    let error = apply(&DERIVATIVE, texts, Order::Ascending, None).unwrap_err();
    assert_eq!(error.to_string(), "unsupported derivative iterator type: *query.stringInterruptIterator");
    let flags = points(&[(0, true)], Cell::Boolean);
    let error = apply(&RISES, flags, Order::Ascending, None).unwrap_err();
    assert_eq!(error.to_string(), "unsupported difference iterator type: *query.booleanInterruptIterator");
}

#[test]
fn a_forecast_needs_windows_and_some_past() {
    let forecast = Transform::HoltWinters { points: 2, season: 0, with_fit: false };
    let line = || floats(&[(0, 1.0), (10, 2.0), (20, 3.0), (30, 4.0)]);
    assert!(apply(&forecast, line(), Order::Ascending, None).is_err());
    let ahead = apply(&forecast, line(), Order::Ascending, Some(10 * SECOND)).unwrap();
    let times: Vec<_> = ahead.iter().map(|point| point.time.0 / SECOND).collect();
    assert_eq!(times, [40, 50]);
    let with_fit = Transform::HoltWinters { points: 2, season: 0, with_fit: true };
    assert_eq!(apply(&with_fit, line(), Order::Ascending, Some(10 * SECOND)).unwrap().len(), 6);
    assert!(apply(&forecast, floats(&[(0, 1.0)]), Order::Ascending, Some(SECOND)).unwrap().is_empty());
}
