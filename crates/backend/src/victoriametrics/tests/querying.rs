//! What VictoriaMetrics sums up itself is what comes out of the points when they are fetched.

use model::TimeRange;
use query::aggregate::Registry;
use query::compile::{Context, Dialect, compile};
use query::execute::Options;
use query::store::{Place, Schema, SeriesQuery, TagCondition};
use query::{Cancel, Cell, Limits, QueryError, QueryResult, Select, collect};

use super::super::query::VmPoints;
use super::*;
use crate::remote::{self, Column, RawPoints, Tags, Visit};
use crate::{Health, Points, Query, Write};

const SECOND: i64 = 1_000_000_000;
const MINUTE: i64 = 60 * SECOND;
const HOUR: i64 = 60 * MINUTE;

/// The start of an hour.
const START: i64 = T - T % HOUR;

/// The same points, of which the store sums up none.
struct Fetched<'s>(VmPoints<'s>);

impl RawPoints for Fetched<'_> {
    fn measurements(&self, place: &Place) -> Result<Vec<String>, QueryError> {
        self.0.measurements(place)
    }

    fn schema(&self, place: &Place, measurement: &str) -> Result<Schema, QueryError> {
        self.0.schema(place, measurement)
    }

    fn series(&self, place: &Place, measurement: &str, filter: &[TagCondition]) -> Result<Vec<Tags>, QueryError> {
        self.0.series(place, measurement, filter)
    }

    fn points(&self, column: &Column<'_>, range: TimeRange, visit: Visit<'_>) -> Result<(), QueryError> {
        self.0.points(column, range, visit)
    }
}

fn plan(text: &str, now: i64) -> Select {
    let statements = influxql::parse(text, &influxql::Params::default(), &influxql::Limits::default()).unwrap();
    let [influxql::ast::Statement::Select(select)] = statements.as_slice() else { panic!("{text}") };
    let database = Some(place().database);
    let context = Context { now: TimestampNs(now), database, policy: None, dialect: Dialect::Extended, into: false };
    compile(select, &context).unwrap()
}

fn answer(store: &VictoriaMetrics, plan: &Select, is_fetched: bool) -> Result<QueryResult, QueryError> {
    let cancel = Cancel::new();
    collect(plan, &Limits::default(), |plan, limits, sink| {
        let options = Options {
            limits,
            cancel: &cancel,
            registry: Registry::shared(),
            threads: 2,
            into: false,
            shortcuts: query::Shortcuts::NONE,
            cache: None,
        };
        if is_fetched {
            remote::run(&Fetched(store.points(limits)?), plan, &options, sink)
        } else {
            store.query(plan, &options, sink)
        }
    })
}

fn write(server: &Server, store: &VictoriaMetrics, points: &PointList) {
    store.session().write(points, 0..points.len()).unwrap();
    rig::http_get(&format!("{}/internal/force_flush", server.url()));
}

/// A server that counts questions.
fn counting(more: &[&str]) -> Server {
    let counts = "-search.queryStats.minQueryDuration=0s";
    rig::victoriametrics_with(&[&["-retentionPeriod=100y", counts], more].concat())
}

/// How often the server was asked to sum up.
fn sums(server: &Server) -> u64 {
    let text = rig::http_get(&format!("{}/api/v1/status/top_queries?topN=100000", server.url()));
    let answer: serde_json::Value = serde_json::from_str(&text).unwrap();
    answer["topByCount"].as_array().unwrap().iter().map(|query| query["count"].as_u64().unwrap()).sum()
}

