//! Where records end. A file is cut into blocks only there, so that each block can be read by itself.

pub(crate) mod csv;
pub(crate) mod lines;

use memchr::{memchr2, memrchr};

pub use csv::CsvFraming;

/// The rule by which records end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Framing {
    /// Line protocol: a line break ends a line, but not inside a quoted text or behind a backslash.
    Lines,
    /// CSV: a line break ends a record, but not inside a quoted cell.
    Csv(CsvFraming),
}

impl Framing {
    /// Bytes of the whole records at the start of `text`, which begins at a record. What follows them may be a record that is cut off, or a few
    /// more: it is not given up, only left for the next block. `is_start` is true at the start of a file.
    pub(crate) fn whole(&self, text: &[u8], is_start: bool) -> usize {
        match self {
            Self::Lines => lines::whole(text),
            Self::Csv(framing) => framing.whole(text, is_start),
        }
    }

    /// True when every line break of `text` ends a record, unless it begins inside one that is quoted.
    pub(crate) fn is_plain(&self, text: &[u8]) -> bool {
        let (a, b) = match self {
            Self::Lines => (b'"', b'\\'),
            Self::Csv(framing) => match framing.quote {
                Some(quote) => (quote, quote),
                None => return true,
            },
        };
        memchr2(a, b, text).is_none()
    }
}

/// Bytes up to and with the last line break.
fn whole_lines(text: &[u8]) -> usize {
    memrchr(b'\n', text).map_or(0, |at| at + 1)
}

/// What of `text` comes before the line that byte `at` is in.
fn before_line_of(text: &[u8], at: usize) -> usize {
    whole_lines(text.get(..at).unwrap_or_default())
}
