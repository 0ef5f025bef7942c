//! What is answered.

use model::TimestampNs;

use crate::{CacheUse, Provenance};

/// Answer to a plan, as a whole.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct QueryResult {
    /// Series in the order of their tags' values.
    pub series: Vec<ResultSeries>,
    /// What the reader should know: parts that were damaged or left out.
    pub warnings: Vec<String>,
    /// True when a row limit cut the answer short.
    pub partial: bool,
    /// Where values come from, oldest first; empty where the store does not tell.
    pub provenance: Vec<Provenance>,
    /// What the cache did.
    pub cache: CacheUse,
}

/// One series of an answer, column by column.
#[derive(Debug, Clone, PartialEq)]
pub struct ResultSeries {
    /// Measurement.
    pub name: String,
    /// Tags that were grouped by.
    pub tags: Vec<(String, String)>,
    /// Times of the rows.
    pub times: Vec<TimestampNs>,
    /// Columns in the order asked for, each as long as `times`.
    pub columns: Vec<ResultColumn>,
}

/// One column of an answer.
#[derive(Debug, Clone, PartialEq)]
pub struct ResultColumn {
    /// Field key, alias or tag key.
    pub name: String,
    /// One cell a row.
    pub cells: Vec<Cell>,
}

/// Rows of one series of an answer, or a part of them, as InfluxDB's `/query` shows them.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Table {
    /// Measurement, or what a statement calls its rows; empty: without a name.
    pub name: String,
    /// Tags that were grouped by.
    pub tags: Vec<(String, String)>,
    /// Names of all columns, that of the time included.
    pub columns: Vec<String>,
    /// The first column, where it is one of times.
    pub times: Option<Vec<TimestampNs>>,
    /// The further columns (all of them where there are no times), each of the same length.
    pub cells: Vec<Vec<Cell>>,
    /// Zone that times are printed in; UTC where there is none.
    pub zone: Option<jiff::tz::TimeZone>,
}

impl Table {
    /// Number of rows.
    pub fn len(&self) -> usize {
        self.times.as_ref().map_or_else(|| self.cells.first().map_or(0, Vec::len), Vec::len)
    }

    /// True when there is no row.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Drops the rows behind the first `rows`.
    pub(crate) fn truncate(&mut self, rows: usize) {
        if let Some(times) = &mut self.times {
            times.truncate(rows);
        }
        self.cells.iter_mut().for_each(|cells| cells.truncate(rows));
    }
}

/// One value of an answer.
#[derive(Debug, Clone, PartialEq, Default)]
pub enum Cell {
    /// Nothing there.
    #[default]
    Null,
    /// A float.
    Float(f64),
    /// An integer.
    Integer(i64),
    /// An unsigned integer.
    Unsigned(u64),
    /// A boolean.
    Boolean(bool),
    /// Text.
    String(String),
}

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub enum QueryError {
    /// The question makes no sense: the message says what and where.
    #[error("{message}")]
    Invalid {
        /// What is wrong.
        message: String,
        /// What to do about it, when there is a good guess.
        hint: Option<String>,
    },
    /// A name that does not exist.
    #[error("{what} not found: {name}")]
    NotFound {
        /// `database`, `retention policy`, ...
        what: &'static str,
        /// As asked for.
        name: String,
    },
    /// A limit was reached; narrow the question.
    #[error("the query would exceed {limit}: {detail}")]
    TooMuch {
        /// The limit and its value.
        limit: String,
        /// How far it got.
        detail: String,
    },
    /// The caller went away or the time was up.
    #[error("the query was cancelled: {0}")]
    Cancelled(&'static str),
    /// The store failed.
    #[error("the store failed: {0}")]
    Store(String),
    /// No failure: who takes the answer in wants no more of it. The execution then ends as if that were all.
    #[error("no more rows are wanted")]
    Enough,
}

impl QueryError {
    /// [`QueryError::Invalid`] without a hint.
    pub fn invalid(message: impl Into<String>) -> Self {
        Self::Invalid { message: message.into(), hint: None }
    }

    /// [`QueryError::Invalid`] with a hint what to do.
    pub fn invalid_with_hint(message: impl Into<String>, hint: impl Into<String>) -> Self {
        Self::Invalid { message: message.into(), hint: Some(hint.into()) }
    }
}
