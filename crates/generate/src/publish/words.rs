//! A sample in the spellings that forms are made of.

use jiff::Timestamp;
use jiff::tz::Offset;
use model::TimestampNs;
use model::key::SeriesKey;

use crate::offset::UtcOffset;
use crate::plan::Sample;
use crate::series::Series;

/// What a value is multiplied with to give the one before scaling.
const RAW_SCALE: f64 = 10.0;

/// The words of one sample.
pub(crate) struct Words<'s> {
    pub(crate) series: &'s Series,
    pub(crate) channel: &'s str,
    pub(crate) point: &'s str,
    /// `m s c a`.
    pub(crate) letter: &'static str,
    /// `T S C A`.
    pub(crate) capital: &'static str,
    pub(crate) value: f64,
    time: TimestampNs,
    offset: UtcOffset,
}

impl<'s> Words<'s> {
    pub(crate) fn of(sample: &Sample<'s>, offset: UtcOffset) -> Self {
        let series = sample.series;
        Self {
            series,
            channel: series.owner(),
            point: series.point(),
            letter: series.kind().letter(),
            capital: series.kind().capital(),
            value: sample.value,
            time: sample.time,
            offset,
        }
    }

    pub(crate) fn millis(&self) -> i64 {
        self.time.0.div_euclid(1_000_000)
    }

    pub(crate) fn seconds(&self) -> i64 {
        self.time.0.div_euclid(1_000_000_000)
    }

    /// `2025-07-10T10:30:01.456Z`.
    pub(crate) fn rfc3339(&self) -> String {
        format!("{:.3}", self.instant())
    }

    /// `2025-07-16T10:00:00.123456`, local time.
    pub(crate) fn local_time(&self) -> String {
        let offset = Offset::from_seconds(self.offset.seconds()).unwrap_or(Offset::UTC);
        format!("{:.6}", offset.to_datetime(self.instant()))
    }

    fn instant(&self) -> Timestamp {
        // Every i64 of nanoseconds is within jiff's range, which is that of the years -9999 to 9999.
        Timestamp::from_nanosecond(self.time.0.into()).unwrap_or_default()
    }

    /// The value before scaling.
    pub(crate) fn raw(&self) -> f64 {
        (self.value * RAW_SCALE * 1e6).round() / 1e6
    }

    /// The point in JSON: a number where it is one.
    pub(crate) fn point_json(&self) -> String {
        identifier(self.point)
    }

    /// Names and values of the series' tags as the inside of a JSON object.
    pub(crate) fn tags_json(&self) -> String {
        let Ok(key) = SeriesKey::parse(self.series.key().as_bytes()) else { return String::new() };
        key.tags().map(|(name, value)| format!(r#""{name}":"{value}""#)).collect::<Vec<_>>().join(",")
    }

    /// Measurement of the series.
    pub(crate) fn measurement(&self) -> &'s str {
        self.series.key().split(',').next().unwrap_or_default()
    }
}

/// Names of series here are letters, digits, `-` and `_`: JSON needs no escapes.
fn identifier(text: &str) -> String {
    let is_number = text.bytes().all(|byte| byte.is_ascii_digit());
    if is_number { text.to_owned() } else { format!("\"{text}\"") }
}
