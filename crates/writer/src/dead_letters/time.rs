//! The times of letters as text: RFC 3339 in UTC with all nanoseconds, `2026-11-22T07:41:05.000000120Z`, so that texts sort
//! like times.

use jiff::Timestamp;
use model::TimestampNs;
use serde::de::Error;
use serde::{Deserialize, Deserializer, Serializer};

pub(super) fn serialize<S: Serializer>(time: &TimestampNs, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&format(*time))
}

pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<TimestampNs, D::Error> {
    let text = std::borrow::Cow::<'_, str>::deserialize(deserializer)?;
    parse(&text)
        .ok_or_else(|| D::Error::custom(format!("`{text}` is no time: expected one as in 2026-11-22T07:41:05Z")))
}

/// The text of a time.
pub(super) fn format(time: TimestampNs) -> String {
    // All 64 bits of nanoseconds are within what jiff has.
    Timestamp::from_nanosecond(i128::from(time.0)).map_or_else(|_| time.0.to_string(), |time| format!("{time:.9}"))
}

/// The time of a text; `None` when it is none, or one that cannot be stored.
pub(super) fn parse(text: &str) -> Option<TimestampNs> {
    let time: Timestamp = text.parse().ok()?;
    i64::try_from(time.as_nanosecond()).ok().map(TimestampNs)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_written_with_all_nanoseconds_and_read_back() {
        let cases = [
            (0, "1970-01-01T00:00:00.000000000Z"),
            (-1, "1969-12-31T23:59:59.999999999Z"),
            (951_782_400_000_000_120, "2000-02-29T00:00:00.000000120Z"),
            (i64::MIN, "1677-09-21T00:12:43.145224192Z"),
            (i64::MAX, "2262-04-11T23:47:16.854775807Z"),
        ];
        for (ns, text) in cases {
            assert_eq!(format(TimestampNs(ns)), text);
            assert_eq!(parse(text), Some(TimestampNs(ns)), "{text}");
        }
    }

    #[test]
    fn what_is_no_time_is_refused() {
        for text in ["", "2026-11-22", "2026-11-22T07:41:05", "2026-02-29T00:00:00Z", "2300-01-01T00:00:00Z"] {
            assert_eq!(parse(text), None, "{text}");
        }
    }
}
