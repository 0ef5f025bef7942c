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
    /// All its rows were given; with warnings for the reader.
    Done(Vec<String>),
    /// It failed, with the message for the client; rows given before do not count.
    Failed(String),
}
