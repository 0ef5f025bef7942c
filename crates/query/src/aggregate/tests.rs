//! Functions that need no more than one accumulator to be tested, and what holds for all of them: merging.

use model::{FieldType, SeriesId, Strings, TimeRange, TimestampNs, Values};

use super::{Accumulator, Picked, Registry, Run, View, Wants};
use crate::result::Cell;
use crate::{Parts, Summary};

/// A series of floats as functions are told of it, its times in seconds; the window starts at 0.
#[derive(Clone, Copy)]
pub(super) struct Told<'a> {
    pub(super) before: Option<(i64, f64)>,
    pub(super) points: &'a [(i64, f64)],
    pub(super) after: Option<(i64, f64)>,
    /// End of the window; the largest number: there is none.
    pub(super) end: i64,
}

impl<'a> Told<'a> {
    /// A series without points beside the window of ten seconds.
    pub(super) const fn new(points: &'a [(i64, f64)]) -> Self {
        Self { before: None, points, after: None, end: 10 }
    }
}

/// The value of a function of series. Points come one a run: runs must join seamlessly.
pub(super) fn told(function: &str, arguments: &[f64], series: &[Told<'_>]) -> Cell {
    let function = Registry::shared().get(function).unwrap();
    function.check_arguments(arguments).unwrap();
    let seconds = |time: i64| TimestampNs(time.saturating_mul(1_000_000_000));
    let span = TimeRange::new(TimestampNs(0), seconds(series[0].end));
    let mut state = function.new_state(arguments, FieldType::Float, span, Wants::Value);
    for (id, told) in series.iter().enumerate() {
        let mut tell = |&(time, value): &(i64, f64), how: fn(&mut dyn Accumulator, &Run<'_>)| {
            let (times, values) = ([seconds(time)], Values::Float(vec![value]));
            how(state.as_mut(), &Run { series: SeriesId(id as u32), times: &times, values: View::of(&values, 0..1) });
        };
        told.before.iter().for_each(|point| tell(point, |state, run| state.enter(run)));
        told.points.iter().for_each(|point| tell(point, |state, run| state.add(run)));
        told.after.iter().for_each(|point| tell(point, |state, run| state.leave(run)));
    }
    state.finish().cell
}

/// A function of one series at times 0, 1, 2, ...
pub(super) fn pick(function: &str, arguments: &[f64], values: &Values, wants: Wants) -> Picked {
    let times: Vec<_> = (0..values.len() as i64).collect();
    picked(function, arguments, &[(&times, values.clone())], wants)
}

/// The value of a function of one series at times 0, 1, 2, ...
pub(super) fn value(function: &str, arguments: &[f64], values: &Values) -> Cell {
    pick(function, arguments, values, Wants::Value).cell
}

fn new_state(function: &str, arguments: &[f64], kind: FieldType, wants: Wants) -> Box<dyn Accumulator> {
    let function = Registry::shared().get(function).unwrap();
    assert!(function.accepts(kind));
    function.check_arguments(arguments).unwrap();
    function.new_state(arguments, kind, TimeRange::ALL, wants)
}

fn add(state: &mut dyn Accumulator, series: usize, times: &[i64], values: &Values) {
    let times: Vec<_> = times.iter().map(|&t| TimestampNs(t)).collect();
    state.add(&Run { series: SeriesId(series as u32), times: &times, values: View::of(values, 0..times.len()) });
}

fn picked(function: &str, arguments: &[f64], runs: &[(&[i64], Values)], wants: Wants) -> Picked {
    let mut state = new_state(function, arguments, runs[0].1.field_type(), wants);
    for (series, (times, values)) in runs.iter().enumerate() {
        add(state.as_mut(), series, times, values);
    }
    state.finish()
}

fn apply(function: &str, runs: &[(&[i64], Values)]) -> Cell {
    picked(function, &[], runs, Wants::Value).cell
}

#[test]
fn sums_of_integers_are_exact_and_wrap_and_means_do_not_wrap() {
    let odd = (1i64 << 53) + 1;
    assert_eq!(apply("sum", &[(&[1, 2], Values::Integer(vec![odd, -1]))]), Cell::Integer(odd - 1));
    let large = || Values::Integer(vec![i64::MAX, i64::MAX]);
    assert_eq!(apply("sum", &[(&[1, 2], large())]), Cell::Integer(-2));
    assert_eq!(apply("mean", &[(&[1, 2], large())]), Cell::Float(i64::MAX as f64));
    let large = Values::Unsigned(vec![u64::MAX, 1]);
    assert_eq!(apply("sum", &[(&[1, 2], large)]), Cell::Unsigned(0));
    let far = Values::Integer(vec![i64::MIN, i64::MAX]);
    assert_eq!(apply("spread", &[(&[1, 2], far)]), Cell::Integer(-1));
    assert_eq!(apply("spread", &[(&[1, 2], Values::Unsigned(vec![7, 3]))]), Cell::Unsigned(4));
}

#[test]
fn min_max_first_and_last_keep_the_type_of_the_field() {
    let values = || Values::Unsigned(vec![5, 9, 7]);
    assert_eq!(apply("min", &[(&[1, 2, 3], values())]), Cell::Unsigned(5));
    assert_eq!(apply("max", &[(&[1, 2, 3], values())]), Cell::Unsigned(9));
    assert_eq!(apply("last", &[(&[1, 2, 3], values())]), Cell::Unsigned(7));
    assert_eq!(apply("first", &[(&[1, 2], Values::Boolean(vec![true, false]))]), Cell::Boolean(true));
    assert_eq!(apply("min", &[(&[1, 2], Values::Boolean(vec![true, false]))]), Cell::Boolean(false));
    assert_eq!(apply("max", &[(&[1, 2], Values::Boolean(vec![true, false]))]), Cell::Boolean(true));
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

#[test]
fn selectors_know_the_point_they_chose_and_of_equal_extremes_the_earliest() {
    let runs = [(&[5i64, 6, 7][..], Values::Integer(vec![1, 9, 9])), (&[4, 5][..], Values::Integer(vec![9, 1]))];
    let chosen = |function| {
        let picked = picked(function, &[], &runs, Wants::Origin);
        let at = picked.at.unwrap();
        (picked.cell, at.series.0, at.time.0)
    };
    assert_eq!(chosen("max"), (Cell::Integer(9), 1, 4));
    assert_eq!(chosen("min"), (Cell::Integer(1), 0, 5));
    assert_eq!(chosen("first"), (Cell::Integer(9), 1, 4));
    assert_eq!(chosen("last"), (Cell::Integer(9), 0, 7));
    assert_eq!(picked("mean", &[], &runs, Wants::Origin).at, None);
}

#[test]
fn extremes_take_summaries_with_their_times_where_the_point_is_wanted() {
    let needs = |function, kind, wants| new_state(function, &[], kind, wants).parts();
    let takes = |function, kind, wants| needs(function, kind, wants).is_some_and(|parts| Parts::BASIC.contain(parts));
    assert!(takes("max", FieldType::Float, Wants::Value));
    assert!(!takes("max", FieldType::Float, Wants::Origin));
    assert_eq!(needs("max", FieldType::Float, Wants::Origin), Some(Parts::MAX.and(Parts::EXTREMES)));
    assert!(takes("last", FieldType::Float, Wants::Origin));
    assert!(!takes("last", FieldType::Integer, Wants::Value));
    assert!(needs("last", FieldType::Integer, Wants::Value).is_some_and(|parts| parts.contain(Parts::EXACT)));
    assert!(takes("count", FieldType::String, Wants::Origin));
    let mut last = new_state("last", &[], FieldType::Float, Wants::Origin);
    let (first_time, last_time) = (TimestampNs(3), TimestampNs(8));
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
    last.add_summary(SeriesId(7), &summary);
    let picked = last.finish();
    assert_eq!(picked.cell, Cell::Float(2.0));
    assert_eq!(picked.at.map(|at| (at.series, at.time)), Some((SeriesId(7), last_time)));
}

/// Three series of each type.
fn samples() -> Vec<[(Vec<i64>, Values); 3]> {
    let floats = [vec![1.5, -2.0, 4.0], vec![8.0, 8.0], vec![-2.0, 3.0, 0.5, 8.0]];
    let times = || [vec![0, 3, 6], vec![0, 2], vec![1, 3, 4, 9]];
    let of = |make: &dyn Fn(&[f64]) -> Values| {
        let [a, b, c] = times();
        [(a, make(&floats[0])), (b, make(&floats[1])), (c, make(&floats[2]))]
    };
    vec![
        of(&|v| Values::Float(v.to_vec())),
        of(&|v| Values::Integer(v.iter().map(|&v| v as i64).collect())),
        of(&|v| Values::Unsigned(v.iter().map(|&v| v.abs() as u64).collect())),
        of(&|v| Values::Boolean(v.iter().map(|&v| v > 1.0).collect())),
        of(&|v| {
            let mut texts = Strings::default();
            v.iter().for_each(|v| texts.push(&v.to_string()));
            Values::String(texts)
        }),
    ]
}

/// The same but for the last digits of a float, which depend on the order of additions.
fn assert_same(a: Picked, b: Picked, what: &str) {
    match (&a.cell, &b.cell) {
        (Cell::Float(x), Cell::Float(y)) => assert!((x - y).abs() <= 1e-12 * y.abs(), "{what}: {x}, {y}"),
        _ => assert_eq!(a.cell, b.cell, "{what}"),
    }
    assert_eq!(a.at, b.at, "{what}");
}

#[test]
fn merging_what_later_series_gave_is_as_good_as_adding_them() {
    for series in samples() {
        let kind = series[0].1.field_type();
        for name in Registry::shared().names().filter(|name| Registry::shared().get(name).unwrap().accepts(kind)) {
            let arguments: &[f64] = if name.starts_with("percentile") { &[60.0] } else { &[] };
            for (wants, split) in [(Wants::Value, 1), (Wants::Origin, 1), (Wants::Origin, 2), (Wants::Value, 3)] {
                let [mut whole, mut left, mut right] = [(); 3].map(|()| new_state(name, arguments, kind, wants));
                for (index, (times, values)) in series.iter().enumerate() {
                    add(whole.as_mut(), index, times, values);
                    add(if index < split { left.as_mut() } else { right.as_mut() }, index, times, values);
                }
                left.merge(right);
                assert_same(left.finish(), whole.finish(), &format!("{name} of {kind}"));
            }
        }
    }
}
