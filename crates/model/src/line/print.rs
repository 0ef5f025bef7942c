//! Points as text, so that [`super::LineParser`] reads them back equal.

use std::ops::Range;

use crate::key::{IN_NAME, escape_into};
use crate::{FieldValue, TimestampNs};

/// Appends one point and a line break. `series` is a canonical key; the time is in nanoseconds.
///
/// Floats that are not finite have no spelling and are left out; without any field left nothing is written. Field keys
/// without a spelling are changed as [`crate::key::SeriesKeyBuf`] says.
pub fn print_line<'f>(
    out: &mut Vec<u8>,
    series: &[u8],
    fields: impl IntoIterator<Item = (&'f str, FieldValue<'f>)>,
    time: TimestampNs,
) {
    let start = out.len();
    out.extend_from_slice(series);
    let mut separator = b' ';
    for (key, value) in fields {
        if matches!(value, FieldValue::Float(v) if !v.is_finite()) {
            continue;
        }
        out.push(separator);
        separator = b',';
        escape_into(out, key, IN_NAME);
        out.push(b'=');
        print_value(out, value);
    }
    if separator == b' ' {
        out.truncate(start);
        return;
    }
    out.push(b' ');
    print_integer(out, time.0);
    out.push(b'\n');
}

/// Most fields that [`LinePrinter`] puts into one line.
const MAX_FIELDS_OF_A_LINE: usize = 32;

/// Prints points that come one field at a time. Those that follow each other with the same series and time become one line.
///
/// A field that stands in the line already begins a new one, so that the later value is read later.
#[derive(Debug)]
pub struct LinePrinter<'o> {
    out: &'o mut Vec<u8>,
    /// Where the key of the open line's series stands in `out`.
    series: Range<usize>,
    time: TimestampNs,
    /// Where the keys of the open line's fields stand in `out`; none: no line is open.
    fields: Vec<Range<usize>>,
    last_key: EscapedKey,
}

/// A field key and its spelling: most points have the same key as the one before.
#[derive(Debug, Default)]
struct EscapedKey {
    key: String,
    escaped: Vec<u8>,
}

impl EscapedKey {
    fn set(&mut self, key: &str) {
        if self.key != key {
            key.clone_into(&mut self.key);
            self.escaped.clear();
            escape_into(&mut self.escaped, key, IN_NAME);
        }
    }
}

impl<'o> LinePrinter<'o> {
    /// A printer that appends to `out`.
    pub fn new(out: &'o mut Vec<u8>) -> Self {
        Self { out, series: 0..0, time: TimestampNs(0), fields: Vec::new(), last_key: EscapedKey::default() }
    }

    /// Adds one point; the rules of [`print_line`] hold.
    pub fn point(&mut self, series: &[u8], field: &str, value: FieldValue<'_>, time: TimestampNs) {
        if matches!(value, FieldValue::Float(v) if !v.is_finite()) {
            return;
        }
        self.last_key.set(field);
        if self.continues_line(series, time) {
            self.out.push(b',');
        } else {
            self.start_line(series, time);
        }
        let start = self.out.len();
        self.out.extend_from_slice(&self.last_key.escaped);
        self.fields.push(start..self.out.len());
        self.out.push(b'=');
        print_value(self.out, value);
    }

    /// Ends the last line.
    pub fn finish(mut self) {
        self.end_line();
    }

    fn continues_line(&self, series: &[u8], time: TimestampNs) -> bool {
        let text = |range: &Range<usize>| self.out.get(range.clone());
        self.time == time
            && !self.fields.is_empty()
            && self.fields.len() < MAX_FIELDS_OF_A_LINE
            && text(&self.series) == Some(series)
            && !self.fields.iter().any(|key| text(key) == Some(self.last_key.escaped.as_slice()))
    }

    fn start_line(&mut self, series: &[u8], time: TimestampNs) {
        self.end_line();
        let start = self.out.len();
        self.out.extend_from_slice(series);
        self.series = start..self.out.len();
        self.time = time;
        self.out.push(b' ');
    }

