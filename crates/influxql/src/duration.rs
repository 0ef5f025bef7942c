//! Durations as text: `1h30m` to nanoseconds and back.

use crate::error::Reason;

const MICROSECOND: i64 = 1_000;
const MILLISECOND: i64 = 1_000 * MICROSECOND;
const SECOND: i64 = 1_000 * MILLISECOND;
const MINUTE: i64 = 60 * SECOND;
const HOUR: i64 = 60 * MINUTE;
const DAY: i64 = 24 * HOUR;
const WEEK: i64 = 7 * DAY;

/// Units from the largest; `ns` is left for what none of them divides.
const UNITS: [(i64, &str); 7] =
    [(WEEK, "w"), (DAY, "d"), (HOUR, "h"), (MINUTE, "m"), (SECOND, "s"), (MILLISECOND, "ms"), (MICROSECOND, "u")];

/// Nanoseconds of a text such as `1h30m`; a minus may stand before it.
pub(crate) fn parse_duration(text: &str) -> Result<i64, Reason> {
    let (negative, mut rest) = match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text),
    };
    if rest.is_empty() {
        return Err(Reason::InvalidDuration);
    }
    let mut total = 0_i64;
    while !rest.is_empty() {
        let part = Part::read(rest)?;
        let overflow = Reason::DurationOverflow { number: part.number, unit: part.unit };
        let length = part.number.checked_mul(part.unit_ns).ok_or_else(|| overflow.clone())?;
        total = total.checked_add(length).ok_or(overflow)?;
        rest = part.rest;
    }
    Ok(if negative { -total } else { total })
}

/// A number with its unit, and what follows.
struct Part<'a> {
    number: i64,
    unit: &'static str,
    unit_ns: i64,
    rest: &'a str,
}

impl<'a> Part<'a> {
    fn read(text: &'a str) -> Result<Self, Reason> {
        let digits = text.find(|ch: char| !ch.is_ascii_digit()).ok_or(Reason::InvalidDuration)?;
        let (number, rest) = text.split_at(digits);
        let number = number.parse().map_err(|_| Reason::InvalidDuration)?;
        let (unit, unit_ns, len) = unit(rest).ok_or(Reason::InvalidDuration)?;
        let rest = rest.get(len..).ok_or(Reason::InvalidDuration)?;
        Ok(Self { number, unit, unit_ns, rest })
    }
}

/// The unit at the begin of a text: its name, its nanoseconds, its bytes.
fn unit(text: &str) -> Option<(&'static str, i64, usize)> {
    const KNOWN: [(&str, i64); 9] = [
        ("ns", 1),
        ("ms", MILLISECOND),
        ("u", MICROSECOND),
        ("µ", MICROSECOND),
        ("m", MINUTE),
        ("s", SECOND),
        ("h", HOUR),
        ("d", DAY),
        ("w", WEEK),
    ];
    KNOWN.into_iter().find(|(name, _)| text.starts_with(name)).map(|(name, ns)| (name, ns, name.len()))
}

/// In the largest unit that divides it: 1h30m is `90m`.
pub(crate) fn format_duration(ns: i64) -> String {
    if ns == 0 {
        return "0s".to_owned();
    }
    match UNITS.iter().find(|(unit_ns, _)| ns % unit_ns == 0) {
        Some((unit_ns, unit)) => format!("{}{unit}", ns / unit_ns),
        None => format!("{ns}ns"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_units_are_read_and_add_up() {
        assert_eq!(parse_duration("1w1d1h1m1s1ms1u1µ1ns"), Ok(WEEK + DAY + HOUR + MINUTE + SECOND + 1_002_001));
        assert_eq!(parse_duration("-90s"), Ok(-90 * SECOND));
    }

    #[test]
    fn unknown_units_and_missing_parts_are_invalid() {
        for text in ["", "-", "1", "s", "1e3", "1us", "1x", "1s5", "99999999999999999999s", "1sm", "1n", "1S"] {
            assert_eq!(parse_duration(text), Err(Reason::InvalidDuration), "{text}");
        }
    }

    #[test]
    fn a_duration_beyond_64_bits_is_an_error() {
        let overflow = Reason::DurationOverflow { number: 9_223_372_036_854_775_807, unit: "s" };
        assert_eq!(parse_duration("9223372036854775807s"), Err(overflow));
        assert_eq!(parse_duration("9223372036854775807ns"), Ok(i64::MAX));
        assert!(parse_duration("9223372036854775807ns1ns").is_err());
    }

    #[test]
    fn the_largest_unit_that_divides_is_printed() {
        for (ns, text) in [
            (0, "0s"),
            (90 * MINUTE, "90m"),
            (14 * DAY, "2w"),
            (-5 * SECOND, "-5s"),
            (1_500, "1500ns"),
            (1_500_000, "1500u"),
            (i64::MIN + 1, "-9223372036854775807ns"),
        ] {
            assert_eq!(format_duration(ns), text);
        }
    }
}
