//! Functions that need no more than one accumulator to be tested: basic ones and selectors.

use model::{SeriesId, TimeRange, TimestampNs, Values};

use super::{Registry, Run, View};
use crate::result::Cell;

fn apply(function: &str, runs: &[(&[i64], Values)]) -> Cell {
    let kind = runs[0].1.field_type();
    let function = Registry::shared().get(function).unwrap();
    assert!(function.accepts(kind));
    let mut state = function.new_state(&[], kind, TimeRange::ALL);
    for (series, (times, values)) in runs.iter().enumerate() {
        let times: Vec<_> = times.iter().map(|&t| TimestampNs(t)).collect();
        let values = View::of(values, 0..times.len());
        state.add(&Run { series: SeriesId(series as u32), times: &times, values });
    }
    state.finish()
}

#[test]
fn sums_of_integers_are_exact_and_become_floats_when_they_do_not_fit() {
    let odd = (1i64 << 53) + 1;
    assert_eq!(apply("sum", &[(&[1, 2], Values::Integer(vec![odd, -1]))]), Cell::Integer(odd - 1));
    let large = Values::Integer(vec![i64::MAX, i64::MAX]);
    assert_eq!(apply("sum", &[(&[1, 2], large)]), Cell::Float(2.0 * i64::MAX as f64));
    let large = Values::Unsigned(vec![u64::MAX, 1]);
    assert_eq!(apply("sum", &[(&[1, 2], large)]), Cell::Float(u64::MAX as f64 + 1.0));
    let far = Values::Integer(vec![i64::MIN, i64::MAX]);
    assert_eq!(apply("spread", &[(&[1, 2], far)]), Cell::Float(u64::MAX as f64));
    assert_eq!(apply("spread", &[(&[1, 2], Values::Unsigned(vec![7, 3]))]), Cell::Unsigned(4));
}

#[test]
fn min_max_first_and_last_keep_the_type_of_the_field() {
    let values = || Values::Unsigned(vec![5, 9, 7]);
    assert_eq!(apply("min", &[(&[1, 2, 3], values())]), Cell::Unsigned(5));
    assert_eq!(apply("max", &[(&[1, 2, 3], values())]), Cell::Unsigned(9));
    assert_eq!(apply("last", &[(&[1, 2, 3], values())]), Cell::Unsigned(7));
    assert_eq!(apply("first", &[(&[1, 2], Values::Boolean(vec![true, false]))]), Cell::Boolean(true));
    assert_eq!(apply("mean", &[(&[1, 2], Values::Integer(vec![1, 2]))]), Cell::Float(1.5));
}

#[test]
fn first_and_last_of_several_series_go_by_time_and_then_by_the_larger_value() {
    let early_last = [(&[5i64, 6][..], Values::Float(vec![1.0, 2.0])), (&[4, 5][..], Values::Float(vec![3.0, 9.0]))];
    assert_eq!(apply("first", &early_last), Cell::Float(3.0));
    assert_eq!(apply("last", &early_last), Cell::Float(2.0));
    let tie = [(&[5i64][..], Values::Float(vec![8.0])), (&[5][..], Values::Float(vec![9.0]))];
    assert_eq!(apply("first", &tie), Cell::Float(9.0));
    assert_eq!(apply("last", &tie), Cell::Float(9.0));
}
