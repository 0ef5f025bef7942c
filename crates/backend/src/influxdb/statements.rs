//! InfluxQL statements other than SELECT, run on a server, and their small answers. Statements are printed from syntax trees, so
//! that a name can never be read as anything but a name.

use influxql::ast::Statement;
use serde::Deserialize;
use serde_json::Value;

use crate::WriteError;
use crate::http::{Http, form};

/// A server's `/query`.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Statements<'a> {
    /// The server.
    pub(crate) http: &'a Http,
    /// Its name for people.
    pub(crate) product: &'a str,
}

/// Why a statement has not been run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum StatementError {
    /// The server says no to this statement, in these words.
    Refused(String),
    /// The request failed.
    Failed(WriteError),
}

/// One table of an answer.
#[derive(Debug, Clone, Default, Deserialize)]
pub(crate) struct Table {
    /// Its name; empty where it has none.
    #[serde(default)]
    pub(crate) name: String,
    columns: Vec<String>,
    #[serde(default)]
    values: Vec<Vec<Value>>,
}

impl Table {
    /// Its rows.
    pub(crate) fn rows(&self) -> impl Iterator<Item = Row<'_>> {
        self.values.iter().map(|values| Row { columns: &self.columns, values })
    }
}

/// One row of a table.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Row<'a> {
    columns: &'a [String],
    values: &'a [Value],
}

impl<'a> Row<'a> {
    /// The value of a column; `None` without such a column.
    pub(crate) fn get(self, column: &str) -> Option<&'a Value> {
        self.values.get(self.columns.iter().position(|name| name == column)?)
    }

    /// The text of a column; empty without one.
    pub(crate) fn text(self, column: &str) -> &'a str {
        self.get(column).and_then(Value::as_str).unwrap_or_default()
    }
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Answer {
    results: Vec<Outcome>,
    error: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Outcome {
    series: Vec<Table>,
    error: Option<String>,
}

impl Statements<'_> {
    /// Runs one statement and gives its tables.
    ///
    /// # Errors
    /// [`StatementError`].
    pub(crate) fn run(&self, statement: &Statement) -> Result<Vec<Table>, StatementError> {
        let body = form(&[("q", &statement.to_string()), ("epoch", "ns")]);
        let reply = match self.http.post_form("/query", &body) {
            Ok(reply) => reply,
            // What cannot be parsed: a word that this server does not know.
            Err(error) if error.status() == Some(400) => return Err(StatementError::Refused(error.reason())),
            Err(error) => return Err(StatementError::Failed(error.into_refusal(self.product))),
        };
        let wrong = |error| {
            let message = format!("{}: {} did not answer as expected: {error}", self.product, self.http.endpoint());
            StatementError::Failed(WriteError::Away { message })
        };
        let answer: Answer = serde_json::from_str(&reply.body).map_err(wrong)?;
        let refused = answer.results.iter().find_map(|outcome| outcome.error.clone()).or(answer.error);
        match refused {
            Some(reason) => Err(StatementError::Refused(reason)),
            None => Ok(answer.results.into_iter().flat_map(|outcome| outcome.series).collect()),
        }
    }

    /// Runs a statement that cannot well be refused.
    ///
    /// # Errors
    /// Those of the request; a refusal is [`WriteError::Denied`].
    pub(crate) fn demand(&self, statement: &Statement) -> Result<Vec<Table>, WriteError> {
        self.run(statement).map_err(|error| match error {
            StatementError::Failed(error) => error,
            StatementError::Refused(reason) => {
                WriteError::Denied { message: format!("{}: {statement}: {reason}", self.product) }
            }
        })
    }
}
