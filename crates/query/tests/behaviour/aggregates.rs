//! Computed values: against a naive reference, over calendar windows, with fills and limits.

use std::collections::BTreeMap;

use crate::support::{
    MemoryStore, cells, computed, count, everything, function, integers, run, run_within, stored, times,
};
use model::{FieldType, TimeRange, TimestampNs, Values, WindowNs};
use proptest::prelude::*;
use query::aggregate::{Accumulator, AggregateFunction, Picked, Registry, Run, State, Wants};
use query::execute::{Options, execute};
use query::plan::expr::Expr;
use query::plan::{CalendarUnit, FillWith, Order, Windowing};
use query::result::{Cell, Table};
use query::{Cancel, Limits};

const HOUR: i64 = 3_600_000_000_000;

fn fixed(width: i64, offset_ns: i64) -> Option<Windowing> {
    Some(Windowing::Fixed { width: WindowNs::new(width).unwrap(), offset_ns })
}

fn floats(values: &[f64]) -> Values {
    Values::Float(values.to_vec())
}

/// One series with the values 1, 2, 3, ... at the times given.
fn counting(times: &[i64]) -> MemoryStore {
    let mut source = MemoryStore::new();
    source.add("c=1", vec![("value", times.to_vec(), Values::Integer((1..=times.len() as i64).collect()))]);
    source
}

fn filled(fill: FillWith, range: (i64, i64), source: &MemoryStore) -> (Vec<i64>, Vec<Option<i64>>) {
    let plan = computed(everything(range.0, range.1, &["*"]), &["sum"], fixed(10, 0), fill);
    let result = run(&plan, source);
    (times(&result.series[0]), integers(cells(&result.series[0], "sum")))
}

#[test]
fn empty_windows_are_left_out_or_reach_over_the_range() {
    let source = counting(&[-5, 21, 25]);
    assert_eq!(filled(FillWith::None, (-20, 40), &source), (vec![-10, 20], vec![Some(1), Some(5)]));
    let nulls = (vec![-20, -10, 0, 10, 20, 30], vec![None, Some(1), None, None, Some(5), None]);
    assert_eq!(filled(FillWith::Null, (-20, 40), &source), nulls);
    let previous = (vec![-10, 0, 10, 20], vec![Some(1), Some(1), Some(1), Some(5)]);
    assert_eq!(filled(FillWith::Previous, (-10, 30), &source), previous);
    let linear = (vec![-10, 0, 10, 20], vec![Some(1), Some(2), Some(3), Some(5)]);
    assert_eq!(filled(FillWith::Linear, (-10, 30), &source), linear);
}

#[test]
fn where_a_field_has_no_points_its_count_is_0_and_all_else_null() {
    let mut store = MemoryStore::new();
    let columns = vec![("a", vec![5], Values::Integer(vec![1])), ("b", vec![15], Values::Integer(vec![2]))];
    store.add("c=1", columns);
    let mut plan = computed(everything(0, 20, &["*"]), &[], fixed(10, 0), FillWith::None);
    plan.columns = vec![function("count", "a"), function("sum", "b")];
    let result = run(&plan, &store);
    assert_eq!(integers(cells(&result.series[0], "count")), [Some(1), Some(0)]);
    assert_eq!(integers(cells(&result.series[0], "sum")), [None, Some(2)]);
}

#[test]
fn an_open_range_is_filled_between_the_first_and_the_last_point() {
    let source = counting(&[-5, 21, 25]);
    let expected = (vec![-10, 0, 10, 20], vec![Some(1), Some(9), Some(9), Some(5)]);
    assert_eq!(filled(FillWith::Exactly(Cell::Integer(9)), (i64::MIN, i64::MAX), &source), expected);
}

#[test]
fn a_series_without_points_in_the_range_is_left_out() {
    let plan = computed(everything(100, 200, &["*"]), &["count"], fixed(10, 0), FillWith::Null);
    assert!(run(&plan, &counting(&[1, 2])).series.is_empty());
}

#[test]
fn the_whole_range_is_one_row_at_its_start_or_at_the_epoch() {
    let time = |start| {
        let plan = computed(everything(start, i64::MAX, &["*"]), &["sum"], None, FillWith::None);
        times(&run(&plan, &counting(&[1, 2])).series[0])
    };
    assert_eq!(time(-7), [-7]);
    assert_eq!(time(i64::MIN), [0]);
}

