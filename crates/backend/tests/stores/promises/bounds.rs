//! A query ends when it should: cancelled, out of time, at a limit, or when nobody wants more.

use std::time::{Duration, Instant};

use model::ByteSize;
use query::aggregate::Registry;
use query::execute::Options;
use query::{Cancel, Limits, QueryError, Table};

use crate::data::{MINUTE, START, plant};
use crate::subjects::Subject;
use crate::trial::{Trial, plan};

/// Rows, and what is computed of them by the store itself where it can.
const QUESTIONS: [&str; 3] =
    ["SELECT power FROM m", "SELECT mean(power) FROM m GROUP BY device", "SELECT mode(state), sum(state) FROM m"];

/// A store with points, and the plan of a question.
fn asked<'a>(subject: &'a dyn Subject) -> Trial<'a> {
    let trial = Trial::new(subject);
    trial.write_list(&plant(trial.place()));
    trial
}

/// Runs a query within bounds; gives the rows before its end, and the end.
fn bounded(trial: &Trial<'_>, question: &str, limits: Limits, cancel: &Cancel) -> (usize, Result<(), QueryError>) {
    let mut rows = 0;
    let ended = fed(trial, question, limits, cancel, &mut |table| {
        rows += table.len();
        Ok(())
    });
    (rows, ended)
}

fn fed(
    trial: &Trial<'_>,
    question: &str,
    limits: Limits,
    cancel: &Cancel,
    sink: &mut dyn FnMut(Table) -> Result<(), QueryError>,
) -> Result<(), QueryError> {
    let plan = plan(question, &trial.place().database);
    let options = Options {
        limits: &limits,
        cancel,
        registry: Registry::shared(),
        threads: 2,
        into: false,
        shortcuts: query::Shortcuts::NONE,
        cache: None,
    };
    trial.subject.backend().query(&plan, &options, sink).map(drop)
}

pub(crate) fn a_cancelled_query_ends(subject: &dyn Subject) {
    let trial = asked(subject);
    let cancelled = Cancel::new();
    cancelled.cancel();
    let late = Cancel::with_deadline(Instant::now() - Duration::from_secs(1));
    for question in QUESTIONS {
        for cancel in [&cancelled, &late] {
            let (_, ended) = bounded(&trial, question, Limits::default(), cancel);
            assert!(matches!(ended, Err(QueryError::Cancelled(_))), "{question}: {ended:?}");
        }
    }
}

pub(crate) fn a_query_without_time_left_ends(subject: &dyn Subject) {
    let trial = asked(subject);
    for question in QUESTIONS {
        let limits = Limits { timeout: Duration::ZERO, ..Limits::default() };
        let (_, ended) = bounded(&trial, question, limits, &Cancel::new());
        assert!(matches!(ended, Err(QueryError::Cancelled(_) | QueryError::TooMuch { .. })), "{question}: {ended:?}");
    }
}

pub(crate) fn rows_are_limited(subject: &dyn Subject) {
    let trial = asked(subject);
    let range = format!("time >= {START} AND time < {}", START + 30 * MINUTE);
    for (question, max_rows) in [
        ("SELECT power FROM m".to_owned(), 50),
        ("SELECT mean(power) FROM m GROUP BY device".to_owned(), 2),
        (format!("SELECT mean(power) FROM m WHERE {range} GROUP BY time(1m)"), 20),
        (format!("SELECT mode(state) FROM m WHERE {range} GROUP BY time(1m)"), 20),
    ] {
        let (rows, ended) = bounded(&trial, &question, Limits { max_rows, ..Limits::default() }, &Cancel::new());
        assert!(matches!(ended, Err(QueryError::TooMuch { .. })), "{question}: {rows} rows, {ended:?}");
        assert!(rows as u64 <= max_rows, "{question}: {rows} rows");
    }
}

pub(crate) fn memory_is_limited(subject: &dyn Subject) {
    let trial = asked(subject);
    for question in ["SELECT power FROM m", "SELECT * FROM m", "SELECT mode(power), sum(state) FROM m GROUP BY device"]
    {
        let limits = Limits { max_memory: ByteSize(512), ..Limits::default() };
        let (_, ended) = bounded(&trial, question, limits, &Cancel::new());
        assert!(matches!(ended, Err(QueryError::TooMuch { .. })), "{question}: {ended:?}");
    }
}

pub(crate) fn a_reader_who_has_enough_gets_no_more(subject: &dyn Subject) {
    let trial = asked(subject);
    for question in ["SELECT power FROM m GROUP BY device", "SELECT mean(power) FROM m GROUP BY device"] {
        let mut tables = 0;
        let ended = fed(&trial, question, Limits::default(), &Cancel::new(), &mut |_| {
            tables += 1;
            Err(QueryError::Enough)
        });
        assert!(matches!((tables, &ended), (1, Ok(()))), "{question}: {tables} tables, {ended:?}");
        let ended =
            fed(&trial, question, Limits::default(), &Cancel::new(), &mut |_| Err(QueryError::Cancelled("gone")));
        assert!(matches!(ended, Err(QueryError::Cancelled("gone"))), "{question}: {ended:?}");
    }
}
