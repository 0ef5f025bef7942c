//! Plots: the points kept draw what all points would.

use std::collections::BTreeMap;

use model::{Precision, Strings, TimeRange, TimestampNs, Values};
use proptest::prelude::*;
use query::aggregate::{Point, Registry};
use query::execute::{Options, execute};
use query::plan::{FillWith, Windowing};
use query::plot::lttb;
use query::result::{Cell, QueryError, QueryResult, ResultSeries};
use query::{Cancel, Limits, PlotRequest, RequestContext, Select, Shortcuts, collect_each};

use crate::support::{MemoryStore, cells, influxql, run, times};

/// Now is at 1 s, in a time that is all in nanoseconds.
fn context() -> RequestContext {
    let epoch = Some(Precision::Nanosecond);
    RequestContext { database: "telemetry".to_owned(), now: TimestampNs(1_000_000_000), epoch }
}

fn plans(body: &str) -> Result<Vec<Select>, QueryError> {
    PlotRequest::parse(body.as_bytes())?.into_plans(&context())
}

fn plot_within(body: &str, store: &MemoryStore, limits: &Limits) -> Result<QueryResult, QueryError> {
    collect_each(&plans(body)?, limits, |plan, limits, sink| {
        let (cancel, registry, shortcuts) = (&Cancel::new(), Registry::shared(), Shortcuts::ALL);
        execute(
            plan,
            store,
            &Options { limits, cancel, registry, threads: 2, into: false, shortcuts, cache: None },
            sink,
        )
    })
}

fn plot(body: &str, store: &MemoryStore) -> QueryResult {
    plot_within(body, store, &Limits::default()).unwrap()
}

