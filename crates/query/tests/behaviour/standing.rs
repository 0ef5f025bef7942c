//! Functions that look beside their windows: against a naive reference, over pieces, summaries and points mixed.

use std::collections::BTreeMap;

use crate::support::{MemoryStore, cells, computed, count, everything, function, run, stored, times};
use model::{TimestampNs, Values, WindowNs};
use proptest::prelude::*;
use query::Parts;
use query::plan::expr::Expr;
use query::plan::{Column, FillWith, Order, Select, Windowing};
use query::result::{Cell, QueryResult};

const SECOND: i64 = 1_000_000_000;

type Points = BTreeMap<i64, i32>;

/// Series of floats, or of integers, whose times are seconds.
fn store_of(series: &[Points], integers: bool) -> MemoryStore {
    let mut store = MemoryStore::new();
    for (number, points) in series.iter().enumerate() {
        let values = match integers {
            true => Values::Integer(points.values().map(|&v| i64::from(v)).collect()),
            false => Values::Float(points.values().map(|&v| f64::from(v)).collect()),
        };
        let times = points.keys().map(|time| time * SECOND).collect();
        store.add(&format!("c={number}"), vec![("value", times, values)]);
    }
    store
}

fn one(points: &[(i64, i32)]) -> MemoryStore {
    store_of(&[points.iter().copied().collect()], false)
}

/// A column of a function with arguments.
fn column(name: &str, arguments: &[f64]) -> Column {
    let mut column = function(name, "value");
    if let Expr::Aggregate(call) = &mut column.expr {
        call.arguments = arguments.iter().map(|&number| Cell::Float(number)).collect();
    }
    column.alias = Some(format!("{name}{arguments:?}"));
    column
}

fn plan(range: (i64, i64), width: Option<i64>, columns: Vec<Column>) -> Select {
    let window = width.map(|width| Windowing::Fixed { width: WindowNs::new(width * SECOND).unwrap(), offset_ns: 0 });
    let range = (range.0.saturating_mul(SECOND), range.1.saturating_mul(SECOND));
    Select { columns, ..computed(everything(range.0, range.1, &[]), &[], window, FillWith::None) }
}

/// Seconds and values of one function over windows.
fn answer(
    store: &MemoryStore,
    range: (i64, i64),
    width: Option<i64>,
    name: &str,
    arguments: &[f64],
) -> Vec<(i64, f64)> {
    let result = run(&plan(range, width, vec![column(name, arguments)]), store);
    let Some(series) = result.series.first() else { return Vec::new() };
    let values = series.columns[0].cells.iter().map(|cell| number(cell).unwrap());
    times(series).into_iter().map(|time| time / SECOND).zip(values).collect()
}

fn number(cell: &Cell) -> Option<f64> {
    match cell {
        Cell::Float(v) => Some(*v),
        Cell::Null => None,
        other => panic!("not a float: {other:?}"),
    }
}

#[test]
fn the_value_before_the_range_stands_at_its_start() {
    let store = one(&[(-2, 5), (1, 3), (3, 10), (4, 8), (9, 12), (10, 14)]);
    assert_eq!(answer(&store, (0, 10), None, "time_weighted_mean", &[4.0]), [(0, 65.0 / 9.0)]);
    assert_eq!(answer(&store, (0, 10), None, "time_weighted_mean", &[]), [(0, 7.3)]);
    assert_eq!(answer(&store, (0, 10), Some(5), "time_weighted_mean", &[4.0]), [(0, 29.0 / 5.0), (5, 36.0 / 4.0)]);
}

#[test]
fn between_two_points_a_value_stands_in_windows_without_points_too() {
    let store = one(&[(-25, 4), (33, 6)]);
    let expected = [(0, 4.0), (10, 4.0), (20, 4.0), (30, (12.0 + 42.0) / 10.0)];
    assert_eq!(answer(&store, (0, 60), Some(10), "time_weighted_mean", &[]), expected);
    assert_eq!(answer(&store, (0, 30), Some(10), "time_weighted_mean", &[]), expected[..3]);
    assert_eq!(answer(&store, (0, 30), None, "time_weighted_mean", &[]), [(0, 4.0)]);
}

