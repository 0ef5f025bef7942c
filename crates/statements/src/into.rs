//! INTO: the rows of a query become points of another measurement, written like those of anybody else.
//!
//! Tags that were grouped by stay tags, all columns become fields; a cell without a value is left out, and so is a row without
//! any. What is written is durable and visible before the statement is answered; when it fails, what was written stays.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::mpsc::sync_channel;

use influxql::ast::{Measurement, MeasurementName};
use model::key::SeriesKeyBuf;
use model::{Precision, TimestampNs};
use pipeline::{IntakeError, LineWrite, Outcome, Target};
use query::{Cell, QueryError, Table};

use crate::failure::Failure;
use crate::task::Task;

/// Text that is written at once, in bytes.
const BATCH_BYTES: usize = 1 << 20;

/// Writes tables.
pub(crate) struct Writer<'a> {
    task: &'a Task<'a>,
    target: Target,
    /// Name of the measurement written; `None`: that of the source.
    name: Option<String>,
    key: SeriesKeyBuf,
    lines: String,
    written: i64,
}

impl<'a> Writer<'a> {
    /// Writes to `target`, whose database and retention policy must exist.
    pub(crate) fn new(task: &'a Task<'a>, target: &Measurement) -> Result<Self, Failure> {
        let database = task.database(target.database.as_deref())?;
        let place = task.target(database, target.policy.as_deref())?;
        let name = match &target.name {
            MeasurementName::Name(name) => Some(name.clone()),
            MeasurementName::FromSource => None,
            MeasurementName::Pattern(_) => return Err(Failure::message("invalid measurement")),
        };
        Ok(Self { task, target: place, name, key: SeriesKeyBuf::default(), lines: String::new(), written: 0 })
    }

    /// Takes rows.
    pub(crate) fn take(&mut self, table: &Table) -> Result<(), QueryError> {
        self.start_series(table)?;
        let Some(times) = &table.times else { return Ok(()) };
        let fields: Vec<String> = table.columns.iter().skip(1).map(|name| field_key(name)).collect();
        for (row, time) in times.iter().enumerate() {
            let cells = table.cells.iter().map(|column| column.get(row).unwrap_or(&Cell::Null));
            if self.add(fields.iter().zip(cells), *time) {
                self.written += 1;
            }
            if self.lines.len() >= BATCH_BYTES {
                self.flush().map_err(|failure| QueryError::invalid(failure.to_string()))?;
            }
        }
        Ok(())
    }

    /// Writes what is left, and tells how much it was.
    pub(crate) fn finish(mut self) -> Result<Table, Failure> {
        self.flush()?;
        Ok(Table {
            name: "result".to_owned(),
            columns: vec!["time".to_owned(), "written".to_owned()],
            times: Some(vec![TimestampNs(0)]),
            cells: vec![vec![Cell::Integer(self.written)]],
            ..Table::default()
        })
    }

    fn start_series(&mut self, table: &Table) -> Result<(), QueryError> {
        let name = self.name.as_deref().unwrap_or(&table.name);
        let columns = table.columns.iter().skip(1);
        if name.starts_with(['#', ' ', '\t']) || name.ends_with('\\') || columns.clone().any(|c| c.ends_with('\\')) {
            let message = "INTO: a measurement that begins with # or a blank, or a name that ends with a backslash, cannot be written";
            return Err(QueryError::invalid(message));
        }
        let tags: BTreeMap<&str, &str> = table.tags.iter().map(|(k, v)| (k.as_str(), v.as_str())).collect();
        self.key.start(self.name.as_deref().unwrap_or(&table.name));
        tags.into_iter().for_each(|(key, value)| self.key.tag(key, value));
        Ok(())
    }

    /// Adds a line; `false` when no cell has a value.
    fn add<'b>(&mut self, cells: impl Iterator<Item = (&'b String, &'b Cell)>, time: TimestampNs) -> bool {
        let start = self.lines.len();
        self.lines.push_str(&String::from_utf8_lossy(self.key.as_bytes()));
        let mut separator = ' ';
        for (field, cell) in cells {
            let before = self.lines.len();
            self.lines.push(separator);
            self.lines.push_str(field);
            self.lines.push('=');
            if put_value(&mut self.lines, cell) {
                separator = ',';
            } else {
                self.lines.truncate(before);
            }
        }
        if separator == ' ' {
            self.lines.truncate(start);
            return false;
        }
        // Writing to a String does not fail.
        writeln!(self.lines, " {}", time.0).ok();
        true
    }

    fn flush(&mut self) -> Result<(), Failure> {
        if self.lines.is_empty() {
            return Ok(());
        }
        let text = self.lines.as_bytes();
        let write = LineWrite { target: &self.target, text, precision: Precision::Nanosecond, now: self.task.now };
        let (sender, receiver) = sync_channel(1);
        self.task.parts.intake.write_lines(write, move |outcome| {
            // Nobody waits any more when the query was given up.
            sender.send(outcome).ok();
        });
        let outcome = receiver.recv_timeout(self.task.parts.limits.timeout).unwrap_or(Err(IntakeError::Behind))?;
        self.lines.clear();
        check(&outcome)
    }
}

/// The message that a writer of lines would get.
fn check(outcome: &Outcome) -> Result<(), Failure> {
    match outcome.rejected.first() {
        None => Ok(()),
        Some(first) => {
            let dropped = outcome.dropped + outcome.malformed;
            Err(Failure::message(format!("partial write: {} dropped={dropped}", first.message)))
        }
    }
}

/// A name as line protocol has it. Backslashes at its end, which have no spelling, are left out, and line breaks become blanks.
fn field_key(name: &str) -> String {
    let mut out = String::with_capacity(name.len());
    for c in name.trim_end_matches('\\').chars() {
        match c {
            ',' | '=' | ' ' => out.extend(['\\', c]),
            '\n' => out.push_str("\\ "),
            c => out.push(c),
        }
    }
    out
}

/// Appends a value as line protocol has it; `false`, and nothing is appended, when there is none.
fn put_value(out: &mut String, cell: &Cell) -> bool {
    let put = match cell {
        Cell::Float(value) if value.is_finite() => write!(out, "{value:?}"),
        Cell::Integer(value) => write!(out, "{value}i"),
        Cell::Unsigned(value) => write!(out, "{value}u"),
        Cell::Boolean(value) => write!(out, "{value}"),
        Cell::String(text) => write!(out, "\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\"")),
        Cell::Null | Cell::Float(_) => return false,
    };
    put.is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_written_as_line_protocol_has_them() {
        let text = |cell: Cell| {
            let mut out = String::new();
            put_value(&mut out, &cell).then_some(out)
        };
        assert_eq!(text(Cell::Float(1e300)).as_deref(), Some("1e300"));
        assert_eq!(text(Cell::Float(2.0)).as_deref(), Some("2.0"));
        assert_eq!(text(Cell::Integer(-3)).as_deref(), Some("-3i"));
        assert_eq!(text(Cell::Boolean(true)).as_deref(), Some("true"));
        assert_eq!(text(Cell::String("a\"b\\c".into())).as_deref(), Some("\"a\\\"b\\\\c\""));
        assert_eq!(text(Cell::Null), None);
        assert_eq!(text(Cell::Float(f64::NAN)), None);
        assert_eq!(field_key("a b,c=d\\"), "a\\ b\\,c\\=d");
    }
}
