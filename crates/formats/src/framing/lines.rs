//! The lines of line protocol, as `model::line` reads them: the parser itself says where a line ends, so that a block never ends
//! elsewhere.

use memchr::{memchr, memchr2};
use model::line::{Line, LineError, LineParser};

use super::{before_line_of, whole_lines};

/// See [`super::Framing::whole`].
pub(super) fn whole(text: &[u8]) -> usize {
    let Some(special) = memchr2(b'"', b'\\', text) else { return whole_lines(text) };
    let plain = before_line_of(text, special);
    plain + whole_of_special(text.get(plain..).unwrap_or_default())
}

fn whole_of_special(text: &[u8]) -> usize {
    let mut records = Records::new(text);
    let mut last = None;
    while let Some(record) = records.next() {
        last = Some(match record.line {
            // The parser has seen the line break behind it, so nothing that follows can change the line.
            Ok(_) if record.end < text.len() => record.end + 1,
            _ => record.start,
        });
    }
    // Without any record there are comments and blank lines only.
    last.unwrap_or_else(|| whole_lines(text))
}

/// Reads lines and says where they are.
pub(crate) struct Records<'a> {
    text: &'a [u8],
    parser: LineParser<'a>,
    /// Start of some line, and its number from 1: lines are looked for from there.
    known: (usize, u64),
}

/// A line that holds a point or is wrong.
pub(crate) struct Record<'a, 'p> {
    /// Its first byte, behind the blanks before it.
    pub(crate) start: usize,
    /// Its line break, or the end of the text.
    pub(crate) end: usize,
    /// Line breaks of the text before it.
    pub(crate) number: u64,
    /// What it holds.
    pub(crate) line: Result<Line<'a, 'p>, LineError>,
}

impl<'a> Records<'a> {
    pub(crate) fn new(text: &'a [u8]) -> Self {
        Self { text, parser: LineParser::new(text), known: (0, 1) }
    }

    pub(crate) fn next(&mut self) -> Option<Record<'a, '_>> {
        match self.parser.next_line()? {
            Ok(line) => {
                let start = line.text.as_ptr() as usize - self.text.as_ptr() as usize;
                self.known = (start, line.number);
                Some(Record { start, end: start + line.text.len(), number: line.number - 1, line: Ok(line) })
            }
            Err(error) => {
                let line_start = start_of_line(self.text, self.known, error.line);
                self.known = (line_start, error.line);
                let start = line_start + blanks(self.text.get(line_start..).unwrap_or_default());
                let end = start + end_of_line(self.text.get(start..).unwrap_or_default());
                Some(Record { start, end, number: error.line - 1, line: Err(error) })
            }
        }
    }
}

/// Offset of a line, found from one that is not behind it.
fn start_of_line(text: &[u8], known: (usize, u64), line: u64) -> usize {
    let (mut at, mut number) = known;
    while number < line {
        let Some(found) = text.get(at..).and_then(|rest| memchr(b'\n', rest)) else { break };
        at += found + 1;
        number += 1;
    }
    at
}

fn blanks(text: &[u8]) -> usize {
    text.iter().position(|b| !matches!(b, b' ' | b'\t' | 0)).unwrap_or(text.len())
}

/// Bytes before the line break that ends a wrong line. This is the rule by which the parser passes over such a line: a line break does
/// not end it inside quotes at the place of a value, or behind a backslash.
fn end_of_line(text: &[u8]) -> usize {
    let (mut is_escaped, mut in_fields, mut is_quoted) = (false, false, false);
    let (mut equals, mut commas) = (0u64, 0u64);
    let is_end = |&byte: &u8| {
        if is_escaped {
            is_escaped = false;
            return false;
        }
        match byte {
            b'\\' => is_escaped = true,
            b'"' if in_fields && equals > commas => is_quoted = !is_quoted,
            b'\n' => return !is_quoted,
            _ if is_quoted => {}
            b' ' => in_fields = true,
            b'=' if in_fields => equals += 1,
            b',' if in_fields => commas += 1,
            _ => {}
        }
        false
    };
    text.iter().position(is_end).unwrap_or(text.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn head(text: &str) -> &str {
        &text[..whole(text.as_bytes())]
    }

    #[test]
    fn a_text_without_quotes_ends_with_its_last_line_break() {
        assert_eq!(head("m v=1 1\nm v=2 2\nm v=3"), "m v=1 1\nm v=2 2\n");
        assert_eq!(head("m v=1 1"), "");
        assert_eq!(head(""), "");
    }

    #[test]
    fn a_line_break_inside_a_text_value_ends_nothing() {
        assert_eq!(head("m v=1 1\nm s=\"a\nb"), "m v=1 1\n");
        assert_eq!(head("m s=\"a\nb\" 1\nm s=\"c\n"), "m s=\"a\nb\" 1\n");
        assert_eq!(head("m s=\"a\\\"\nb\" 1\n"), "m s=\"a\\\"\nb\" 1\n");
    }

    #[test]
    fn a_line_break_behind_a_backslash_ends_nothing() {
        assert_eq!(head("m v=1 1\nm,t=a\\\n"), "m v=1 1\n");
    }

    #[test]
    fn quotes_in_comments_and_names_open_nothing() {
        assert_eq!(head("# it's \"\nm v=1 1\nx"), "# it's \"\nm v=1 1\n");
        assert_eq!(head("# \"\n# b\n#"), "# \"\n# b\n");
        assert_eq!(head("\"m\",t=\"a v=1 1\nm"), "\"m\",t=\"a v=1 1\n");
    }

    #[test]
    fn the_last_line_stays_when_it_is_wrong_since_more_may_belong_to_it() {
        assert_eq!(head("bad\nm v=x,s=\"a\nm v=1"), "bad\n");
        assert_eq!(head("bad\nbad \"\nbad\nbad"), "bad\nbad \"\nbad\n");
    }

    #[test]
    fn wrong_lines_are_found_with_their_whole_text() {
        let text = "m v=1 1\n\n  m v=\"a\nb\" x\n# c\nbad\nm v=2 2";
        let mut records = Records::new(text.as_bytes());
        let mut found = Vec::new();
        while let Some(record) = records.next() {
            found.push((&text[record.start..record.end], record.line.is_ok()));
        }
        assert_eq!(found, [("m v=1 1", true), ("m v=\"a\nb\" x", false), ("bad", false), ("m v=2 2", true)]);
    }
}
