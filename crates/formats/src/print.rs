//! Values as line protocol spells them. (`model::line` prints whole points; conversion prints them part by part.)

use memchr::memchr2;
use model::line::print_line;
use model::{FieldValue, TimestampNs};

pub(crate) fn put_integer(out: &mut Vec<u8>, value: impl itoa::Integer) {
    out.extend_from_slice(itoa::Buffer::new().format(value).as_bytes());
}

/// The shortest text that is read back equal; whole numbers without a fraction. `value` is finite.
pub(crate) fn put_float(out: &mut Vec<u8>, value: f64) {
    let mut buffer = zmij::Buffer::new();
    let text = buffer.format_finite(value);
    out.extend_from_slice(text.strip_suffix(".0").unwrap_or(text).as_bytes());
}

/// A text in quotes.
pub(crate) fn put_text(out: &mut Vec<u8>, text: &[u8]) {
    out.push(b'"');
    let mut rest = text;
    while let Some((head, tail)) = memchr2(b'"', b'\\', rest).and_then(|at| rest.split_at_checked(at)) {
        out.extend_from_slice(head);
        out.push(b'\\');
        let (special, after) = tail.split_at_checked(1).unwrap_or((tail, &[]));
        out.extend_from_slice(special);
        rest = after;
    }
    out.extend_from_slice(rest);
    out.push(b'"');
}

/// A value with what tells its type. Floats are finite.
pub(crate) fn put_value(out: &mut Vec<u8>, value: FieldValue<'_>) {
    match value {
        FieldValue::Float(v) => put_float(out, v),
        FieldValue::Integer(v) => {
            put_integer(out, v);
            out.push(b'i');
        }
        FieldValue::Unsigned(v) => {
            put_integer(out, v);
            out.push(b'u');
        }
        FieldValue::Boolean(v) => out.extend_from_slice(if v { b"true" } else { b"false" }),
        FieldValue::String(v) => put_text(out, v.as_bytes()),
    }
}

/// `key=`, the key escaped.
pub(crate) fn escaped_field_key(key: &str) -> Vec<u8> {
    let mut line = Vec::new();
    print_line(&mut line, b"", [(key, FieldValue::Boolean(true))], TimestampNs(0));
    // What was printed is ` key=true 0` and a line break.
    let len = line.len().saturating_sub(b"true 0\n".len());
    line.get(1..len).unwrap_or_default().to_vec()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_escaped_as_in_lines() {
        assert_eq!(escaped_field_key("a b,c=d"), b"a\\ b\\,c\\=d=");
        assert_eq!(escaped_field_key("温度"), "温度=".as_bytes());
    }

    #[test]
    fn values_tell_their_types() {
        let mut out = Vec::new();
        for value in [
            FieldValue::Float(1.0),
            FieldValue::Float(-0.0),
            FieldValue::Integer(-1),
            FieldValue::Unsigned(1),
            FieldValue::Boolean(false),
            FieldValue::String("a\"b\\"),
        ] {
            put_value(&mut out, value);
            out.push(b' ');
        }
        assert_eq!(out, b"1 -0 -1i 1u false \"a\\\"b\\\\\" ");
    }
}
