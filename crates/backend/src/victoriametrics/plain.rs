//! Lines that VictoriaMetrics reads as they stand as it would read what `encode` makes of them: same series, times and values. They need not be
//! taken apart and printed again, which takes longer than sending them.
//!
//! NOTE: it stores a 0 for whatever it cannot read as a number, also for `.5` and `5.`, has an `=` in a value of a tag where InfluxDB refuses it, and
//! knows no field called `time`. So only the plainest spelling of everything passes; what does not is none the worse for it.
//!
//! Files have the same beginnings of lines again and again, and mostly in the same order. They are checked when they come first, and after that only
//! compared with the one that came next the last time.

use std::collections::HashMap;
use std::sync::Arc;

use memchr::memchr;
use model::line::Run;

use super::names::label_of;
use super::rules::{MAX_NAME, Rules};

/// Beginnings of lines that are kept; with more of them all are forgotten.
const MAX_HEADS: usize = 1 << 16;
/// Longer lines are not looked at: they may have more fields than we take.
const MAX_LINE: usize = 16 << 10;
/// Numbers of so many digits are read exactly by everybody, however they are spelled.
const EXACT_DIGITS: usize = 15;
/// Floats of more digits have another shortest spelling, or none.
const MAX_DIGITS: usize = 17;
/// Integers of so many digits fit into 64 bits.
const INTEGER_DIGITS: usize = 18;

/// Tells plain lines; remembers what it has seen.
#[derive(Debug, Default)]
pub(super) struct PlainLines {
    heads: Heads,
    /// The last time that was found storable, with its line break: many lines have the same.
    time: Vec<u8>,
}

impl PlainLines {
    /// At most `most` lines at the start of a text, if all of them may be sent as they are, with times in nanoseconds.
    pub(super) fn pass(&mut self, text: &[u8], most: usize, rules: &Rules) -> Option<Run> {
        if rules.max_value <= 2 * MAX_NAME {
            return None;
        }
        self.heads.keep_to(rules);
        // What can be stored changes with time.
        self.time.clear();
        let (mut rest, mut lines) = (text, 0);
        while !rest.is_empty() && lines < most {
            rest = self.line(rest, rules).filter(|after| rest.len() - after.len() <= MAX_LINE)?;
            lines += 1;
        }
        Some(Run { bytes: text.len() - rest.len(), lines })
    }

    /// What follows the line at the start of `text`, if that is plain.
    #[inline]
    fn line<'t>(&mut self, text: &'t [u8], rules: &Rules) -> Option<&'t [u8]> {
        let mut rest = self.heads.pass(text, rules)?;
        loop {
            let (&separator, after) = rest.get(value_len(rest)?..)?.split_first()?;
            match separator {
                b' ' => return self.pass_time(after, rules),
                b',' => rest = pass_field_key(after)?,
                _ => return None,
            }
        }
    }

    #[inline]
    fn pass_time<'t>(&mut self, text: &'t [u8], rules: &Rules) -> Option<&'t [u8]> {
        if let Some(rest) = text.strip_prefix(self.time.as_slice()).filter(|_| !self.time.is_empty()) {
            return Some(rest);
        }
        let (time, rest) = text.split_at_checked(memchr(b'\n', text)? + 1)?;
        if !is_storable(time.strip_suffix(b"\n")?, rules) {
            return None;
        }
        time.clone_into(&mut self.time);
        Some(rest)
    }
}

/// Beginnings of lines, up to the first value, that were found plain.
#[derive(Debug, Default)]
struct Heads {
    all: Vec<Head>,
    numbers: HashMap<Arc<[u8]>, usize>,
    /// Number of the last one that was passed.
    last: usize,
    /// By what they were found plain.
    max_labels: usize,
}

/// `measurement,tag=value field=`
#[derive(Debug)]
struct Head {
    text: Arc<[u8]>,
    /// Number of the one that followed it the last time.
    next: usize,
}

impl Heads {
    fn keep_to(&mut self, rules: &Rules) {
        if self.max_labels != rules.max_labels || self.all.len() >= MAX_HEADS {
            *self = Self { max_labels: rules.max_labels, ..Self::default() };
        }
    }

    /// What follows the head at the start of `text`, if that is plain.
    #[inline]
    fn pass<'t>(&mut self, text: &'t [u8], rules: &Rules) -> Option<&'t [u8]> {
        if let Some(next) = self.all.get(self.last).map(|last| last.next)
            && let Some(rest) = self.all.get(next).and_then(|head| text.strip_prefix(&*head.text))
        {
            self.last = next;
            return Some(rest);
        }
        self.look_up(text, rules)
    }

    fn look_up<'t>(&mut self, text: &'t [u8], rules: &Rules) -> Option<&'t [u8]> {
        let blank = memchr(b' ', text)?;
        let equals = blank + memchr(b'=', text.get(blank..)?)?;
        let (head, rest) = text.split_at_checked(equals + 1)?;
        let number = match self.numbers.get(head) {
            Some(number) => *number,
            None if is_plain_head(head, rules) => self.add(head),
            None => return None,
        };
        if let Some(last) = self.all.get_mut(self.last) {
            last.next = number;
        }
        self.last = number;
        Some(rest)
    }

    fn add(&mut self, head: &[u8]) -> usize {
        let (number, text) = (self.all.len(), Arc::<[u8]>::from(head));
        self.numbers.insert(Arc::clone(&text), number);
        self.all.push(Head { text, next: number + 1 });
        number
    }
}

