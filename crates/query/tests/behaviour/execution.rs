//! What the executor promises by itself: it reads no more than it must, and several threads answer as one.

use model::Values;
use proptest::prelude::*;
use query::plan::{Order, Select};
use query::result::{Cell, Table};
use query::{Limits, QueryError};

use crate::support::{
    MemoryStore, cells, count, everything, influxql, integers, run, run_within, stored, tables, times,
};

fn ints(values: impl IntoIterator<Item = i64>) -> Values {
    Values::Integer(values.into_iter().collect())
}

/// One series with the value `v` = time at 0, 1, ... 999.
fn thousand() -> MemoryStore {
    let mut store = MemoryStore::new();
    store.add("c=1", vec![("v", (0..1000).collect(), ints(0..1000))]);
    store
}

/// Two fields of two series; `b` is there at even times only.
fn two_fields() -> MemoryStore {
    let mut store = MemoryStore::new();
    for (channel, factor) in [(1, 1), (2, 100)] {
        let a = ints((0..6).map(|t| t * factor));
        let b = Values::Float(vec![0.5, 2.5, 4.5]);
        store.add(&format!("c={channel}"), vec![("a", (0..6).collect(), a), ("b", vec![0, 2, 4], b)]);
    }
    store
}

/// Times and integers of a table's only column.
fn rows(table: &Table) -> Vec<(i64, i64)> {
    let times = table.times.iter().flatten().map(|t| t.0);
    times.zip(integers(&table.cells[0]).into_iter().flatten()).collect()
}

#[test]
fn newest_first_with_a_limit_reads_the_end_only() {
    let store = thousand();
    let plan = stored(everything(i64::MIN, i64::MAX, &["*"]), Order::Descending, Some(4), 1);
    assert_eq!(times(&run(&plan, &store).series[0]), [998, 997, 996, 995]);
    assert!(count(&store.points_read) <= 12, "{} points", count(&store.points_read));
}

#[test]
fn a_limit_on_filled_windows_reads_the_windows_asked_for_only() {
    let read = |text: &str| {
        let mut store = thousand();
        store.summaries = false;
        let tables = tables(&influxql(text), &store, 1);
        (rows(&tables[0]), count(&store.points_read))
    };
    let (oldest, points) = read("SELECT sum(v) FROM m WHERE time >= 0 AND time < 1000 GROUP BY time(10ns) LIMIT 2");
    assert_eq!((oldest, points), (vec![(0, 45), (10, 145)], 20));
    let newest =
        "SELECT count(v) FROM m WHERE time >= 0 AND time < 1000 GROUP BY time(10ns) ORDER BY time DESC LIMIT 1";
    assert_eq!(read(newest), (vec![(990, 10)], 10));
    let open = "SELECT last(v) FROM m WHERE time < 1000 GROUP BY time(10ns) LIMIT 1 OFFSET 1";
    assert_eq!(read(open), (vec![(10, 19)], 20));
}

#[test]
fn a_limit_on_windows_that_are_left_out_when_empty_reads_everything() {
    let mut store = MemoryStore::new();
    store.add("c=1", vec![("v", vec![5, 500, 995], ints([1, 2, 3]))]);
    let text = "SELECT sum(v) FROM m WHERE time >= 0 AND time < 1000 GROUP BY time(10ns) FILL LIMIT 2";
    let found = |fill: &str| rows(&tables(&influxql(&text.replace("FILL", fill)), &store, 1)[0]);
    assert_eq!(found("fill(none)"), [(0, 1), (500, 2)]);
    assert_eq!(found("fill(previous)"), [(0, 1), (10, 1)]);
    assert_eq!(found("fill(linear)"), [(0, 1), (10, 1)]);
}

#[test]
fn rows_of_requests_are_turned_but_not_the_way_of_time() {
    let mut store = MemoryStore::new();
    for channel in [1, 2] {
        store.add(&format!("c={channel}"), vec![("value", vec![5, 35], ints([channel, 10 * channel]))]);
    }
    let window = query::plan::Windowing::Fixed { width: model::WindowNs::new(10).unwrap(), offset_ns: 0 };
    let plan = everything(0, 40, &["c"]);
    let plan = Select {
        order: Order::Descending,
        limit: Some(3),
        ..crate::support::computed(plan, &["sum"], Some(window), query::plan::FillWith::Previous)
    };
    let result = run(&plan, &store);
    let first = &result.series[0];
    assert_eq!(first.tags, [("c".to_owned(), "1".to_owned())]);
    assert_eq!((times(first), integers(cells(first, "sum"))), (vec![30, 20, 10], vec![Some(10), Some(1), Some(1)]));
    let text = "SELECT sum(value) FROM m WHERE time >= 0 AND time < 40 GROUP BY time(10ns), c fill(previous) ORDER BY time DESC LIMIT 3";
    let tables = tables(&influxql(text), &store, 1);
    assert_eq!(tables[0].tags, [("c".to_owned(), "2".to_owned())]);
    assert_eq!(rows(&tables[0]), [(30, 20), (20, 20), (10, 20)]);
}

