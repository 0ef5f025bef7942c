//! From clocks on walls to instants.

use jiff::civil::DateTime;
use jiff::tz::{AmbiguousOffset, TimeZone};
use serde::{Deserialize, Serialize};

/// What a local time means that a zone has twice, when clocks are set back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Twice {
    /// The first of the two, before clocks are set back.
    #[default]
    Earlier,
    /// The second.
    Later,
    /// Neither: the record is rejected.
    Reject,
}

/// The zone of times that do not tell theirs.
#[derive(Debug, Clone)]
pub(crate) struct Zone {
    /// `None` is UTC.
    zone: Option<TimeZone>,
    twice: Twice,
}

impl Zone {
    /// A zone by its IANA name.
    ///
    /// # Errors
    /// A sentence when there is none of the name.
    pub(crate) fn new(name: &str, twice: Twice) -> Result<Self, String> {
        if matches!(name, "UTC" | "utc" | "Z" | "") {
            return Ok(Self { zone: None, twice });
        }
        let found = TimeZone::get(name);
        let zone = found.map_err(|_| {
            format!("there is no time zone `{name}`: expected a name of the IANA database, such as Asia/Shanghai or Europe/Berlin")
        })?;
        Ok(Self { zone: Some(zone), twice })
    }

    /// Seconds since 1970 of a local time, given as if it were UTC. A time that clocks pass over when they are set forward is refused:
    /// there was no such moment, and any other would be the place of another value.
    pub(super) fn to_utc(&self, seconds: i64) -> Result<i64, &'static str> {
        let Some(zone) = &self.zone else { return Ok(seconds) };
        let local = civil(seconds).ok_or("the time is beyond the years that can be stored")?;
        let offset = match zone.to_ambiguous_timestamp(local).offset() {
            AmbiguousOffset::Unambiguous { offset } => offset,
            AmbiguousOffset::Gap { .. } => {
                return Err("there was no such time in the time zone: clocks were set forward over it");
            }
            AmbiguousOffset::Fold { before, after } => match self.twice {
                Twice::Earlier => before,
                Twice::Later => after,
                Twice::Reject => return Err("there were two such times in the time zone: clocks were set back"),
            },
        };
        Ok(seconds - i64::from(offset.seconds()))
    }
}

fn civil(seconds: i64) -> Option<DateTime> {
    let instant = jiff::Timestamp::from_second(seconds).ok()?;
    Some(jiff::tz::Offset::UTC.to_datetime(instant))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 2024-03-31T00:00 and 2024-10-27T00:00 as if in UTC.
    const SPRING: i64 = 1_711_843_200;
    const AUTUMN: i64 = 1_729_987_200;

    fn berlin(twice: Twice) -> Zone {
        Zone::new("Europe/Berlin", twice).unwrap()
    }

    #[test]
    fn local_times_become_instants() {
        let zone = berlin(Twice::Earlier);
        assert_eq!(zone.to_utc(SPRING), Ok(SPRING - 3600));
        assert_eq!(zone.to_utc(SPRING + 12 * 3600), Ok(SPRING + 10 * 3600));
        let shanghai = Zone::new("Asia/Shanghai", Twice::Earlier).unwrap();
        assert_eq!(shanghai.to_utc(SPRING), Ok(SPRING - 8 * 3600));
        assert_eq!(Zone::new("UTC", Twice::Earlier).unwrap().to_utc(7), Ok(7));
    }

    #[test]
    fn a_time_that_clocks_pass_over_is_refused() {
        assert!(berlin(Twice::Earlier).to_utc(SPRING + 2 * 3600).is_err());
        assert_eq!(berlin(Twice::Earlier).to_utc(SPRING + 3 * 3600), Ok(SPRING + 3600));
    }

    #[test]
    fn a_time_that_is_twice_is_the_one_asked_for() {
        let time = AUTUMN + 2 * 3600 + 1800;
        assert_eq!(berlin(Twice::Earlier).to_utc(time), Ok(time - 2 * 3600));
        assert_eq!(berlin(Twice::Later).to_utc(time), Ok(time - 3600));
        assert!(berlin(Twice::Reject).to_utc(time).is_err());
    }

    #[test]
    fn a_zone_that_is_not_there_is_named() {
        assert!(Zone::new("Mars/Base", Twice::Earlier).unwrap_err().starts_with("there is no time zone `Mars/Base`"));
    }
}