/// Asks both ways; says in how many requests the store summed up.
#[track_caller]
fn same(server: &Server, store: &VictoriaMetrics, question: &str, now: i64) -> u64 {
    let plan = plan(question, now);
    let before = sums(server);
    let found = answer(store, &plan, false).unwrap();
    let asked = sums(server) - before;
    let expected = answer(store, &plan, true).unwrap();
    assert_eq!(sums(server), before + asked, "points are fetched");
    assert!(!expected.series.is_empty(), "{question}");
    assert_eq!(found.series.len(), expected.series.len(), "{question}");
    for (found, expected) in found.series.iter().zip(&expected.series) {
        assert_eq!((&found.tags, &found.times), (&expected.tags, &expected.times), "{question}");
        for (a, b) in found.columns.iter().zip(&expected.columns) {
            let is_near = |(a, b): (&Cell, &Cell)| match (a, b) {
                (Cell::Float(a), Cell::Float(b)) => (a - b).abs() <= 1e-9 * b.abs().max(1.0),
                (a, b) => a == b,
            };
            assert!(a.cells.iter().zip(&b.cells).all(is_near), "{question}\n{:?}\n{:?}", a.cells, b.cells);
        }
    }
    asked
}

/// Three hours and a half of three series, one with a gap, one with few points.
fn plant(start: i64) -> PointList {
    let mut list = PointList::new(place());
    let mut add = |series: &str, value: f64, time: i64| {
        list.push(Point {
            series: series.as_bytes(),
            field: "v",
            value: FieldValue::Float(value),
            time: TimestampNs(time),
        });
    };
    for n in 0..1800 {
        let time = start + n * 7 * SECOND + 13_000_000;
        add("m,channel=1", (n * n % 101) as f64 / 8.0, time);
        if !(600..900).contains(&n) {
            add("m,channel=1,site=north", (n % 17) as f64 - 5.0, time);
        }
        if n % 250 == 0 {
            add("m,channel=2", n as f64, time);
        }
    }
    // The edges of a window.
    for time in [start, start + HOUR - 1_000_000, start + HOUR] {
        add("m,channel=1", 1000.0, time);
    }
    list
}

#[test]
fn sums_over_windows_are_those_of_the_points() {
    let server = counting(&["-dedup.minScrapeInterval=1ms"]);
    let store = store(&server);
    store.probe().unwrap();
    write(&server, &store, &plant(START));
    let range = format!("time >= {} AND time < {}", START + 100 * SECOND, START + 3 * HOUR + 1);
    let calls = "count(v), mean(v), sum(v), min(v), max(v), first(v), last(v), spread(v)";
    for tail in
        ["time(10m)", "time(1h), channel", "time(1h), *", "time(5m, 90s), site fill(linear)", "time(1h) fill(none)"]
    {
        assert!(
            same(&server, &store, &format!("SELECT {calls} FROM m WHERE {range} GROUP BY {tail}"), T) >= 3,
            "{tail}"
        );
    }
    let none = format!("SELECT {calls} FROM m WHERE {range} GROUP BY time(20s)");
    assert_eq!(same(&server, &store, &none, T), 0, "windows that are too short");
    for question in [
        format!("SELECT {calls} FROM m WHERE {range} AND site = 'north' GROUP BY time(30m)"),
        format!("SELECT mean(v) FROM m WHERE {range} AND channel =~ /^[12]$/ AND site != 'north' GROUP BY time(30m)"),
        format!("SELECT mean(v) FROM m WHERE {range} AND channel =~ /1|3/ AND site !~ /south/ GROUP BY time(30m)"),
        format!("SELECT mean(v) FROM m WHERE {range} AND site = '' GROUP BY time(30m)"),
        format!("SELECT count(v) FROM m WHERE {range} GROUP BY time('1d') tz('Asia/Kolkata')"),
        format!("SELECT {calls} FROM m"),
        format!("SELECT {calls} FROM m WHERE {range} GROUP BY channel"),
        "SELECT mean(v) FROM m GROUP BY time(1m), * fill(none)".to_owned(),
        "SELECT last(v) FROM m GROUP BY *".to_owned(),
        format!("SELECT max(mean) FROM (SELECT mean(v) FROM m WHERE {range} GROUP BY time(10m), *)"),
    ] {
        assert!(same(&server, &store, &question, T) > 0, "{question}");
    }
    for question in [
        format!("SELECT median(v), mean(v) FROM m WHERE {range} GROUP BY time(1h)"),
        format!("SELECT mean(v) FROM m WHERE {range} AND v > 3 GROUP BY time(1h)"),
        format!("SELECT max(v) FROM m WHERE {range}"),
        format!("SELECT v FROM m WHERE {range}"),
    ] {
        assert_eq!(same(&server, &store, &question, T), 0, "{question}");
    }
}

