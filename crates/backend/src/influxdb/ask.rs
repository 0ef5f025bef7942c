//! Asking a server that speaks InfluxQL: an InfluxDB, or another hissrv.

use std::io::Read;
use std::time::Duration;

use ::query::QueryError;

/// A server that answers InfluxQL over HTTP as InfluxDB 1.x does.
pub(crate) trait Ask: Send + Sync {
    /// Runs one SELECT or SHOW. The answer is that of `/query` with `chunked=true&epoch=ns`: JSON documents, one after another,
    /// times in nanoseconds; read as it comes, however large.
    ///
    /// # Errors
    /// [`QueryError::Store`] when the server cannot be reached or refuses the request as a whole. What is wrong with the
    /// statement stands in the answer, or is [`QueryError::Invalid`] with the server's text when it cannot be parsed.
    fn ask(&self, question: &Question<'_>) -> Result<Box<dyn Read + Send>, QueryError>;

    /// What it understands.
    ///
    /// # Errors
    /// [`QueryError::Store`] when it had to be asked and did not answer.
    fn dialect(&self) -> Result<Dialect, QueryError>;

    /// Its name for people, as in `InfluxDB`.
    fn product(&self) -> &'static str;
}

/// What is asked.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Question<'a> {
    /// Database that names without one are looked up in.
    pub(crate) database: Option<&'a str>,
    /// Retention policy that names without one are looked up in; `None`: the database's default one.
    pub(crate) policy: Option<&'a str>,
    /// The statement.
    pub(crate) text: &'a str,
    /// Longest time until the last byte of the answer.
    pub(crate) longest: Duration,
}

/// What a server understands of InfluxQL.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Dialect {
    /// InfluxDB 1.x, and 2.x by its interface for 1.x.
    Influx1,
    /// InfluxDB 3.x: names of measurements have no policy before them, since a policy is a database of its own there.
    Influx3,
    /// Another hissrv: hissrv's own functions and windows, too.
    Hissrv,
}
