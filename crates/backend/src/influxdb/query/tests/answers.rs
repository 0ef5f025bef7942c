//! What is made of answers, good and bad, that a server gives.

use std::io::{Cursor, Read};
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::time::{Duration, Instant};

use model::ByteSize;
use query::aggregate::Registry;
use query::execute::Options;
use query::{Cancel, Cell, Limits, QueryError, Table};

use super::super::{Ask, Schemas, run};
use super::plans::plant;
use super::reference::{Pair, plan};

/// Says the same to every question but those for fields.
struct Parrot {
    answer: Vec<u8>,
    fields: &'static str,
    asked: Mutex<Vec<String>>,
}

impl Parrot {
    fn new(answer: &str) -> Self {
        Self { answer: answer.as_bytes().to_vec(), fields: "", asked: Mutex::default() }
    }
}

impl Ask for Parrot {
    fn ask(&self, _: &str, _: Option<&str>, text: &str) -> Result<Box<dyn Read>, QueryError> {
        self.asked.lock().unwrap().push(text.to_owned());
        let fields = format!(
            r#"{{"results":[{{"statement_id":0,"series":[{{"name":"m","columns":["fieldKey","fieldType"],"values":[{}]}}]}}]}}"#,
            self.fields
        );
        let answer = if text.starts_with("SHOW FIELD") { fields.into_bytes() } else { self.answer.clone() };
        Ok(Box::new(Cursor::new(answer)))
    }
}

fn tables(asker: &dyn Ask, text: &str, limits: &Limits, cancel: &Cancel) -> Result<Vec<Table>, QueryError> {
    let options = Options {
        limits,
        cancel,
        registry: Registry::shared(),
        threads: 1,
        into: false,
        shortcuts: query::Shortcuts::NONE,
        cache: None,
    };
    let mut tables = Vec::new();
    run(asker, &Schemas::default(), &plan(text), &options, &mut |table| {
        tables.push(table);
        Ok(())
    })?;
    Ok(tables)
}

fn answer(answer: &str) -> Result<Vec<Table>, QueryError> {
    tables(&Parrot::new(answer), "SELECT v FROM m", &Limits::default(), &Cancel::new())
}

/// A document with rows of a time and a value, or more values.
fn rows(rows: &str, more: &str) -> String {
    format!(
        r#"{{"results":[{{"statement_id":0,"series":[{{"name":"m","columns":["time","v"],"values":[{rows}]{more}}}]{more}}}]}}"#
    ) + "\n"
}

const MORE: &str = r#","partial":true"#;

