use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

use query::aggregate::Registry;
use query::compile::{Context, Dialect, compile};
use query::store::TagMatch;
use query::{Cancel, Limits, Table};

use super::*;

/// Floats of the field `v` of the measurement `m`, by the value of the tag `channel`.
#[derive(Default)]
struct Memory {
    series: BTreeMap<String, Vec<(i64, f64)>>,
    /// Field of another type than its schema says.
    is_wrong_type: bool,
    /// Fails after so many points of the channel.
    fails: Option<(String, usize)>,
    points_given: AtomicUsize,
    asked: AtomicUsize,
}

impl Memory {
    fn new(channels: &[(&str, &[(i64, f64)])]) -> Self {
        let series = channels.iter().map(|(channel, points)| ((*channel).to_owned(), points.to_vec())).collect();
        Self { series, ..Self::default() }
    }
}

impl RawPoints for Memory {
    fn measurements(&self, _: &Place) -> Result<Vec<String>, QueryError> {
        Ok(vec!["n".to_owned(), "m".to_owned()])
    }

    fn schema(&self, place: &Place, measurement: &str) -> Result<Schema, QueryError> {
        if place.database != "db" {
            return Err(QueryError::NotFound { what: "database", name: place.database.clone() });
        }
        if measurement != "m" {
            return Ok(Schema::default());
        }
        Ok(Schema { fields: vec![("v".to_owned(), FieldType::Float)], tags: vec!["channel".to_owned()] })
    }

    fn series(&self, _: &Place, _: &str, _: &[TagCondition]) -> Result<Vec<Tags>, QueryError> {
        let tags = |channel: &String| match channel.as_str() {
            "" => Vec::new(),
            channel => vec![("channel".to_owned(), channel.to_owned())],
        };
        Ok(self.series.keys().rev().map(tags).collect())
    }

    fn points(&self, column: &Column<'_>, range: TimeRange, visit: Visit<'_>) -> Result<(), QueryError> {
        self.asked.fetch_add(1, Relaxed);
        let channel = column.tags.first().map(|(_, value)| value.as_str()).unwrap_or_default();
        let points = self.series.get(channel).into_iter().flatten();
        for (count, (time, value)) in points.filter(|(t, _)| range.contains(TimestampNs(*t))).enumerate() {
            if self.fails.as_ref().is_some_and(|(failing, after)| failing == channel && *after == count) {
                return Err(QueryError::Store("connection reset".to_owned()));
            }
            self.points_given.fetch_add(1, Relaxed);
            let value = if self.is_wrong_type { FieldValue::Boolean(true) } else { FieldValue::Float(*value) };
            if visit(TimestampNs(*time), value).is_break() {
                break;
            }
        }
        Ok(())
    }
}

fn plan(text: &str) -> Select {
    let statements = influxql::parse(text, &influxql::Params::default(), &influxql::Limits::default()).unwrap();
    let [influxql::ast::Statement::Select(select)] = statements.as_slice() else { panic!("{text}") };
    let context = Context {
        now: TimestampNs(1_000_000),
        database: Some("db".to_owned()),
        policy: None,
        dialect: Dialect::Extended,
        into: false,
    };
    compile(select, &context).unwrap()
}

fn tables(points: &dyn RawPoints, text: &str, threads: usize) -> (Vec<Table>, Result<query::Report, QueryError>) {
    let (limits, cancel) = (Limits::default(), Cancel::new());
    let options = Options {
        limits: &limits,
        cancel: &cancel,
        registry: Registry::shared(),
        threads,
        into: false,
        shortcuts: query::Shortcuts::NONE,
        cache: None,
    };
    let mut tables = Vec::new();
    let outcome = run(points, &plan(text), &options, &mut |table| {
        tables.push(table);
        Ok(())
    });
    (tables, outcome)
}

fn rows(points: &Memory, text: &str) -> String {
    let (tables, outcome) = tables(points, text, 1);
    outcome.unwrap();
    let row = |table: &Table, row: usize| {
        let cells: Vec<String> = table.cells.iter().map(|cells| format!("{:?}", cells[row])).collect();
        format!("{} {}", table.times.as_ref().unwrap()[row].0, cells.join(" "))
    };
    let series = |table: &Table| {
        let tags: Vec<&str> = table.tags.iter().map(|(_, value)| value.as_str()).collect();
        let rows: Vec<String> = (0..table.len()).map(|i| row(table, i)).collect();
        format!("{}[{}]: {}", table.name, tags.join(","), rows.join("; "))
    };
    tables.iter().map(series).collect::<Vec<_>>().join("\n")
}

fn two_channels() -> Memory {
    Memory::new(&[("a", &[(10, 1.0), (20, 2.0), (30, 3.0)]), ("b", &[(20, 5.0)]), ("", &[(15, 9.0)])])
}

