//! A day of UTC: the unit in which the archive keeps data.

use std::fmt;
use std::str::FromStr;

use jiff::civil::Date;
use model::{TimeRange, TimestampNs};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

const NS: i64 = 86_400_000_000_000;

/// Days since 1970-01-01, negative before it. Written `2026-11-22`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Day(i32);

/// A text that is no day.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a day: expected one of 1677-09-21 to 2262-04-11, as in 2026-11-22")]
pub struct DayError(String);

impl Day {
    /// The first day that has an instant that can be stored.
    pub const MIN: Self = Self::of(TimestampNs::MIN);
    /// The last one.
    pub const MAX: Self = Self::of(TimestampNs::MAX);

    /// The day of an instant.
    pub const fn of(time: TimestampNs) -> Self {
        // 2^63 ns are 106 752 days.
        Self(time.0.div_euclid(NS) as i32)
    }

    /// The day after, at most [`Day::MAX`].
    pub fn next(self) -> Self {
        Self(self.0.saturating_add(1)).min(Self::MAX)
    }

    /// The day before, at least [`Day::MIN`].
    pub fn previous(self) -> Self {
        Self(self.0.saturating_sub(1)).max(Self::MIN)
    }

    /// Its first instant.
    pub const fn start(self) -> TimestampNs {
        TimestampNs((self.0 as i64).saturating_mul(NS))
    }

    /// All its instants.
    pub const fn range(self) -> TimeRange {
        TimeRange::new(self.start(), TimestampNs((self.0 as i64 + 1).saturating_mul(NS)))
    }

    fn date(self) -> Option<Date> {
        Date::constant(1970, 1, 1).checked_add(jiff::Span::new().try_days(self.0).ok()?).ok()
    }
}

impl fmt::Display for Day {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.date() {
            Some(date) => date.fmt(f),
            None => Err(fmt::Error),
        }
    }
}

impl FromStr for Day {
    type Err = DayError;

    fn from_str(text: &str) -> Result<Self, DayError> {
        let wrong = || DayError(text.to_owned());
        let date = Date::strptime("%Y-%m-%d", text).map_err(|_| wrong())?;
        let days = date.since((jiff::Unit::Day, Date::constant(1970, 1, 1))).map_err(|_| wrong())?.get_days();
        Some(Self(days)).filter(|day| (Self::MIN..=Self::MAX).contains(day)).ok_or_else(wrong)
    }
}

impl Serialize for Day {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Day {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_are_written_as_dates_and_read_back() {
        for (ns, text) in [
            (0, "1970-01-01"),
            (-1, "1969-12-31"),
            (NS, "1970-01-02"),
            (1_795_000_000_000_000_000, "2026-11-18"),
            (i64::MIN, "1677-09-21"),
            (i64::MAX, "2262-04-11"),
        ] {
            let day = Day::of(TimestampNs(ns));
            assert_eq!(day.to_string(), text);
            assert_eq!(text.parse(), Ok(day));
        }
    }

    #[test]
    fn what_is_no_day_is_refused() {
        for text in ["", "2026-11", "2026-02-30", "1600-01-01", "2300-01-01", "yesterday", "2026-11-22T00:00:00Z"] {
            assert_eq!(text.parse::<Day>(), Err(DayError(text.to_owned())));
        }
    }

    #[test]
    fn the_range_of_a_day_holds_its_instants_only() {
        let day = Day::of(TimestampNs(NS + 5));
        assert_eq!(day.range(), TimeRange::new(TimestampNs(NS), TimestampNs(2 * NS)));
        assert_eq!(Day::MAX.range().end, TimestampNs::MAX);
        assert_eq!(Day::MIN.range().start, TimestampNs::MIN);
        assert_eq!((Day::MAX.next(), Day::MIN.previous()), (Day::MAX, Day::MIN));
    }
}
