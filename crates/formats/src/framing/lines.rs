//! The lines of line protocol, cut where `model::line` sees their ends.

use memchr::{memchr, memchr2};
use model::line::{Line, LineError, LineErrorKind, LineParser};

use super::{before_line_of, whole_lines};

/// See [`super::Framing::whole`].
pub(super) fn whole(text: &[u8]) -> usize {
    let Some(special) = memchr2(b'"', b'\\', text) else { return whole_lines(text) };
    let plain = before_line_of(text, special);
    plain + whole_of_special(text.get(plain..).unwrap_or_default())
}

fn whole_of_special(text: &[u8]) -> usize {
    let mut whole = 0;
    while let Some(len) = text.get(whole..).and_then(line_len) {
        whole += len;
    }
    whole
}

/// Bytes of the line, comment or blank line that `text` begins with, and its line break; `None` when its end is not there.
fn line_len(text: &[u8]) -> Option<usize> {
    let indent = blanks(text);
    let line = text.get(indent..)?;
    let len = match line.first()? {
        b'#' => memchr(b'\n', line)?,
        _ => {
            let end = end_of_line(line);
            // The parser has rules of its own for backslashes in names.
            if end.has_backslash { parsed_len(line, end.len)? } else { end.len? }
        }
    };
    (indent + len < text.len()).then_some(indent + len + 1)
}

/// Bytes of a line as the parser reads it, `if_wrong` when it is wrong; `None` when a text value goes on behind what is there.
#[cold]
fn parsed_len(text: &[u8], if_wrong: Option<usize>) -> Option<usize> {
    match LineParser::new(text).next_line()? {
        Ok(line) => Some(line.text.len()),
        Err(error) if error.kind == LineErrorKind::UnbalancedQuotes => None,
        Err(_) => if_wrong,
    }
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
                let end = end_of_line(self.text.get(start..).unwrap_or_default()).len;
                let end = end.map_or(self.text.len(), |len| start + len);
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

/// Where a line ends.
struct End {
    /// Bytes before its line break; `None` when that is not there.
    len: Option<usize>,
    /// Whether a backslash stands outside quotes.
    has_backslash: bool,
}

/// The end of a line by InfluxDB's rule, by which the parser passes over wrong lines, too: a line break does not end it inside quotes at the place
/// of a value, or behind a backslash.
fn end_of_line(text: &[u8]) -> End {
    let (mut at, mut in_fields, mut has_backslash) = (0, false, false);
    let (mut equals, mut commas) = (0u64, 0u64);
    while let Some(byte) = text.get(at) {
        match byte {
            b'\n' => return End { len: Some(at), has_backslash },
            b'\\' => {
                has_backslash = true;
                at += 1;
            }
            b' ' => in_fields = true,
            b'=' if in_fields => equals += 1,
            b',' if in_fields => commas += 1,
            b'"' if in_fields && equals > commas => match text.get(at + 1..).and_then(quoted_len) {
                Some(len) => at += 1 + len,
                None => break,
            },
            _ => {}
        }
        at += 1;
    }
    End { len: None, has_backslash }
}

/// Bytes up to the closing quote; a backslash takes the byte behind it along.
fn quoted_len(text: &[u8]) -> Option<usize> {
    let mut at = 0;
    loop {
        at += memchr2(b'"', b'\\', text.get(at..)?)?;
        if text.get(at) == Some(&b'"') {
            return Some(at);
        }
        at += 2;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

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
    fn a_blank_behind_two_backslashes_is_still_of_the_name() {
        // By the rule for wrong lines the quote of the field key would open a text.
        let line = "m,t=a\\\\ =b \\,\"=\"c\",d=\"e\n#f\" 1\n";
        assert_eq!(head(line), line);
        assert_eq!(head(&line[..line.len() - 5]), "");
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

    /// Pieces of lines, right and wrong ones.
    fn any_text() -> impl Strategy<Value = String> {
        let pieces = ["m", ",t=a", " ", "v=1", "s=\"", "\"", "\\", "\n", ",", "=", " 7", "#", "x y", "\\\"", "\t"];
        prop::collection::vec(prop::sample::select(pieces.to_vec()), 0..40).prop_map(|pieces| pieces.concat())
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2000))]
        #[test]
        fn what_is_cut_off_is_never_inside_a_line_that_the_parser_sees(text in any_text(), part in 0.0..1.0f64) {
            let prefix = (text.len() as f64 * part) as usize;
            let cut = whole(&text.as_bytes()[..prefix]);
            let mut records = Records::new(text.as_bytes());
            while let Some(record) = records.next() {
                prop_assert!(cut <= record.start || cut > record.end, "{:?} is cut at {cut}", text);
            }
        }
    }
}