#[test]
fn a_plan_is_answered_from_the_points() {
    let store = two_channels();
    assert_eq!(
        rows(&store, "SELECT sum(v) FROM m GROUP BY channel"),
        "m[]: 0 Float(9.0)\nm[a]: 0 Float(6.0)\nm[b]: 0 Float(5.0)"
    );
    assert_eq!(
        rows(&store, "SELECT v, channel FROM m WHERE time >= 20 ORDER BY time DESC"),
        "m[]: 30 Float(3.0) String(\"a\"); 20 Float(5.0) String(\"b\"); 20 Float(2.0) String(\"a\")"
    );
    assert_eq!(rows(&store, "SELECT last(v) FROM /^[mn]$/ WHERE channel = 'a'"), "m[]: 30 Float(3.0)");
    assert_eq!(rows(&store, "SELECT v FROM m WHERE channel = 'a' ORDER BY time DESC LIMIT 1"), "m[]: 30 Float(3.0)");
}

#[test]
fn what_the_store_does_not_check_is_checked_here() {
    let store = two_channels();
    assert_eq!(rows(&store, "SELECT v FROM m WHERE channel = ''"), "m[]: 15 Float(9.0)");
    assert_eq!(rows(&store, "SELECT count(v) FROM m WHERE channel !~ /^a/ AND v > 8"), "m[]: 0 Integer(1)");
    let filter = [TagCondition { key: "channel".to_owned(), matches: TagMatch::In(vec!["a".to_owned()]) }];
    let place = Place { database: "db".to_owned(), policy: None };
    assert_eq!(store.series(&place, "m", &filter).unwrap().len(), 3, "this store checks nothing");
}

#[test]
fn a_field_that_does_not_exist_is_not_asked_for() {
    let store = two_channels();
    assert_eq!(rows(&store, "SELECT nosuch FROM m"), "");
    assert_eq!(rows(&store, "SELECT v FROM nosuch"), "");
    assert_eq!(store.asked.load(Relaxed), 0);
}

#[test]
fn functions_and_windows_that_only_hissrv_has_are_computed() {
    let store = two_channels();
    let text = "SELECT time_weighted_mean(v) FROM m WHERE channel = 'a' AND time >= 10 AND time < 40";
    // Seconds of so few nanoseconds are rounded.
    let mean = rows(&store, text);
    assert!(mean.starts_with("m[]: 10 Float(2.0"), "{mean}");
    let text = "SELECT count(v) FROM m WHERE time >= 0 AND time < 100 GROUP BY time('1mo')";
    assert_eq!(rows(&store, text), "m[]: 0 Integer(5)");
}

#[test]
fn more_points_than_a_piece_arrive_and_no_more_than_wanted_are_taken() {
    let many: Vec<(i64, f64)> = (0..10_000).map(|i| (i, i as f64)).collect();
    let store = Memory::new(&[("a", &many)]);
    assert_eq!(rows(&store, "SELECT count(v), sum(v) FROM m"), "m[]: 0 Integer(10000) Float(49995000.0)");
    store.points_given.store(0, Relaxed);
    assert_eq!(rows(&store, "SELECT v FROM m LIMIT 1"), "m[]: 0 Float(0.0)");
    assert!(store.points_given.load(Relaxed) < 10_000);
}

#[test]
fn a_failing_store_ends_the_query_and_no_table_lacks_points() {
    for threads in [1, 4] {
        let many: Vec<(i64, f64)> = (0..5_000).map(|i| (i, 1.0)).collect();
        let names: Vec<String> = (0..200).map(|i| format!("c{i:03}")).collect();
        let channels: Vec<_> = names.iter().map(|name| (name.as_str(), many.as_slice())).collect();
        let mut store = Memory::new(&channels);
        store.fails = Some(("c150".to_owned(), 4_500));
        let (tables, outcome) = tables(&store, "SELECT count(v) FROM m GROUP BY channel", threads);
        assert_eq!(outcome.unwrap_err().to_string(), "the store failed: connection reset");
        assert!(tables.iter().all(|table| table.cells[0][0] == Cell::Integer(5_000)));
        assert!(tables.len() <= 150);
    }
}

#[test]
fn points_out_of_order_or_of_a_wrong_type_are_refused() {
    let store = Memory::new(&[("a", &[(20, 1.0), (10, 2.0)])]);
    let (_, outcome) = tables(&store, "SELECT v FROM m", 1);
    assert_eq!(outcome.unwrap_err().to_string(), "the store failed: a point of field `v` of `m` comes out of order");
    let store = Memory { is_wrong_type: true, ..two_channels() };
    let (_, outcome) = tables(&store, "SELECT v FROM m", 1);
    let message = "the store failed: a point of field `v` of `m` is of another type than the field";
    assert_eq!(outcome.unwrap_err().to_string(), message);
}