#[test]
fn behind_the_newest_point_a_value_stands_only_as_long_as_it_is_valid() {
    let store = one(&[(3, 4)]);
    assert_eq!(answer(&store, (0, 60), Some(10), "integral_step", &[]), [(0, 28.0)]);
    assert_eq!(answer(&store, (0, 60), Some(10), "integral_step", &[1.0, 25.0]), [(0, 28.0), (10, 40.0), (20, 32.0)]);
    assert_eq!(answer(&store, (10, 60), Some(10), "integral_step", &[1.0, 25.0]), [(10, 40.0), (20, 32.0)]);
    assert_eq!(answer(&store, (10, 60), Some(10), "integral_step", &[]), []);
    assert_eq!(answer(&store, (10, 60), None, "coverage", &[]), []);
}

#[test]
fn lines_are_drawn_across_borders_of_windows_and_of_the_range() {
    let store = one(&[(-10, 0), (30, 40)]);
    assert_eq!(answer(&store, (0, 20), Some(10), "time_weighted_mean_linear", &[]), [(0, 15.0), (10, 25.0)]);
    assert_eq!(answer(&store, (0, 20), None, "integral", &[60.0]), [(0, 400.0 / 60.0)]);
    assert_eq!(answer(&store, (0, 20), Some(10), "time_weighted_mean_linear", &[39.0]), []);
}

#[test]
fn increases_of_windows_add_up_to_that_of_the_whole() {
    let store = one(&[(-5, 100), (5, 130), (15, 20), (25, 50)]);
    assert_eq!(answer(&store, (0, 30), Some(10), "increase", &[]), [(0, 30.0), (10, 20.0), (20, 30.0)]);
    assert_eq!(answer(&store, (0, 30), None, "increase", &[]), [(0, 80.0)]);
    assert_eq!(answer(&store, (0, 30), None, "rate", &[60.0]), [(0, 160.0)]);
    assert_eq!(answer(&store, (0, 30), None, "derivative", &[]), [(0, -4.0)]);
}

#[test]
fn what_lies_beside_the_range_is_read_only_for_functions_that_ask() {
    let read = |name: &str| {
        let mut store = one(&[(-20, 1), (-10, 2), (5, 3), (25, 4), (35, 5)]);
        store.piece = 1;
        store.summaries = false;
        answer(&store, (0, 10), None, name, &[]);
        count(&store.points_read)
    };
    assert_eq!(read("mean"), 1);
    assert_eq!(read("coverage"), 1);
    assert_eq!(read("increase"), 2);
    assert_eq!(read("time_weighted_mean"), 2);
    assert_eq!(read("time_weighted_mean_linear"), 3);
}

#[test]
fn points_outside_of_the_range_are_not_looked_for_where_they_must_fulfil_a_condition() {
    let store = one(&[(-2, 5), (5, 3)]);
    let mut plan = plan((0, 10), None, vec![column("time_weighted_mean", &[])]);
    assert_eq!(run(&plan, &store).series[0].columns[0].cells, [Cell::Float(4.0)]);
    plan.filter = crate::support::influxql("SELECT value FROM m WHERE value > 0").filter;
    assert_eq!(run(&plan, &store).series[0].columns[0].cells, [Cell::Float(3.0)]);
}

#[test]
fn the_rows_of_stored_points_are_what_they_were() {
    let store = one(&[(-2, 5), (5, 3)]);
    let plan = stored(everything(0, 10 * SECOND, &[]), Order::Ascending, None, 0);
    assert_eq!(times(&run(&plan, &store).series[0]), [5 * SECOND]);
}

/// What is known of a window: area below the values, seconds in which they are known, seconds there are.
#[derive(Default, Clone, Copy)]
struct Known {
    area: f64,
    seconds: f64,
    whole: f64,
}

impl Known {
    fn and(self, other: Self) -> Self {
        Self { area: self.area + other.area, seconds: self.seconds + other.seconds, whole: self.whole + other.whole }
    }
}

/// The obvious way, window by window from `lo` to `hi` (inside the range): each value stands from its point to the next.
fn steps(points: &Points, (lo, hi): (i64, i64), longest: Option<i64>) -> Option<Known> {
    let has_points = points.range(lo..hi).next().is_some();
    let (&last_before, _) = points.range(..hi).next_back()?;
    let lives = match longest {
        None => points.range(hi..).next().is_some(),
        Some(longest) => lo < last_before + longest,
    };
    if !has_points && !lives {
        return None;
    }
    let mut known = Known { whole: (hi - lo) as f64, ..Known::default() };
    for (&time, &value) in points.range(..hi) {
        let next = points.range(time + 1..).next().map_or(hi, |(&next, _)| next);
        let until = longest.map_or(next, |longest| next.min(time + longest)).min(hi);
        let stood = (until - time.max(lo)).max(0) as f64;
        known.area += f64::from(value) * stood;
        known.seconds += stood;
    }
    Some(known)
}

