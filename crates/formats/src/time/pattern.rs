//! Patterns of strptime. Those of numbers are read by us; others, with names of months and the like, by `jiff`, which is some times slower.

use jiff::civil::Time;
use jiff::fmt::strtime;
use jiff::tz::TimeZone;

use super::civil::{DAY, Moment, Parts, Reader};

/// A pattern, ready to read texts.
#[derive(Debug, Clone)]
pub(super) enum Pattern {
    /// Of numbers only.
    Numbers(Vec<Item>),
    /// Any other.
    Any(String),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Item {
    Year,
    /// 69 to 99 are of the 20th century.
    ShortYear,
    Month,
    Day,
    Hour,
    Minute,
    Second,
    /// Digits of a fraction.
    Fraction,
    /// A point and digits, or nothing.
    PointFraction,
    /// Any number of blanks, also none.
    Blanks,
    Byte(u8),
}

impl Pattern {
    /// # Errors
    /// A sentence when there is no such pattern.
    pub(super) fn new(pattern: &str) -> Result<Self, String> {
        if let Some(items) = numbers(pattern) {
            return Ok(Self::Numbers(items));
        }
        // A pattern that can be written can be read: what is wrong with it shows before the first record.
        let some_time = jiff::Timestamp::UNIX_EPOCH.to_zoned(TimeZone::UTC);
        match strtime::format(pattern, &some_time) {
            Ok(_) => Ok(Self::Any(pattern.to_owned())),
            Err(e) => Err(format!("the time format `{pattern}` cannot be used: {e}")),
        }
    }

