//! Line protocol to line protocol: each line is checked, so that a bad one is named here with its place in the file, and gets its time in
//! nanoseconds. Everything else of a line stays as it was written.

use model::key::canonicalize;
use model::line::{Line, LineErrorKind, LineParser};
use model::{Precision, TimestampNs};
use serde::{Deserialize, Serialize};

use crate::blocks::Block;
use crate::converted::{Converted, Lines};
use crate::error::{Error, refuse_utf16};
use crate::framing::lines::Records;
use crate::print::put_integer;
use crate::time::{Unit, is_storable};

/// How line protocol is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct LineOptions {
    /// Unit of the times: `ns`, `us`, `ms` or `s`. Default `ns`, unless the first time is then in 1970 and in another unit is of our days: such
    /// a file is refused.
    pub precision: Option<Unit>,
    /// Time of lines without one, in nanoseconds since 1970. Default: none, such lines are rejected.
    pub now: Option<i64>,
}

/// Checks and converts blocks.
#[derive(Debug, Clone)]
pub struct LineReader {
    precision: Precision,
    now: Option<TimestampNs>,
}

impl LineReader {
    /// A reader with these options.
    pub fn new(options: LineOptions) -> Self {
        let precision = options.precision.unwrap_or(Unit::Ns).into();
        Self { precision, now: options.now.map(TimestampNs) }
    }

    /// A reader for the file that begins with `head`: some of its lines, or all.
    ///
    /// # Errors
    /// [`Error::Columns`] for a text in UTF-16, and for one whose times seem to be in another unit than nanoseconds, if nothing was said about that.
    pub fn for_file(options: LineOptions, head: &[u8]) -> Result<Self, Error> {
        refuse_utf16(head)?;
        match first_time(head).filter(|_| options.precision.is_none()).and_then(|time| Some((time, unit_of(time)?))) {
            Some((time, unit)) => Err(Error::Columns(format!(
                "in nanoseconds the first time ({time}) would be in 1970: say --precision {unit}, or --precision ns if that is right"
            ))),
            None => Ok(Self::new(options)),
        }
    }

    /// The text of a block that may be stored as it stands by who checks it: whole lines, in which times are in nanoseconds. `None` where it may not.
    pub fn as_it_stands<'b>(&self, block: &'b Block) -> Option<&'b [u8]> {
        let text = without_mark(block);
        let is_whole = text.len() == block.bytes.len() && text.last() == Some(&b'\n');
        (is_whole && self.precision == Precision::Nanosecond).then_some(text)
    }

    /// Converts the lines of a block. Comments and blank lines are dropped, and so is a carriage return at a line's end, as Windows files have.
    pub fn convert(&self, block: &Block) -> Converted {
        let text = without_mark(block);
        let mut out = Converted::default();
        out.lines.text.reserve(text.len() + text.len() / 8);
        let mut checked = CheckedKey::default();
        let mut records = Records::new(text);
        while let Some(record) = records.next() {
            let raw = text.get(record.start..record.end).unwrap_or_default();
            // A blank line of a Windows file; blank lines of others are passed over by the parser.
            if raw == b"\r" {
                continue;
            }
            out.records += 1;
            // A block has at most `RECORD_MAX` lines.
            let origin = record.number as u32;
            let taken = match record.line {
                Ok(line) => self.take(&line, origin, &mut checked, &mut out.lines),
                Err(error) if error.kind == LineErrorKind::CarriageReturn => {
                    self.take_windows_line(raw, origin, &mut checked, &mut out.lines)
                }
                Err(error) => Err(format!("{} (column {})", error.kind, error.column)),
            };
            if let Err(reason) = taken {
                out.reject(block.first_line + record.number, raw, reason);
            }
        }
        out
    }

    fn take(&self, line: &Line<'_, '_>, origin: u32, key: &mut CheckedKey, out: &mut Lines) -> Result<(), String> {
        key.check(line.series)?;
        let text = line.text.trim_ascii_end();
        match line.time {
            Some(_) if self.precision == Precision::Nanosecond => out.text.extend_from_slice(text),
            Some(epoch) => {
                let time = self.precision.to_instant(epoch).filter(|time| is_storable(*time));
                let time =
                    time.ok_or_else(|| format!("the time {epoch}{} is beyond the years 1677 to 2262", self.precision))?;
                out.text.extend_from_slice(without_time(text));
                put_integer(&mut out.text, time.0);
            }
            None => {
                let now = self.now.ok_or("the line has no time, and no time for such lines was given")?;
                out.text.extend_from_slice(text);
                out.text.push(b' ');
                put_integer(&mut out.text, now.0);
            }
        }
        out.end_line(origin);
        Ok(())
    }

    #[cold]
    fn take_windows_line(&self, raw: &[u8], origin: u32, key: &mut CheckedKey, out: &mut Lines) -> Result<(), String> {
        let text = raw.strip_suffix(b"\r").unwrap_or(raw);
        match LineParser::new(text).next_line() {
            Some(Ok(line)) => self.take(&line, origin, key, out),
            Some(Err(error)) => Err(format!("{} (column {})", error.kind, error.column)),
            None => Ok(()),
        }
    }
}

