//! Fields: a key, and a value that may be borrowed from the line.

use std::borrow::Cow;
use std::str;

use memchr::memchr2;

use super::LineErrorKind;
use super::number::{Number, number};
use super::scan::{Cursor, escaped_len};
use crate::FieldValue;
use crate::key::{IN_NAME, unescape};

/// One field of a line.
#[derive(Debug, Clone, PartialEq)]
pub struct Field<'a> {
    /// Its name, unescaped; not empty.
    pub key: Cow<'a, str>,
    /// What it holds.
    pub value: Value<'a>,
}

/// A field's value; text is unescaped, and copied only if it had escapes.
#[derive(Debug, Clone, PartialEq)]
pub enum Value<'a> {
    /// Finite.
    Float(f64),
    /// Written with `i`.
    Integer(i64),
    /// Written with `u`.
    Unsigned(u64),
    /// Written as a word.
    Boolean(bool),
    /// Written in quotes. May be longer than [`crate::value::MAX_STRING_LEN`].
    String(Cow<'a, str>),
}

impl Value<'_> {
    /// The same value, borrowed.
    pub fn as_field_value(&self) -> FieldValue<'_> {
        match self {
            Self::Float(v) => FieldValue::Float(*v),
            Self::Integer(v) => FieldValue::Integer(*v),
            Self::Unsigned(v) => FieldValue::Unsigned(*v),
            Self::Boolean(v) => FieldValue::Boolean(*v),
            Self::String(v) => FieldValue::String(v),
        }
    }
}

/// `key=value` at the cursor, which then stands at the separator behind it.
#[inline(always)]
pub(super) fn field<'a>(cursor: &mut Cursor<'a>) -> Result<Field<'a>, LineErrorKind> {
    let key = field_key(cursor)?;
    cursor.skip(1);
    let value = match cursor.peek() {
        Some(b'"') => Value::String(string(cursor)?),
        Some(b'0'..=b'9' | b'-' | b'.') => number_value(cursor)?,
        Some(b',' | b' ' | b'\n') | None => return Err(LineErrorKind::MissingFieldValue),
        Some(_) => Value::Boolean(boolean(cursor)?),
    };
    Ok(Field { key, value })
}

/// The name up to `=`, at which the cursor then stands.
#[inline(always)]
fn field_key<'a>(cursor: &mut Cursor<'a>) -> Result<Cow<'a, str>, LineErrorKind> {
    let end = cursor.position(|b| matches!(b, b'=' | b',' | b' ' | b'\n' | b'\\'));
    match (end, cursor.peek_at(end)) {
        (0, Some(b'=')) => Err(LineErrorKind::MissingFieldKey),
        (_, Some(b'=')) => utf8(cursor.take(end)).map(Cow::Borrowed),
        (_, Some(b'\\')) => escaped_field_key(cursor),
        _ => {
            cursor.skip(end);
            Err(LineErrorKind::InvalidFieldFormat)
        }
    }
}

#[cold]
fn escaped_field_key<'a>(cursor: &mut Cursor<'a>) -> Result<Cow<'a, str>, LineErrorKind> {
    let key = cursor.take_lines(escaped_len(cursor.rest(), |b| matches!(b, b'=' | b',' | b' ' | b'\n')));
    if cursor.peek() != Some(b'=') {
        return Err(LineErrorKind::InvalidFieldFormat);
    }
    utf8(key).map(|key| unescape(key, IN_NAME))
}

#[inline(always)]
fn number_value<'a>(cursor: &mut Cursor<'a>) -> Result<Value<'a>, LineErrorKind> {
    let (value, len) = number(cursor.rest())?;
    cursor.skip(len);
    cursor.expect_separator(LineErrorKind::InvalidNumber)?;
    Ok(match value {
        Number::Float(v) => Value::Float(v),
        Number::Integer(v) => Value::Integer(v),
        Number::Unsigned(v) => Value::Unsigned(v),
    })
}

fn boolean(cursor: &mut Cursor<'_>) -> Result<bool, LineErrorKind> {
    let end = cursor.position(|b| matches!(b, b',' | b' ' | b'\n' | b'\r'));
    let value = match cursor.rest().get(..end) {
        Some(b"t" | b"T" | b"true" | b"True" | b"TRUE") => true,
        Some(b"f" | b"F" | b"false" | b"False" | b"FALSE") => false,
        _ => return Err(LineErrorKind::InvalidBoolean),
    };
    cursor.skip(end);
    cursor.expect_separator(LineErrorKind::InvalidBoolean)?;
    Ok(value)
}

fn string<'a>(cursor: &mut Cursor<'a>) -> Result<Cow<'a, str>, LineErrorKind> {
    let mut inside = *cursor;
    inside.skip(1);
    let len = string_len(inside.rest()).ok_or(LineErrorKind::UnbalancedQuotes)?;
    let text = utf8(inside.take_lines(len))?;
    inside.skip(1);
    *cursor = inside;
    cursor.expect_separator(LineErrorKind::TextAfterString)?;
    Ok(unescape(text, "\"\\"))
}

/// Bytes up to the closing quote; a backslash takes the byte after it along.
fn string_len(text: &[u8]) -> Option<usize> {
    let mut at = 0;
    loop {
        at += memchr2(b'"', b'\\', text.get(at..)?)?;
        if text.get(at) == Some(&b'"') {
            return Some(at);
        }
        at += 2;
    }
}

#[inline]
fn utf8(text: &[u8]) -> Result<&str, LineErrorKind> {
    str::from_utf8(text).map_err(|_| LineErrorKind::NotUtf8)
}
