//! Points in time as people write them: RFC 3339 with an offset, as in `2026-01-31T22:00:00+08:00`.

use std::fmt;
use std::str::FromStr;

use jiff::Timestamp;
use model::TimestampNs;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

/// A point in time; written in UTC.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Moment(pub TimestampNs);

/// Not a point in time.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no point in time: expected one with an offset, as in 2026-01-31T22:00:00+08:00")]
pub struct MomentError(String);

impl FromStr for Moment {
    type Err = MomentError;

    fn from_str(text: &str) -> Result<Self, MomentError> {
        let wrong = || MomentError(text.to_owned());
        let instant: Timestamp = text.trim().parse().map_err(|_| wrong())?;
        i64::try_from(instant.as_nanosecond()).map(|ns| Self(TimestampNs(ns))).map_err(|_| wrong())
    }
}

impl fmt::Display for Moment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match Timestamp::from_nanosecond(i128::from(self.0.0)) {
            Ok(instant) => instant.fmt(f),
            // The type above holds more centuries than the one here; this is never reached.
            Err(_) => self.0.0.fmt(f),
        }
    }
}

impl Serialize for Moment {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Moment {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_shown_can_be_read() {
        for ns in [0, 1, -1, 1_769_868_000_123_456_789, i64::MAX, i64::MIN] {
            let moment = Moment(TimestampNs(ns));
            assert_eq!(moment.to_string().parse(), Ok(moment), "{moment}");
        }
        let moment: Moment = "2026-01-31T22:00:00+08:00".parse().unwrap();
        assert_eq!(moment.to_string(), "2026-01-31T14:00:00Z");
    }

    #[test]
    fn a_time_without_an_offset_is_refused() {
        assert!("2026-01-31T22:00:00".parse::<Moment>().is_err());
        assert!("tomorrow".parse::<Moment>().is_err());
    }
}