/// Times between 1990 and 2100, in seconds.
const OUR_DAYS: std::ops::Range<i64> = 631_152_000..4_102_444_800;

/// The time of the first line that has one.
fn first_time(head: &[u8]) -> Option<i64> {
    let mut parser = LineParser::new(head.strip_prefix(b"\xef\xbb\xbf").unwrap_or(head));
    while let Some(line) = parser.next_line() {
        if let Some(time) = line.ok().and_then(|line| line.time) {
            return Some(time);
        }
    }
    None
}

/// The unit, other than nanoseconds, in which a time is of our days. In nanoseconds it is in 1970 then.
fn unit_of(time: i64) -> Option<&'static str> {
    let units = [("s", 1), ("ms", 1000), ("us", 1_000_000)];
    units.into_iter().find(|(_, per_second)| OUR_DAYS.contains(&(time / per_second))).map(|(unit, _)| unit)
}

/// The text of a block without the mark that some programs write at the start of UTF-8 files.
pub(crate) fn without_mark(block: &Block) -> &[u8] {
    let text = block.bytes.as_slice();
    if block.offset == 0 { text.strip_prefix(b"\xef\xbb\xbf").unwrap_or(text) } else { text }
}

/// A line without its time.
fn without_time(text: &[u8]) -> &[u8] {
    let len = text.iter().rposition(|b| !matches!(b, b'0'..=b'9' | b'-')).map_or(0, |last| last + 1);
    text.get(..len).unwrap_or_default()
}

/// The last key that was found right: most lines have that of the line before.
#[derive(Default)]
struct CheckedKey {
    last: Vec<u8>,
    scratch: Vec<u8>,
}