    pub(super) fn parse(&self, text: &[u8]) -> Option<Moment> {
        match self {
            Self::Numbers(items) => parse_numbers(items, text),
            Self::Any(pattern) => parse_any(pattern, text),
        }
    }
}

/// `None` where there is a directive that is no number, or where the date is not whole.
fn numbers(pattern: &str) -> Option<Vec<Item>> {
    let mut items = Vec::new();
    let mut bytes = pattern.bytes();
    while let Some(byte) = bytes.next() {
        match byte {
            b'%' => directive(&mut bytes, &mut items)?,
            b' ' | b'\t' => items.push(Item::Blanks),
            other => items.push(Item::Byte(other)),
        }
    }
    let has = |item| items.contains(&item);
    (has(Item::Day) && has(Item::Month) && (has(Item::Year) || has(Item::ShortYear))).then_some(items)
}

fn directive(bytes: &mut impl Iterator<Item = u8>, items: &mut Vec<Item>) -> Option<()> {
    let byte = match bytes.next()? {
        // Numbers are read with and without zeros anyway.
        b'-' | b'_' | b'0' => bytes.next()?,
        byte => byte,
    };
    match byte {
        b'Y' => items.push(Item::Year),
        b'y' => items.push(Item::ShortYear),
        b'm' => items.push(Item::Month),
        b'd' | b'e' => items.push(Item::Day),
        b'H' | b'k' => items.push(Item::Hour),
        b'M' => items.push(Item::Minute),
        b'S' => items.push(Item::Second),
        b'f' => items.push(Item::Fraction),
        b'.' if bytes.next()? == b'f' => items.push(Item::PointFraction),
        b'n' | b't' => items.push(Item::Blanks),
        b'%' => items.push(Item::Byte(b'%')),
        b'F' => items.extend([Item::Year, Item::Byte(b'-'), Item::Month, Item::Byte(b'-'), Item::Day]),
        b'T' => items.extend([Item::Hour, Item::Byte(b':'), Item::Minute, Item::Byte(b':'), Item::Second]),
        b'R' => items.extend([Item::Hour, Item::Byte(b':'), Item::Minute]),
        _ => return None,
    }
    Some(())
}

fn parse_numbers(items: &[Item], text: &[u8]) -> Option<Moment> {
    let (mut reader, mut parts) = (Reader(text), Parts::default());
    for item in items {
        match item {
            Item::Year => parts.year = reader.number(4, 4)?,
            Item::ShortYear => {
                let year = reader.number(2, 2)?;
                parts.year = if year < 69 { 2000 + year } else { 1900 + year };
            }
            Item::Month => parts.month = reader.number(1, 2)?,
            Item::Day => {
                reader.skip(b' ');
                parts.day = reader.number(1, 2)?;
            }
            Item::Hour => {
                reader.skip(b' ');
                parts.hour = reader.number(1, 2)?;
            }
            Item::Minute => parts.minute = reader.number(1, 2)?,
            Item::Second => parts.second = reader.number(1, 2)?,
            Item::Fraction => parts.nanos = reader.fraction()?,
            Item::PointFraction => {
                if reader.skip(b'.') {
                    parts.nanos = reader.fraction()?;
                }
            }
            Item::Blanks => while reader.skip(b' ') || reader.skip(b'\t') {},
            Item::Byte(byte) => reader.skip(*byte).then_some(())?,
        }
    }
    let seconds = parts.seconds()?;
    reader.is_at_end().then_some(Moment { seconds, nanos: parts.nanos, is_utc: false })
}

fn parse_any(pattern: &str, text: &[u8]) -> Option<Moment> {
    let read = strtime::parse(pattern, text).ok()?;
    if let Ok(instant) = read.to_timestamp() {
        let (seconds, nanos) = (instant.as_second(), instant.subsec_nanosecond());
        // Before 1970 jiff counts the fraction backwards.
        let (seconds, nanos) = if nanos < 0 { (seconds - 1, nanos + 1_000_000_000) } else { (seconds, nanos) };
        return Some(Moment { seconds, nanos: u32::try_from(nanos).ok()?, is_utc: true });
    }
    let (date, time) = (read.to_date().ok()?, read.to_time().unwrap_or(Time::midnight()));
    let parts = Parts {
        year: date.year().into(),
        month: date.month().into(),
        day: date.day().into(),
        hour: time.hour().into(),
        minute: time.minute().into(),
        second: time.second().into(),
        nanos: u32::try_from(time.subsec_nanosecond()).ok()?,
    };
    debug_assert!(parts.seconds().is_none_or(|s| s.rem_euclid(DAY) < DAY));
    Some(Moment { seconds: parts.seconds()?, nanos: parts.nanos, is_utc: false })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seconds(pattern: &str, text: &str) -> Option<(i64, bool)> {
        let pattern = Pattern::new(pattern).unwrap();
        pattern.parse(text.as_bytes()).map(|moment| (moment.seconds, moment.is_utc))
    }

    #[test]
    fn patterns_of_numbers_are_read() {
        assert_eq!(seconds("%d/%m/%Y %H:%M:%S", "16/12/2006 17:24:00"), Some((1_166_289_840, false)));
        assert_eq!(seconds("%d/%m/%Y %H:%M:%S", "1/2/2007 7:04:00"), Some((1_170_313_440, false)));
        assert_eq!(seconds("%d.%m.%y", "01.01.70"), Some((0, false)));
        assert_eq!(seconds("%Y%m%d%H%M", "197001020000"), Some((86_400, false)));
        assert_eq!(seconds("%F %T%.f", "1970-01-01 00:00:01.5"), Some((1, false)));
        for text in ["16/12/2006", "16/12/2006 17:24", "31/02/2006 00:00:00", "16/12/2006 17:24:00x", ""] {
            assert_eq!(seconds("%d/%m/%Y %H:%M:%S", text), None, "{text}");
        }
    }

    #[test]
    fn other_patterns_are_read_by_jiff() {
        assert_eq!(seconds("%d %b %Y %I:%M %p", "02 Jan 1970 01:00 PM"), Some((86_400 + 13 * 3600, false)));
        assert_eq!(seconds("%Y-%m-%d %H:%M:%S %z", "1970-01-01 01:00:00 +0100"), Some((0, true)));
        assert_eq!(seconds("%s", "1700000000"), Some((1_700_000_000, true)));
        assert_eq!(seconds("%d %b %Y", "02 Jan 1970"), Some((86_400, false)));
        assert_eq!(seconds("%d %b %Y", "02 Foo 1970"), None);
    }

    #[test]
    fn what_is_no_pattern_is_refused() {
        assert!(Pattern::new("%d %J %Y").unwrap_err().starts_with("the time format `%d %J %Y` cannot be used"));
    }
}
