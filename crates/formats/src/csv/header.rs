//! The start of a CSV file: delimiter, names of the columns, and the first records as a sample.

use memchr::memchr;

use crate::error::{Error, refuse_utf16};
use crate::framing::CsvFraming;
use crate::table::Sample;

use super::options::CsvOptions;
use super::record::{Cells, Records};

/// Records that columns are judged by.
const SAMPLE_RECORDS: usize = 1000;
/// Most columns.
const MAX_COLUMNS: usize = 65_536;
/// In the order of preference.
const DELIMITERS: [u8; 4] = [b',', b';', b'\t', b'|'];

/// What the start of a file tells.
#[derive(Debug)]
pub(super) struct Header {
    pub(super) framing: CsvFraming,
    /// Where the first record of values begins.
    pub(super) data_start: u64,
    pub(super) sample: Sample,
}

/// Reads the start of a file. `head` is all of it, or long enough.
pub(super) fn read(options: &CsvOptions, head: &[u8]) -> Result<Header, Error> {
    refuse_utf16(head)?;
    if memchr(b'\r', head).is_some() && memchr(b'\n', head).is_none() {
        return Err(Error::columns(
            "the lines end in carriage returns alone: convert the file before, for example with `tr '\\r' '\\n'`",
        ));
    }
    let mut framing = CsvFraming {
        delimiter: b',',
        quote: options.quote.map(|quote| ascii(quote, "quote")).transpose()?,
        comment: options.comment.as_ref().filter(|c| !c.is_empty()).map(|c| c.as_bytes().to_vec()),
        skip_lines: options.skip_lines,
    };
    let skipped = framing.skipped(head).ok_or_else(too_short)?;
    let text = head.get(skipped..).unwrap_or_default();
    let first = Records::new(text, &framing).next().ok_or_else(too_short)?;
    framing.delimiter = match options.delimiter {
        Some(delimiter) => ascii(delimiter, "delimiter")?,
        None => guess_delimiter(first.text),
    };
    if framing.quote == Some(framing.delimiter) {
        return Err(Error::columns("delimiter and quote are the same character"));
    }
    // NOTE: the delimiter may decide where a record ends, so it is read again.
    let first = Records::new(text, &framing).next().ok_or_else(too_short)?;
    let names = names(options, first.text, &framing)?;
    let has_header = options.header.unwrap_or(options.columns.is_empty());
    let header_len = if has_header { first.end } else { 0 };
    let sample = sample(names, text.get(header_len..).unwrap_or_default(), &framing);
    Ok(Header { framing, data_start: (skipped + header_len) as u64, sample })
}

fn too_short() -> Error {
    Error::columns("the file ends before its first record")
}

fn ascii(sign: char, what: &str) -> Result<u8, Error> {
    let byte = u8::try_from(sign).ok().filter(u8::is_ascii).filter(|b| !matches!(b, b'\n' | b'\r' | 0));
    byte.ok_or_else(|| {
        Error::Columns(format!("`{}` cannot be the {what}: expected one ASCII character", sign.escape_debug()))
    })
}

/// The one that the record has most of, outside quotes.
fn guess_delimiter(record: &[u8]) -> u8 {
    let mut is_quoted = false;
    let mut counts = [0usize; DELIMITERS.len()];
    for byte in record {
        is_quoted ^= *byte == b'"';
        for (count, delimiter) in counts.iter_mut().zip(DELIMITERS) {
            *count += usize::from(!is_quoted && *byte == delimiter);
        }
    }
    let most = counts.iter().max().copied().unwrap_or(0);
    DELIMITERS.into_iter().zip(counts).find(|(_, count)| *count == most).map_or(b',', |(delimiter, _)| delimiter)
}