impl CheckedKey {
    fn check(&mut self, series: &[u8]) -> Result<(), String> {
        if self.last == series {
            return Ok(());
        }
        canonicalize(series, &mut self.scratch).map_err(|e| e.to_string())?;
        self.last.clear();
        self.last.extend_from_slice(series);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn convert(text: &str, options: LineOptions) -> Converted {
        let block = Block { bytes: text.as_bytes().to_vec(), offset: 0, first_line: 10 };
        LineReader::new(options).convert(&block)
    }

    fn text(out: &Converted) -> &str {
        std::str::from_utf8(&out.lines.text).unwrap()
    }

    #[test]
    fn good_lines_stay_as_they_are() {
        let out = convert("# c\n\n  m,t=a v=1,s=\"x\ny\" 5  \nm,t=b v=1.50 -6\n", LineOptions::default());
        assert_eq!(text(&out), "m,t=a v=1,s=\"x\ny\" 5\nm,t=b v=1.50 -6\n");
        assert_eq!((out.lines.origins.as_slice(), out.records), (&[2, 4][..], 2));
        assert_eq!(out.lines.slice(0, 1), b"m,t=a v=1,s=\"x\ny\" 5\n");
        assert_eq!(out.lines.slice(1, 2), b"m,t=b v=1.50 -6\n");
        assert_eq!(out.lines.slice(1, 3), b"");
    }

    #[test]
    fn bad_lines_are_rejected_with_number_text_and_reason() {
        let out = convert("m v=1 1\nm v=x 2\nm,t= v=1 3\nm v=4\nm v=5 5\n", LineOptions::default());
        let rejects: Vec<_> =
            out.rejects.iter().map(|r| (r.line, std::str::from_utf8(&r.text).unwrap(), r.reason.as_str())).collect();
        let no_boolean = "invalid boolean: expected t, T, true, True, TRUE, f, F, false, False or FALSE, or a number or quoted string (column 5)";
        let expected = [
            (11, "m v=x 2", no_boolean),
            (12, "m,t= v=1 3", "missing tag value: expected a value after `t=`"),
            (13, "m v=4", "the line has no time, and no time for such lines was given"),
        ];
        assert_eq!(rejects, expected);
        assert_eq!(text(&out), "m v=1 1\nm v=5 5\n");
    }

    #[test]
    fn times_become_nanoseconds() {
        let seconds = LineOptions { precision: Some(Unit::S), now: Some(7) };
        let out = convert("m v=1 2\nm v=1 -3\nm v=4\nm v=1 9999999999999", seconds);
        assert_eq!(text(&out), "m v=1 2000000000\nm v=1 -3000000000\nm v=4 7\n");
        assert_eq!(out.rejects[0].reason, "the time 9999999999999s is beyond the years 1677 to 2262");
    }

    #[test]
    fn times_in_another_unit_are_not_taken_for_nanoseconds_and_utf16_is_named() {
        let error = |text: &[u8], precision| {
            LineReader::for_file(LineOptions { precision, now: None }, text).err().map(|e| e.to_string())
        };
        for (time, unit) in [("1700000000", "s"), ("1700000000000", "ms"), ("1700000000000000", "us")] {
            let text = format!("\u{feff}# c\nm v=\nm v=1\nm v=1 {time}\nm v=2 1700000000000000000\n");
            assert!(error(text.as_bytes(), None).unwrap().contains(&format!("say --precision {unit},")), "{time}");
            assert_eq!(error(text.as_bytes(), Some(Unit::Ns)), None);
        }
        for text in ["m v=1 1700000000000000000", "m v=1 5", "m v=1 -5", "m v=1 631151999", "m v=1", "no line", ""] {
            assert_eq!(error(text.as_bytes(), None), None, "{text}");
        }
        assert!(error(b"\xff\xfem\0", None).unwrap().contains("UTF-16"));
    }

    #[test]
    fn whole_lines_in_nanoseconds_may_be_stored_as_they_stand() {
        let may = |text: &str, offset, precision| {
            let block = Block { bytes: text.as_bytes().to_vec(), offset, first_line: 1 };
            let reader = LineReader::new(LineOptions { precision, now: None });
            reader.as_it_stands(&block).map(<[u8]>::to_vec)
        };
        assert_eq!(may("m v=1 5\n", 0, None), Some(b"m v=1 5\n".to_vec()));
        assert_eq!(may("m v=1 5", 0, None), None);
        assert_eq!(may("\u{feff}m v=1 5\n", 0, None), None);
        assert_eq!(may("\u{feff}m v=1 5\n", 9, None), Some("\u{feff}m v=1 5\n".as_bytes().to_vec()));
        assert_eq!(may("m v=1 5\n", 0, Some(Unit::Ms)), None);
        assert_eq!(may("", 0, None), None);
    }

    #[test]
    fn files_of_windows_are_read() {
        let out = convert("\u{feff}m v=1 1\r\nm s=\"a\r\nb\" 2\r\n\r\nm v= 1\r\n", LineOptions::default());
        assert_eq!(text(&out), "m v=1 1\nm s=\"a\r\nb\" 2\n");
        assert_eq!((out.rejects.len(), out.rejects[0].line), (1, 14));
    }

    #[test]
    fn a_long_text_is_shortened() {
        let out = convert(&"x".repeat(5000), LineOptions::default());
        assert_eq!(out.rejects[0].text.len(), crate::REJECT_TEXT_MAX);
    }
}
