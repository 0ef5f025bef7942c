//! One cell: text or a typed value, and what it is as a tag or a field.

use std::borrow::Cow;

use model::{FieldValue, TimestampNs};

use super::number::Numbers;
use super::options::Kind;
use crate::print::{put_float, put_integer, put_text, put_value};

/// What stands in a row and column.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Cell<'a> {
    /// Nothing.
    Null,
    /// A text; one in quotes is a value also if it is empty or a word for a missing one.
    Text { text: &'a [u8], is_quoted: bool },
    /// A value with a type.
    Value(FieldValue<'a>),
    /// An instant.
    Time(TimestampNs),
    /// Nanoseconds since 1970 on a clock whose zone is not told.
    LocalTime(i64),
}

/// Words for missing values.
#[derive(Debug, Clone, Default)]
pub(crate) struct Nulls {
    words: Vec<Vec<u8>>,
    /// For each byte whether a word begins with it: most cells begin with another one.
    firsts: Vec<bool>,
}

impl Nulls {
    pub(crate) fn new(words: &[String]) -> Self {
        let words: Vec<_> = words.iter().map(|word| word.as_bytes().to_vec()).collect();
        let mut firsts = vec![false; 256];
        for first in words.iter().filter_map(|word| word.first()) {
            for byte in [first.to_ascii_lowercase(), first.to_ascii_uppercase()] {
                if let Some(is_first) = firsts.get_mut(usize::from(byte)) {
                    *is_first = true;
                }
            }
        }
        Self { words, firsts }
    }

    /// True for the empty text and for the words.
    #[inline]
    pub(crate) fn contains(&self, text: &[u8]) -> bool {
        let Some(first) = text.first() else { return true };
        self.firsts.get(usize::from(*first)).is_some_and(|is_first| *is_first)
            && self.words.iter().any(|word| word.eq_ignore_ascii_case(text))
    }
}

impl<'a> Cell<'a> {
    /// As the value of a tag, the name of a measurement or of a field; `None` where it is missing.
    pub(crate) fn name(self, nulls: &Nulls) -> Result<Option<Cow<'a, str>>, String> {
        Ok(match self {
            Self::Null => None,
            Self::Text { text, is_quoted } => {
                let text = if is_quoted { text } else { text.trim_ascii() };
                let is_null = if is_quoted { text.is_empty() } else { nulls.contains(text) };
                if is_null { None } else { Some(Cow::Borrowed(utf8(text)?)) }
            }
            Self::Value(FieldValue::String(text)) => (!text.is_empty()).then_some(Cow::Borrowed(text)),
            Self::Value(value) => Some(Cow::Owned(text_of(value))),
            Self::Time(TimestampNs(ns)) | Self::LocalTime(ns) => Some(Cow::Owned(ns.to_string())),
        })
    }

    /// Appends it as a field's value; false where it is missing.
    #[inline]
    pub(crate) fn put(self, kind: Kind, nulls: &Nulls, numbers: &Numbers, out: &mut Vec<u8>) -> Result<bool, String> {
        match self {
            Self::Null => Ok(false),
            Self::Text { text, is_quoted: true } if kind == Kind::String => {
                put_text(out, utf8(text)?.as_bytes());
                Ok(true)
            }
            Self::Text { text, .. } => {
                let trimmed = text.trim_ascii();
                if nulls.contains(trimmed) {
                    return Ok(false);
                }
                put_typed(trimmed, kind, numbers, out)?;
                Ok(true)
            }
            Self::Value(value) => put_converted(value, kind, numbers, out),
            Self::Time(TimestampNs(ns)) | Self::LocalTime(ns) => {
                put_converted(FieldValue::Integer(ns), kind, numbers, out)
            }
        }
    }
}

/// Appends a text as a value of a type.
#[inline]
fn put_typed(text: &[u8], kind: Kind, numbers: &Numbers, out: &mut Vec<u8>) -> Result<(), String> {
    let put = match kind {
        Kind::Float => numbers.put_float(text, out),
        Kind::Integer => numbers.put_integer(text, out),
        Kind::Unsigned => numbers.put_unsigned(text, out),
        Kind::Boolean => boolean(text).map(|value| put_value(out, FieldValue::Boolean(value))),
        Kind::String => {
            put_text(out, utf8(text)?.as_bytes());
            Some(())
        }
    };
    put.ok_or_else(|| no_value(text, kind))
}

#[cold]
fn no_value(text: &[u8], kind: Kind) -> String {
    let shown: String = String::from_utf8_lossy(text).chars().take(60).collect();
    let what = match kind {
        Kind::Float => "a finite number",
        Kind::Integer => "an integer of 64 bits",
        Kind::Unsigned => "an integer of 64 bits without a sign",
        Kind::Boolean => "true or false",
        Kind::String => "a text",
    };
    format!("`{shown}` is not {what}")
}

pub(crate) fn boolean(text: &[u8]) -> Option<bool> {
    let is = |words: [&str; 5]| words.iter().any(|word| word.as_bytes().eq_ignore_ascii_case(text));
    if is(["true", "t", "1", "yes", "on"]) {
        Some(true)
    } else if is(["false", "f", "0", "no", "off"]) {
        Some(false)
    } else {
        None
    }
}

