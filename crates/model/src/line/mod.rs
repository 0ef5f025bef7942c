//! Line protocol, InfluxDB's text form of points: `measurement,tag=value field=1.5,other="text" 1465839830100400200`.
//!
//! [`LineParser`] reads a body line by line without copying; a line that is wrong is reported and the next one is read
//! all the same. What is accepted is what InfluxDB 1.x accepts, and in addition unsigned integers (`12u`). Text that is
//! not UTF-8 and text behind the closing quote of a string are refused, because InfluxDB would store something else
//! than was written. [`print_line`] writes points so that they are read back equal.
//!
//! Not here: the inside of series keys (`key`), the unit of times (`time::Precision`), the length of strings.

mod error;
mod field;
mod number;
mod print;
mod run;
mod scan;

pub use error::{LineError, LineErrorKind};
pub use field::{Field, Value};
pub use print::{LinePrinter, print_line};
pub use run::Run;

use memchr::memchr;

use scan::Cursor;

/// Most fields of one line. Bounds the memory a parser holds to a few MiB besides the body.
pub const MAX_FIELDS: usize = 4_096;

/// Reads the points of one body, in order.
#[derive(Debug)]
pub struct LineParser<'a> {
    rest: &'a [u8],
    number: u64,
    fields: Vec<Field<'a>>,
}

/// One point as it was written.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Line<'a, 'p> {
    /// Number of its first line in the body, from 1.
    pub number: u64,
    /// All of it, without blanks before it and without its line break.
    pub text: &'a [u8],
    /// Measurement and tags as written: not empty, but not yet checked; see [`crate::key::canonicalize`].
    pub series: &'a [u8],
    /// At least one field. A key may stand twice; the later one counts.
    pub fields: &'p [Field<'a>],
    /// The time in the unit the sender chose, if written. Never one of the extremes InfluxDB keeps for itself:
    /// `i64::MIN`, `i64::MIN + 1` and `i64::MAX`.
    pub time: Option<i64>,
}

impl<'a> LineParser<'a> {
    /// A parser at the start of `text`.
    pub const fn new(text: &'a [u8]) -> Self {
        Self { rest: text, number: 1, fields: Vec::new() }
    }

    /// The next line that holds a point; blank lines and those beginning with `#` are passed over. `None` at the end.
    ///
    /// # Errors
    /// [`LineError`] for a line that is wrong. The parser stands behind that line then and may be asked on.
    pub fn next_line(&mut self) -> Option<Result<Line<'a, '_>, LineError>> {
        let indent = self.skip_to_point()?;
        let (text, number) = (self.rest, self.number);
        let mut cursor = Cursor::new(text);
        self.fields.clear();
        match scan::point(&mut cursor, &mut self.fields) {
            Ok(point) => {
                let text = self.pass(text.len() - cursor.len(), point.line_breaks);
                Some(Ok(Line { number, text, series: point.series, fields: &self.fields, time: point.time }))
            }
            Err(kind) => {
                let column = indent + text.len() - cursor.len() + 1;
                let text = text.get(..scan::end_of_line(text)).unwrap_or(text);
                self.pass(text.len(), scan::count_line_breaks(text));
                Some(Err(LineError::new(number, column as u64, kind, text)))
            }
        }
    }

    /// Passes over blank lines and comments. The number of blanks before the point, or `None` when there is none.
    fn skip_to_point(&mut self) -> Option<usize> {
        loop {
            let (blanks, rest) = scan::split_blanks(self.rest);
            self.rest = rest;
            match rest.first()? {
                b'\n' => self.pass(0, 0),
                b'#' => self.pass(memchr(b'\n', rest).unwrap_or(rest.len()), 0),
                _ => return Some(blanks.len()),
            };
        }
    }

    /// Takes `len` bytes, which hold so many line breaks, and the line break behind them.
    fn pass(&mut self, len: usize, line_breaks: u64) -> &'a [u8] {
        let (text, rest) = self.rest.split_at_checked(len).unwrap_or((self.rest, &[]));
        self.number += line_breaks + 1;
        self.rest = rest.get(1..).unwrap_or_default();
        text
    }
}

#[cfg(test)]
mod tests;
