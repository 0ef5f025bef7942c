//! The lines of an answer.

use std::io::{BufRead, BufReader, ErrorKind, Read};

use query::QueryError;

use super::Budget;

/// Bytes read at a time.
const BUFFER: usize = 64 * 1024;

/// Reads line by line, looking at the limits on the way.
pub(super) struct Lines<'a> {
    body: BufReader<Box<dyn Read>>,
    budget: &'a Budget<'a>,
}

impl<'a> Lines<'a> {
    pub(super) fn new(body: Box<dyn Read>, budget: &'a Budget<'a>) -> Self {
        Self { body: BufReader::with_capacity(BUFFER, body), budget }
    }

    /// The next line that is not empty; `None` at the end.
    pub(super) fn next(&mut self) -> Result<Option<Vec<u8>>, QueryError> {
        loop {
            let mut line = Vec::new();
            let is_last = self.read_line(&mut line)?;
            if !line.trim_ascii().is_empty() {
                return Ok(Some(line));
            }
            if is_last {
                return Ok(None);
            }
        }
    }

    /// Reads up to the end of a line; true at the end of the answer.
    fn read_line(&mut self, line: &mut Vec<u8>) -> Result<bool, QueryError> {
        loop {
            self.budget.check()?;
            let read = match self.body.fill_buf() {
                Ok(read) => read,
                Err(error) if error.kind() == ErrorKind::Interrupted => continue,
                Err(error) => return Err(QueryError::Store(format!("reading its answer: {error}"))),
            };
            if read.is_empty() {
                return Ok(true);
            }
            let end = read.iter().position(|&byte| byte == b'\n');
            let part = read.get(..end.unwrap_or(read.len())).unwrap_or_default();
            self.budget.check_line(line.len() + part.len())?;
            line.extend_from_slice(part);
            let used = part.len() + usize::from(end.is_some());
            self.body.consume(used);
            if end.is_some() {
                return Ok(false);
            }
        }
    }
}
