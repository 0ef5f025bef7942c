//! One line from its first byte to its last: series key, fields, time.

use memchr::{memchr_iter, memchr3};

use super::field::{Field, field};
use super::number::{integer, scan_digits, split_sign};
use super::{LineErrorKind, MAX_FIELDS};
use crate::key::{MAX_KEY_LEN, ends_escaping};

/// What InfluxDB puts between series key and field key in its storage; it counts towards the longest key.
const KEY_SEPARATOR_LEN: usize = 4;

/// The rest of the body. On an error it stands where the fault was seen.
#[derive(Debug, Clone, Copy)]
pub(super) struct Cursor<'a> {
    rest: &'a [u8],
    line_breaks: u64,
}

/// A line without its fields, which are collected elsewhere.
#[derive(Debug)]
pub(super) struct Point<'a> {
    pub(super) series: &'a [u8],
    pub(super) time: Option<i64>,
    /// How many there are inside the line.
    pub(super) line_breaks: u64,
}

impl<'a> Cursor<'a> {
    pub(super) const fn new(text: &'a [u8]) -> Self {
        Self { rest: text, line_breaks: 0 }
    }

    pub(super) const fn rest(&self) -> &'a [u8] {
        self.rest
    }

    pub(super) const fn len(&self) -> usize {
        self.rest.len()
    }

    #[inline]
    pub(super) fn peek(&self) -> Option<u8> {
        self.rest.first().copied()
    }

    #[inline]
    pub(super) fn peek_at(&self, at: usize) -> Option<u8> {
        self.rest.get(at).copied()
    }

    /// Takes `len` bytes, or all when there are fewer.
    #[inline]
    pub(super) fn take(&mut self, len: usize) -> &'a [u8] {
        let (head, rest) = self.rest.split_at_checked(len).unwrap_or((self.rest, &[]));
        self.rest = rest;
        head
    }

    #[inline]
    pub(super) fn skip(&mut self, len: usize) {
        self.take(len);
    }

    /// As `take`, of text that may hold line breaks.
    pub(super) fn take_lines(&mut self, len: usize) -> &'a [u8] {
        let text = self.take(len);
        self.line_breaks += count_line_breaks(text);
        text
    }

    /// Bytes before the first for which `stop` holds.
    #[inline]
    pub(super) fn position(&self, mut stop: impl FnMut(u8) -> bool) -> usize {
        self.rest.iter().position(|&b| stop(b)).unwrap_or(self.rest.len())
    }

    /// Fails with `kind` unless a value may end here.
    #[inline]
    pub(super) fn expect_separator(&self, kind: LineErrorKind) -> Result<(), LineErrorKind> {
        match self.peek() {
            Some(b',' | b' ' | b'\n') | None => Ok(()),
            Some(b'\r') => Err(LineErrorKind::CarriageReturn),
            Some(_) => Err(kind),
        }
    }

    #[inline]
    fn skip_blanks(&mut self) {
        self.rest = split_blanks(self.rest).1;
    }

    #[inline]
    fn at_line_end(&self) -> bool {
        matches!(self.peek(), None | Some(b'\n'))
    }
}

pub(super) fn count_line_breaks(text: &[u8]) -> u64 {
    memchr_iter(b'\n', text).count() as u64
}

/// The blanks at the start of `text`, and the rest. InfluxDB takes NUL for a blank, too.
#[inline]
pub(super) fn split_blanks(text: &[u8]) -> (&[u8], &[u8]) {
    let len = text.iter().position(|b| !matches!(b, b' ' | b'\t' | 0)).unwrap_or(text.len());
    text.split_at_checked(len).unwrap_or((text, &[]))
}

/// The point at the cursor, which then stands at the end of its line. `fields` is empty before.
#[inline]
pub(super) fn point<'a>(cursor: &mut Cursor<'a>, fields: &mut Vec<Field<'a>>) -> Result<Point<'a>, LineErrorKind> {
    let series = series(cursor)?;
    cursor.skip_blanks();
    if cursor.at_line_end() {
        return Err(LineErrorKind::MissingFields);
    }
    all_fields(cursor, series.len(), fields)?;
    let time = time(cursor)?;
    Ok(Point { series, time, line_breaks: cursor.line_breaks })
}

