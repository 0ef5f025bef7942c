//! The requests of VictoriaMetrics' query interface and their answers.

use std::collections::BTreeMap;
use std::io::Read;

use model::ByteSize;
use query::{Limits, QueryError};
use serde::Deserialize;
use serde::de::DeserializeOwned;

use crate::http::{Http, HttpError, Stream, form};

use super::super::client::query_error;

/// Labels of a series.
pub(super) type Labels = BTreeMap<String, String>;

/// Largest answer taken as a whole: that of some hundred thousand series. Read, it takes a multiple of that.
const MAX_ANSWER: ByteSize = ByteSize(64 << 20);

/// The way for the questions of one query.
pub(super) struct Api<'c> {
    http: &'c Http,
    /// Longest time of one answer, as a parameter.
    timeout: String,
    max_bytes: ByteSize,
}

/// Times from `start` to `end`, both included, in milliseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Span {
    pub(super) start: i64,
    pub(super) end: i64,
}

/// The last time it understands, in 2262.
pub(super) const LAST_MS: i64 = i64::MAX / 1_000_000;

/// The first and the last time as parameters: without them, only what is recent is told.
const FIRST_SECOND: &str = "0.001";
const LAST_SECOND: &str = "9223372036";

/// One series of a computed answer: seconds since 1970, and values as text.
#[derive(Debug, Deserialize)]
pub(super) struct Series {
    pub(super) metric: Labels,
    pub(super) values: Vec<(f64, String)>,
}

#[derive(Deserialize)]
struct Answer<T> {
    data: T,
}

#[derive(Deserialize)]
struct Matrix {
    result: Vec<Series>,
}

impl<'c> Api<'c> {
    pub(super) fn new(http: &'c Http, limits: &Limits) -> Self {
        Self {
            http,
            timeout: format!("{}ms", limits.timeout.as_millis().max(1)),
            max_bytes: limits.max_memory.min(MAX_ANSWER),
        }
    }

    /// Names of labels of the series selected.
    pub(super) fn labels(&self, selector: &str) -> Result<Vec<String>, QueryError> {
        self.names("/api/v1/labels", selector)
    }

    /// Names of the metrics selected.
    pub(super) fn metrics(&self, selector: &str) -> Result<Vec<String>, QueryError> {
        self.names("/api/v1/label/__name__/values", selector)
    }

    /// The series selected.
    pub(super) fn series(&self, selector: &str) -> Result<Vec<Labels>, QueryError> {
        self.read(self.ask("/api/v1/series", &of_all_times(selector)).map_err(query_error)?)
    }

    /// Every query begins with it: a store that does not answer is noticed within its usual timeout.
    fn names(&self, path: &str, selector: &str) -> Result<Vec<String>, QueryError> {
        let reply = self.http.post_form(path, &self.form(&of_all_times(selector))).map_err(query_error)?;
        parse(reply.body.as_bytes())
    }

    /// What `expression` is at `span.start` and every `step_ms` after it up to `span.end`. `None`: it is more than the store is set up to
    /// compute.
    pub(super) fn range(&self, expression: &str, span: Span, step_ms: i64) -> Result<Option<Vec<Series>>, QueryError> {
        let (start, end, step) = (seconds(span.start), seconds(span.end), format!("{step_ms}ms"));
        let asked = [("query", expression), ("start", &start), ("end", &end), ("step", &step), ("nocache", "1")];
        match self.ask("/api/v1/query_range", &asked) {
            Ok(stream) => self.read::<Matrix>(stream).map(|matrix| Some(matrix.result)),
            Err(error) if matches!(error.status(), Some(400 | 422)) => {
                tracing::debug!(%error, "VictoriaMetrics does not compute a question, its points are fetched");
                Ok(None)
            }
            Err(error) => Err(query_error(error)),
        }
    }

    /// The points of the series selected, as lines of JSON of at most `rows` points.
    pub(super) fn export(&self, selector: &str, span: Span, rows: usize) -> Result<Stream, QueryError> {
        let (start, end, rows) = (seconds(span.start), seconds(span.end), rows.to_string());
        let asked = [("match[]", selector), ("start", &start), ("end", &end), ("max_rows_per_line", &rows)];
        self.ask("/api/v1/export", &asked).map_err(query_error)
    }

    fn ask(&self, path: &str, asked: &[(&str, &str)]) -> Result<Stream, HttpError> {
        self.http.stream(path, &self.form(asked))
    }

    fn form(&self, asked: &[(&str, &str)]) -> String {
        let mut asked = asked.to_vec();
        asked.push(("timeout", &self.timeout));
        // A cluster of which a part is away would answer with what is left, as if that were all.
        asked.push(("deny_partial_response", "1"));
        form(&asked)
    }

    fn read<T: DeserializeOwned>(&self, stream: Stream) -> Result<T, QueryError> {
        let mut text = Vec::new();
        stream.take(self.max_bytes.0.saturating_add(1)).read_to_end(&mut text).map_err(wrong)?;
        if text.len() as u64 > self.max_bytes.0 {
            let limit = format!("{} of one answer of VictoriaMetrics", self.max_bytes);
            return Err(QueryError::TooMuch { limit, detail: "it has too many series".to_owned() });
        }
        parse(&text)
    }
}

fn parse<T: DeserializeOwned>(text: &[u8]) -> Result<T, QueryError> {
    serde_json::from_slice(text).map(|answer: Answer<T>| answer.data).map_err(wrong)
}

fn wrong(error: impl std::fmt::Display) -> QueryError {
    QueryError::Store(format!("VictoriaMetrics: {error}"))
}

/// What the index knows of any time.
fn of_all_times(selector: &str) -> [(&str, &str); 3] {
    [("match[]", selector), ("start", FIRST_SECOND), ("end", LAST_SECOND)]
}

/// Milliseconds as the seconds of a parameter. It cuts them to whole milliseconds after a multiplication; the digit behind them sees to it
/// that the right one comes out.
fn seconds(ms: i64) -> String {
    format!("{}.{:03}4", ms / 1000, ms % 1000)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_millisecond_survives_a_multiplication_that_rounds_down() {
        for ms in [1, 999, 1_790_000_000_001, 1_795_333_643_123, LAST_MS] {
            let read = seconds(ms).parse::<f64>().unwrap() * 1e3;
            assert_eq!(read as i64, ms, "{}", seconds(ms));
        }
    }
}
