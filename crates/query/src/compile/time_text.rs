//! Times written as text:
//!
//! ```text
//! 2025-08-21T23:59:59.5+08:00    2025-08-21 23:59:59.5    2025-08-21
//! ```
//! The first with its offset, the others on the clocks of a zone.

use jiff::civil::{Date, DateTime, Time};
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};

use crate::QueryError;

const NANOS_A_SECOND: i128 = 1_000_000_000;
const DATE_LEN: usize = "2025-08-21".len();
const MAX_FRACTION_DIGITS: usize = 9;

/// True for a text that begins with a date; it is then held to be a time, right or wrong.
pub(super) fn looks_like_time(text: &str) -> bool {
    let shape = |(at, byte): (usize, u8)| if matches!(at, 4 | 7) { byte == b'-' } else { byte.is_ascii_digit() };
    text.len() >= DATE_LEN && text.bytes().take(DATE_LEN).enumerate().all(shape)
}

/// Nanoseconds since the epoch; may lie outside what can be stored.
///
/// # Errors
/// [`QueryError::Invalid`] when the text has none of the forms.
pub(super) fn read(text: &str, zone: &TimeZone) -> Result<i128, QueryError> {
    parse(text, zone).ok_or_else(|| QueryError::invalid("invalid timestamp string"))
}

/// In UTC, down to the second.
pub(super) fn show(at: i128) -> String {
    let seconds = i64::try_from(at.div_euclid(NANOS_A_SECOND)).ok();
    match seconds.and_then(|seconds| Timestamp::from_second(seconds).ok()) {
        Some(instant) => instant.to_string(),
        None => format!("{at}ns"),
    }
}

fn parse(text: &str, zone: &TimeZone) -> Option<i128> {
    let (date, rest) = (date(text.get(..DATE_LEN)?)?, text.get(DATE_LEN..)?);
    if rest.is_empty() {
        return local(date.to_datetime(Time::midnight()), zone);
    }
    let (time, rest) = clock(rest.get(1..)?)?;
    let at = date.to_datetime(time);
    match text.as_bytes().get(DATE_LEN)? {
        b' ' if rest.is_empty() => local(at, zone),
        b'T' => Some(local(at, &TimeZone::UTC)? - offset(rest)?.as_nanos()),
        _ => None,
    }
}

fn local(at: DateTime, zone: &TimeZone) -> Option<i128> {
    zone.to_timestamp(at).ok().map(Timestamp::as_nanosecond)
}

fn date(text: &str) -> Option<Date> {
    let mut parts = text.split('-');
    let (year, month, day) = (parts.next()?, parts.next()?, parts.next()?);
    Date::new(year.parse().ok()?, month.parse().ok()?, day.parse().ok()?).ok()
}

/// `23:59:59.5` and what follows it; the hour may have one digit.
fn clock(text: &str) -> Option<(Time, &str)> {
    let (hour, rest) = text.split_once(':')?;
    let (minute, rest) = rest.split_once(':')?;
    let (second, rest) = (rest.get(..2)?, rest.get(2..)?);
    let (nanos, rest) = fraction(rest)?;
    let hour = number(hour).filter(|_| hour.len() <= 2)?;
    let minute = number(minute).filter(|_| minute.len() == 2)?;
    Some((Time::new(hour, minute, number(second)?, nanos).ok()?, rest))
}

fn fraction(text: &str) -> Option<(i32, &str)> {
    let Some(digits) = text.strip_prefix('.') else { return Some((0, text)) };
    let len = digits.bytes().take_while(u8::is_ascii_digit).count();
    let value: i32 = digits.get(..len)?.parse().ok().filter(|_| len <= MAX_FRACTION_DIGITS)?;
    let missing = u32::try_from(MAX_FRACTION_DIGITS - len).ok()?;
    Some((value * 10i32.pow(missing), digits.get(len..)?))
}

/// `Z` or `+08:00`.
fn offset(text: &str) -> Option<SignedDuration> {
    if text == "Z" {
        return Some(SignedDuration::ZERO);
    }
    let (hours, minutes) = text.get(1..)?.split_once(':')?;
    let two = |digits: &str| number(digits).filter(|_| digits.len() == 2);
    let minutes = i64::from(two(hours).filter(|&hours| hours <= 24)?) * 60 + i64::from(two(minutes)?);
    match text.as_bytes().first()? {
        b'+' => Some(SignedDuration::from_mins(minutes)),
        b'-' => Some(SignedDuration::from_mins(-minutes)),
        _ => None,
    }
}

/// A number of digits alone, without a sign.
fn number(digits: &str) -> Option<i8> {
    digits.parse().ok().filter(|_| digits.bytes().all(|byte| byte.is_ascii_digit()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Option<String> {
        looks_like_time(text).then(|| parse(text, &TimeZone::UTC).map(|at| at.to_string())).flatten()
    }

    #[test]
    fn the_forms_of_one_instant_are_the_same() {
        for text in [
            "2024-03-10T01:00:00Z",
            "2024-03-10T09:00:00+08:00",
            "2024-03-10T1:00:00Z",
            "2024-03-10 01:00:00",
            "2024-03-10 1:00:00.0",
            "2024-03-09T20:30:00.000000000-04:30",
        ] {
            assert_eq!(at(text).as_deref(), Some("1710032400000000000"), "{text}");
        }
        assert_eq!(at("2024-03-10").as_deref(), Some("1710028800000000000"));
        assert_eq!(at("1970-01-01 00:00:00.25").as_deref(), Some("250000000"));
    }

    #[test]
    fn a_date_alone_is_midnight_in_the_zone() {
        let zone = TimeZone::get("Asia/Shanghai").unwrap();
        assert_eq!(parse("2024-03-10", &zone), Some(1_710_000_000_000_000_000));
        assert_eq!(parse("2024-03-10T00:00:00Z", &zone), Some(1_710_028_800_000_000_000));
    }

    #[test]
    fn other_forms_are_refused() {
        for text in [
            "2024-13-10",
            "2024-03-10T00:00Z",
            "2024-03-10T00:00:00",
            "2024-03-10T10:00:00z",
            "2024-03-10 10:00",
            "2024-03-10 10:00:00Z",
            "2024-03-10 10:00:00.",
            "2024-03-10 24:00:00",
            "2024-03-10 -1:00:00",
            "2024-03-10x",
        ] {
            assert!(looks_like_time(text), "{text}");
            assert_eq!(parse(text, &TimeZone::UTC), None, "{text}");
        }
        assert!(!looks_like_time("2024-3-1"));
        assert!(!looks_like_time("not a time"));
    }
}
