//! The fake historian's InfluxQL: the text names what is answered, one statement a word, parted by semicolons.

use std::sync::atomic::Ordering::SeqCst;
use std::thread;
use std::time::Duration;

use model::TimestampNs;
use query::{Answer, Cell, Message, Outcome, QueryError, Table};
use server::{ApiError, ErrorKind, InfluxRequest};

use crate::fake::{Fake, wait_until};

const MINUTE: i64 = 60_000_000_000;
pub(crate) const START: i64 = 1_710_028_800_000_000_000;

/// `rows` minutes of series `channel`, from row `first` on.
pub(crate) fn minutes(channel: &str, first: i64, rows: i64) -> Table {
    Table {
        name: "m".to_owned(),
        tags: vec![("channel".to_owned(), channel.to_owned())],
        columns: vec!["time".to_owned(), "value".to_owned()],
        times: Some((first..first + rows).map(|i| TimestampNs(START + i * MINUTE)).collect()),
        cells: vec![(first..first + rows).map(|i| Cell::Float(i as f64 * 1.5)).collect()],
        zone: None,
    }
}

/// A list of names, as statements like SHOW DATABASES answer it.
pub(crate) fn names(names: &[&str]) -> Table {
    Table {
        name: "databases".to_owned(),
        columns: vec!["name".to_owned()],
        cells: vec![names.iter().map(|&name| Cell::String(name.to_owned())).collect()],
        ..Table::default()
    }
}

pub(crate) fn answer(fake: &Fake, request: &InfluxRequest, answer: &mut dyn Answer) -> Result<(), ApiError> {
    fake.requests.lock().unwrap().push(request.clone());
    if request.text == "wrong" {
        let message = "error parsing query: found wrong, expected SELECT at line 1, char 1";
        return Err(ApiError::new(ErrorKind::BadRequest, message));
    }
    let statements = request.text.split(';').map(str::trim).filter(|s| !s.is_empty());
    for (number, statement) in statements.enumerate() {
        answer.begin(number);
        let outcome = match run(fake, statement, request, answer) {
            Ok(messages) => Outcome::Done(messages),
            Err(error) => Outcome::Failed(error.to_string()),
        };
        let failed = matches!(outcome, Outcome::Failed(_));
        answer.end(outcome);
        if failed {
            break;
        }
    }
    Ok(())
}

fn run(
    fake: &Fake,
    statement: &str,
    request: &InfluxRequest,
    answer: &mut dyn Answer,
) -> Result<Vec<Message>, QueryError> {
    match statement {
        // Two series, the first in several tables.
        "two" => {
            answer.table(minutes("a", 0, 2))?;
            answer.table(minutes("a", 2, 3))?;
            answer.table(minutes("b", 0, 2))?;
        }
        "names" => answer.table(names(&["one", "two"]))?,
        "no-users" => answer.table(Table { name: String::new(), ..names(&[]) })?,
        "nothing" => {}
        "warn" => return Ok(vec![Message::warning("deprecated use of 'warn'")]),
        "fail" => {
            answer.table(minutes("a", 0, 5))?;
            return Err(QueryError::invalid("database not found: x"));
        }
        "many" => answer.table(minutes("a", 0, 10_000))?,
        "endless" => {
            let result = endless(fake, request, answer);
            fake.cancelled_queries.fetch_add(1, SeqCst);
            result?;
        }
        "slow" => {
            wait_until(|| request.cancel.check().is_err());
            fake.cancelled_queries.fetch_add(1, SeqCst);
            request.cancel.check()?;
        }
        "panic" => panic!("as the test asked"),
        "late-panic" => {
            answer.table(minutes("a", 0, 5))?;
            answer.table(minutes("b", 0, 5))?;
            // What was sent is on its way by then.
            thread::sleep(Duration::from_millis(200));
            panic!("as the test asked");
        }
        "held" => {
            fake.slow_started.fetch_add(1, SeqCst);
            wait_until(|| fake.release.load(SeqCst));
        }
        other => return Err(QueryError::invalid(format!("unknown statement {other}"))),
    }
    Ok(Vec::new())
}

fn endless(fake: &Fake, request: &InfluxRequest, answer: &mut dyn Answer) -> Result<(), QueryError> {
    for i in 0.. {
        request.cancel.check()?;
        answer.table(minutes("a", i * 1000, 1000))?;
        fake.tables.fetch_add(1, SeqCst);
    }
    Ok(())
}