fn names(options: &CsvOptions, first: &[u8], framing: &CsvFraming) -> Result<Vec<String>, Error> {
    let mut cells = Cells::default();
    cells.split(first, framing).map_err(|_| Error::columns("a quote of the first record is not closed"))?;
    if cells.len() > MAX_COLUMNS {
        return Err(Error::Columns(format!(
            "the first record has {} cells; at most {MAX_COLUMNS} are taken",
            cells.len()
        )));
    }
    if !options.columns.is_empty() {
        return Ok(options.columns.clone());
    }
    let name = |at: usize| {
        let text = cells.get(at).map(|(text, _)| text.trim_ascii()).unwrap_or_default();
        let is_named = options.header.unwrap_or(true) && !text.is_empty();
        let named = || std::str::from_utf8(text).map(str::to_owned);
        if is_named { named() } else { Ok(format!("column{}", at + 1)) }
    };
    // An empty cell at the end is what a delimiter at the end of the line makes.
    let last = cells.len() - usize::from(cells.len() > 1 && cells.are_empty_from(cells.len() - 1));
    let names: Result<Vec<_>, _> = (0..last).map(name).collect();
    names.map_err(|_| {
        Error::columns("the names of the columns are not UTF-8: convert the file before, for example with `iconv -f GB18030 -t UTF-8`")
    })
}

fn sample(names: Vec<String>, text: &[u8], framing: &CsvFraming) -> Sample {
    let mut sample = Sample::new(names);
    let mut cells = Cells::default();
    for record in Records::new(text, framing).take(SAMPLE_RECORDS) {
        // The last one may be cut off. Where it is the only one it is better than none.
        let is_cut = !record.is_whole && record.line > 0;
        if is_cut || cells.split(record.text, framing).is_err() || cells.len() < sample.columns.len() {
            continue;
        }
        for (at, column) in sample.columns.iter_mut().enumerate() {
            column.texts.push(cells.get(at).map(|(text, _)| text.to_vec()).unwrap_or_default());
        }
    }
    sample
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(options: &CsvOptions, head: &str) -> Vec<String> {
        let header = read(options, head.as_bytes()).unwrap();
        header.sample.columns.into_iter().map(|c| c.name).collect()
    }

    #[test]
    fn the_delimiter_is_found() {
        let options = CsvOptions::default();
        for head in ["a;b;c,d\n1;2;3", "a\tb\tc,d\n", "a|b|c,d\n", "a,b,\"c;d;e;f\"\n"] {
            assert_eq!(names(&options, head).len(), 3, "{head}");
        }
        assert_eq!(names(&options, "a b\n1\n"), ["a b"]);
    }

    #[test]
    fn names_come_from_the_header_or_the_options_or_are_numbers() {
        let options = CsvOptions::default();
        assert_eq!(names(&options, "\u{feff}time, a ,,\"b\"\"\",\n"), ["time", "a", "column3", "b\""]);
        let none = CsvOptions { header: Some(false), ..CsvOptions::default() };
        assert_eq!(names(&none, "1,2\n"), ["column1", "column2"]);
        let given = CsvOptions { columns: vec!["x".to_owned(), "y".to_owned()], ..CsvOptions::default() };
        assert_eq!(names(&given, "1,2\n"), ["x", "y"]);
        assert_eq!(read(&given, b"1,2\n").unwrap().data_start, 0);
        let instead = CsvOptions { header: Some(true), ..given };
        assert_eq!(read(&instead, b"a,b\n1,2\n").unwrap().data_start, 4);
    }

    #[test]
    fn lines_are_skipped_before_the_header() {
        let options = CsvOptions { skip_lines: 2, comment: Some("#".to_owned()), ..CsvOptions::default() };
        let header = read(&options, b"some \"title\n\n# c\na,b\n1,2\n").unwrap();
        assert_eq!(header.data_start, 21);
        assert_eq!(header.sample.columns[1].texts, [b"2"]);
    }

    #[test]
    fn what_is_no_table_is_refused() {
        let error = |options: &CsvOptions, head: &[u8]| read(options, head).unwrap_err().to_string();
        assert_eq!(error(&CsvOptions::default(), b""), "the file ends before its first record");
        assert!(error(&CsvOptions::default(), b"\xff\xfea\0").contains("UTF-16"));
        assert!(error(&CsvOptions::default(), b"a,b\r1,2\r").contains("carriage returns"));
        let wide = CsvOptions { delimiter: Some('，'), ..CsvOptions::default() };
        assert_eq!(error(&wide, b"a"), "`，` cannot be the delimiter: expected one ASCII character");
    }
}