/// The obvious way for lines: all second by second, whose ends are on lines.
fn lines(points: &Points, (lo, hi): (i64, i64), longest: Option<i64>) -> Option<Known> {
    let mut known = points.range(lo..hi).next().map(|_| Known::default());
    for second in lo..hi {
        let Some((&from, &a)) = points.range(..=second).next_back() else { continue };
        let Some((&to, &b)) = points.range(second + 1..).next() else { continue };
        if longest.is_some_and(|longest| to - from > longest) {
            continue;
        }
        let at = |time: f64| f64::from(a) + f64::from(b - a) * (time - from as f64) / (to - from) as f64;
        let more = Known { area: at(second as f64 + 0.5), seconds: 1.0, whole: 0.0 };
        known = Some(known.unwrap_or_default().and(more));
    }
    known
}

fn increase(points: &Points, (lo, hi): (i64, i64)) -> Option<Known> {
    points.range(lo..hi).next()?;
    let risen = points.range(lo..hi).map(|(&time, &value)| match points.range(..time).next_back() {
        Some((_, &before)) if value >= before => f64::from(value - before),
        Some(_) => f64::from(value),
        None => 0.0,
    });
    Some(Known { area: risen.sum(), ..Known::default() })
}

/// What a function is in a window of several series; `None`: there is nothing, or (of means without any length) the reference is silent.
fn expected(name: &str, longest: Option<i64>, series: &[Points], window: (i64, i64)) -> Option<f64> {
    let known = |points: &Points| match name {
        "time_weighted_mean" | "integral_step" | "coverage" => steps(points, window, longest),
        "increase" => increase(points, window),
        _ => lines(points, window, longest),
    };
    let known = series.iter().filter_map(known).reduce(Known::and)?;
    Some(match name {
        "coverage" => known.seconds / known.whole,
        "time_weighted_mean" | "time_weighted_mean_linear" => known.area / known.seconds,
        _ => known.area,
    })
}

fn points() -> impl Strategy<Value = Points> {
    prop::collection::btree_map(-150i64..150, 0i32..20, 0..25)
}

/// Functions with their limits, where they have one.
const ASKED: [(&str, &[f64], Option<i64>); 9] = [
    ("time_weighted_mean", &[], None),
    ("time_weighted_mean", &[7.0], Some(7)),
    ("integral_step", &[], None),
    ("integral_step", &[1.0, 30.0], Some(30)),
    ("coverage", &[12.0], Some(12)),
    ("time_weighted_mean_linear", &[], None),
    ("integral", &[], None),
    ("integral", &[1.0, 15.0], Some(15)),
    ("increase", &[], None),
];

