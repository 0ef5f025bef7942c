//! The records of CSV. A quote opens a quoted cell only as the cell's first byte; elsewhere it is a character like others. Inside a quoted
//! cell two quotes stand for one.

use memchr::{memchr, memchr2};

use super::{before_line_of, whole_lines};

/// What some programs write at the start of UTF-8 files.
const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

/// What must be known of a CSV file to tell where its records end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CsvFraming {
    /// Between two cells.
    pub delimiter: u8,
    /// Around a cell that may hold delimiters and line breaks; `None`: quotes are characters like others.
    pub quote: Option<u8>,
    /// A line that begins so is passed over.
    pub comment: Option<Vec<u8>>,
    /// Lines at the start of the file that are passed over as they are, whatever is in them.
    pub skip_lines: u64,
}

impl CsvFraming {
    /// See [`super::Framing::whole`].
    pub(super) fn whole(&self, text: &[u8], is_start: bool) -> usize {
        let skipped = if is_start { self.skipped(text) } else { Some(0) };
        let Some(skipped) = skipped else { return 0 };
        let text = text.get(skipped..).unwrap_or_default();
        let Some(quote) = self.quote else { return skipped + whole_lines(text) };
        let Some(special) = memchr(quote, text) else { return skipped + whole_lines(text) };
        let plain = before_line_of(text, special);
        let rest = text.get(plain..).unwrap_or_default();
        let mut whole = 0;
        while let Some(len) = self.record(rest.get(whole..).unwrap_or_default(), quote) {
            whole += len;
        }
        skipped + plain + whole
    }

    /// Bytes of the lines passed over at the start of the file; `None` when more of them follow.
    pub(crate) fn skipped(&self, text: &[u8]) -> Option<usize> {
        let mut at = if text.starts_with(BYTE_ORDER_MARK) { BYTE_ORDER_MARK.len() } else { 0 };
        for _ in 0..self.skip_lines {
            at += memchr(b'\n', text.get(at..)?)? + 1;
        }
        Some(at)
    }

    pub(crate) fn is_comment(&self, record: &[u8]) -> bool {
        self.comment.as_ref().is_some_and(|prefix| record.starts_with(prefix))
    }

    /// Bytes of the record or comment that `text` begins with, and its line break; `None` when its end is not there.
    pub(crate) fn record(&self, text: &[u8], quote: u8) -> Option<usize> {
        if self.is_comment(text) {
            return memchr(b'\n', text).map(|at| at + 1);
        }
        let mut at = 0;
        loop {
            at += memchr2(quote, b'\n', text.get(at..)?)?;
            if text.get(at) == Some(&b'\n') {
                return Some(at + 1);
            }
            let before = at.checked_sub(1).and_then(|before| text.get(before));
            let opens = before.is_none_or(|b| *b == self.delimiter);
            at += if opens { 1 + quoted_len(text.get(at + 1..)?, quote)? } else { 1 };
        }
    }
}

/// Bytes of a quoted cell behind its first quote, up to and with the last one. `None` when that is not there, or is the last byte: another
/// one may follow.
pub(crate) fn quoted_len(text: &[u8], quote: u8) -> Option<usize> {
    let mut at = 0;
    loop {
        at += memchr(quote, text.get(at..)?)? + 1;
        match text.get(at) {
            None => return None,
            Some(next) if *next == quote => at += 1,
            Some(_) => return Some(at),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn framing() -> CsvFraming {
        CsvFraming { delimiter: b',', quote: Some(b'"'), comment: Some(b"#".to_vec()), skip_lines: 0 }
    }

    fn head(text: &str) -> &str {
        &text[..framing().whole(text.as_bytes(), true)]
    }

    #[test]
    fn a_line_break_inside_a_quoted_cell_ends_nothing() {
        assert_eq!(head("a,b\n1,\"x\ny\"\n2,z\n3"), "a,b\n1,\"x\ny\"\n2,z\n");
        assert_eq!(head("a,b\n1,\"x\ny"), "a,b\n");
        assert_eq!(head("\"\n\"\"\n\",1\n"), "\"\n\"\"\n\",1\n");
    }

    #[test]
    fn a_quote_at_the_end_of_what_is_there_may_be_the_first_of_two() {
        assert_eq!(head("1,\"a\""), "");
        assert_eq!(head("0\n1,\"a\""), "0\n");
    }

    #[test]
    fn a_quote_inside_a_cell_opens_nothing() {
        assert_eq!(head("1,6\" pipe\n2,b\n"), "1,6\" pipe\n2,b\n");
        assert_eq!(head("1, \"a\n2,b\n"), "1, \"a\n2,b\n");
    }

    #[test]
    fn quotes_in_comments_and_skipped_lines_open_nothing() {
        assert_eq!(head("# \"\n1,2\n"), "# \"\n1,2\n");
        let skipping = CsvFraming { skip_lines: 2, ..framing() };
        assert_eq!(skipping.whole(b"\"\n\"x\n1,2\n3", true), 9);
        assert_eq!(skipping.whole(b"\"\n\"x", true), 0);
    }
}
