//! The times of letters as text: RFC 3339 in UTC with all nanoseconds, `2026-11-22T07:41:05.000000120Z`, so that texts sort
//! like times. Read are one to nine digits behind the point, or none.

use model::TimestampNs;
use serde::de::Error;
use serde::{Deserialize, Deserializer, Serializer};

const NS_PER_S: i64 = 1_000_000_000;
const S_PER_DAY: i64 = 86_400;
/// Days from 0000-03-01, with which a cycle of the calendar begins, to 1970-01-01.
const DAYS_TO_1970: i64 = 719_468;
/// Days in the 400 years after which the calendar repeats.
const DAYS_PER_CYCLE: i64 = 146_097;

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
    let (seconds, ns) = (time.0.div_euclid(NS_PER_S), time.0.rem_euclid(NS_PER_S));
    let date = Date::from_days(seconds.div_euclid(S_PER_DAY));
    let of_day = seconds.rem_euclid(S_PER_DAY);
    let (hour, minute, second) = (of_day / 3600, of_day / 60 % 60, of_day % 60);
    format!("{:04}-{:02}-{:02}T{hour:02}:{minute:02}:{second:02}.{ns:09}Z", date.year, date.month, date.day)
}

/// The time of a text; `None` when it is none, or one that cannot be stored.
pub(super) fn parse(text: &str) -> Option<TimestampNs> {
    let (date, clock) = text.strip_suffix('Z')?.split_once('T')?;
    let days = Date::parse(date)?.to_days();
    let (clock, fraction) = clock.split_once('.').unwrap_or((clock, "0"));
    let [hour, minute, second] = numbers(clock, ':', [2, 2, 2])?;
    if hour > 23 || minute > 59 || second > 59 {
        return None;
    }
    let seconds = days * S_PER_DAY + hour * 3600 + minute * 60 + second;
    let ns = i128::from(seconds) * i128::from(NS_PER_S) + i128::from(fraction_ns(fraction)?);
    i64::try_from(ns).ok().map(TimestampNs)
}

/// Digits behind the point, as nanoseconds.
fn fraction_ns(digits: &str) -> Option<i64> {
    let [_] = numbers(digits, ':', [digits.len()])?;
    if digits.len() > 9 { None } else { format!("{digits:0<9}").parse().ok() }
}

/// Numbers of so many digits each, with `between` between them.
fn numbers<const N: usize>(text: &str, between: char, digits: [usize; N]) -> Option<[i64; N]> {
    let mut parts = text.split(between);
    let mut numbers = [0; N];
    for (number, digits) in numbers.iter_mut().zip(digits) {
        let part = parts.next().filter(|p| p.len() == digits && p.bytes().all(|b| b.is_ascii_digit()))?;
        *number = part.parse().ok()?;
    }
    parts.next().is_none().then_some(numbers)
}

/// A day of the Gregorian calendar.
#[derive(Debug, PartialEq, Eq)]
struct Date {
    year: i64,
    month: i64,
    day: i64,
}

impl Date {
    fn parse(text: &str) -> Option<Self> {
        let [year, month, day] = numbers(text, '-', [4, 2, 2])?;
        let date = Self { year, month, day };
        // A day that does not exist, such as February 30, comes out as another one.
        let exists = (1..=12).contains(&month) && Self::from_days(date.to_days()) == date;
        exists.then_some(date)
    }

    /// The day so many days after 1970-01-01. Years are counted from March on, so that a leap day is the last of its year.
    fn from_days(days: i64) -> Self {
        let (cycle, of_cycle) =
            ((days + DAYS_TO_1970).div_euclid(DAYS_PER_CYCLE), (days + DAYS_TO_1970).rem_euclid(DAYS_PER_CYCLE));
        let leap_days = of_cycle / 1460 - of_cycle / 36_524 + of_cycle / 146_096;
        let year = (of_cycle - leap_days) / 365;
        let of_year = of_cycle - (365 * year + year / 4 - year / 100);
        let from_march = (5 * of_year + 2) / 153;
        let day = of_year - (153 * from_march + 2) / 5 + 1;
        let month = if from_march < 10 { from_march + 3 } else { from_march - 9 };
        Self { year: cycle * 400 + year + i64::from(month <= 2), month, day }
    }

    fn to_days(&self) -> i64 {
        let year = self.year - i64::from(self.month <= 2);
        let (cycle, of_cycle) = (year.div_euclid(400), year.rem_euclid(400));
        let from_march = if self.month > 2 { self.month - 3 } else { self.month + 9 };
        let of_year = (153 * from_march + 2) / 5 + self.day - 1;
        cycle * DAYS_PER_CYCLE + 365 * of_cycle + of_cycle / 4 - of_cycle / 100 + of_year - DAYS_TO_1970
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_written_with_all_nanoseconds_and_read_back() {
        let cases = [
            (0, "1970-01-01T00:00:00.000000000Z"),
            (-1, "1969-12-31T23:59:59.999999999Z"),
            (951_782_400 * NS_PER_S + 120, "2000-02-29T00:00:00.000000120Z"),
            (1_700_000_000 * NS_PER_S, "2023-11-14T22:13:20.000000000Z"),
            (i64::MIN, "1677-09-21T00:12:43.145224192Z"),
            (i64::MAX, "2262-04-11T23:47:16.854775807Z"),
        ];
        for (ns, text) in cases {
            assert_eq!(format(TimestampNs(ns)), text);
            assert_eq!(parse(text), Some(TimestampNs(ns)), "{text}");
        }
    }

    #[test]
    fn every_day_of_six_centuries_is_followed_by_the_next_one() {
        let mut date = Date { year: 1677, month: 1, day: 1 };
        for days in date.to_days()..(Date { year: 2263, month: 1, day: 1 }).to_days() {
            assert_eq!((Date::from_days(days), date.to_days()), (Date { ..date }, days));
            let leap = date.year % 4 == 0 && (date.year % 100 != 0 || date.year % 400 == 0);
            let length = [31, 28 + i64::from(leap), 31, 30, 31, 30, 31, 31, 30, 31, 30, 31][date.month as usize - 1];
            let Date { year, month, day } = date;
            date = match (month, day) {
                (12, 31) => Date { year: year + 1, month: 1, day: 1 },
                (month, day) if day == length => Date { year, month: month + 1, day: 1 },
                (month, day) => Date { year, month, day: day + 1 },
            };
        }
    }

    #[test]
    fn fractions_may_be_short_or_missing() {
        assert_eq!(parse("1970-01-01T00:00:01Z"), Some(TimestampNs(NS_PER_S)));
        assert_eq!(parse("1970-01-01T00:00:00.25Z"), Some(TimestampNs(250_000_000)));
    }

    #[test]
    fn what_is_no_time_is_refused() {
        let wrong = [
            "",
            "2026-11-22",
            "2026-11-22T07:41:05",
            "2026-02-29T00:00:00Z",
            "2026-13-01T00:00:00Z",
            "2026-00-01T00:00:00Z",
            "2026-01-01T24:00:00Z",
            "2026-1-01T00:00:00Z",
            "2026-01-01T00:00:00.Z",
            "2026-01-01T00:00:00.1234567890Z",
            "2026-01-01T+0:00:00Z",
            "2300-01-01T00:00:00Z",
            "2026-01-01T00:00:00+00:00Z",
        ];
        for text in wrong {
            assert_eq!(parse(text), None, "{text}");
        }
    }
}
