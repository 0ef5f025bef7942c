//! What reading an answer may use, in time, memory and rows.

use std::cell::Cell as Counter;
use std::time::Instant;

use model::ByteSize;
use query::{Cancel, Cell, Limits, QueryError};

/// Bytes of a line for each byte of memory allowed: a short text of JSON becomes a larger cell.
const MEMORY_A_LINE: u64 = 8;

/// The limits of one query, and how much of them is used.
pub(in super::super) struct Budget<'a> {
    limits: &'a Limits,
    cancel: &'a Cancel,
    deadline: Option<Instant>,
    rows: Counter<u64>,
    held: Counter<u64>,
}

impl<'a> Budget<'a> {
    /// Time runs from now on.
    pub(in super::super) fn new(limits: &'a Limits, cancel: &'a Cancel) -> Self {
        let deadline = Instant::now().checked_add(limits.timeout);
        Self { limits, cancel, deadline, rows: Counter::new(0), held: Counter::new(0) }
    }

    /// Looks at the clock and at whether somebody still waits.
    pub(in super::super) fn check(&self) -> Result<(), QueryError> {
        self.cancel.check()?;
        match self.deadline {
            Some(deadline) if Instant::now() >= deadline => Err(QueryError::Cancelled("its time was up")),
            _ => Ok(()),
        }
    }

    /// Counts rows given out.
    pub(in super::super) fn give_rows(&self, count: usize) -> Result<(), QueryError> {
        self.rows.set(self.rows.get().saturating_add(count as u64));
        let (rows, max) = (self.rows.get(), self.limits.max_rows);
        if rows <= max { Ok(()) } else { Err(too_much(format!("max_rows = {max}"), format!("at least {rows} rows"))) }
    }

    /// Counts memory; give it back with [`Self::release`].
    pub(in super::super) fn hold(&self, bytes: usize) -> Result<(), QueryError> {
        self.held.set(self.held.get().saturating_add(bytes as u64));
        let (held, max) = (ByteSize(self.held.get()), self.limits.max_memory);
        if held.0 <= max.0 { Ok(()) } else { Err(too_much(format!("max_memory = {max}"), format!("{held} to hold"))) }
    }

    pub(in super::super) fn release(&self, bytes: usize) {
        self.held.set(self.held.get().saturating_sub(bytes as u64));
    }

    /// Checks the number of series.
    pub(in super::super) fn check_series(&self, count: usize) -> Result<(), QueryError> {
        let max = self.limits.max_series;
        if count as u64 <= max {
            return Ok(());
        }
        Err(too_much(format!("max_series = {max}"), format!("at least {count} series are selected")))
    }

    /// Checks the length of a line.
    pub(super) fn check_line(&self, bytes: usize) -> Result<(), QueryError> {
        let max = self.limits.max_memory;
        if bytes as u64 <= max.0 / MEMORY_A_LINE {
            return Ok(());
        }
        Err(too_much(
            format!("max_memory = {max}"),
            format!("at least {} in one part of the store's answer", ByteSize(bytes as u64)),
        ))
    }
}

fn too_much(limit: String, detail: String) -> QueryError {
    QueryError::TooMuch { limit, detail }
}

/// Memory that cells take.
pub(in super::super) fn bytes_of(cells: &[Cell]) -> usize {
    let text = |cell: &Cell| if let Cell::String(text) = cell { text.len() } else { 0 };
    size_of_val(cells) + cells.iter().map(text).sum::<usize>()
}