#[test]
fn order_and_limit_are_of_windows() {
    let mut plan = computed(everything(0, 50, &["*"]), &["sum"], fixed(10, 0), FillWith::Null);
    plan.order = Order::Descending;
    plan.limit = Some(2);
    let result = run(&plan, &counting(&[5, 31, 32]));
    assert_eq!(times(&result.series[0]), [40, 30]);
    assert_eq!(integers(cells(&result.series[0], "sum")), [None, Some(5)]);
}

/// Hours of each day and the number of points in it, with one point every hour.
fn days_in_berlin(start: &str, days: usize) -> Vec<(i64, i64)> {
    let start: jiff::Timestamp = start.parse().unwrap();
    let start = i64::try_from(start.as_nanosecond()).unwrap();
    let source = counting(&(0..24 * 4).map(|hour| start + hour * HOUR).collect::<Vec<_>>());
    let window = Windowing::Calendar { count: 1, unit: CalendarUnit::Day };
    let selection = everything(start, start + 96 * HOUR, &["*"]);
    let mut plan = computed(selection, &["count"], Some(window), FillWith::None);
    plan.time_zone = Some("Europe/Berlin".to_owned());
    let result = run(&plan, &source);
    let (times, counts) = (times(&result.series[0]), integers(cells(&result.series[0], "count")));
    let hours = times.windows(2).map(|pair| (pair[1] - pair[0]) / HOUR);
    hours.zip(counts).map(|(hours, count)| (hours, count.unwrap())).take(days).collect()
}

#[test]
fn days_of_23_and_25_hours_hold_as_many_hourly_points() {
    assert_eq!(days_in_berlin("2026-03-27T23:00:00Z", 3), [(24, 24), (23, 23), (24, 24)]);
    assert_eq!(days_in_berlin("2026-10-23T22:00:00Z", 3), [(24, 24), (25, 25), (24, 24)]);
}

#[test]
fn texts_and_booleans_are_counted_but_not_reckoned_with() {
    let mut source = MemoryStore::new();
    source.add("c=1", vec![("value", vec![1, 2, 3], Values::Boolean(vec![true, true, false]))]);
    let functions = ["count", "first", "last", "mode", "distinct_count", "min"];
    let plan = computed(everything(0, 9, &["*"]), &functions, None, FillWith::None);
    let row: Vec<_> = run(&plan, &source).series[0].columns.iter().map(|c| c.cells[0].clone()).collect();
    let [yes, no] = [true, false].map(Cell::Boolean);
    let expected = [Cell::Integer(3), yes.clone(), no.clone(), yes, Cell::Integer(2), no];
    assert_eq!(row, expected);
    for function in ["sum", "mean", "spread", "stddev", "median", "time_weighted_mean", "integral", "derivative"] {
        let plan = computed(everything(0, 9, &["*"]), &[function], None, FillWith::None);
        let error = run_within(&plan, &source, &Limits::default(), &Cancel::new()).unwrap_err();
        let expected = format!("{function}() cannot be computed of field `value`, which is of type boolean");
        assert_eq!(error.to_string(), expected);
    }
}

#[test]
fn wrong_functions_and_arguments_are_named() {
    let refused = |function: &str, arguments: &[f64]| {
        let mut plan = computed(everything(0, 9, &["*"]), &[function], None, FillWith::None);
        if let Expr::Aggregate(call) = &mut plan.columns[0].expr {
            call.arguments = arguments.iter().copied().map(Cell::Float).collect();
        }
        let error = run_within(&plan, &counting(&[1]), &Limits::default(), &Cancel::new());
        error.unwrap_err().to_string()
    };
    assert_eq!(refused("average", &[]), "unknown aggregate function `average`");
    assert_eq!(refused("mean", &[1.0]), "mean() takes no arguments");
    assert!(refused("integral", &[0.0]).starts_with("integral() takes "));
}