#[test]
fn the_newest_points_are_counted_at_once() {
    let server = counting(&["-dedup.minScrapeInterval=1ms"]);
    let store = store(&server);
    store.probe().unwrap();
    let now = store.shared.known().writer.unwrap().now_ms().unwrap() * 1_000_000;
    write(&server, &store, &plant(now - 3 * HOUR));
    for tail in ["time(30s), *", "time(1m)", "time(10m)", "time(1h), channel"] {
        for end in [now, now + 10 * SECOND, now + HOUR] {
            let question = format!(
                "SELECT count(v), sum(v), last(v) FROM m WHERE time >= {} AND time < {end} GROUP BY {tail}",
                now - 2 * HOUR
            );
            assert!(same(&server, &store, &question, now) > 0, "{question}");
        }
    }
}

#[test]
fn without_deduplication_points_sent_twice_count_once() {
    let server = counting(&[]);
    let store = store(&server);
    let points =
        list(place(), &[("m", "v", FieldValue::Float(2.0), START), ("m", "v", FieldValue::Float(3.0), START + SECOND)]);
    write(&server, &store, &points);
    write(&server, &store, &points);
    let question = format!("SELECT count(v), sum(v) FROM m WHERE time >= {START} GROUP BY time(1h) LIMIT 1");
    assert_eq!(same(&server, &store, &question, START + HOUR), 0);
    let found = answer(&store, &plan(&question, START + HOUR), false).unwrap();
    assert_eq!(found.series[0].columns[0].cells, [Cell::Integer(2)]);
    assert_eq!(found.series[0].columns[1].cells, [Cell::Float(5.0)]);
}

#[test]
fn what_others_wrote_is_read_without_values_that_are_no_numbers() {
    let server = counting(&["-dedup.minScrapeInterval=1ms"]);
    let store = store(&server);
    let ms = START / 1_000_000;
    let line = |value: &str, time: i64| {
        format!(
            "{{\"metric\":{{\"__name__\":\"m_v\",\"db\":\"ems\",\"rollup\":\"x\"}},\"values\":[{value}],\"timestamps\":[{time}]}}\n{{\"metric\":{{\"__name__\":\"i_v\",\"db\":\"ems\"}},\"values\":[{value}],\"timestamps\":[{time}]}}\n"
        )
    };
    let body = [line("1", ms), line("1e999", ms + 1), line("4", ms + 2)].concat();
    assert_eq!(rig::http_post(&format!("{}/api/v1/import", server.url()), &body).0, 204);
    rig::http_get(&format!("{}/internal/force_flush", server.url()));
    let windows = format!("WHERE time >= {START} AND time < {} GROUP BY time(1h)", START + 2 * HOUR);
    assert_eq!(
        same(&server, &store, &format!("SELECT sum(v), max(v), count(v) FROM m {windows}, *"), T),
        0,
        "a tag called rollup"
    );
    assert_eq!(same(&server, &store, &format!("SELECT sum(v), max(v), count(v) FROM i {windows}"), T), 1);
}