/// Whether what ends in the first `=` behind the first blank is a series and a field key as they have to be.
fn is_plain_head(head: &[u8], rules: &Rules) -> bool {
    let Ok(head) = str::from_utf8(head) else { return false };
    let Some((series, field)) = head.split_once(' ') else { return false };
    is_plain_series(series, rules) && field.strip_suffix('=').is_some_and(is_field_key)
}

fn is_plain_series(series: &str, rules: &Rules) -> bool {
    let mut parts = series.split(',');
    if series.len() > MAX_NAME
        || !parts.next().is_some_and(|measurement| is_name(measurement) && !measurement.starts_with('#'))
    {
        return false;
    }
    let mut tags: Vec<&str> = Vec::new();
    let all_plain = parts.all(|part| {
        let Some((tag, value)) = part.split_once('=') else { return false };
        let is_new = !tags.contains(&tag);
        tags.push(tag);
        is_new && is_name(tag) && is_name(value) && tag != "time" && label_of(tag) == tag
    });
    all_plain && tags.len() <= rules.max_labels
}

/// What follows a further field key and its `=`.
#[inline]
fn pass_field_key(text: &[u8]) -> Option<&[u8]> {
    let (key, rest) = text.split_at_checked(memchr(b'=', text)?)?;
    is_field_key(str::from_utf8(key).ok()?).then_some(rest.get(1..)?)
}

#[inline]
fn is_field_key(key: &str) -> bool {
    is_name(key) && key.len() <= MAX_NAME && key != "time"
}

/// Not empty, and nothing in it that has a meaning to anybody.
#[inline]
fn is_name(name: &str) -> bool {
    !name.is_empty() && !name.bytes().any(|byte| byte <= b' ' || matches!(byte, b',' | b'=' | b'"' | b'\\'))
}

/// Whether these are digits of a time in nanoseconds that can be stored.
fn is_storable(time: &[u8], rules: &Rules) -> bool {
    let time = str::from_utf8(time).ok().filter(|text| text.bytes().all(|byte| byte.is_ascii_digit()));
    let Some(time) = time.and_then(|text| text.parse::<i64>().ok()).filter(|time| *time < i64::MAX) else {
        return false;
    };
    let ms = time / 1_000_000;
    rules.check_time(ms).is_ok() && rules.oldest_ms.is_none_or(|oldest| ms >= oldest)
}

/// Length of the value at the start of `text`, which goes on behind it.
#[inline]
fn value_len(text: &[u8]) -> Option<usize> {
    let sign = usize::from(text.first() == Some(&b'-'));
    let whole = digits(text.get(sign..)?);
    let end = sign + whole;
    match text.get(end)? {
        _ if whole == 0 => boolean_len(text),
        b'.' => {
            let fraction = digits(text.get(end + 1..)?);
            let len = end + 1 + fraction;
            let is_read_alike = whole + fraction <= EXACT_DIGITS || is_shortest(text.get(..len)?);
            (fraction > 0 && is_read_alike).then_some(len)
        }
        b'i' => (whole <= INTEGER_DIGITS).then_some(end + 1),
        b'u' => (whole <= INTEGER_DIGITS && sign == 0).then_some(end + 1),
        _ => (whole <= EXACT_DIGITS).then_some(end),
    }
}

/// How many digits `text` begins with.
#[inline]
fn digits(text: &[u8]) -> usize {
    match text.first_chunk().map(|eight| not_digits(*eight)) {
        Some(0) | None => text.iter().position(|byte| !byte.is_ascii_digit()).unwrap_or(text.len()),
        Some(others) => others.trailing_zeros() as usize / 8,
    }
}

/// The high bit of each byte that is no digit, up to and with the first; what is behind it says nothing.
#[inline]
fn not_digits(text: [u8; 8]) -> u64 {
    let digits = u64::from_le_bytes(text) ^ 0x3030_3030_3030_3030;
    // A byte above 9 carries into its high bit; one above 0x7f has it set already.
    (digits.wrapping_add(0x7676_7676_7676_7676) | digits) & 0x8080_8080_8080_8080
}

/// Whether a number is spelled as it would be printed. Beside that there is room for a mistake in its last bit, since VictoriaMetrics does not round
/// what it reads as others do.
#[cold]
fn is_shortest(number: &[u8]) -> bool {
    let is_short = number.iter().filter(|byte| byte.is_ascii_digit()).count() <= MAX_DIGITS;
    let Some(text) = str::from_utf8(number).ok().filter(|_| is_short) else { return false };
    // Beyond these it is printed with an exponent.
    let has_no_exponent = |value: &f64| (1e-3..1e15).contains(&value.abs());
    text.parse().ok().filter(has_no_exponent).is_some_and(|value| value.to_string() == text)
}