#[test]
fn an_answer_in_several_parts_becomes_tables_as_it_comes() {
    let text = rows("[1,2.5],[2,null]", MORE) + &rows(r#"[3,1]"#, "");
    let tables = answer(&text).unwrap();
    let cells: Vec<_> = tables.iter().flat_map(|table| table.cells[0].clone()).collect();
    assert_eq!(cells, [Cell::Float(2.5), Cell::Null, Cell::Float(1.0)], "floats from the first one on");
    assert_eq!((tables.len(), tables[0].columns.clone()), (2, vec!["time".to_owned(), "v".to_owned()]));
}

#[test]
fn the_type_of_a_field_decides_what_a_whole_number_is() {
    let mut parrot = Parrot::new(&rows("[1,5],[2,-0],[3,18446744073709551615]", ""));
    for (fields, expected) in [
        (r#"["v","float"]"#, [Cell::Float(5.0), Cell::Float(-0.0), Cell::Float(18446744073709551615.0)]),
        (
            r#"["v","integer"],["v","float"]"#,
            [Cell::Float(5.0), Cell::Float(-0.0), Cell::Float(18446744073709551615.0)],
        ),
        (r#"["v","unsigned"]"#, [Cell::Unsigned(5), Cell::Float(-0.0), Cell::Unsigned(u64::MAX)]),
    ] {
        parrot.fields = fields;
        let tables = tables(&parrot, "SELECT v FROM m", &Limits::default(), &Cancel::new()).unwrap();
        assert_eq!(tables[0].cells[0], expected, "{fields}");
    }
    let parrot = Parrot { fields: r#"["v","integer"]"#, ..Parrot::new(&rows("[1,5],[2,9223372036854775807]", "")) };
    let found = tables(&parrot, "SELECT v FROM m", &Limits::default(), &Cancel::new()).unwrap();
    assert_eq!(found[0].cells[0], [Cell::Integer(5), Cell::Integer(i64::MAX)]);
    let found = tables(&parrot, "SELECT mean(v) FROM m", &Limits::default(), &Cancel::new()).unwrap();
    assert_eq!(found[0].cells[0][0], Cell::Float(5.0), "means are floats");
}

#[test]
fn what_the_server_says_becomes_the_error() {
    let of =
        |message: &str| answer(&format!(r#"{{"results":[{{"statement_id":0,"error":"{message}"}}]}}"#)).unwrap_err();
    assert!(matches!(of("database not found: x"), QueryError::NotFound { what: "database", name } if name == "x"));
    assert!(matches!(of("retention policy not found: y"), QueryError::NotFound { what: "retention policy", .. }));
    assert!(matches!(of("max-select-series limit exceeded: (2/1)"), QueryError::TooMuch { .. }));
    assert!(matches!(of("engine is closed"), QueryError::Store(_)));
    let unknown = of("undefined function nope()");
    assert!(matches!(&unknown, QueryError::Invalid { message, .. } if message == "undefined function nope()"));
    assert_eq!(answer(r#"{"error":"error parsing query"}"#).unwrap_err().to_string(), "error parsing query");
    let later = rows("[1,2]", MORE) + r#"{"results":[{"statement_id":0,"error":"timeout reached"}]}"#;
    assert_eq!(answer(&later).unwrap_err().to_string(), "the store failed: timeout reached");
}

#[test]
fn an_answer_that_ends_too_early_is_an_error() {
    let early = "the store failed: its answer ended too early";
    for text in ["", "\n", &rows("[1,2]", MORE), r#"{"results":[{"statement_id":0,"ser"#] {
        assert_eq!(answer(text).unwrap_err().to_string(), early, "{text}");
    }
    assert_eq!(answer(r#"{"results":[{"statement_id":0}]}"#).unwrap(), []);
}

#[test]
fn what_is_no_answer_is_an_error() {
    for text in [
        "<html>502</html>",
        "json: unsupported value: +Inf",
        &rows(r#"["x",1]"#, ""),
        &rows("[1,2],[3]", ""),
        &rows("[1,2],[3,4,5]", ""),
        &rows("[1,2,3]", ""),
        &rows("[1,{}]", ""),
        "[]",
    ] {
        let error = answer(text).unwrap_err();
        assert!(matches!(error, QueryError::Store(_)), "{text}: {error}");
    }
}

#[test]
fn warnings_of_the_server_are_passed_on() {
    let text = r#"{"results":[{"statement_id":0,"messages":[{"level":"warning","text":"deprecated"}]}]}"#;
    let (limits, cancel) = (Limits::default(), Cancel::new());
    let options = Options {
        limits: &limits,
        cancel: &cancel,
        registry: Registry::shared(),
        threads: 1,
        into: false,
        shortcuts: query::Shortcuts::NONE,
        cache: None,
    };
    let warnings =
        run(&Parrot::new(text), &Schemas::default(), &plan("SELECT v FROM m"), &options, &mut |_| Ok(())).unwrap();
    assert_eq!(warnings.warnings, ["deprecated"]);
}

#[test]
fn limits_hold_while_an_answer_is_read() {
    let text = rows("[1,2],[2,2]", MORE) + &rows("[3,2]", "");
    let with = |limits: Limits| {
        tables(&Parrot::new(&text), "SELECT v FROM m", &limits, &Cancel::new()).map(|_| ()).map_err(|e| e.to_string())
    };
    assert_eq!(with(Limits { max_rows: 3, ..Limits::default() }), Ok(()));
    let too_many = "the query would exceed max_rows = 2: at least 3 rows";
    assert_eq!(with(Limits { max_rows: 2, ..Limits::default() }), Err(too_many.to_owned()));
    let small = with(Limits { max_memory: ByteSize(100), ..Limits::default() }).unwrap_err();
    assert!(small.starts_with("the query would exceed max_memory = 100B"), "{small}");
    let late = with(Limits { timeout: Duration::ZERO, ..Limits::default() });
    assert_eq!(late, Err("the query was cancelled: its time was up".to_owned()));
    let cancel = Cancel::with_deadline(Instant::now());
    let error = tables(&Parrot::new(&text), "SELECT v FROM m", &Limits::default(), &cancel).unwrap_err();
    assert!(matches!(error, QueryError::Cancelled(_)));
}

#[test]
fn who_wants_no_more_rows_ends_the_answer() {
    let text = rows("[1,2]", MORE) + "this is not read any more";
    let (limits, cancel) = (Limits::default(), Cancel::new());
    let options = Options {
        limits: &limits,
        cancel: &cancel,
        registry: Registry::shared(),
        threads: 1,
        into: false,
        shortcuts: query::Shortcuts::NONE,
        cache: None,
    };
    let outcome = run(&Parrot::new(&text), &Schemas::default(), &plan("SELECT v FROM m"), &options, &mut |_| {
        Err(QueryError::Enough)
    });
    assert!(outcome.is_ok());
}

/// Fails in the middle of the third answer.
struct Breaking<'a> {
    pair: &'a Pair,
    breaks: AtomicBool,
}

impl Ask for Breaking<'_> {
    fn ask(&self, database: &str, policy: Option<&str>, text: &str) -> Result<Box<dyn Read>, QueryError> {
        let answer = self.pair.server.ask(database, policy, text)?;
        if !text.contains("'b'") || !self.breaks.load(Relaxed) {
            return Ok(answer);
        }
        Ok(Box::new(answer.take(300).chain(Broken)))
    }
}

struct Broken;

impl Read for Broken {
    fn read(&mut self, _: &mut [u8]) -> std::io::Result<usize> {
        Err(std::io::Error::other("connection reset by peer"))
    }
}

#[test]
fn a_connection_that_breaks_ends_a_computed_query_too() {
    let pair = Pair::new(&plant());
    let asker = Breaking { pair: &pair, breaks: AtomicBool::new(true) };
    for text in [
        "SELECT time_weighted_mean(v) FROM m GROUP BY host",
        "SELECT v FROM m WHERE host = 'b'",
        "SELECT percentile_approx(v, 50) FROM m",
    ] {
        let error = tables(&asker, text, &Limits::default(), &Cancel::new()).unwrap_err();
        assert_eq!(error.to_string(), "the store failed: reading its answer: connection reset by peer", "{text}");
    }
    asker.breaks.store(false, Relaxed);
    assert!(tables(&asker, "SELECT time_weighted_mean(v) FROM m", &Limits::default(), &Cancel::new()).is_ok());
}
