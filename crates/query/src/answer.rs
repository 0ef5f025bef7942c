//! Where answers go while they are made, so that a long one need not be held as a whole.

use crate::{QueryError, Table};

/// Takes the answer to a request of one or several InfluxQL statements.
pub trait Answer {
    /// The statement with this number, from 0, starts.
    fn begin(&mut self, statement: usize);

    /// Rows of the statement under way. Tables of one series come directly after each other, their rows in order.
    ///
    /// # Errors
    /// [`QueryError::Cancelled`] when nobody wants them any more, [`QueryError::TooMuch`] when the answer has grown too large.
    fn table(&mut self, table: Table) -> Result<(), QueryError>;

    /// The statement under way has ended. Nothing follows a failed one.
    fn end(&mut self, outcome: Outcome);
}

/// How a statement ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// All its rows were given.
    Done(Vec<Message>),
    /// It failed, with the message for the client; rows given before do not count.
    Failed(String),
}

/// A sentence for the reader of an answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    /// Whether it has to be minded.
    pub level: Level,
    /// The sentence, on one line.
    pub text: String,
}

/// How much a message matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Level {
    /// Something is missing in the answer, or will not work for ever.
    Warning,
    /// It was asked for.
    Info,
}

impl Level {
    /// As InfluxDB writes it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Warning => "warning",
            Self::Info => "info",
        }
    }
}

impl Message {
    /// One that has to be minded.
    pub fn warning(text: impl Into<String>) -> Self {
        Self { level: Level::Warning, text: text.into() }
    }

    /// One that was asked for.
    pub fn info(text: impl Into<String>) -> Self {
        Self { level: Level::Info, text: text.into() }
    }
}
