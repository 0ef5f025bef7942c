//! Local time as a fixed distance from UTC. Daylight saving is left out on purpose: the time-zone database changes from year to year, and
//! what a seed gives must not.

use std::fmt;
use std::str::FromStr;

use model::TimestampNs;

/// Largest distance in either direction, as in ISO 8601 libraries.
const MAX_MINUTES: i32 = 18 * 60;

/// Minutes that local time is ahead of UTC, at most 18 hours in either direction. Default 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct UtcOffset(i32);

/// Not a distance from UTC.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not an offset from UTC: expected Z, or hours and minutes up to 18:00 as in +08:00 or -03:30")]
pub struct OffsetError(String);

impl UtcOffset {
    /// Local time is UTC.
    pub const UTC: Self = Self(0);

    /// `None` beyond 18 hours.
    pub const fn from_minutes(minutes: i32) -> Option<Self> {
        if -MAX_MINUTES <= minutes && minutes <= MAX_MINUTES { Some(Self(minutes)) } else { None }
    }

    /// Seconds that local time is ahead of UTC.
    pub const fn seconds(self) -> i32 {
        self.0 * 60
    }

    /// Whole seconds of local time since 1970-01-01T00:00:00.
    pub(crate) fn local_seconds(self, time: TimestampNs) -> i64 {
        time.0.div_euclid(1_000_000_000) + i64::from(self.seconds())
    }
}

impl FromStr for UtcOffset {
    type Err = OffsetError;

    fn from_str(text: &str) -> Result<Self, OffsetError> {
        if matches!(text, "Z" | "z" | "UTC" | "utc") {
            return Ok(Self::UTC);
        }
        parse(text).and_then(Self::from_minutes).ok_or_else(|| OffsetError(text.to_owned()))
    }
}

fn parse(text: &str) -> Option<i32> {
    let (sign, rest) = match text.split_at_checked(1)? {
        ("+", rest) => (1, rest),
        ("-", rest) => (-1, rest),
        _ => return None,
    };
    let (hours, minutes) = rest.split_once(':').unwrap_or((rest, "00"));
    let minutes = two_digits(minutes).filter(|minutes| *minutes < 60)?;
    Some(sign * (two_digits(hours)? * 60 + minutes))
}

fn two_digits(text: &str) -> Option<i32> {
    let digits = text.len() == 2 && text.bytes().all(|byte| byte.is_ascii_digit());
    if digits { text.parse().ok() } else { None }
}

impl fmt::Display for UtcOffset {
    /// `+08:00`; what [`FromStr`] reads.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (sign, minutes) = (if self.0 < 0 { '-' } else { '+' }, self.0.abs());
        write!(f, "{sign}{:02}:{:02}", minutes / 60, minutes % 60)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn offsets_are_read_as_they_are_shown() {
        for (text, seconds) in [("+08:00", 28_800), ("-03:30", -12_600), ("+18:00", 64_800), ("+00:00", 0)] {
            let offset: UtcOffset = text.parse().unwrap();
            assert_eq!((offset.seconds(), offset.to_string().as_str()), (seconds, text));
        }
        assert_eq!("Z".parse(), Ok(UtcOffset::UTC));
        assert_eq!("+08".parse(), Ok(UtcOffset(480)));
    }

    #[test]
    fn what_is_no_offset_is_refused_with_an_example() {
        for text in ["", "8", "08:00", "+8:00", "+18:01", "+08:60", "+1a:00", "Asia/Shanghai", "é"] {
            assert!(text.parse::<UtcOffset>().unwrap_err().to_string().contains("as in +08:00"), "{text}");
        }
    }
}
