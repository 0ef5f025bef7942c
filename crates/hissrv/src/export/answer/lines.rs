//! Answers as line protocol: every table for itself, so they may differ in anything.

use formats::{LineWriter, Output, Writer, Written};
use query::Table;
use server::ApiError;

use super::{Tables, key, kind_of, times, write};
use crate::export::failed;

/// Writes lines.
pub(super) struct Lines(LineWriter);

impl Lines {
    pub(super) fn new(to: Output) -> Self {
        Self(LineWriter::new(to))
    }
}

impl Tables for Lines {
    fn table(&mut self, table: Table) -> Result<(), ApiError> {
        times(&table)?;
        write(&mut self.0, &table, &key(&table), |_, cells| kind_of(cells))
    }

    fn finish(self: Box<Self>) -> Result<Written, ApiError> {
        Box::new(self.0).finish().map_err(failed)
    }
}
