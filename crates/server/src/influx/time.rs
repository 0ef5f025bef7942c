//! Times of an answer: RFC 3339 with the digits needed in the zone of the table, or integers of a unit. What neighbouring
//! rows share is worked out once: the text of a minute, and a zone's offset between two changes of it.

use std::fmt::Write;

use jiff::Timestamp;
use jiff::tz::TimeZone;
use model::{Precision, TimestampNs};

use super::number::write_integer;

const SECOND: i64 = 1_000_000_000;
const MINUTE_SECONDS: i64 = 60;

/// Writes times one after another.
pub(super) struct Times {
    epoch: Option<Precision>,
    zone: Option<TimeZone>,
    offset: Offset,
    /// Minutes since 1970, by the zone's clock, of `prefix`.
    minute: i64,
    /// `"2024-03-10T08:15:`; empty before the first time.
    prefix: String,
}

/// A zone's offset from UTC and the seconds since 1970 in which it holds.
struct Offset {
    from: i64,
    until: i64,
    seconds: i64,
    /// `Z` or `+08:00`.
    text: String,
}

impl Offset {
    fn utc() -> Self {
        Self { from: i64::MIN, until: i64::MAX, seconds: 0, text: "Z".to_owned() }
    }

    /// The offset of `zone` at `second`.
    fn of(zone: &TimeZone, second: i64) -> Self {
        let Ok(instant) = Timestamp::from_second(second) else { return Self::utc() };
        let seconds = i64::from(zone.to_offset(instant).seconds());
        let until = zone.following(instant).next().map_or(i64::MAX, |change| change.timestamp().as_second());
        // A change at this very second has happened already.
        let after = Timestamp::from_second(second.saturating_add(1)).unwrap_or(instant);
        let from = zone.preceding(after).next().map_or(i64::MIN, |change| change.timestamp().as_second());
        Self { from, until, seconds, text: offset_text(seconds) }
    }

    fn holds_at(&self, second: i64) -> bool {
        self.from <= second && second < self.until
    }
}

/// Seconds are left out, as Go does it; only offsets before 1900 have some.
fn offset_text(seconds: i64) -> String {
    if seconds == 0 {
        return "Z".to_owned();
    }
    let minutes = seconds.abs() / 60;
    let sign = if seconds < 0 { '-' } else { '+' };
    format!("{sign}{:02}:{:02}", minutes / 60, minutes % 60)
}

impl Times {
    /// Times are integers of the unit `epoch`, where one is given.
    pub(super) fn new(epoch: Option<Precision>) -> Self {
        Self { epoch, zone: None, offset: Offset::utc(), minute: 0, prefix: String::new() }
    }

    /// The zone of what follows.
    pub(super) fn set_zone(&mut self, zone: Option<&TimeZone>) {
        if self.zone.as_ref() == zone {
            return;
        }
        self.zone = zone.cloned();
        self.offset = match zone {
            None => Offset::utc(),
            // Holds nowhere, so that the first time asks the zone.
            Some(_) => Offset { until: i64::MIN, ..Offset::utc() },
        };
    }

    /// Appends a time as JSON: a text, or an integer of the unit.
    pub(super) fn write_json(&mut self, out: &mut Vec<u8>, time: TimestampNs) {
        match self.epoch {
            Some(unit) => write_integer(out, in_unit(time, unit)),
            None => self.write_text(out, time),
        }
    }

    fn write_text(&mut self, out: &mut Vec<u8>, time: TimestampNs) {
        let (second, nanos) = (time.0.div_euclid(SECOND), time.0.rem_euclid(SECOND));
        self.move_offset(second);
        let local = second + self.offset.seconds;
        self.move_minute(local.div_euclid(MINUTE_SECONDS));
        out.extend_from_slice(self.prefix.as_bytes());
        out.extend_from_slice(&two(local.rem_euclid(MINUTE_SECONDS)));
        write_fraction(out, nanos);
        out.extend_from_slice(self.offset.text.as_bytes());
        out.push(b'"');
    }

    fn move_offset(&mut self, second: i64) {
        if let Some(zone) = &self.zone
            && !self.offset.holds_at(second)
        {
            self.offset = Offset::of(zone, second);
        }
    }

