//! What is answered.

use model::TimestampNs;

/// Answer to a plan.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct QueryResult {
    /// Series in the order of their tags' values.
    pub series: Vec<ResultSeries>,
    /// What the reader should know: parts that were damaged or left out.
    pub warnings: Vec<String>,
    /// True when a row limit cut the answer short.
    pub partial: bool,
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