#[test]
fn the_latest_values_are_found_however_old_they_are() {
    let server = counting(&["-dedup.minScrapeInterval=1ms"]);
    let store = store(&server);
    store.probe().unwrap();
    let now = store.shared.known().writer.unwrap().now_ms().unwrap() * 1_000_000;
    let float = FieldValue::Float;
    write(
        &server,
        &store,
        &list(
            place(),
            &[
                ("m,a=1", "v", float(1.0), now - MINUTE),
                ("m,a=1", "v", float(2.0), now),
                ("m,a=1", "w", float(3.0), now - 40 * 24 * HOUR),
                ("m,a=2", "v", float(4.0), now + 24 * HOUR),
                ("m,a=3,b=x", "v", float(5.0), now - 20 * 365 * 24 * HOUR),
                ("m,a=3,b=x", "v", float(6.0), 5 * 24 * HOUR),
                ("m,a=4", "v", float(7.0), 2_000_000),
                ("m,rollup=r", "v", float(8.0), now),
                ("n,a=1", "v", float(9.0), now),
            ],
        ),
    );
    let latest = |filter: Vec<TagCondition>, fields: &[&str]| {
        let place = Place { database: "ems".to_owned(), policy: None };
        let fields = fields.iter().map(|field| (*field).to_owned()).collect();
        let query = SeriesQuery { measurement: "m".to_owned(), fields, filter, ..SeriesQuery::default() };
        let found = store.latest(&place, query, &Cancel::new()).unwrap().series.into_iter();
        let row = |series: query::ResultSeries| {
            let tags: Vec<String> = series.tags.iter().map(|(key, value)| format!("{key}={value}")).collect();
            let column = &series.columns[0];
            (format!("{} {}={:?}", tags.join(","), column.name, column.cells[0]), series.times[0].0)
        };
        found.map(row).collect::<Vec<_>>()
    };
    let cut = |time: i64| time - time % 1_000_000;
    let expected = [
        ("a=1 v=Float(2.0)", cut(now)),
        ("a=1 w=Float(3.0)", cut(now - 40 * 24 * HOUR)),
        ("a=2 v=Float(4.0)", cut(now + 24 * HOUR)),
        ("a=3,b=x v=Float(5.0)", cut(now - 20 * 365 * 24 * HOUR)),
        ("a=4 v=Float(7.0)", 2_000_000),
        ("rollup=r v=Float(8.0)", cut(now)),
    ]
    .map(|(text, time)| (text.to_owned(), time));
    assert_eq!(latest(Vec::new(), &[]), expected);
    let is_three = TagCondition { key: "a".to_owned(), matches: query::store::TagMatch::In(vec!["3".to_owned()]) };
    assert_eq!(latest(vec![is_three], &["v", "none"]), expected[3..4]);
}

#[test]
fn more_series_than_it_finds_are_a_limit_that_is_named() {
    let server = counting(&["-search.maxSeries=2"]);
    let store = store(&server);
    let series = ["m,a=1", "m,a=2", "m,a=3"].map(|series| (series, "v", FieldValue::Float(1.0), START));
    write(&server, &store, &list(place(), &series));
    let error = answer(&store, &plan("SELECT v FROM m", START), false).unwrap_err();
    assert!(matches!(&error, QueryError::TooMuch { limit, .. } if limit.starts_with("2 series")), "{error}");
    answer(&store, &plan("SELECT v FROM m WHERE a = '2'", START), false).unwrap();
}

#[test]
fn another_separator_of_measurement_and_field_is_used() {
    let server = counting(&["-influxMeasurementFieldSeparator=:"]);
    let store = store(&server);
    let points = [("a_b", "c_d", FieldValue::Float(1.0), START), ("a_b", "e", FieldValue::Float(2.0), START)];
    write(&server, &store, &list(place(), &points));
    let found = answer(&store, &plan("SELECT * FROM /./", START), false).unwrap();
    let names: Vec<_> = found.series[0].columns.iter().map(|column| column.name.as_str()).collect();
    assert_eq!((found.series[0].name.as_str(), names), ("a_b", vec!["c_d", "e"]));
}

#[test]
fn a_cluster_without_an_address_for_questions_says_so() {
    let url = "http://127.0.0.1:8480/insert/0/influx".parse().unwrap();
    let store = VictoriaMetrics::new(&VictoriaMetricsConfig::new(url)).unwrap();
    let error = answer(&store, &plan("SELECT v FROM m", T), false).unwrap_err();
    assert!(error.to_string().contains("query_url"), "{error}");
}
