//! Times as people and programs write them.
//!
//! ```text
//! 2025-08-21T23:59:59+08:00   RFC 3339            2025-08-21            midnight        2025-08-21 23:59:59.5
//! 1755820799 "1755820799"     integer epoch       now  now()  now-1h  now()-7d  now+1h30m
//! ```
//! A date without an offset is on the clocks of the request's time zone, UTC by default.

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use model::units::parse_duration_ns;
use model::{Precision, TimestampNs};
use serde_json::Value;

use super::RequestContext;
use crate::QueryError;

const EXPECTED: &str =
    "expected RFC 3339, `2025-08-21`, `2025-08-21 23:59:59`, an integer epoch, or relative to now as in `now-1h`";

/// Reads times of one request.
#[derive(Debug, Clone)]
pub struct TimeReader {
    now: TimestampNs,
    epoch: Option<Precision>,
    zone: TimeZone,
}

impl TimeReader {
    /// A reader whose dates are in UTC.
    pub fn new(context: &RequestContext) -> Self {
        Self { now: context.now, epoch: context.epoch, zone: TimeZone::UTC }
    }

    /// The same reader with its dates in a zone.
    pub(super) fn in_zone(self, zone: TimeZone) -> Self {
        Self { zone, ..self }
    }

    /// A time from JSON; `key` is for the message.
    ///
    /// # Errors
    /// [`QueryError::Invalid`] when it is neither a text of a known form nor an integer.
    pub fn json(&self, key: &str, value: &Value) -> Result<TimestampNs, QueryError> {
        match value {
            Value::String(text) => self.text(key, text),
            other => match other.as_i64() {
                Some(epoch) => self.epoch(key, epoch),
                None => Err(unreadable(key, &other.to_string())),
            },
        }
    }

    /// A time from text, such as a query parameter; `key` is for the message.
    ///
    /// # Errors
    /// [`QueryError::Invalid`] when the text has no known form, or the time lies outside the years 1677 to 2262.
    pub fn text(&self, key: &str, text: &str) -> Result<TimestampNs, QueryError> {
        let trimmed = text.trim();
        if let Some(shift) = trimmed.strip_prefix("now") {
            return self.relative(shift.strip_prefix("()").unwrap_or(shift)).ok_or_else(|| unreadable(key, text));
        }
        if let Ok(epoch) = trimmed.parse() {
            return self.epoch(key, epoch);
        }
        let instant = self.calendar(trimmed).ok_or_else(|| unreadable(key, text))?;
        i64::try_from(instant.as_nanosecond()).map(TimestampNs).map_err(|_| out_of_range(key, text))
    }

    fn epoch(&self, key: &str, epoch: i64) -> Result<TimestampNs, QueryError> {
        let unit = self.epoch.unwrap_or(Precision::guess(epoch));
        unit.to_instant(epoch).ok_or_else(|| out_of_range(key, &format!("{epoch} {unit}")))
    }

    /// `""`, `-1h`, `+5m`, `- 7d`.
    fn relative(&self, shift: &str) -> Option<TimestampNs> {
        let shift = shift.trim_start();
        let Some(sign) = shift.chars().next() else { return Some(self.now) };
        let length = parse_duration_ns(shift.get(1..)?.trim_start()).ok()?;
        match sign {
            '-' => Some(self.now.saturating_add(-length)),
            '+' => Some(self.now.saturating_add(length)),
            _ => None,
        }
    }

    fn calendar(&self, text: &str) -> Option<Timestamp> {
        if let Ok(instant) = text.parse() {
            return Some(instant);
        }
        let local: DateTime = text.parse().ok()?;
        self.zone.to_timestamp(local).ok()
    }
}

fn unreadable(key: &str, found: &str) -> QueryError {
    QueryError::invalid(format!("`{key}` is `{found}`: {EXPECTED}"))
}

fn out_of_range(key: &str, found: &str) -> QueryError {
    QueryError::invalid(format!("`{key}` is `{found}`, which lies outside the years 1677 to 2262"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    const NOW: TimestampNs = TimestampNs(1_755_820_800_000_000_000); // 2025-08-22T00:00:00Z

    fn reader(epoch: Option<Precision>) -> TimeReader {
        TimeReader::new(&RequestContext { database: "telemetry".to_owned(), now: NOW, epoch })
    }

    fn read(value: &Value) -> i64 {
        reader(None).json("start", value).unwrap().0
    }

    #[test]
    fn every_spelling_of_one_instant_is_understood() {
        let instant = NOW.0 - 1_000_000_000;
        for spelling in [
            json!("2025-08-21T23:59:59Z"),
            json!("2025-08-22T07:59:59+08:00"),
            json!("2025-08-21 23:59:59"),
            json!("2025-08-21T23:59:59.000"),
            json!(1_755_820_799),
            json!("1755820799"),
            json!(1_755_820_799_000i64),
            json!("1755820799000000000"),
            json!("now-1s"),
            json!("now() - 1s"),
        ] {
            assert_eq!(read(&spelling), instant, "{spelling}");
        }
    }

    #[test]
    fn dates_are_midnights_and_now_can_be_shifted() {
        assert_eq!(read(&json!("2025-08-22")), NOW.0);
        assert_eq!(read(&json!("now")), NOW.0);
        assert_eq!(read(&json!("now()-7d")), NOW.0 - 7 * 86_400_000_000_000);
        assert_eq!(read(&json!("now+5m")), NOW.0 + 300_000_000_000);
        assert_eq!(read(&json!("2025-08-21T23:59:59.123456789Z")), NOW.0 - 876_543_211);
    }

    #[test]
    fn a_zone_moves_dates_without_an_offset() {
        let zone = TimeZone::get("Asia/Shanghai").unwrap();
        let reader = reader(None).in_zone(zone);
        assert_eq!(reader.text("start", "2025-08-22").unwrap().0, NOW.0 - 8 * 3_600_000_000_000);
        assert_eq!(reader.text("start", "2025-08-22T00:00:00Z").unwrap(), NOW);
    }

    #[test]
    fn the_unit_of_an_epoch_can_be_given() {
        assert_eq!(reader(Some(Precision::Millisecond)).json("start", &json!(5)).unwrap(), TimestampNs(5_000_000));
        assert_eq!(reader(Some(Precision::Nanosecond)).text("start", "-5").unwrap(), TimestampNs(-5));
    }

    #[test]
    fn errors_name_the_key_and_what_was_found() {
        let error = |value: Value| reader(Some(Precision::Second)).json("start", &value).unwrap_err().to_string();
        for found in [
            json!("yesterday"),
            json!("now-"),
            json!("now-5"),
            json!("nowish"),
            json!("now*2h"),
            json!(1.5),
            json!(null),
        ] {
            let shown = found.as_str().map_or(found.to_string(), str::to_owned);
            assert_eq!(error(found), format!("`start` is `{shown}`: {EXPECTED}"));
        }
        let outside = "which lies outside the years 1677 to 2262";
        assert_eq!(error(json!("3000-01-01")), format!("`start` is `3000-01-01`, {outside}"));
        assert_eq!(error(json!(i64::MAX)), format!("`start` is `{} s`, {outside}", i64::MAX));
    }
}