#[cold]
fn boolean_len(text: &[u8]) -> Option<usize> {
    let len = text.iter().position(|byte| matches!(byte, b',' | b' '))?;
    let words = [&b"t"[..], b"T", b"true", b"True", b"TRUE", b"f", b"F", b"false", b"False", b"FALSE"];
    words.contains(&text.get(..len)?).then_some(len)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Destination;

    fn rules() -> Rules {
        Rules::new(None, &Destination { database: "d".to_owned(), policy: "p".to_owned(), is_default: true })
    }

    fn is_plain(text: &str) -> bool {
        PlainLines::default().pass(text.as_bytes(), usize::MAX, &rules()).is_some()
    }

    #[test]
    fn plain_lines_pass_in_any_order() {
        let values =
            ["1", "-1.5", "0.25", "7i", "-7i", "8u", "t", "FALSE", "true", "123456789.123456", "0.1234567890123456"];
        let line = |n: usize| {
            format!("m{},b=1,a=ü v={},w=2 {}\n", n % 3, values[n % values.len()], 1_790_000_000_000_000_000 + n / 5)
        };
        let text: String = (0..100).map(line).collect();
        let mut plain = PlainLines::default();
        for _ in 0..3 {
            let mut pass = |text: &str, most| plain.pass(text.as_bytes(), most, &rules());
            assert_eq!(pass(&text, 100), Some(Run { bytes: text.len(), lines: 100 }));
            assert_eq!(pass(&text, 1), Some(Run { bytes: line(0).len(), lines: 1 }));
            assert!(pass(&(0..100).rev().map(line).collect::<String>(), usize::MAX).is_some());
        }
        assert!(is_plain(""));
    }

    #[test]
    fn what_is_not_plain_is_told() {
        let tags: String = (0..30).map(|n| format!(",t{n}=v")).collect();
        let series = [
            "",
            "#m",
            "m,",
            "m,a",
            "m,a=",
            "m,=b",
            "m,a=b=c",
            "m,a=1,a=2",
            "m,b=1,a=2,b=3",
            "m=n",
            "m\\ n",
            "m,a=\\,",
            "\tm",
            "m\tn",
            "m,time=1",
            "m,db=x",
            "m,rp=x",
            "m,__name__=x",
            "m,a=\"b\"",
            " m",
            "m\0",
        ];
        for series in series.into_iter().map(str::to_owned).chain([format!("m{tags}"), "m".repeat(257)]) {
            assert!(!is_plain(&format!("{series} v=1 1790000000000000000\n")), "{series:?}");
        }
        let values = [
            "",
            "v",
            "=1",
            "v=",
            "v=x",
            "v=.5",
            "v=5.",
            "v=-.5",
            "v=-",
            "v=+5",
            "v=1e3",
            "v=1E3",
            "v=inf",
            "v=NaN",
            "v=\"1\"",
            "v=-5u",
            "v=1.5i",
            "v=i",
            "v=tr",
            "v=1,",
            "v=1,,w=2",
            "v=1,time=2",
            "time=2",
            "v=1,w",
            "v=1 ",
            "v=1,w\\ =2",
            "v=1,\tw=2",
            "v=1234567890123456789i",
            "v=1234567890123456",
            "v=0.12345678901234567890",
            "v=0.1234567890123450",
            "v=-t",
            "v=1\"",
        ];
        for fields in values {
            assert!(!is_plain(&format!("m {fields} 1790000000000000000\n")), "{fields:?}");
        }
        let times = [
            "",
            " 1",
            "1 ",
            "-1790000000000000000",
            "+1790000000000000000",
            "999999",
            "9223372036854775807",
            "17900000000000000000",
            "1e18",
            "5x",
            "5\r",
        ];
        for time in times {
            assert!(!is_plain(&format!("m v=1 {time}\n")), "{time:?}");
        }
        assert!(
            !is_plain("m v=1\n")
                && !is_plain("m v=1 1790000000000000000")
                && !is_plain("\n")
                && !is_plain("m v=1 1790000000000000000\n\n")
        );
        for text in [b"m,a=\xff v=1 1790000000000000000\n", b"m v=1,\xff=1 1790000000000000000\n"] {
            assert_eq!(PlainLines::default().pass(text, 1, &rules()), None);
        }
    }

    #[test]
    fn digits_are_counted() {
        for (text, count) in [
            ("", 0),
            ("1", 1),
            ("12345678", 8),
            ("1234567x", 7),
            ("123456789012 ", 12),
            ("12ü4567890", 2),
            ("/234567890", 0),
            (":", 0),
        ] {
            assert_eq!(digits(text.as_bytes()), count, "{text:?}");
        }
    }
}
