//! When days are archived.

use std::fmt;
use std::str::FromStr;

use model::units::parse_duration_ns;
use model::{HumanDuration, TimestampNs, WindowNs};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

const MINUTE_NS: i64 = 60_000_000_000;
const DAY_NS: i64 = 1440 * MINUTE_NS;

/// When the archiver looks for days to archive.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Schedule {
    /// Once a day. `daily at 02:00`, in UTC.
    Daily {
        /// Minutes after midnight.
        minute: u16,
    },
    /// Again and again. `every 6h`, a minute at least.
    Every(WindowNs),
    /// Only before data is deleted. `never`.
    Never,
}

/// A text that is no schedule.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a schedule: expected `daily at 02:00` (UTC), `every 6h` (a minute at least) or `never`")]
pub struct ScheduleError(String);

impl Schedule {
    /// Whether it is time, `last` being when it was done before. A clock that was set back is no reason to wait.
    pub fn is_due(self, last: Option<TimestampNs>, now: TimestampNs) -> bool {
        let Some(last) = last.filter(|last| *last <= now) else { return self != Self::Never };
        match self {
            Self::Daily { minute } => last < newest(minute, now),
            Self::Every(width) => now.0.saturating_sub(last.0) >= width.get(),
            Self::Never => false,
        }
    }
}

/// The newest instant up to `now` at this minute of a day.
fn newest(minute: u16, now: TimestampNs) -> TimestampNs {
    let offset = i64::from(minute) * MINUTE_NS;
    let day = now.0.saturating_sub(offset).div_euclid(DAY_NS);
    TimestampNs(day.saturating_mul(DAY_NS).saturating_add(offset))
}

impl FromStr for Schedule {
    type Err = ScheduleError;

    fn from_str(text: &str) -> Result<Self, ScheduleError> {
        let wrong = || ScheduleError(text.to_owned());
        let words: Vec<&str> = text.split_whitespace().collect();
        match words.as_slice() {
            ["never"] => Ok(Self::Never),
            ["daily", "at", time] => parse_minute(time).map(|minute| Self::Daily { minute }).ok_or_else(wrong),
            ["every", length] => {
                let ns = parse_duration_ns(length).map_err(|_| wrong())?;
                WindowNs::new(ns).filter(|w| w.get() >= MINUTE_NS).map(Self::Every).ok_or_else(wrong)
            }
            _ => Err(wrong()),
        }
    }
}

fn parse_minute(time: &str) -> Option<u16> {
    let (hour, minute) = time.split_once(':')?;
    if hour.is_empty()
        || hour.len() > 2
        || minute.len() != 2
        || !(hour.bytes().chain(minute.bytes())).all(|b| b.is_ascii_digit())
    {
        return None;
    }
    let (hour, minute): (u16, u16) = (hour.parse().ok()?, minute.parse().ok()?);
    (hour < 24 && minute < 60).then_some(hour * 60 + minute)
}

impl fmt::Display for Schedule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Daily { minute } => write!(f, "daily at {:02}:{:02}", minute / 60, minute % 60),
            Self::Every(width) => {
                let length = std::time::Duration::from_nanos(width.get().unsigned_abs());
                write!(f, "every {}", HumanDuration(length))
            }
            Self::Never => f.write_str("never"),
        }
    }
}

impl Serialize for Schedule {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Schedule {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(day: i64, hour: i64, minute: i64) -> TimestampNs {
        TimestampNs(day * DAY_NS + (hour * 60 + minute) * MINUTE_NS)
    }

    #[test]
    fn schedules_are_read_and_written() {
        for text in ["daily at 02:00", "daily at 23:59", "every 6h", "every 90m", "never"] {
            assert_eq!(text.parse::<Schedule>().unwrap().to_string(), text);
        }
        for text in
            ["", "daily", "daily at 24:00", "daily at 2:5", "daily at +1:00", "every 5", "every 1s", "every", "hourly"]
        {
            assert_eq!(text.parse::<Schedule>(), Err(ScheduleError(text.to_owned())), "{text}");
        }
    }

    #[test]
    fn once_a_day_is_due_at_its_hour_and_made_up_for_when_it_was_missed() {
        let daily: Schedule = "daily at 02:30".parse().unwrap();
        assert!(daily.is_due(None, at(5, 1, 0)));
        let last = Some(at(5, 2, 31));
        assert!(!daily.is_due(last, at(5, 23, 59)) && !daily.is_due(last, at(6, 2, 29)));
        assert!(daily.is_due(last, at(6, 2, 30)) && daily.is_due(last, at(9, 0, 0)));
    }

    #[test]
    fn again_and_again_is_due_after_its_length() {
        let every: Schedule = "every 6h".parse().unwrap();
        let last = Some(at(5, 0, 0));
        assert!(!every.is_due(last, at(5, 5, 59)) && every.is_due(last, at(5, 6, 0)));
        assert!(every.is_due(last, at(4, 0, 0)), "the clock was set back");
        assert!(!Schedule::Never.is_due(None, at(5, 0, 0)));
    }
}
