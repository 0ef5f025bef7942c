//! Points as line protocol, a row a line, times in nanoseconds.

use std::io::Write;

use model::key::SeriesKey;
use model::line::MAX_FIELDS;
use model::{FieldType, FieldValue, TimestampNs};

use super::series::Series;
use super::{Column, Output, Writer, Written, check_count};
use crate::error::Error;
use crate::print::{escaped_field_key, put_integer, put_value};

/// Bytes collected before they are handed on.
const PORTION: usize = 64 << 10;

/// Writes line protocol.
pub struct LineWriter {
    to: Output,
    text: Vec<u8>,
    /// The series' key and a blank.
    prefix: Vec<u8>,
    /// The fields' keys, escaped, with their `=`.
    keys: Vec<Vec<u8>>,
    series: Series,
    written: Written,
}

impl LineWriter {
    /// A writer to `to`.
    pub fn new(to: Output) -> Self {
        let (text, prefix, keys) = (Vec::new(), Vec::new(), Vec::new());
        Self { to, text, prefix, keys, series: Series::default(), written: Written::default() }
    }

    fn put_row(&mut self, time: TimestampNs, values: &[Option<FieldValue<'_>>]) {
        let mut fields = 0;
        for (key, value) in self.keys.iter().zip(values) {
            let Some(value) = value else { continue };
            // A line with more fields would not be read.
            if fields == MAX_FIELDS {
                end_line(&mut self.text, time);
                fields = 0;
            }
            self.text.extend_from_slice(if fields == 0 { &self.prefix } else { b"," });
            self.text.extend_from_slice(key);
            put_value(&mut self.text, *value);
            fields += 1;
        }
        end_line(&mut self.text, time);
    }
}

impl Writer for LineWriter {
    fn series(&mut self, key: SeriesKey<'_>, fields: &[(&str, FieldType)]) -> Result<(), Error> {
        let all: Vec<_> = fields.iter().map(|(name, kind)| ((*name).to_owned(), *kind)).collect();
        self.series = Series::new(&all, fields)?;
        self.prefix.clear();
        self.prefix.extend_from_slice(key.as_str().as_bytes());
        self.prefix.push(b' ');
        self.keys = fields.iter().map(|(name, _)| escaped_field_key(name)).collect();
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

fn end_line(text: &mut Vec<u8>, time: TimestampNs) {
    text.push(b' ');
    put_integer(text, time.0);
    text.push(b'\n');
}
