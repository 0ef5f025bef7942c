//! Queries: what PostgreSQL takes over, and how they end. That answers are those of the embedded engine is the promise of every store
//! (`tests/stores`).

use std::thread;
use std::time::Instant;

use model::FieldValue::{Float, Integer};
use query::aggregate::Registry;
use query::compile::{Context, Dialect, compile};
use query::execute::Options;
use query::store::{Place, SeriesQuery};
use query::{Cancel, Cell, Limits, QueryError, Table};

use super::*;
use crate::Query;

const SECOND: i64 = 1_000_000_000;

fn ask_with(
    store: &Postgres,
    database: &str,
    question: &str,
    limits: &Limits,
    cancel: &Cancel,
) -> Result<Vec<Table>, QueryError> {
    let parsed = influxql::parse(question, &influxql::Params::default(), &influxql::Limits::default()).unwrap();
    let [influxql::ast::Statement::Select(select)] = parsed.as_slice() else { panic!("{question}") };
    let (now, database) = (TimestampNs(0), Some(database.to_owned()));
    let context = Context { now, database, policy: None, dialect: Dialect::Extended, into: false };
    let plan = compile(select, &context).unwrap();
    let options = Options {
        limits,
        cancel,
        registry: Registry::shared(),
        threads: 2,
        into: false,
        shortcuts: query::Shortcuts::NONE,
        cache: None,
    };
    let mut tables = Vec::new();
    store.query(&plan, &options, &mut |table| {
        tables.push(table);
        Ok(())
    })?;
    Ok(tables)
}

fn ask(store: &Postgres, database: &str, question: &str) -> Vec<Table> {
    ask_with(store, database, question, &Limits::default(), &Cancel::new()).unwrap()
}

/// The only column of all tables.
fn cells(tables: &[Table]) -> Vec<Cell> {
    tables.iter().flat_map(|table| table.cells[0].clone()).collect()
}

/// Series with a value a second.
fn written(database: &str, series: i64, seconds: i64) -> Postgres {
    let (store, to) = (store(), to(database));
    let mut session = store.session();
    for number in 0..series {
        let key = format!("m,n={number:04},odd={}", number % 2);
        let value = |second: i64| Float((number * 1000 + second) as f64);
        let list: Vec<_> = (0..seconds).map(|s| point(&key, "v", value(s), s * SECOND)).collect();
        write(&mut *session, &to, &list).unwrap();
    }
    store
}

#[test]
fn windows_of_many_series_are_summed_up_by_the_server() {
    let store = written("sums", 70, 100);
    let tables =
        ask(&store, "sums", "SELECT sum(v), last(v), count(v) FROM m WHERE time < 100s GROUP BY time(50s), odd");
    assert_eq!(tables.len(), 2);
    // Of the even series: 0, 2, .. 68 thousands, and 0 to 49.
    let sum = (0..35).map(|n| (0..50).map(|s| n * 2000 + s).sum::<i64>()).sum::<i64>() as f64;
    let first_row: Vec<Cell> = tables[0].cells.iter().map(|column| column[0].clone()).collect();
    assert_eq!(first_row, [Cell::Float(sum), Cell::Float(68_049.0), Cell::Integer(35 * 50)]);
}

#[test]
fn a_sum_too_large_for_the_server_is_reckoned_here() {
    let (store, to) = (store(), to("large"));
    let list: Vec<_> = (0..4).map(|s| point("m", "v", Float(f64::MAX), s * SECOND)).collect();
    write(&mut *store.session(), &to, &list).unwrap();
    assert_eq!(cells(&ask(&store, "large", "SELECT sum(v) FROM m")), [Cell::Float(f64::INFINITY)]);
}

#[test]
fn the_newest_rows_are_found_without_reading_the_others() {
    let store = written("newest", 3, 2000);
    let rows = ask(&store, "newest", "SELECT v FROM m WHERE v > 10 ORDER BY time DESC LIMIT 4 OFFSET 1");
    // Rows of the same time: the order of the series is turned round, too.
    assert_eq!(cells(&rows), [2999.0, 1999.0, 3998.0, 2998.0].map(Cell::Float));
}

