//! One text to one instant, by a format and a zone.

use model::Precision;

use super::civil::{Moment, Reader};
use super::pattern::Pattern;
use super::{OUTSIDE, TimeFormat, Unit, Zone, is_storable, iso};
use model::TimestampNs;

/// Reads times of one format.
#[derive(Debug, Clone)]
pub(crate) struct TimeParser {
    form: Form,
    zone: Zone,
    /// For messages.
    format: String,
}

#[derive(Debug, Clone)]
enum Form {
    Iso,
    Epoch(Unit),
    Pattern(Pattern),
}

impl TimeParser {
    /// `format` is not `auto`.
    ///
    /// # Errors
    /// A sentence when the format is none.
    pub(crate) fn new(format: &TimeFormat, zone: Zone) -> Result<Self, String> {
        let form = match format {
            TimeFormat::Auto | TimeFormat::Rfc3339 => Form::Iso,
            TimeFormat::Epoch(unit) => Form::Epoch(*unit),
            TimeFormat::Pattern(pattern) => Form::Pattern(Pattern::new(pattern)?),
        };
        Ok(Self { form, zone, format: format.to_string() })
    }

    /// # Errors
    /// A sentence when the text is no time of the format.
    pub(crate) fn parse(&self, text: &[u8]) -> Result<TimestampNs, String> {
        let text = text.trim_ascii();
        let moment = match &self.form {
            Form::Iso => iso::parse(text),
            Form::Epoch(unit) => return self.epoch(*unit, text),
            Form::Pattern(pattern) => pattern.parse(text),
        };
        let moment = moment.ok_or_else(|| self.wrong(text))?;
        self.instant(moment).map_err(|why| format!("time `{}`: {why}", String::from_utf8_lossy(text)))
    }

    /// The instant of a local time, given as nanoseconds since 1970 on the same clock.
    pub(crate) fn of_local(&self, ns: i64) -> Result<TimestampNs, String> {
        let (seconds, nanos) = (ns.div_euclid(1_000_000_000), ns.rem_euclid(1_000_000_000));
        let moment = Moment { seconds, nanos: u32::try_from(nanos).unwrap_or(0), is_utc: false };
        self.instant(moment).map_err(str::to_owned)
    }

    /// What it reads, for people.
    pub(crate) fn format(&self) -> &str {
        &self.format
    }

    fn instant(&self, moment: Moment) -> Result<TimestampNs, &'static str> {
        let seconds = if moment.is_utc { moment.seconds } else { self.zone.to_utc(moment.seconds)? };
        let ns = i128::from(seconds) * 1_000_000_000 + i128::from(moment.nanos);
        i64::try_from(ns).ok().map(TimestampNs).filter(|time| is_storable(*time)).ok_or(OUTSIDE)
    }

    fn epoch(&self, unit: Unit, text: &[u8]) -> Result<TimestampNs, String> {
        let per_unit = i128::from(Precision::from(unit).ns());
        let ns = exact_ns(text, per_unit).ok_or_else(|| self.wrong(text))?;
        let time = i64::try_from(ns).ok().map(TimestampNs).filter(|time| is_storable(*time));
        time.ok_or_else(|| format!("time `{}`: {OUTSIDE}", String::from_utf8_lossy(text)))
    }

    fn wrong(&self, text: &[u8]) -> String {
        let text = String::from_utf8_lossy(text);
        let text: String = text.chars().take(60).collect();
        if text.is_empty() {
            "the time is missing".to_owned()
        } else {
            format!("`{text}` is no time of the format {}", self.format)
        }
    }
}

/// A decimal number of units in nanoseconds; digits beyond them are cut off. `None` for what is no number of up to 19 digits.
fn exact_ns(text: &[u8], per_unit: i128) -> Option<i128> {
    let mut reader = Reader(text);
    let is_negative = reader.skip(b'-');
    let whole = reader.number(1, 18).map(i128::from)?;
    // The nineteenth digit may be one too many for 64 bits.
    let whole = match reader.number(1, 1) {
        Some(digit) => whole * 10 + i128::from(digit),
        None => whole,
    };
    let nanos = if reader.skip(b'.') { i128::from(reader.fraction()?) } else { 0 };
    let ns = whole * per_unit + nanos * per_unit / 1_000_000_000;
    reader.is_at_end().then_some(if is_negative { -ns } else { ns })
}

#[cfg(test)]
mod tests {
    use super::super::Twice;
    use super::*;

    fn parse(format: &str, zone: &str, text: &str) -> Result<i64, String> {
        let zone = Zone::new(zone, Twice::Earlier).unwrap();
        TimeParser::new(&format.parse().unwrap(), zone).unwrap().parse(text.as_bytes()).map(|t| t.0)
    }

    #[test]
    fn numbers_are_exact_in_every_unit() {
        assert_eq!(parse("s", "UTC", "1700000000"), Ok(1_700_000_000_000_000_000));
        assert_eq!(parse("s", "UTC", "1700000000.123456789"), Ok(1_700_000_000_123_456_789));
        assert_eq!(parse("ms", "UTC", "1700000000000.5"), Ok(1_700_000_000_000_500_000));
        assert_eq!(parse("us", "UTC", "-1"), Ok(-1000));
        assert_eq!(parse("ns", "UTC", "1700000000000000001"), Ok(1_700_000_000_000_000_001));
        assert_eq!(parse("ns", "UTC", "9223372036854775806"), Ok(i64::MAX - 1));
        for (format, text) in [("ns", "9223372036854775807"), ("s", "9999999999999"), ("ns", "9999999999999999999")] {
            assert!(parse(format, "UTC", text).unwrap_err().ends_with(OUTSIDE), "{text}");
        }
        for text in ["", "x", "1e9", "1.", ".5", "12345678901234567890"] {
            assert!(parse("s", "UTC", text).is_err(), "{text}");
        }
    }

    #[test]
    fn local_times_are_in_the_zone_and_others_are_not() {
        assert_eq!(parse("rfc3339", "Asia/Shanghai", "1970-01-01 08:00:00"), Ok(0));
        assert_eq!(parse("rfc3339", "Asia/Shanghai", "1970-01-01T00:00:00Z"), Ok(0));
        assert_eq!(parse("%d.%m.%Y %H:%M", "Europe/Berlin", "01.07.2024 02:00"), Ok(1_719_792_000_000_000_000));
        let gap = parse("rfc3339", "Europe/Berlin", "2024-03-31T02:30").unwrap_err();
        assert_eq!(
            gap,
            "time `2024-03-31T02:30`: there was no such time in the time zone: clocks were set forward over it"
        );
    }

    #[test]
    fn what_is_no_time_is_named_with_the_format() {
        assert_eq!(parse("rfc3339", "UTC", "yesterday").unwrap_err(), "`yesterday` is no time of the format rfc3339");
        assert_eq!(parse("s", "UTC", " ").unwrap_err(), "the time is missing");
        assert!(parse("rfc3339", "UTC", "1600-01-01").unwrap_err().ends_with(OUTSIDE));
    }
}