#[test]
fn the_number_of_windows_is_limited() {
    let refused = |range: (i64, i64), function: &str, fill, limits: Limits| {
        let plan = computed(everything(range.0, range.1, &["*"]), &[function], fixed(10, 0), fill);
        let source = counting(&(0..100).collect::<Vec<_>>());
        run_within(&plan, &source, &limits, &Cancel::new()).map_err(|e| e.to_string())
    };
    let few = Limits { max_rows: 10, ..Limits::default() };
    assert!(refused((0, 100), "sum", FillWith::Null, few).is_ok());
    let expected = Err("the query would exceed max_rows = 10: at least 11 windows".to_owned());
    assert_eq!(refused((0, 101), "sum", FillWith::Null, few), expected);
    assert_eq!(refused((-1_000_000_000_000, 100), "sum", FillWith::Null, few), expected);
    let fewer = Limits { max_rows: 9, ..Limits::default() };
    let expected = Err("the query would exceed max_rows = 9: at least 10 windows".to_owned());
    assert_eq!(refused((0, 100), "sum", FillWith::None, fewer), expected);
}

#[test]
fn memory_is_limited() {
    let median = |max_memory| {
        let plan = computed(everything(0, 1000, &["*"]), &["median"], fixed(100, 0), FillWith::None);
        let limits = Limits { max_memory: model::ByteSize(max_memory), ..Limits::default() };
        let store = counting(&(0..1000).collect::<Vec<_>>());
        run_within(&plan, &store, &limits, &Cancel::new()).map_err(|e| (e.to_string(), count(&store.points_read)))
    };
    assert_eq!(median(100_000).unwrap().series[0].times.len(), 10);
    let (error, read) = median(2000).unwrap_err();
    assert!(error.starts_with("the query would exceed max_memory = 2kB: "), "{error}");
    assert!(read < 500, "the limit is met while reading, not after {read} points");
}

#[test]
fn summaries_are_taken_where_a_run_lies_in_one_window_and_every_function_agrees() {
    let read = |functions: &[&str], width| {
        let mut source = MemoryStore::new();
        source.add("c=1", vec![("value", (0..30).collect(), floats(&[1.0; 30]))]);
        let plan = computed(everything(0, 30, &["*"]), functions, fixed(width, 0), FillWith::None);
        run(&plan, &source);
        (count(&source.summaries_read), count(&source.points_read))
    };
    let all = ["count", "sum", "mean", "min", "max", "first", "last", "spread"];
    assert_eq!(read(&all, 15), (10, 0));
    assert_eq!(read(&all, 10), (8, 6));
    assert_eq!(read(&["mean", "stddev"], 15), (0, 30));
}

#[test]
fn integers_beyond_53_bits_stay_exact_although_summaries_are_offered() {
    let odd = (1i64 << 53) + 1;
    let mut source = MemoryStore::new();
    source.add("c=1", vec![("value", vec![1, 2], Values::Integer(vec![odd, 0]))]);
    let plan = computed(everything(0, 9, &["*"]), &["sum", "max", "first"], None, FillWith::None);
    let result = run(&plan, &source);
    assert!(result.series[0].columns.iter().all(|column| column.cells == [Cell::Integer(odd)]));
}

/// A function of somebody else's: the sum of squares.
struct SumOfSquares;

struct Squares(f64);

impl AggregateFunction for SumOfSquares {
    fn name(&self) -> &'static str {
        "sum_of_squares"
    }

    fn accepts(&self, kind: FieldType) -> bool {
        kind == FieldType::Integer
    }

    fn result_type(&self, _: FieldType) -> FieldType {
        FieldType::Float
    }

    fn new_state(&self, _: &[f64], _: FieldType, _: TimeRange, _: Wants) -> Box<dyn Accumulator> {
        Box::new(Squares(0.0))
    }
}

impl State for Squares {
    fn add(&mut self, run: &Run<'_>) {
        self.0 += run.values.floats().map(|v| v * v).sum::<f64>();
    }

    fn merge(&mut self, other: Self) {
        self.0 += other.0;
    }

    fn finish(self) -> Picked {
        Cell::Float(self.0).into()
    }
}