#[test]
fn a_missing_database_is_said_to_be_missing() {
    let (_, outcome) = tables(&two_channels(), "SELECT v FROM nosuch..m", 1);
    assert_eq!(outcome.unwrap_err().to_string(), "database not found: nosuch");
}

/// As [`Memory`], but asked once for several columns, newest series first.
struct Together {
    memory: Memory,
    questions: AtomicUsize,
}

impl Together {
    fn new(channels: usize, points: &[(i64, f64)]) -> Self {
        let names: Vec<String> = (0..channels).map(|i| format!("c{i:04}")).collect();
        let channels: Vec<_> = names.iter().map(|name| (name.as_str(), points)).collect();
        Self { memory: Memory::new(&channels), questions: AtomicUsize::new(0) }
    }

    fn answer(&self, text: &str, threads: usize) -> (usize, Result<query::Report, QueryError>) {
        let (tables, outcome) = tables(self, text, threads);
        (tables.len(), outcome)
    }
}

impl RawPoints for Together {
    fn measurements(&self, place: &Place) -> Result<Vec<String>, QueryError> {
        self.memory.measurements(place)
    }

    fn schema(&self, place: &Place, measurement: &str) -> Result<Schema, QueryError> {
        self.memory.schema(place, measurement)
    }

    fn series(&self, place: &Place, measurement: &str, filter: &[TagCondition]) -> Result<Vec<Tags>, QueryError> {
        self.memory.series(place, measurement, filter)
    }

    fn points(&self, column: &Column<'_>, range: TimeRange, visit: Visit<'_>) -> Result<(), QueryError> {
        self.questions.fetch_add(1, Relaxed);
        self.memory.points(column, range, visit)
    }

    fn points_of(&self, columns: &[Column<'_>], range: TimeRange, visit: VisitOf<'_>) -> Result<(), QueryError> {
        self.questions.fetch_add(1, Relaxed);
        let mut step = ControlFlow::Continue(());
        for (number, column) in columns.iter().enumerate().rev() {
            let mut visit = |time, value: FieldValue<'_>| {
                step = visit(number, time, value);
                step
            };
            self.memory.points(column, range, &mut visit)?;
            if step.is_break() {
                break;
            }
        }
        Ok(())
    }
}

#[test]
fn many_small_series_are_fetched_together() {
    for threads in [1, 4] {
        let store = Together::new(1000, &[(10, 1.0), (20, 2.0)]);
        let text = "SELECT sum(v) FROM m WHERE time >= 10 AND time < 30 GROUP BY channel";
        let (tables, outcome) = tables(&store, text, threads);
        outcome.unwrap();
        assert_eq!(tables.len(), 1000);
        assert!(tables.iter().all(|table| table.cells[0] == [Cell::Float(3.0)]));
        let questions = store.questions.load(Relaxed);
        assert!(questions < 100, "{questions} questions with {threads} threads");
    }
}

#[test]
fn fields_of_a_filter_read_over_other_ranges_are_not_fetched_in_vain() {
    let store = Together::new(200, &[(10, 1.0), (20, 2.0)]);
    assert_eq!(store.answer("SELECT sum(v) FROM m WHERE v > 1.5 GROUP BY channel", 1).0, 200);
    assert!(store.questions.load(Relaxed) < 20);
}

#[test]
fn large_series_are_read_one_by_one() {
    let many: Vec<(i64, f64)> = (0..30_000).map(|i| (i, 1.0)).collect();
    let store = Together::new(10, &many);
    let (tables, outcome) = tables(&store, "SELECT count(v) FROM m GROUP BY channel", 2);
    outcome.unwrap();
    assert_eq!(tables.len(), 10);
    assert!(tables.iter().all(|table| table.cells[0] == [Cell::Integer(30_000)]));
    let questions = store.questions.load(Relaxed);
    assert!((7..=12).contains(&questions), "{questions} questions");
}

#[test]
fn what_goes_wrong_ahead_ends_the_query_too() {
    let mut store = Together::new(100, &[(10, 1.0), (20, 2.0)]);
    store.memory.fails = Some(("c0070".to_owned(), 1));
    let (given, outcome) = store.answer("SELECT sum(v) FROM m GROUP BY channel", 1);
    assert_eq!(outcome.unwrap_err().to_string(), "the store failed: connection reset");
    assert!(given <= 70);
    let mut store = Together::new(100, &[(20, 1.0), (10, 2.0)]);
    store.memory.is_wrong_type = true;
    assert!(store.answer("SELECT v FROM m", 1).1.is_err());
}