fn body(range: TimeRange, width_px: usize, method: &str) -> String {
    // The end of a request is inside.
    let (start, end) = (range.start.0, range.end.0 - 1);
    format!(r#"{{"measurement": "m", "start": {start}, "end": {end}, "width_px": {width_px}, "method": "{method}"}}"#)
}

/// Times and values of the first column.
fn drawn(series: &ResultSeries) -> Vec<(i64, f64)> {
    let number = |cell: &Cell| match cell {
        Cell::Float(v) => *v,
        other => panic!("not a float: {other:?}"),
    };
    times(series).into_iter().zip(series.columns[0].cells.iter().map(number)).collect()
}

fn store(points: &[(i64, f64)], piece: usize) -> MemoryStore {
    let mut store = MemoryStore::new();
    let (times, values) = points.iter().copied().unzip();
    store.add("channel=1", vec![("value", times, Values::Float(values))]);
    store.piece = piece;
    store
}

/// The points inside a range by the start of their pixel column.
fn by_column(points: &[(i64, f64)], range: TimeRange, width: Option<i64>) -> BTreeMap<i64, Vec<(i64, f64)>> {
    let mut columns: BTreeMap<i64, Vec<(i64, f64)>> = BTreeMap::new();
    for &(time, value) in points.iter().filter(|(time, _)| range.contains(TimestampNs(*time))) {
        columns.entry(width.map_or(0, |width| time.div_euclid(width))).or_default().push((time, value));
    }
    columns
}

fn column_width(body: &str) -> Option<i64> {
    match plans(body).unwrap()[0].window {
        Some(Windowing::Fixed { width, .. }) => Some(width.get()),
        None => None,
        ref other => panic!("{other:?}"),
    }
}

/// The first of the points that have the largest value, by `sign` turned round.
fn extreme(points: &[(i64, f64)], sign: f64) -> (i64, f64) {
    points.iter().copied().reduce(|best, point| if point.1 * sign > best.1 * sign { point } else { best }).unwrap()
}

/// Straight from the definition.
fn reference(points: &[(i64, f64)], range: TimeRange, width: Option<i64>, method: &str) -> Vec<(i64, f64)> {
    let mut kept = Vec::new();
    for column in by_column(points, range, width).values() {
        let extremes = [extreme(column, -1.0), extreme(column, 1.0)];
        let ends = if method == "m4" { vec![column[0], column[column.len() - 1]] } else { Vec::new() };
        let mut of_column: Vec<_> = extremes.into_iter().chain(ends).collect();
        of_column.sort_by_key(|(time, _)| *time);
        of_column.dedup();
        kept.append(&mut of_column);
    }
    kept
}

/// Points at irregular times around the epoch; values are small whole numbers, so that many are equal.
fn points() -> impl Strategy<Value = Vec<(i64, f64)>> {
    let points = prop::collection::btree_map(-3000_i64..3000, (-9_i32..9).prop_map(f64::from), 1..200);
    points.prop_map(|points| points.into_iter().collect())
}

fn ranges() -> impl Strategy<Value = TimeRange> {
    (-3500_i64..3000, 1_i64..6000).prop_map(|(from, len)| TimeRange::new(TimestampNs(from), TimestampNs(from + len)))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn every_pixel_column_keeps_its_ends_and_extremes_and_nothing_else(
        points in points(), range in ranges(), width_px in 1_usize..60, piece in 1_usize..40,
    ) {
        let store = store(&points, piece);
        for (method, most) in [("m4", 4), ("minmax", 2)] {
            let body = body(range, width_px, method);
            let answer = plot(&body, &store);
            let kept = answer.series.first().map(drawn).unwrap_or_default();
            prop_assert_eq!(&kept, &reference(&points, range, column_width(&body), method));
            prop_assert!(kept.len() <= most * width_px);
            prop_assert!(kept.iter().all(|point| points.contains(point)));
        }
    }

    #[test]
    fn lttb_keeps_as_many_points_as_pixels_among_the_extremes_of_fine_columns(
        points in points(), range in ranges(), width_px in 1_usize..60, piece in 1_usize..40,
    ) {
        let store = store(&points, piece);
        let body = body(range, width_px, "lttb");
        let kept = plot(&body, &store).series.first().map(drawn).unwrap_or_default();
        let inside: Vec<_> = points.iter().copied().filter(|p| range.contains(TimestampNs(p.0))).collect();
        let mut candidates = reference(&points, range, column_width(&body), "minmax");
        candidates.extend(inside.first().into_iter().chain(inside.last()));
        candidates.sort_by_key(|(time, _)| *time);
        candidates.dedup();
        prop_assert_eq!(kept.len(), candidates.len().min(width_px));
        let of = |(time, value): (i64, f64)| Point { time: TimestampNs(time), cell: Cell::Float(value), at: None };
        let expected = lttb(candidates.into_iter().map(of).collect(), width_px);
        prop_assert_eq!(kept.iter().map(|p| p.0).collect::<Vec<_>>(), expected.iter().map(|p| p.time.0).collect::<Vec<_>>());
    }
}

#[test]
fn lttb_of_few_points_a_pixel_is_that_of_all_points() {
    let points: Vec<(i64, f64)> = (0..400).map(|i| (i * 10, f64::from(((i * i) % 17) as i32))).collect();
    let range = TimeRange::new(TimestampNs(0), TimestampNs(3991));
    let answer = plot(&body(range, 60, "lttb"), &store(&points, 7));
    let of = |&(time, value): &(i64, f64)| Point { time: TimestampNs(time), cell: Cell::Float(value), at: None };
    let expected: Vec<i64> = lttb(points.iter().map(of).collect(), 60).iter().map(|point| point.time.0).collect();
    assert_eq!((times(&answer.series[0]), expected.len()), (expected, 60));
}

fn mixed() -> MemoryStore {
    let mut store = MemoryStore::new();
    let mut texts = Strings::default();
    ["a", "b", "c", "d"].iter().for_each(|text| texts.push(text));
    store.add(
        "channel=1",
        vec![
            ("count", vec![0, 10, 20, 30], Values::Integer(vec![5, i64::MAX, 7, 6])),
            ("open", vec![0, 10, 20, 30], Values::Boolean(vec![false, true, false, false])),
            ("state", vec![0, 10, 20, 30], Values::String(texts)),
            ("value", vec![1, 11], Values::Float(vec![1.5, 2.5])),
        ],
    );
    store.add("channel=2", vec![("value", vec![1, 12], Values::Float(vec![-1.5, 3.5]))]);
    store
}

#[test]
fn each_field_is_a_series_of_its_own_with_its_own_times_and_types() {
    let answer = plot(
        r#"{"measurement": "m", "fields": ["value", "count", "state", "open"], "start": 0, "end": 40, "width_px": 1}"#,
        &mixed(),
    );
    let shown = |s: &ResultSeries| (s.tags[0].1.clone(), s.columns[0].name.clone(), times(s));
    let expected = [("1", "value", vec![1, 11]), ("2", "value", vec![1, 12]), ("1", "count", vec![0, 10, 30])];
    let expected = expected.into_iter().chain([("1", "state", vec![0, 30]), ("1", "open", vec![0, 30])]);
    let expected: Vec<_> = expected.map(|(tag, field, times)| (tag.to_owned(), field.to_owned(), times)).collect();
    assert_eq!(answer.series.iter().map(shown).collect::<Vec<_>>(), expected);
    assert_eq!(cells(&answer.series[2], "count"), [Cell::Integer(5), Cell::Integer(i64::MAX), Cell::Integer(6)]);
    assert_eq!(cells(&answer.series[3], "state"), [Cell::String("a".to_owned()), Cell::String("d".to_owned())]);
}

#[test]
fn series_are_drawn_together_where_they_are_not_told_apart() {
    let answer = plot(
        r#"{"measurement": "m", "start": 0, "end": 40, "width_px": 1, "group_by": [], "filters": {"channel": ["1", "2"]}}"#,
        &mixed(),
    );
    // The first of two points at one time is the larger one, as with `first`; the smallest is at the same time.
    assert_eq!(drawn(&answer.series[0]), [(1, 1.5), (1, -1.5), (12, 3.5)]);
    let one =
        r#"{"measurement": "m", "start": 0, "end": 40, "width_px": 1, "tags": {"channel": "2"}, "method": "minmax"}"#;
    assert_eq!(drawn(&plot(one, &mixed()).series[0]), [(1, -1.5), (12, 3.5)]);
}

#[test]
fn unknown_fields_and_empty_ranges_draw_nothing() {
    let nothing = r#"{"measurement": "m", "fields": "nosuch", "start": 0, "width_px": 5, "method": "lttb"}"#;
    assert!(plot(nothing, &mixed()).series.is_empty());
    assert!(plot(r#"{"measurement": "m", "start": 500, "end": 500, "width_px": 5}"#, &mixed()).series.is_empty());
}

#[test]
fn limits_hold_for_all_fields_together() {
    let two = r#"{"measurement": "m", "fields": ["value", "count"], "start": 0, "end": 40, "width_px": 100}"#;
    let within = |max_rows| plot_within(two, &mixed(), &Limits { max_rows, ..Limits::default() });
    assert_eq!(within(8).unwrap().series.iter().map(|s| s.times.len()).sum::<usize>(), 8);
    let error = within(7).unwrap_err().to_string();
    assert_eq!(error, "the query would exceed max_rows = 7: at least 8 rows");
}

#[test]
fn influxql_has_plots_in_its_extended_dialect() {
    let points: Vec<(i64, f64)> =
        [3.0, 9.0, 1.0, 4.0, 7.0, 7.0].into_iter().zip(0..).map(|(v, i)| (i * 5, v)).collect();
    let store = store(&points, 3);
    let shown = |text: &str| {
        let series = run(&influxql(text), &store).series;
        series.iter().flat_map(drawn).collect::<Vec<_>>()
    };
    let ascending = [(0, 3.0), (5, 9.0), (10, 1.0), (15, 4.0), (20, 7.0), (25, 7.0)];
    assert_eq!(shown("SELECT m4(value) FROM m WHERE time < 40 GROUP BY time(20ns)"), ascending);
    let minmax = "SELECT minmax(value) FROM m WHERE time < 40 GROUP BY time(20ns), *";
    assert_eq!(shown(minmax), [(5, 9.0), (10, 1.0), (20, 7.0)]);
    assert_eq!(shown(&format!("{minmax} ORDER BY time DESC")), [(20, 7.0), (10, 1.0), (5, 9.0)]);
    let beside = run(&influxql("SELECT minmax(value), channel FROM m"), &store);
    assert_eq!(cells(&beside.series[0], "channel"), vec![Cell::String("1".to_owned()); 2]);
}

#[test]
fn a_plot_request_has_defaults_and_says_what_is_wrong() {
    let plan = plans(r#"{"measurement": "m", "start": 0, "width_px": 10}"#).unwrap().remove(0);
    assert_eq!(plan.range, TimeRange::new(TimestampNs(0), TimestampNs(1_000_000_001)));
    assert_eq!((plan.columns[0].alias.as_deref(), plan.fill), (Some("value"), FillWith::None));
    let request = |more: &str| {
        let body = format!(r#"{{"measurement": "m", "start": 0, "width_px": 10{more}}}"#);
        PlotRequest::parse(body.as_bytes()).unwrap()
    };
    assert_eq!(request("").shortcuts(), Shortcuts::ALL);
    assert_eq!(request(r#", "rollups": false, "cacheable": false"#).shortcuts(), Shortcuts::NONE);
    let error = |body: &str| plans(body).unwrap_err().to_string();
    assert_eq!(
        error(r#"{"measurement": "m", "start": 0}"#),
        "request body: missing field `width_px` at line 1 column 32"
    );
    assert_eq!(
        error(r#"{"measurement": "m", "width_px": 10}"#),
        "`start` is missing: expected the first time of the plot, such as `now-24h`"
    );
    for width_px in [0, 10_001] {
        let body = format!(r#"{{"measurement": "m", "start": 0, "width_px": {width_px}}}"#);
        assert_eq!(error(&body), format!("`width_px` is {width_px}: expected a number of pixels from 1 to 10000"));
    }
    assert_eq!(
        error(r#"{"measurement": "m", "start": 0, "width_px": 5, "fields": []}"#),
        "`fields` must name the fields to plot"
    );
    assert!(
        error(r#"{"measurement": "m", "start": 0, "width_px": 5, "method": "avg"}"#)
            .contains("unknown variant `avg`, expected one of `m4`, `minmax`, `lttb`")
    );
}