#[test]
fn a_registered_function_is_called_by_its_name() {
    let mut registry = Registry::standard();
    assert!(registry.register(Box::new(SumOfSquares)).is_none());
    let plan = computed(everything(0, 9, &["*"]), &["sum_of_squares"], None, FillWith::None);
    let source = counting(&[1, 2, 3]);
    let (limits, cancel) = (Limits::default(), Cancel::new());
    let options = Options {
        limits: &limits,
        cancel: &cancel,
        registry: &registry,
        threads: 1,
        into: false,
        shortcuts: query::Shortcuts::NONE,
        cache: None,
    };
    let mut found = Vec::new();
    let mut sink = |table: Table| {
        found.extend(table.cells);
        Ok(())
    };
    execute(&plan, &source, &options, &mut sink).unwrap();
    assert_eq!(found, [[Cell::Float(14.0)]]);
}

/// Every function that has a reference below.
const COMPARED: [&str; 13] = [
    "count",
    "sum",
    "mean",
    "min",
    "max",
    "first",
    "last",
    "spread",
    "stddev",
    "median",
    "percentile",
    "mode",
    "distinct_count",
];

/// The obvious way: `points` of one window, in the order of series and time. Values are whole and small, so that every sum is
/// exact in whatever order it is made.
fn reference(function: &str, points: &[(i64, f64)]) -> Option<f64> {
    let values: Vec<f64> = points.iter().map(|p| p.1).collect();
    let mut sorted = values.clone();
    sorted.sort_by(f64::total_cmp);
    let n = values.len() as f64;
    let sum: f64 = values.iter().sum();
    let (min, max) = (sorted[0], sorted[sorted.len() - 1]);
    let at_time = |time| points.iter().filter(|p| p.0 == time).map(|p| p.1).fold(f64::NEG_INFINITY, f64::max);
    Some(match function {
        "count" => n,
        "sum" => sum,
        "mean" => sum / n,
        "min" => min,
        "max" => max,
        "spread" => max - min,
        "first" => at_time(points.iter().map(|p| p.0).min().unwrap()),
        "last" => at_time(points.iter().map(|p| p.0).max().unwrap()),
        "stddev" if values.len() < 2 => return None,
        "stddev" => (values.iter().map(|v| (v - sum / n).powi(2)).sum::<f64>() / (n - 1.0)).sqrt(),
        "median" => (sorted[(sorted.len() - 1) / 2] + sorted[sorted.len() / 2]) / 2.0,
        "percentile" => return sorted.get(((n * 0.95 + 0.5).floor() as usize).checked_sub(1)?).copied(),
        "mode" => mode(points),
        "distinct_count" => values.iter().map(|v| v.to_bits()).collect::<std::collections::BTreeSet<_>>().len() as f64,
        other => panic!("no reference of {other}"),
    })
}

/// As InfluxDB's loop over points sorted by value and time: the second and further points of a value make it the best when it has no
/// fewer so far, and with as many only if it began no later than the best so far ended.
fn mode(points: &[(i64, f64)]) -> f64 {
    let mut sorted = points.to_vec();
    sorted.sort_by(|a, b| a.1.total_cmp(&b.1).then(a.0.cmp(&b.0)));
    let (mut best, mut best_count, mut best_time) = (sorted[0].1, 0, sorted[0].0);
    let (mut count, mut began, mut value) = (0, sorted[0].0, sorted[0].1);
    for (time, v) in sorted {
        if v != value {
            (count, began, value) = (1, time, v);
            continue;
        }
        count += 1;
        if best_count < count || best_count == count && began <= best_time {
            (best, best_count, best_time) = (v, count, time);
        }
    }
    best
}

fn number(cell: &Cell) -> Option<f64> {
    match cell {
        Cell::Null => None,
        Cell::Float(v) => Some(*v),
        Cell::Integer(v) => Some(*v as f64),
        other => panic!("not a number: {other:?}"),
    }
}

fn close(a: Option<f64>, b: Option<f64>) -> bool {
    match (a, b) {
        (Some(a), Some(b)) => (a - b).abs() <= 1e-9 * (1.0 + a.abs().max(b.abs())),
        (a, b) => a == b,
    }
}

type Points = BTreeMap<i64, i32>;

fn points() -> impl Strategy<Value = Points> {
    prop::collection::btree_map(-300i64..300, -20i32..20, 0..80)
}