    fn end_line(&mut self) {
        if !self.fields.is_empty() {
            self.fields.clear();
            self.out.push(b' ');
            print_integer(self.out, self.time.0);
            self.out.push(b'\n');
        }
    }
}

fn print_value(out: &mut Vec<u8>, value: FieldValue<'_>) {
    match value {
        FieldValue::Float(v) => print_float(out, v),
        FieldValue::Integer(v) => {
            print_integer(out, v);
            out.push(b'i');
        }
        FieldValue::Unsigned(v) => {
            print_integer(out, v);
            out.push(b'u');
        }
        FieldValue::Boolean(v) => out.extend_from_slice(if v { b"true" } else { b"false" }),
        FieldValue::String(v) => print_string(out, v),
    }
}

fn print_integer(out: &mut Vec<u8>, value: impl itoa::Integer) {
    out.extend_from_slice(itoa::Buffer::new().format(value).as_bytes());
}

/// The shortest text that is read back equal; whole numbers without a fraction, as in InfluxDB.
fn print_float(out: &mut Vec<u8>, value: f64) {
    let mut buffer = zmij::Buffer::new();
    let text = buffer.format_finite(value);
    out.extend_from_slice(text.strip_suffix(".0").unwrap_or(text).as_bytes());
}

fn print_string(out: &mut Vec<u8>, text: &str) {
    out.push(b'"');
    let mut rest = text.as_bytes();
    while let Some((head, tail)) = memchr::memchr2(b'"', b'\\', rest).and_then(|at| rest.split_at_checked(at)) {
        out.extend_from_slice(head);
        out.push(b'\\');
        let (special, after) = tail.split_at_checked(1).unwrap_or((tail, &[]));
        out.extend_from_slice(special);
        rest = after;
    }
    out.extend_from_slice(rest);
    out.push(b'"');
}

#[cfg(test)]
mod tests {
    use super::*;

    fn printed(points: &[(&str, &str, FieldValue<'_>, i64)]) -> String {
        let mut out = Vec::new();
        let mut printer = LinePrinter::new(&mut out);
        for (series, field, value, time) in points {
            printer.point(series.as_bytes(), field, *value, TimestampNs(*time));
        }
        printer.finish();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn neighbours_of_one_series_and_time_become_one_line() {
        let points = [
            ("m,a=b", "x", FieldValue::Float(1.5), 1),
            ("m,a=b", "y z", FieldValue::Integer(-2), 1),
            ("m,a=b", "x", FieldValue::Float(2.0), 2),
            ("m,a=c", "x", FieldValue::Boolean(true), 2),
        ];
        assert_eq!(printed(&points), "m,a=b x=1.5,y\\ z=-2i 1\nm,a=b x=2 2\nm,a=c x=true 2\n");
    }

    #[test]
    fn a_field_that_comes_again_begins_a_new_line() {
        let points = [("m", "x", FieldValue::Integer(1), 1), ("m", "x", FieldValue::Integer(2), 1)];
        assert_eq!(printed(&points), "m x=1i 1\nm x=2i 1\n");
    }

    #[test]
    fn a_float_without_spelling_leaves_no_trace() {
        let nan = FieldValue::Float(f64::NAN);
        assert_eq!(printed(&[("m", "x", nan, 1)]), "");
        let points =
            [("m", "x", FieldValue::Unsigned(1), 1), ("m", "y", nan, 1), ("m", "z", FieldValue::String("a\"b"), 1)];
        assert_eq!(printed(&points), "m x=1u,z=\"a\\\"b\" 1\n");
        assert_eq!(printed(&[]), "");
    }

    #[test]
    fn a_line_has_a_bounded_number_of_fields() {
        let names: Vec<String> = (0..40).map(|n| format!("f{n}")).collect();
        let points: Vec<_> = names.iter().map(|name| ("m", name.as_str(), FieldValue::Integer(1), 1)).collect();
        assert_eq!(printed(&points).lines().count(), 2);
    }
}
