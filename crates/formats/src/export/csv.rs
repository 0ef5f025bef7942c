//! Points as CSV that describes itself (the form is that of `csv::described`): one measurement, a row a record, tags repeated in each.

use std::io::Write;

use model::key::SeriesKey;
use model::{FieldType, FieldValue, TimestampNs};

use super::series::Series;
use super::{Column, Output, Table, Writer, Written, check_count};
use crate::csv::described::{FIRST_LINE, MEASUREMENT, TAG, TIME, TIME_NS, TYPES};
use crate::error::Error;
use crate::print::{put_integer, put_value};

/// Bytes collected before they are handed on.
const PORTION: usize = 64 << 10;

/// How times are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum CsvTimes {
    /// RFC 3339 in UTC, with a fraction only where there is one.
    #[default]
    Rfc3339,
    /// Nanoseconds since 1970.
    Nanoseconds,
}

/// Writes CSV.
pub struct CsvWriter {
    to: Output,
    table: Table,
    times: CsvTimes,
    text: Vec<u8>,
    /// The series' tags as they stand in each record, each with a comma before it.
    tags: Vec<u8>,
    series: Series,
    written: Written,
}

impl CsvWriter {
    /// A writer to `to`; the lines that describe the table are written first.
    pub fn new(to: Output, table: Table, times: CsvTimes) -> Self {
        let mut text = Vec::new();
        put_description(&table, times, &mut text);
        Self { to, table, times, text, tags: Vec::new(), series: Series::default(), written: Written::default() }
    }

    fn put_row(&mut self, time: TimestampNs, values: &[Option<FieldValue<'_>>]) {
        match self.times {
            CsvTimes::Rfc3339 => put_rfc3339(&mut self.text, time),
            CsvTimes::Nanoseconds => put_integer(&mut self.text, time.0),
        }
        self.text.extend_from_slice(&self.tags);
        for value in values {
            self.text.push(b',');
            if let Some(value) = value {
                put_cell(&mut self.text, *value);
            }
        }
        self.text.push(b'\n');
    }
}

impl Writer for CsvWriter {
    fn series(&mut self, key: SeriesKey<'_>, fields: &[(&str, FieldType)]) -> Result<(), Error> {
        let tags = self.table.tags_of(key)?;
        self.series = Series::new(&self.table.fields, fields)?;
        self.tags.clear();
        for tag in tags {
            self.tags.push(b',');
            if let Some(value) = tag {
                put_text(&mut self.tags, &value);
            }
        }
        Ok(())
    }

    fn rows(&mut self, times: &[TimestampNs], columns: &[&dyn Column]) -> Result<(), Error> {
        check_count(columns.len(), self.series.len())?;
        let mut values = Vec::new();
        for (row, time) in times.iter().enumerate() {
            let count = self.series.row(row, columns, &mut values)?;
            if count == 0 {
                continue;
            }
            self.series.count(count, &mut self.written);
            self.put_row(*time, &values);
            if self.text.len() >= PORTION {
                self.to.write_all(&self.text)?;
                self.text.clear();
            }
        }
        Ok(())
    }

    fn finish(mut self: Box<Self>) -> Result<Written, Error> {
        self.to.write_all(&self.text)?;
        self.to.finish()?;
        Ok(self.written)
    }
}

fn put_description(table: &Table, times: CsvTimes, out: &mut Vec<u8>) {
    out.extend_from_slice(FIRST_LINE.as_bytes());
    out.push(b'\n');
    put_word(out, MEASUREMENT);
    put_record(out, [table.measurement.as_str()].into_iter());
    let time = match times {
        CsvTimes::Rfc3339 => TIME,
        CsvTimes::Nanoseconds => TIME_NS,
    };
    let kinds: Vec<_> = table.fields.iter().map(|(_, kind)| kind.to_string()).collect();
    let tags = table.tags.iter().map(|_| TAG);
    put_word(out, TYPES);
    put_record(out, [time].into_iter().chain(tags).chain(kinds.iter().map(String::as_str)));
    let fields = table.fields.iter().map(|(name, _)| name.as_str());
    put_record(out, ["time"].into_iter().chain(table.tags.iter().map(String::as_str)).chain(fields));
}

/// What begins a line of the description.
fn put_word(out: &mut Vec<u8>, word: &str) {
    out.extend_from_slice(word.as_bytes());
    out.push(b',');
}

/// Cells and a line break.
fn put_record<'a>(out: &mut Vec<u8>, cells: impl Iterator<Item = &'a str>) {
    for (at, cell) in cells.enumerate() {
        if at > 0 {
            out.push(b',');
        }
        put_text(out, cell);
    }
    out.push(b'\n');
}

fn put_cell(out: &mut Vec<u8>, value: FieldValue<'_>) {
    match value {
        FieldValue::String(text) => put_text(out, text),
        FieldValue::Integer(v) => put_integer(out, v),
        FieldValue::Unsigned(v) => put_integer(out, v),
        value => put_value(out, value),
    }
}

/// A text, in quotes where it would be read as something else without.
fn put_text(out: &mut Vec<u8>, text: &str) {
    let is_plain = |b: u8| !matches!(b, b',' | b'"' | b'\n' | b'\r' | b' ' | b'\t');
    // Blanks at the ends are cut off from cells without quotes; a first `#` may be taken for a comment elsewhere.
    if !text.is_empty()
        && text.bytes().all(|b| is_plain(b) && !b.is_ascii_control())
        && !text.starts_with(['#', '\u{feff}'])
    {
        out.extend_from_slice(text.as_bytes());
        return;
    }
    out.push(b'"');
    for (at, part) in text.split('"').enumerate() {
        if at > 0 {
            out.extend_from_slice(b"\"\"");
        }
        out.extend_from_slice(part.as_bytes());
    }
    out.push(b'"');
}

fn put_rfc3339(out: &mut Vec<u8>, time: TimestampNs) {
    let instant = jiff::Timestamp::from_nanosecond(i128::from(time.0)).unwrap_or_default();
    out.extend_from_slice(instant.to_string().as_bytes());
}