#[test]
fn a_query_that_nobody_waits_for_ends_on_the_server_too() {
    let store = written("cancelled", 2, 10);
    let mut other = client(server());
    let mut held = other.transaction().unwrap();
    held.batch_execute("LOCK TABLE cancelled.m IN ACCESS EXCLUSIVE MODE").unwrap();
    let cancel = Cancel::new();
    let limits = Limits { timeout: Duration::from_millis(700), ..Limits::default() };
    let question = "SELECT mean(v) FROM m";
    let begin = Instant::now();
    let outcome = ask_with(&store, "cancelled", question, &limits, &cancel);
    assert!(matches!(outcome, Err(QueryError::Cancelled("its time was up"))), "{outcome:?}");
    thread::scope(|scope| {
        let cancel_later = cancel.clone();
        scope.spawn(move || {
            thread::sleep(Duration::from_millis(300));
            cancel_later.cancel();
        });
        let outcome = ask_with(&store, "cancelled", question, &Limits::default(), &cancel);
        assert!(matches!(outcome, Err(QueryError::Cancelled(_))), "{outcome:?}");
    });
    assert!(begin.elapsed() < Duration::from_secs(5), "{:?}", begin.elapsed());
    let mut watcher = client(server());
    let waiting =
        "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND query LIKE '%\"cancelled\"%'";
    let until = Instant::now() + Duration::from_secs(5);
    while rows(&mut watcher, waiting) != ["(0)"] {
        assert!(Instant::now() < until, "still waiting");
        thread::sleep(Duration::from_millis(50));
    }
    held.commit().unwrap();
    assert_eq!(cells(&ask(&store, "cancelled", question)).len(), 1);
}

#[test]
fn limits_of_a_query_hold() {
    let store = written("limited", 4, 500);
    let few = Limits { max_points: 100, ..Limits::default() };
    let outcome = ask_with(&store, "limited", "SELECT v FROM m", &few, &Cancel::new());
    assert!(matches!(outcome, Err(QueryError::TooMuch { .. })), "{outcome:?}");
    assert_eq!(cells(&ask(&store, "limited", "SELECT v FROM m")).len(), 2000, "the connection goes on");
}

#[test]
fn a_place_that_does_not_exist_is_named() {
    let outcome = ask_with(&store(), "nowhere", "SELECT v FROM m", &Limits::default(), &Cancel::new());
    assert!(
        matches!(&outcome, Err(QueryError::NotFound { what: "database", name }) if name == "nowhere"),
        "{outcome:?}"
    );
    let store = written("somewhere", 1, 1);
    let outcome = ask_with(&store, "somewhere", "SELECT v FROM hourly.m", &Limits::default(), &Cancel::new());
    assert!(matches!(outcome, Err(QueryError::NotFound { what: "retention policy", .. })), "{outcome:?}");
}

#[test]
fn the_latest_values_come_with_all_tags() {
    let store = written("latest", 2, 3);
    let to = to("latest");
    write(&mut *store.session(), &to, &[point("m,n=0000,odd=0", "w", Integer(7), 0)]).unwrap();
    let place = Place { database: "latest".to_owned(), policy: None };
    let query = SeriesQuery { measurement: "m".to_owned(), ..SeriesQuery::default() };
    let found = store.latest(&place, query, &Cancel::new()).unwrap();
    let shown: Vec<String> = found
        .series
        .iter()
        .map(|s| format!("{}={:?}@{}", s.columns[0].name, s.columns[0].cells[0], s.times[0].0 / SECOND))
        .collect();
    assert_eq!(shown, ["v=Float(2.0)@2", "w=Integer(7)@0", "v=Float(1002.0)@2"]);
    assert_eq!(found.series[0].tags.len(), 2);
}
