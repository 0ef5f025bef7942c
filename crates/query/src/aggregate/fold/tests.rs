//! Folds against the accumulators they stand for.

use model::{FieldType, SeriesId, TimeRange, TimestampNs, Values};

use super::*;
use crate::aggregate::{Registry, View};
use crate::result::Cell;

const WIDTH: i64 = 10;

fn place(time: i64) -> Place {
    let window = time.div_euclid(WIDTH);
    let span = TimeRange::new(TimestampNs(window * WIDTH), TimestampNs((window + 1) * WIDTH));
    Place { window: window as usize, span }
}

fn add(fold: &mut dyn Fold, series: u32, time: i64, value: f64) {
    let (times, values) = ([TimestampNs(time)], Values::Float(vec![value]));
    fold.add(place(time), &Run { series: SeriesId(series), times: &times, values: View::of(&values, 0..1) });
}

fn fold(name: &str) -> Box<dyn Fold> {
    let function = Registry::shared().get(name).unwrap();
    new_fold(function, &[], FieldType::Float, Wants::Origin)
}

fn cells(fold: Box<dyn Fold>) -> Vec<Option<Cell>> {
    fold.finish().into_iter().map(|picked| picked.map(|picked| picked.cell)).collect()
}

fn floats(values: &[Option<f64>]) -> Vec<Option<Cell>> {
    values.iter().map(|value| value.map(Cell::Float)).collect()
}

#[test]
fn each_window_has_its_own_state_and_empty_ones_none() {
    for name in ["mean", "median"] {
        let mut fold = fold(name);
        for (time, value) in [(1, 2.0), (5, 4.0), (25, 7.0)] {
            add(fold.as_mut(), 0, time, value);
        }
        fold.grow(4);
        fold.grow(2);
        assert_eq!(fold.windows(), 4);
        assert!(fold.bytes() > 0);
        assert_eq!(cells(fold), floats(&[Some(3.0), None, Some(7.0), None]), "{name}");
    }
}

#[test]
fn a_window_knows_its_span() {
    let mut fold = fold("time_weighted_mean");
    add(fold.as_mut(), 0, 12, 1.0);
    add(fold.as_mut(), 0, 16, 3.0);
    assert_eq!(cells(fold), floats(&[None, Some(2.0)]));
}

#[test]
fn merging_puts_windows_where_the_map_says() {
    for name in ["max", "median", "last", "stddev"] {
        let [mut whole, mut left, mut right] = [(); 3].map(|()| fold(name));
        for (time, value) in [(1, 2.0), (15, 4.0), (17, 9.0)] {
            add(whole.as_mut(), 0, time, value);
            add(left.as_mut(), 0, time, value);
        }
        for (time, value) in [(12, 8.0), (23, 1.0), (24, 3.0)] {
            add(whole.as_mut(), 1, time, value);
            // The other fold begins one window later.
            add(right.as_mut(), 1, time - WIDTH, value);
        }
        left.merge(right, &[1, 2]);
        let (left, whole) = (cells(left), cells(whole));
        assert_eq!(left, whole, "{name}");
        assert_eq!(left.len(), 3);
    }
}

#[test]
fn only_what_the_map_has_is_merged() {
    let (mut left, mut right) = (fold("sum"), fold("sum"));
    add(right.as_mut(), 0, 5, 1.0);
    add(right.as_mut(), 0, 15, 2.0);
    left.merge(right, &[0]);
    assert_eq!(cells(left), floats(&[Some(1.0)]));
}

#[test]
fn summaries_are_taken_where_accumulators_take_them() {
    assert!(fold("sum").parts().is_some());
    assert!(fold("last").parts().is_some());
    assert_eq!(fold("max").parts(), Some(Parts::MAX.and(Parts::EXTREMES)));
    assert!(fold("median").parts().is_none());
    let (first_time, last_time) = (TimestampNs(11), TimestampNs(12));
    let summary = Summary {
        count: 2,
        first_time,
        last_time,
        sum: 3.0,
        min: 1.0,
        max: 2.0,
        first: 1.0,
        last: 2.0,
        ..Summary::default()
    };
    let mut sum = fold("sum");
    sum.add_summary(place(11), SeriesId(0), &summary);
    assert_eq!(cells(sum), floats(&[None, Some(3.0)]));
}