#[test]
fn the_limit_of_requests_is_one_on_rows() {
    let mut store = MemoryStore::new();
    store.add("c=1", vec![("a", vec![5, 15, 25], ints([1, 2, 3])), ("b", vec![15, 25, 35], ints([20, 30, 40]))]);
    let text = "SELECT sum(a), sum(b) FROM m WHERE time >= 0 AND time < 100 GROUP BY time(10ns) fill(none) LIMIT 2";
    let each = influxql(text);
    assert_eq!(tables(&each, &store, 1)[0].len(), 3);
    let table = &tables(&Select { limit_each: false, ..each }, &store, 1)[0];
    assert_eq!((table.len(), integers(&table.cells[1])), (2, vec![None, Some(20)]));
}

#[test]
fn a_subquery_is_read_like_a_measurement() {
    let store = two_fields();
    let text =
        "SELECT max(sum) FROM (SELECT sum(a) FROM m WHERE time >= 0 AND time < 6 GROUP BY time(2ns), c) GROUP BY c";
    let tables = tables(&influxql(text), &store, 2);
    let found: Vec<_> = tables.iter().map(|table| (table.tags[0].1.as_str(), rows(table))).collect();
    assert_eq!(found, [("1", vec![(4, 9)]), ("2", vec![(4, 900)])]);
    let raw = influxql("SELECT twice FROM (SELECT a * 2 AS twice FROM m WHERE c = '1') WHERE twice > 6");
    assert_eq!(rows(&crate::support::tables(&raw, &store, 1)[0]), [(4, 8), (5, 10)]);
}

#[test]
fn filters_on_fields_choose_rows_also_for_functions_of_other_fields() {
    let store = two_fields();
    let found = |text: &str| rows(&tables(&influxql(text), &store, 1)[0]);
    assert_eq!(found("SELECT a FROM m WHERE b > 1 AND c = '2'"), [(2, 200), (4, 400)]);
    assert_eq!(found("SELECT sum(a) FROM m WHERE b > 1"), [(0, 606)]);
    assert_eq!(found("SELECT a FROM m WHERE a > 3 AND (c = '1' OR b = 2.5)"), [(2, 200), (4, 4), (5, 5)]);
}

#[test]
fn memory_of_filtered_rows_is_given_back_series_by_series() {
    let mut store = MemoryStore::new();
    for channel in 0..200 {
        store.add(&format!("c={channel:03}"), vec![("a", (0..100).collect(), ints(0..100))]);
    }
    let limits = Limits { max_memory: model::ByteSize(60_000), ..Limits::default() };
    for text in
        ["SELECT sum(a) FROM m WHERE a >= 50 GROUP BY c", "SELECT count(a) FROM (SELECT a FROM m WHERE c = '001')"]
    {
        let result = run_within(&influxql(text), &store, &limits, &query::Cancel::new()).unwrap();
        assert!(!result.series.is_empty());
    }
}

#[test]
fn a_sink_that_wants_no_more_ends_the_answer() {
    let store = two_fields();
    let (limits, cancel) = (Limits::default(), query::Cancel::new());
    let registry = query::aggregate::Registry::shared();
    let options = query::execute::Options {
        limits: &limits,
        cancel: &cancel,
        registry,
        threads: 1,
        into: false,
        shortcuts: query::Shortcuts::NONE,
        cache: None,
    };
    let mut seen = 0;
    let mut sink = |_: Table| {
        seen += 1;
        Err(QueryError::Enough)
    };
    query::execute::execute(&influxql("SELECT a FROM m GROUP BY c"), &store, &options, &mut sink).unwrap();
    assert_eq!(seen, 1);
}

#[test]
fn many_long_series_are_cut_short_long_before_all_are_read() {
    let mut store = MemoryStore::new();
    store.piece = 5000;
    for channel in 0..200 {
        store.add(&format!("c={channel:03}"), vec![("a", (0..5000).collect(), ints(0..5000))]);
    }
    let plan = stored(everything(0, 10_000, &["*"]), Order::Ascending, None, 0);
    let limits = Limits { max_rows: 7500, ..Limits::default() };
    let result = run_within(&plan, &store, &limits, &query::Cancel::new()).unwrap();
    assert_eq!((result.partial, result.series.len()), (true, 2));
    // Of the million, as many are read ahead as may wait, and what the threads have begun.
    assert!(count(&store.points_read) < 700_000, "{} points", count(&store.points_read));
}

