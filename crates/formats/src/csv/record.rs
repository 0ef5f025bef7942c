//! One record to its cells.

use memchr::{memchr, memchr_iter};

use crate::framing::CsvFraming;
use crate::table::{Cell, Row};

/// The cells of one record; its memory is used again.
#[derive(Debug, Default)]
pub(super) struct Cells {
    /// Where each cell is.
    places: Vec<Place>,
    /// The record, and behind it what cells with doubled quotes really are.
    text: Vec<u8>,
}

#[derive(Debug, Clone, Copy)]
struct Place {
    start: usize,
    end: usize,
    is_quoted: bool,
}

/// Why a record has no cells.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct NotClosed;

impl Cells {
    pub(super) fn len(&self) -> usize {
        self.places.len()
    }

    pub(super) fn get(&self, index: usize) -> Option<(&[u8], bool)> {
        let place = self.places.get(index)?;
        Some((self.text.get(place.start..place.end)?, place.is_quoted))
    }

    /// Whether all cells from `from` on are empty.
    pub(super) fn are_empty_from(&self, from: usize) -> bool {
        self.places.iter().skip(from).all(|place| place.start == place.end)
    }

    /// Takes a record apart; its line break is not part of it.
    #[inline]
    pub(super) fn split(&mut self, record: &[u8], framing: &CsvFraming) -> Result<(), NotClosed> {
        self.places.clear();
        self.text.clear();
        self.text.extend_from_slice(record);
        match framing.quote.filter(|quote| memchr(*quote, record).is_some()) {
            Some(quote) => self.split_quoted(record, framing.delimiter, quote),
            None => {
                let mut start = 0;
                for end in memchr_iter(framing.delimiter, record) {
                    self.places.push(Place { start, end, is_quoted: false });
                    start = end + 1;
                }
                self.places.push(Place { start, end: record.len(), is_quoted: false });
                Ok(())
            }
        }
    }

    fn split_quoted(&mut self, record: &[u8], delimiter: u8, quote: u8) -> Result<(), NotClosed> {
        let mut start = 0;
        loop {
            let rest = record.get(start..).unwrap_or_default();
            let len = if rest.first() == Some(&quote) {
                self.push_quoted(rest, start, delimiter, quote)?
            } else {
                let len = memchr(delimiter, rest).unwrap_or(rest.len());
                self.places.push(Place { start, end: start + len, is_quoted: false });
                len
            };
            if len >= rest.len() {
                return Ok(());
            }
            start += len + 1;
        }
    }

    /// Takes a cell in quotes; gives its length with them. What follows the last quote up to the delimiter belongs to the cell, too.
    fn push_quoted(&mut self, rest: &[u8], start: usize, delimiter: u8, quote: u8) -> Result<usize, NotClosed> {
        let (len, is_doubled) = closing(rest, quote).ok_or(NotClosed)?;
        let behind = rest.get(len..).unwrap_or_default();
        let behind = behind.get(..memchr(delimiter, behind).unwrap_or(behind.len())).unwrap_or_default();
        if !is_doubled && behind.is_empty() {
            self.places.push(Place { start: start + 1, end: start + len - 1, is_quoted: true });
            return Ok(len);
        }
        let real = self.text.len();
        let mut inside = rest.get(1..len - 1).unwrap_or_default();
        while let Some((head, tail)) = memchr(quote, inside).and_then(|at| inside.split_at_checked(at + 1)) {
            self.text.extend_from_slice(head);
            inside = tail.get(1..).unwrap_or_default();
        }
        self.text.extend_from_slice(inside);
        self.text.extend_from_slice(behind);
        self.places.push(Place { start: real, end: self.text.len(), is_quoted: true });
        Ok(len + behind.len())
    }
}

impl Row for Cells {
    #[inline]
    fn cell(&self, column: usize) -> Cell<'_> {
        match self.get(column) {
            Some((text, is_quoted)) => Cell::Text { text, is_quoted },
            None => Cell::Null,
        }
    }
}

/// Length of a cell with both its quotes, and whether quotes inside are doubled.
fn closing(text: &[u8], quote: u8) -> Option<(usize, bool)> {
    let (mut at, mut is_doubled) = (1, false);
    loop {
        at += memchr(quote, text.get(at..)?)? + 1;
        if text.get(at) != Some(&quote) {
            return Some((at, is_doubled));
        }
        is_doubled = true;
        at += 1;
    }
}