/// The series key; the cursor then stands at the space behind it.
#[inline]
fn series<'a>(cursor: &mut Cursor<'a>) -> Result<&'a [u8], LineErrorKind> {
    if cursor.peek() == Some(b',') {
        return Err(LineErrorKind::MissingMeasurement);
    }
    let end = memchr3(b' ', b'\\', b'\n', cursor.rest).unwrap_or(cursor.len());
    let key = match cursor.peek_at(end) {
        Some(b'\\') => cursor.take_lines(escaped_len(cursor.rest, |b| matches!(b, b' ' | b'\n'))),
        _ => cursor.take(end),
    };
    if cursor.at_line_end() { Err(LineErrorKind::MissingFields) } else { Ok(key) }
}

/// Bytes before the first that satisfies `stop` and is not escaped. A line break is escaped by a backslash that is not
/// itself escaped, anything else by any backslash before it.
#[cold]
pub(super) fn escaped_len(text: &[u8], stop: impl Fn(u8) -> bool) -> usize {
    let mut at = 0;
    while let Some(found) = text.get(at..).and_then(|rest| rest.iter().position(|&b| stop(b))) {
        at += found;
        let before = text.get(..at).unwrap_or_default();
        let is_escaped = if text.get(at) == Some(&b'\n') { ends_escaping(before) } else { before.ends_with(b"\\") };
        if !is_escaped {
            return at;
        }
        at += 1;
    }
    text.len()
}

#[inline]
fn all_fields<'a>(
    cursor: &mut Cursor<'a>,
    series_len: usize,
    fields: &mut Vec<Field<'a>>,
) -> Result<(), LineErrorKind> {
    loop {
        let field = field(cursor)?;
        if series_len + KEY_SEPARATOR_LEN + field.key.len() > MAX_KEY_LEN {
            return Err(LineErrorKind::KeyTooLong);
        }
        // As in InfluxDB, a field called like the time column is passed over.
        if field.key != "time" {
            fields.push(field);
        }
        if fields.len() > MAX_FIELDS {
            return Err(LineErrorKind::TooManyFields);
        }
        if cursor.peek() != Some(b',') {
            return if fields.is_empty() { Err(LineErrorKind::OnlyTimeField) } else { Ok(()) };
        }
        cursor.skip(1);
    }
}

/// The time, if there is one; the cursor then stands at the end of the line.
#[inline]
fn time(cursor: &mut Cursor<'_>) -> Result<Option<i64>, LineErrorKind> {
    cursor.skip_blanks();
    if cursor.at_line_end() {
        return Ok(None);
    }
    let (negative, text) = split_sign(cursor.rest());
    let digits = scan_digits(text);
    if digits.len > 0 {
        cursor.skip(usize::from(negative) + digits.len);
    }
    match cursor.peek() {
        Some(b'\r') => return Err(LineErrorKind::CarriageReturn),
        None | Some(b'\n' | b' ') if digits.len > 0 => {}
        _ => return Err(LineErrorKind::BadTimestamp),
    }
    let time = integer(negative, digits).map_err(|_| LineErrorKind::TimeOutOfRange)?;
    if time == i64::MAX || time <= i64::MIN + 1 {
        return Err(LineErrorKind::TimeOutOfRange);
    }
    cursor.skip(cursor.position(|b| b != b' '));
    if cursor.at_line_end() { Ok(Some(time)) } else { Err(LineErrorKind::TextAfterTime) }
}

/// Bytes before the line break that ends a line which holds no point. As in InfluxDB, a line break does not end it
/// inside quotes at the place of a value or behind a backslash: what is inside a string is never taken for a line of
/// its own.
#[cold]
pub(super) fn end_of_line(text: &[u8]) -> usize {
    let (mut escaped, mut in_fields, mut quoted) = (false, false, false);
    let (mut equals, mut commas) = (0u64, 0u64);
    let is_end = |&b: &u8| {
        if escaped {
            escaped = false;
            return false;
        }
        match b {
            b'\\' => escaped = true,
            b'"' if in_fields && equals > commas => quoted = !quoted,
            b'\n' => return !quoted,
            _ if quoted => {}
            b' ' => in_fields = true,
            b'=' if in_fields => equals += 1,
            b',' if in_fields => commas += 1,
            _ => {}
        }
        false
    };
    text.iter().position(is_end).unwrap_or(text.len())
}