fn source_of(series: &[Points], integers: bool, piece: usize, summaries: bool) -> MemoryStore {
    let mut source = MemoryStore::new();
    source.piece = piece;
    source.summaries = summaries;
    for (number, points) in series.iter().enumerate() {
        let values = match integers {
            true => Values::Integer(points.values().map(|&v| i64::from(v)).collect()),
            false => Values::Float(points.values().map(|&v| f64::from(v) + 0.0).collect()),
        };
        source.add(&format!("c={number}"), vec![("value", points.keys().copied().collect(), values)]);
    }
    source
}

/// Points by the start of their window.
fn windows_of(series: &[Points], range: (i64, i64), width: i64, offset: i64) -> BTreeMap<i64, Vec<(i64, f64)>> {
    let mut windows: BTreeMap<i64, Vec<(i64, f64)>> = BTreeMap::new();
    for (&time, &value) in series.iter().flatten().filter(|(t, _)| (range.0..range.1).contains(t)) {
        let start = (time - offset).div_euclid(width) * width + offset;
        windows.entry(start).or_default().push((time, f64::from(value)));
    }
    windows
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn every_function_agrees_with_the_obvious_way(
        series in prop::collection::vec(points(), 1..4),
        integers in any::<bool>(),
        piece in 1usize..20,
        summaries in any::<bool>(),
        (width, offset) in (1i64..120).prop_flat_map(|width| (Just(width), 0..width)),
        range in (-320i64..0, 0i64..320),
        functions in prop::sample::subsequence(COMPARED.to_vec(), 1..COMPARED.len()),
    ) {
        let source = source_of(&series, integers, piece, summaries);
        let selection = everything(range.0, range.1, &[]);
        let plan = computed(selection, &functions, fixed(width, offset), FillWith::None);
        let result = run(&plan, &source);
        let expected = windows_of(&series, range, width, offset);
        if expected.is_empty() {
            prop_assert!(result.series.is_empty());
            return Ok(());
        }
        prop_assert_eq!(times(&result.series[0]), expected.keys().copied().collect::<Vec<_>>());
        for function in functions {
            for (cell, (start, points)) in cells(&result.series[0], function).iter().zip(&expected) {
                let (found, wanted) = (number(cell), reference(function, points));
                prop_assert!(close(found, wanted), "{} of window {}: {:?}, not {:?}", function, start, found, wanted);
            }
        }
    }

    #[test]
    fn rows_of_stored_points_agree_with_the_obvious_way(
        series in prop::collection::vec(points(), 1..4),
        piece in 1usize..20,
        newest_first in any::<bool>(),
        limit in prop::option::of(1usize..40),
        offset in 0usize..20,
    ) {
        let source = source_of(&series, true, piece, true);
        let order = if newest_first { Order::Descending } else { Order::Ascending };
        let plan = stored(everything(-200, 200, &[]), order, limit, offset);
        let result = run(&plan, &source);
        let numbered = series.iter().enumerate().flat_map(|(n, points)| points.iter().map(move |(&t, &v)| (t, n, i64::from(v))));
        let mut expected: Vec<_> = numbered.filter(|row| (-200..200).contains(&row.0)).collect();
        expected.sort_by_key(|&(time, n, _)| (if newest_first { -time } else { time }, n));
        let expected: Vec<_> = expected.into_iter().skip(offset).take(limit.unwrap_or(usize::MAX)).collect();
        let found: Vec<_> = result.series.iter().flat_map(|s| times(s).into_iter().zip(integers(cells(s, "value")))).collect();
        prop_assert_eq!(found, expected.into_iter().map(|(time, _, value)| (time, Some(value))).collect::<Vec<_>>());
    }
}

#[test]
fn times_of_windows_at_the_far_past_do_not_overflow() {
    let source = counting(&[i64::MIN, i64::MAX - 1]);
    let plan = computed(everything(i64::MIN, i64::MAX, &["*"]), &["count"], fixed(HOUR, 5), FillWith::None);
    let result = run(&plan, &source);
    assert_eq!(result.series[0].times[0], TimestampNs::MIN);
    assert_eq!(integers(cells(&result.series[0], "count")), [Some(1), Some(1)]);
}
