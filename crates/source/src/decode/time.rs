//! Times as producers write them: epochs in any unit, as numbers or as text; RFC 3339; ISO 8601 without a zone.

use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use model::TimestampNs;

use super::json::Json;
use crate::config::TimeUnit;

/// How times are read.
#[derive(Debug, Clone)]
pub struct TimeRules {
    /// Unit of numeric times.
    pub unit: TimeUnit,
    /// Zone of times written without one.
    pub zone: TimeZone,
}

impl TimeRules {
    /// The instant a text stands for. The outer `None`: it is no time. The inner: it is empty or `0`, which producers write
    /// for "unknown".
    pub(super) fn text(&self, text: &str) -> Option<Option<TimestampNs>> {
        let text = text.trim();
        if text.is_empty() {
            return Some(None);
        }
        if let Ok(epoch) = text.parse::<i64>() {
            return self.epoch(epoch);
        }
        if let Ok(epoch) = fast_float2::parse::<f64, _>(text) {
            return self.fractional(epoch);
        }
        self.calendar(text).map(Some)
    }

    /// The instant a JSON value stands for; `None` as in [`TimeRules::text`].
    pub(super) fn json(&self, value: &Json<'_>) -> Option<Option<TimestampNs>> {
        match value {
            Json::Null => Some(None),
            Json::Int(epoch) => self.epoch(*epoch),
            Json::Float(epoch) => self.fractional(*epoch),
            Json::Text(text) => self.text(text),
            Json::Bool(_) | Json::Array(_) | Json::Object(_) => None,
        }
    }

    fn epoch(&self, epoch: i64) -> Option<Option<TimestampNs>> {
        if epoch == 0 { Some(None) } else { self.unit.of(epoch).to_instant(epoch).map(Some) }
    }

    /// An epoch with a fraction, such as Python's `time.time()`; exact to about a microsecond for seconds of today.
    fn fractional(&self, epoch: f64) -> Option<Option<TimestampNs>> {
        if !epoch.is_finite() || epoch.abs() >= i64::MAX as f64 {
            return None;
        }
        if epoch == 0.0 {
            return Some(None);
        }
        let unit = self.unit.of(epoch as i64);
        let whole = unit.to_instant(epoch.trunc() as i64)?;
        let fraction = (epoch.fract() * unit.ns() as f64).round() as i64;
        Some(Some(whole.saturating_add(fraction)))
    }

    fn calendar(&self, text: &str) -> Option<TimestampNs> {
        let instant = match text.parse::<jiff::Timestamp>() {
            Ok(instant) => instant,
            Err(_) => self.zone.to_timestamp(text.parse::<DateTime>().ok()?).ok()?,
        };
        i64::try_from(instant.as_nanosecond()).ok().map(TimestampNs)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rules(unit: TimeUnit, zone: &str) -> TimeRules {
        TimeRules { unit, zone: TimeZone::get(zone).unwrap() }
    }

    #[test]
    fn times_are_read_in_every_spelling() {
        let utc = rules(TimeUnit::Auto, "UTC");
        for (text, ns) in [
            ("1754530782", 1_754_530_782_000_000_000),
            ("1753180800000", 1_753_180_800_000_000_000),
            ("1753180800000001", 1_753_180_800_000_001_000),
            ("1753180800000000001", 1_753_180_800_000_000_001),
            ("1753180800.5", 1_753_180_800_500_000_000),
            ("2025-07-10T10:30:01.456Z", 1_752_143_401_456_000_000),
            ("2025-07-10T10:30:01+08:00", 1_752_114_601_000_000_000),
            ("2025-07-16T10:00:00.123456", 1_752_660_000_123_456_000),
            ("2025-07-16 10:00:00", 1_752_660_000_000_000_000),
        ] {
            assert_eq!(utc.text(text), Some(Some(TimestampNs(ns))), "{text}");
        }
    }

    #[test]
    fn a_time_without_zone_is_in_the_configured_one() {
        let shanghai = rules(TimeUnit::Auto, "Asia/Shanghai").text("2025-07-16T10:00:00.123456");
        assert_eq!(shanghai, Some(Some(TimestampNs(1_752_631_200_123_456_000))));
    }

    #[test]
    fn a_fixed_unit_overrides_the_magnitude() {
        assert_eq!(rules(TimeUnit::Ms, "UTC").text("1754530782"), Some(Some(TimestampNs(1_754_530_782_000_000))));
    }

    #[test]
    fn zero_and_nothing_mean_unknown_and_the_rest_is_no_time() {
        let utc = rules(TimeUnit::Auto, "UTC");
        assert_eq!((utc.text("0"), utc.text(" "), utc.json(&Json::Null)), (Some(None), Some(None), Some(None)));
        for text in ["yesterday", "inf", "1e300", "2025-13-01T00:00:00Z", "9999-12-31T00:00:00Z"] {
            assert_eq!(utc.text(text), None, "{text}");
        }
        assert_eq!(rules(TimeUnit::S, "UTC").text("9223372036854775807"), None);
    }
}