fn check(
    result: &QueryResult,
    series: &[Points],
    range: (i64, i64),
    width: i64,
    asked: &[usize],
) -> Result<(), TestCaseError> {
    let rows: Vec<i64> = result.series.first().map(times).unwrap_or_default();
    for &index in asked {
        let (name, arguments, longest) = ASKED[index];
        let mut lo = range.0;
        while lo < range.1 {
            let start = lo.div_euclid(width) * width;
            let hi = (start + width).min(range.1);
            let wanted = expected(name, longest, series, (lo, hi));
            let row = rows.iter().position(|time| *time == start * SECOND);
            let found = row.and_then(|row| number(&cells(&result.series[0], &format!("{name}{arguments:?}"))[row]));
            let found = if name == "coverage" && wanted.is_none() { found.filter(|v| *v != 0.0) } else { found };
            let agree = match (found, wanted) {
                (Some(_), Some(wanted)) if wanted.is_nan() => true,
                (Some(found), Some(wanted)) => (found - wanted).abs() <= 1e-9 * wanted.abs().max(1.0),
                (found, wanted) => found.is_none() && wanted.is_none(),
            };
            prop_assert!(agree, "{name} {arguments:?} from {lo} to {hi}: {found:?}, not {wanted:?}");
            lo = hi;
        }
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Sums are exact but for lines, which are divided: hence the tolerance.
    #[test]
    fn functions_that_look_beside_windows_agree_with_the_obvious_way(
        series in prop::collection::vec(points(), 1..4),
        integers in any::<bool>(),
        piece in 1usize..12,
        summaries in any::<bool>(),
        width in 1i64..90,
        range in (-160i64..0, 1i64..160),
        asked in prop::sample::subsequence((0..ASKED.len()).collect::<Vec<_>>(), 1..ASKED.len()),
    ) {
        let mut store = store_of(&series, integers);
        store.piece = piece;
        store.summaries = summaries;
        store.offers = Parts::ALL;
        let columns = asked.iter().map(|&index| column(ASKED[index].0, ASKED[index].1)).collect();
        let result = run(&plan(range, Some(width), columns), &store);
        check(&result, &series, range, width, &asked)?;
    }

    /// Whatever comes as summaries and whatever as points, in the order of time, the answer is the same.
    #[test]
    fn summaries_are_as_good_as_the_points(
        series in prop::collection::vec(points(), 1..4),
        integers in any::<bool>(),
        piece in 1usize..12,
        width in prop::option::of(1i64..90),
        range in (-160i64..0, 1i64..160),
    ) {
        let names = ["count", "sum", "mean", "min", "max", "first", "last", "spread", "stddev", "variance", "derivative",
            "increase", "rate", "time_weighted_mean", "time_weighted_mean_linear", "integral", "integral_step", "coverage"];
        let answers = [false, true].map(|summaries| {
            let mut store = store_of(&series, integers);
            (store.piece, store.summaries, store.offers) = (piece, summaries, Parts::ALL);
            let columns = names.iter().map(|name| column(name, &[])).collect();
            let result = run(&plan(range, width, columns), &store);
            (result, count(&store.summaries_read))
        });
        let [(points, _), (mixed, read)] = answers;
        prop_assert_eq!(points.series.len(), mixed.series.len());
        for (a, b) in points.series.iter().zip(&mixed.series) {
            prop_assert_eq!(&a.times, &b.times);
            for (a, b) in a.columns.iter().zip(&b.columns) {
                for (x, y) in a.cells.iter().zip(&b.cells) {
                    prop_assert!(close(x, y), "{}: {:?}, {:?} with {} summaries", a.name, x, y, read);
                }
            }
        }
    }
}

fn close(a: &Cell, b: &Cell) -> bool {
    match (a, b) {
        (Cell::Float(a), Cell::Float(b)) => (a - b).abs() <= 1e-9 * a.abs().max(1.0),
        (a, b) => a == b,
    }
}

#[test]
fn the_point_of_an_extreme_comes_from_summaries_with_their_times() {
    for name in ["min", "max", "first", "last"] {
        let mut store = one(&[(1, 5), (2, 9), (3, 9), (4, 1), (5, 1), (6, 4)]);
        let wanted = run(&plan((0, 10), None, vec![column(name, &[])]), &store);
        store.offers = Parts::ALL;
        let found = run(&plan((0, 10), None, vec![column(name, &[])]), &store);
        assert_eq!(found.series, wanted.series, "{name}");
        assert_eq!(count(&store.summaries_read), if name.len() == 3 { 2 } else { 4 }, "{name}");
        assert!(found.series[0].times[0] > TimestampNs(0));
    }
}

#[test]
fn a_statistical_request_has_quartiles_and_coverage() {
    let store = one(&[(0, 4), (2, 1), (4, 3), (6, 2)]);
    let body = r#"{"aggregate_type": "statistical", "measurement": "m", "start": "1969-12-31T23:59:52Z", "end": "1970-01-01T00:00:07.999999999Z"}"#;
    let context = query::RequestContext { database: "telemetry".to_owned(), now: TimestampNs(0), epoch: None };
    let plan = query::AggregateRequest::parse(body.as_bytes()).unwrap().into_plan(&context).unwrap();
    let result = run(&plan, &store);
    let value = |column: &str| number(&cells(&result.series[0], column)[0]).unwrap();
    let found = ["q1", "median", "q3", "min", "max", "first", "last", "sum", "coverage"].map(value);
    assert_eq!(found, [1.0, 2.5, 3.0, 1.0, 4.0, 4.0, 2.0, 10.0, 0.5]);
}