/// Queries whose answers must not depend on the number of threads.
const QUERIES: [&str; 10] = [
    "SELECT * FROM m",
    "SELECT * FROM m GROUP BY * ORDER BY time DESC LIMIT 3 OFFSET 1",
    "SELECT a, b FROM m WHERE a > 0 OR b < 5",
    "SELECT sum(a), count(b), max(a), first(b), stddev(a) FROM m WHERE time >= -50 AND time < 50 GROUP BY time(7ns)",
    "SELECT last(a), b FROM m GROUP BY c",
    "SELECT median(b), mode(a), percentile(a, 90) FROM m WHERE time >= -50 AND time < 50 GROUP BY time(20ns), g fill(none)",
    "SELECT top(a, c, 5) FROM m",
    "SELECT difference(a) FROM m GROUP BY g",
    "SELECT derivative(max(a), 10ns) FROM m WHERE time >= -50 AND time < 50 GROUP BY time(10ns) ORDER BY time DESC",
    "SELECT sum(mean) FROM (SELECT mean(a) FROM m GROUP BY c) GROUP BY g",
];

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn several_threads_answer_as_one(
        series in prop::collection::vec(
            (prop::collection::btree_map(-60i64..60, -20i64..20, 0..20), prop::collection::btree_map(-60i64..60, -20i32..20, 0..9)),
            1..170,
        ),
        piece in 1usize..9,
    ) {
        let mut store = MemoryStore::new();
        store.piece = piece;
        for (number, (a, b)) in series.into_iter().enumerate() {
            let b_values = Values::Float(b.values().map(|&v| f64::from(v)).collect());
            let columns = vec![("a", a.keys().copied().collect(), ints(a.into_values())), ("b", b.into_keys().collect(), b_values)];
            store.add(&format!("c={number:03},g={}", number % 3), columns);
        }
        for text in QUERIES {
            let plan = influxql(text);
            let (serial, parallel) = (joined(tables(&plan, &store, 1)), joined(tables(&plan, &store, 4)));
            prop_assert_eq!(serial.len(), parallel.len(), "{}", text);
            for (one, four) in serial.iter().zip(&parallel) {
                prop_assert_eq!((&one.tags, &one.columns, &one.times), (&four.tags, &four.columns, &four.times), "{}", text);
                prop_assert!(one.cells.iter().flatten().zip(four.cells.iter().flatten()).all(same), "{}", text);
            }
        }
    }
}

/// Tables of one series put together.
fn joined(tables: Vec<Table>) -> Vec<Table> {
    let mut joined: Vec<Table> = Vec::new();
    for mut table in tables {
        match joined.last_mut() {
            Some(last) if last.tags == table.tags => {
                last.times.iter_mut().for_each(|times| times.extend(table.times.iter().flatten()));
                last.cells.iter_mut().zip(&mut table.cells).for_each(|(cells, more)| cells.append(more));
            }
            _ => joined.push(table),
        }
    }
    joined
}

/// Equal, but for the rounding of sums made in another order.
fn same((one, four): (&Cell, &Cell)) -> bool {
    match (one, four) {
        (Cell::Float(a), Cell::Float(b)) => (a - b).abs() <= 1e-9 * (1.0 + a.abs()),
        (a, b) => a == b,
    }
}

/// What a query is refused with under a limit on memory.
fn refusal(text: &str) -> String {
    let limits = Limits { max_memory: model::ByteSize(2_000_000), ..Limits::default() };
    run_within(&influxql(text), &two_fields(), &limits, &query::Cancel::new()).unwrap_err().to_string()
}

#[test]
fn too_many_columns_or_sources_and_far_forecasts_are_refused_before_anything_is_computed() {
    let columns = vec!["a"; 5000].join(", ");
    assert!(refusal(&format!("SELECT {columns} FROM m")).contains("4096 columns: 5000 are selected"));
    let sources = vec!["m"; 1001].join(", ");
    assert!(refusal(&format!("SELECT a FROM {sources}")).contains("1000 sources: 1001 are named"));
    let forecast =
        "SELECT holt_winters(mean(a), 9223372036854775807, 4) FROM m WHERE time >= 0 AND time < 10 GROUP BY time(1ns)";
    assert!(refusal(forecast).contains("max_rows = 1000000"), "{}", refusal(forecast));
}

#[test]
fn wide_rows_count_against_the_memory_of_a_query() {
    let mut store = MemoryStore::new();
    store.add("c=1", vec![("a", (0..1000).collect(), ints(0..1000))]);
    let columns: Vec<String> = (0..1000).map(|i| format!("a AS a{i}")).collect();
    let plan = influxql(&format!("SELECT {} FROM m", columns.join(", ")));
    let limits = Limits { max_memory: model::ByteSize(10_000_000), ..Limits::default() };
    let refused = run_within(&plan, &store, &limits, &query::Cancel::new()).unwrap_err();
    assert!(refused.to_string().contains("max_memory"), "{refused}");
}

#[test]
fn windows_that_clocks_set_forward_cut_short_do_not_stop_a_query() {
    const MINUTE: i64 = 60_000_000_000;
    let change: jiff::Timestamp = "2026-03-29T01:00:00Z".parse().unwrap();
    let change = i64::try_from(change.as_nanosecond()).unwrap();
    let mut store = MemoryStore::new();
    store.add("c=1", vec![("v", (-300..300).map(|minute| change + minute * MINUTE).collect(), ints(0..600))]);
    let text = format!(
        "SELECT count(v) FROM m WHERE time >= {} AND time < {} GROUP BY time(70m) fill(none) tz('Europe/Berlin')",
        change - 300 * MINUTE,
        change + 300 * MINUTE
    );
    let table = &tables(&influxql(&text), &store, 1)[0];
    assert_eq!(rows(table).iter().map(|(_, count)| count).sum::<i64>(), 600);
}
