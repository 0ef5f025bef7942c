//! Points as text, so that [`super::LineParser`] reads them back equal.

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