/// Appends a typed value as one of perhaps another type; false for a float that is none.
fn put_converted(value: FieldValue<'_>, kind: Kind, numbers: &Numbers, out: &mut Vec<u8>) -> Result<bool, String> {
    match (value, kind) {
        (FieldValue::Float(v), _) if v.is_nan() => return Ok(false),
        (FieldValue::Float(v), _) if v.is_infinite() => return Err(format!("`{v}` is not a finite number")),
        (FieldValue::String(text), Kind::String) => put_text(out, text.as_bytes()),
        (FieldValue::String(""), _) => return Ok(false),
        (FieldValue::String(text), _) => put_typed(text.trim().as_bytes(), kind, numbers, out)?,
        (value, Kind::String) => put_text(out, text_of(value).as_bytes()),
        (value, _) if Kind::from(value.field_type()) == kind => put_value(out, value),
        (FieldValue::Integer(v), Kind::Float) => put_integer(out, v),
        (FieldValue::Unsigned(v), Kind::Float) => put_integer(out, v),
        (FieldValue::Boolean(v), _) => put_typed(if v { b"1" } else { b"0" }, kind, &Numbers::default(), out)?,
        // Numbers take the way over their text, which knows the limits of each type.
        (value, _) => put_typed(text_of(value).as_bytes(), kind, &Numbers::default(), out)?,
    }
    Ok(true)
}

/// A value as text, without what tells its type.
fn text_of(value: FieldValue<'_>) -> String {
    let mut out = Vec::new();
    match value {
        FieldValue::Float(v) if v.is_finite() => put_float(&mut out, v),
        FieldValue::Float(v) => return v.to_string(),
        FieldValue::Integer(v) => put_integer(&mut out, v),
        FieldValue::Unsigned(v) => put_integer(&mut out, v),
        FieldValue::Boolean(v) => return v.to_string(),
        FieldValue::String(v) => return v.to_owned(),
    }
    String::from_utf8(out).unwrap_or_default()
}

fn utf8(text: &[u8]) -> Result<&str, String> {
    std::str::from_utf8(text).map_err(|_| {
        "a text is not UTF-8: convert the file before, for example with `iconv -f GB18030 -t UTF-8`".to_owned()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn put(cell: Cell<'_>, kind: Kind) -> Result<Option<String>, String> {
        let nulls = Nulls::new(&["NA".to_owned(), "?".to_owned(), "-999".to_owned()]);
        let mut out = Vec::new();
        let is_there = cell.put(kind, &nulls, &Numbers::default(), &mut out)?;
        Ok(is_there.then(|| String::from_utf8(out).unwrap()))
    }

    fn text(text: &str, kind: Kind) -> Result<Option<String>, String> {
        put(Cell::Text { text: text.as_bytes(), is_quoted: false }, kind)
    }

    #[test]
    fn texts_become_values_of_their_type() {
        let some = |text: &str| Ok(Some(text.to_owned()));
        assert_eq!(text(" 1.50 ", Kind::Float), some("1.50"));
        assert_eq!(text("7", Kind::Integer), some("7i"));
        assert_eq!(text("7", Kind::Unsigned), some("7u"));
        assert_eq!(text("Yes", Kind::Boolean), some("true"));
        assert_eq!(text("a \"b\"", Kind::String), some("\"a \\\"b\\\"\""));
        for null in ["", " ", "na", "?", "-999"] {
            assert_eq!(text(null, Kind::Float), Ok(None), "{null}");
        }
        assert_eq!(text("x", Kind::Float).unwrap_err(), "`x` is not a finite number");
    }

    #[test]
    fn a_quoted_text_is_a_text_even_when_it_is_empty_or_a_word_for_none() {
        let quoted = |text: &'static str| Cell::Text { text: text.as_bytes(), is_quoted: true };
        assert_eq!(put(quoted(""), Kind::String), Ok(Some("\"\"".to_owned())));
        assert_eq!(put(quoted(" NA "), Kind::String), Ok(Some("\" NA \"".to_owned())));
        assert_eq!(put(quoted("NA"), Kind::Float), Ok(None));
        assert_eq!(put(quoted("1"), Kind::Float), Ok(Some("1".to_owned())));
    }

    #[test]
    fn typed_values_change_their_type_where_nothing_is_lost() {
        let value = |value, kind| put(Cell::Value(value), kind).ok().flatten();
        assert_eq!(value(FieldValue::Integer(3), Kind::Float).as_deref(), Some("3"));
        assert_eq!(value(FieldValue::Float(3.0), Kind::Integer).as_deref(), Some("3i"));
        assert_eq!(value(FieldValue::Float(3.5), Kind::Integer), None);
        assert_eq!(value(FieldValue::Integer(-3), Kind::Unsigned), None);
        assert_eq!(value(FieldValue::Boolean(true), Kind::String).as_deref(), Some("\"true\""));
        assert_eq!(value(FieldValue::String("1.5"), Kind::Float).as_deref(), Some("1.5"));
        assert_eq!(put(Cell::Value(FieldValue::Float(f64::NAN)), Kind::Float), Ok(None));
        assert!(put(Cell::Value(FieldValue::Float(f64::INFINITY)), Kind::Float).is_err());
    }
}