    fn move_minute(&mut self, minute: i64) {
        if self.minute == minute && !self.prefix.is_empty() {
            return;
        }
        let start = Timestamp::from_second(minute * MINUTE_SECONDS).unwrap_or_default();
        let clock = TimeZone::UTC.to_datetime(start);
        self.prefix.clear();
        let (date, [h1, h2], [m1, m2]) = (clock.date(), two(clock.hour().into()), two(clock.minute().into()));
        let [h1, h2, m1, m2] = [h1, h2, m1, m2].map(char::from);
        // Writing to a `String` cannot fail, so the result carries nothing.
        write!(self.prefix, "\"{date}T{h1}{h2}:{m1}{m2}:").unwrap_or_default();
        self.minute = minute;
    }
}

/// Truncated towards zero, as Go's division does it.
pub(super) fn in_unit(time: TimestampNs, unit: Precision) -> i64 {
    time.0 / unit.ns()
}

fn two(number: i64) -> [u8; 2] {
    [b'0' + (number / 10) as u8, b'0' + (number % 10) as u8]
}

/// Nothing, or a point and the digits up to the last that is not 0.
fn write_fraction(out: &mut Vec<u8>, nanos: i64) {
    if nanos == 0 {
        return;
    }
    // Most sources have milliseconds.
    let (mut rest, len) = if nanos % 1_000_000 == 0 { (nanos / 1_000_000, 3) } else { (nanos, 9) };
    let mut digits = *b".000000000";
    for digit in digits.iter_mut().skip(1).take(len).rev() {
        *digit = b'0' + (rest % 10) as u8;
        rest /= 10;
    }
    let used = digits.iter().rposition(|&digit| digit != b'0').unwrap_or_default();
    out.extend_from_slice(digits.get(..=used).unwrap_or_default());
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(times: &mut Times, ns: i64) -> String {
        let mut out = Vec::new();
        times.write_json(&mut out, TimestampNs(ns));
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn times_have_the_digits_needed() {
        let mut times = Times::new(None);
        let cases = [
            (0, "\"1970-01-01T00:00:00Z\""),
            (-1, "\"1969-12-31T23:59:59.999999999Z\""),
            (1_710_028_800_123_000_000, "\"2024-03-10T00:00:00.123Z\""),
            (1_710_028_800_123_456_780, "\"2024-03-10T00:00:00.12345678Z\""),
            (1_710_115_199_000_000_001, "\"2024-03-10T23:59:59.000000001Z\""),
            (i64::MIN, "\"1677-09-21T00:12:43.145224192Z\""),
            (i64::MAX, "\"2262-04-11T23:47:16.854775807Z\""),
        ];
        for (ns, expected) in cases {
            assert_eq!(text(&mut times, ns), expected);
        }
    }

    #[test]
    fn a_zone_shows_its_offset_on_both_sides_of_a_change() {
        let mut times = Times::new(None);
        times.set_zone(Some(&TimeZone::get("Europe/Berlin").unwrap()));
        let change = 1_711_846_800 * SECOND;
        for _ in 0..2 {
            assert_eq!(text(&mut times, change), "\"2024-03-31T03:00:00+02:00\"");
            assert_eq!(text(&mut times, change - 1), "\"2024-03-31T01:59:59.999999999+01:00\"");
        }
        times.set_zone(Some(&TimeZone::get("Europe/London").unwrap()));
        assert_eq!(text(&mut times, 0), "\"1970-01-01T01:00:00+01:00\"");
        assert_eq!(text(&mut times, change - 1), "\"2024-03-31T00:59:59.999999999Z\"");
        times.set_zone(Some(&TimeZone::get("America/St_Johns").unwrap()));
        assert_eq!(text(&mut times, change), "\"2024-03-30T22:30:00-02:30\"");
        times.set_zone(None);
        assert_eq!(text(&mut times, change), "\"2024-03-31T01:00:00Z\"");
    }

    #[test]
    fn integers_are_truncated_towards_zero() {
        let unit = |unit, ns| text(&mut Times::new(Some(unit)), ns);
        assert_eq!(unit(Precision::Minute, -1), "0");
        assert_eq!(unit(Precision::Millisecond, 1_710_028_800_123_999_999), "1710028800123");
        assert_eq!(unit(Precision::Nanosecond, i64::MIN), "-9223372036854775808");
    }
}