/// The records of a text that begins at one. Comments and blank lines are passed over.
pub(super) struct Records<'a> {
    text: &'a [u8],
    framing: &'a CsvFraming,
    /// Whether there is a quote in the text.
    has_quotes: bool,
    at: usize,
    /// Line breaks before `at`.
    line: u64,
}

/// One record of a text.
pub(super) struct Record<'a> {
    /// Without its line break.
    pub(super) text: &'a [u8],
    /// Its line, from 0.
    pub(super) line: u64,
    /// Where it ends, its line break included.
    pub(super) end: usize,
    /// False at the end of a text without a line break: there may be more of it.
    pub(super) is_whole: bool,
}

impl<'a> Records<'a> {
    pub(super) fn new(text: &'a [u8], framing: &'a CsvFraming) -> Self {
        let has_quotes = framing.quote.is_some_and(|quote| memchr(quote, text).is_some());
        Self { text, framing, has_quotes, at: 0, line: 0 }
    }

    fn len_of_next(&self, rest: &[u8]) -> Option<usize> {
        match self.framing.quote {
            Some(quote) if self.has_quotes => self.framing.record(rest, quote),
            _ => memchr(b'\n', rest).map(|at| at + 1),
        }
    }
}

impl<'a> Iterator for Records<'a> {
    type Item = Record<'a>;

    #[inline]
    fn next(&mut self) -> Option<Record<'a>> {
        loop {
            let rest = self.text.get(self.at..).filter(|rest| !rest.is_empty())?;
            let whole = self.len_of_next(rest);
            let text = rest.get(..whole.unwrap_or(rest.len())).unwrap_or_default();
            let line = self.line;
            self.at += text.len();
            self.line += if self.has_quotes { memchr_iter(b'\n', text).count() as u64 } else { 1 };
            let text = text.strip_suffix(b"\n").unwrap_or(text);
            let text = text.strip_suffix(b"\r").unwrap_or(text);
            if !text.trim_ascii().is_empty() && !self.framing.is_comment(text) {
                return Some(Record { text, line, end: self.at, is_whole: whole.is_some() });
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn framing() -> CsvFraming {
        CsvFraming { delimiter: b',', quote: Some(b'"'), comment: Some(b"#".to_vec()), skip_lines: 0 }
    }

    fn split(record: &str) -> Vec<(String, bool)> {
        let mut cells = Cells::default();
        cells.split(record.as_bytes(), &framing()).unwrap();
        let cell = |i| cells.get(i).map(|(text, quoted)| (String::from_utf8(text.to_vec()).unwrap(), quoted)).unwrap();
        (0..cells.len()).map(cell).collect()
    }

    #[test]
    fn cells_are_told_apart() {
        let plain = |texts: &[&str]| texts.iter().map(|t| ((*t).to_owned(), false)).collect::<Vec<_>>();
        assert_eq!(split("a,b,c"), plain(&["a", "b", "c"]));
        assert_eq!(split(""), plain(&[""]));
        assert_eq!(split(",,"), plain(&["", "", ""]));
        assert_eq!(split("a, b\"c,"), plain(&["a", " b\"c", ""]));
    }

    #[test]
    fn quotes_hold_a_cell_together() {
        let quoted = |text: &str| (text.to_owned(), true);
        assert_eq!(split("\"a,b\",\"\""), [quoted("a,b"), quoted("")]);
        assert_eq!(split("\"say \"\"hi\"\"\",\"\"\"\"\"\""), [quoted("say \"hi\""), quoted("\"\"")]);
        assert_eq!(split("\"a\nb\"c,d"), [quoted("a\nbc"), ("d".to_owned(), false)]);
        assert_eq!(split("x,\"y\""), [("x".to_owned(), false), quoted("y")]);
        assert_eq!(Cells::default().split(b"\"a", &framing()), Err(NotClosed));
        assert_eq!(Cells::default().split(b"\"a\"\"", &framing()), Err(NotClosed));
    }

    #[test]
    fn records_know_their_lines() {
        let text = "a,\"b\nc\"\r\n\n# x\n \nd,e";
        let framing = framing();
        let found: Vec<_> = Records::new(text.as_bytes(), &framing)
            .map(|r| (r.line, String::from_utf8(r.text.to_vec()).unwrap(), r.is_whole))
            .collect();
        assert_eq!(found, [(0, "a,\"b\nc\"".to_owned(), true), (5, "d,e".to_owned(), false)]);
    }
}
