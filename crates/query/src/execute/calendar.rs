//! Windows of whole calendar units, counted from 1970-01-01 (days, months, years) or from Monday 1969-12-29 (weeks) on the
//! clocks of a time zone, so that a window of several units starts at the same dates whatever range is asked for.

use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use model::{TimeRange, TimestampNs};

use crate::QueryError;
use crate::plan::CalendarUnit;

const HOURS_A_DAY: i64 = 24;
const MONTHS_A_YEAR: i64 = 12;
const DAYS_A_WEEK: i64 = 7;
const EPOCH_YEAR: i64 = 1970;
const FIRST_OF_1970: Date = jiff::civil::date(1970, 1, 1);
const MONDAY_BEFORE_1970: Date = jiff::civil::date(1969, 12, 29);

/// The windows of one query.
#[derive(Debug, Clone)]
pub(super) struct Calendar {
    count: i64,
    unit: CalendarUnit,
    zone: TimeZone,
}

impl Calendar {
    /// # Errors
    /// [`QueryError::Invalid`] for a count of 0.
    pub(super) fn new(count: u32, unit: CalendarUnit, zone: TimeZone) -> Result<Self, QueryError> {
        if count == 0 {
            return Err(QueryError::invalid("a calendar window has 0 units: expected at least 1"));
        }
        Ok(Self { count: i64::from(count), unit, zone })
    }

    /// The window that holds `time`.
    pub(super) fn containing(&self, time: TimestampNs) -> TimeRange {
        let mut number = self.number_of(self.date_of(time));
        // NOTE: where clocks are set back across midnight a date comes twice; the window is then the one whose bounds hold
        // `time`, not the one of the date on the clock.
        while time >= self.start_of(number + 1) && self.start_of(number + 1) < TimestampNs::MAX {
            number += 1;
        }
        while time < self.start_of(number) && self.start_of(number) > TimestampNs::MIN {
            number -= 1;
        }
        TimeRange::new(self.start_of(number), self.start_of(number + 1))
    }

    fn date_of(&self, time: TimestampNs) -> Date {
        // Nanoseconds of 64 bits reach from 1677 to 2262, far inside what jiff can represent.
        let instant = Timestamp::from_nanosecond(i128::from(time.0)).unwrap_or_default();
        self.zone.to_datetime(instant).date()
    }

    /// Number of the window that a date is in; window 0 holds the epoch.
    fn number_of(&self, date: Date) -> i64 {
        let (year, month) = (i64::from(date.year()), i64::from(date.month()));
        let units = match self.unit {
            CalendarUnit::Day => days_between(FIRST_OF_1970, date),
            CalendarUnit::Week => days_between(MONDAY_BEFORE_1970, date).div_euclid(DAYS_A_WEEK),
            CalendarUnit::Month => (year - EPOCH_YEAR) * MONTHS_A_YEAR + month - 1,
            CalendarUnit::Year => year - EPOCH_YEAR,
        };
        units.div_euclid(self.count)
    }

    /// First instant of a window, held inside what can be represented.
    fn start_of(&self, number: i64) -> TimestampNs {
        let limit = if number < 0 { TimestampNs::MIN } else { TimestampNs::MAX };
        self.first_date(number).and_then(|date| self.midnight(date)).unwrap_or(limit)
    }

    fn first_date(&self, number: i64) -> Option<Date> {
        let units = number.checked_mul(self.count)?;
        match self.unit {
            CalendarUnit::Day => days_after(FIRST_OF_1970, units),
            CalendarUnit::Week => days_after(MONDAY_BEFORE_1970, units.checked_mul(DAYS_A_WEEK)?),
            CalendarUnit::Month => first_of_month(units),
            CalendarUnit::Year => first_of_month(units.checked_mul(MONTHS_A_YEAR)?),
        }
    }

    /// First instant of a date; where clocks are set forward at midnight, the instant after that.
    fn midnight(&self, date: Date) -> Option<TimestampNs> {
        let instant = self.zone.to_timestamp(date.at(0, 0, 0, 0)).ok()?;
        i64::try_from(instant.as_nanosecond()).ok().map(TimestampNs)
    }
}

fn days_between(from: Date, to: Date) -> i64 {
    to.duration_since(from).as_hours() / HOURS_A_DAY
}

fn days_after(date: Date, days: i64) -> Option<Date> {
    date.checked_add(SignedDuration::from_secs(days.checked_mul(HOURS_A_DAY * 3600)?)).ok()
}

/// The first of the month that comes `months` after January 1970.
fn first_of_month(months: i64) -> Option<Date> {
    let year = i16::try_from(EPOCH_YEAR + months.div_euclid(MONTHS_A_YEAR)).ok()?;
    let month = i8::try_from(months.rem_euclid(MONTHS_A_YEAR) + 1).ok()?;
    Date::new(year, month, 1).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOUR: i64 = 3_600_000_000_000;

    fn at(text: &str) -> TimestampNs {
        let instant: Timestamp = text.parse().unwrap();
        TimestampNs(i64::try_from(instant.as_nanosecond()).unwrap())
    }

    fn calendar(count: u32, unit: CalendarUnit, zone: &str) -> Calendar {
        Calendar::new(count, unit, TimeZone::get(zone).unwrap()).unwrap()
    }

    fn range(start: &str, end: &str) -> TimeRange {
        TimeRange::new(at(start), at(end))
    }

    #[test]
    fn days_in_berlin_have_23_24_or_25_hours() {
        let days = calendar(1, CalendarUnit::Day, "Europe/Berlin");
        let hours = |t| {
            let day = days.containing(at(t));
            (day.end.0 - day.start.0) / HOUR
        };
        assert_eq!(hours("2026-03-28T12:00:00Z"), 24);
        assert_eq!(hours("2026-03-29T12:00:00Z"), 23);
        assert_eq!(hours("2026-10-25T12:00:00Z"), 25);
        assert_eq!(days.containing(at("2026-03-28T23:00:00Z")), range("2026-03-28T23:00:00Z", "2026-03-29T22:00:00Z"));
    }

    #[test]
    fn weeks_start_on_monday_months_on_the_first_years_in_january() {
        let shanghai = "Asia/Shanghai";
        let instant = at("2026-11-22T01:00:00Z");
        let week = calendar(1, CalendarUnit::Week, shanghai).containing(instant);
        assert_eq!(week, range("2026-11-15T16:00:00Z", "2026-11-22T16:00:00Z"));
        let month = calendar(1, CalendarUnit::Month, shanghai).containing(instant);
        assert_eq!(month, range("2026-10-31T16:00:00Z", "2026-11-30T16:00:00Z"));
        let year = calendar(1, CalendarUnit::Year, "UTC").containing(at("1969-12-31T23:59:59Z"));
        assert_eq!(year, range("1969-01-01T00:00:00Z", "1970-01-01T00:00:00Z"));
        let quarter = calendar(3, CalendarUnit::Month, "UTC").containing(instant);
        assert_eq!(quarter, range("2026-10-01T00:00:00Z", "2027-01-01T00:00:00Z"));
    }

    #[test]
    fn a_day_whose_midnight_does_not_exist_starts_when_the_clocks_go_on() {
        let days = calendar(1, CalendarUnit::Day, "America/Sao_Paulo");
        let day = days.containing(at("2018-11-04T12:00:00Z"));
        assert_eq!(day, range("2018-11-04T03:00:00Z", "2018-11-05T02:00:00Z"));
    }

    #[test]
    fn a_date_that_comes_twice_is_still_one_window() {
        // In Newfoundland clocks went from 00:01 back to 23:01 of the day before.
        let days = calendar(1, CalendarUnit::Day, "America/St_Johns");
        let midnight = at("2007-11-04T02:30:00Z");
        assert_eq!(days.containing(midnight).start, midnight);
        let twice = at("2007-11-04T02:45:00Z");
        assert_eq!(days.containing(twice).start, midnight);
        assert!(days.containing(twice).contains(twice));
    }

    #[test]
    fn windows_at_the_ends_of_time_are_cut() {
        for unit in [CalendarUnit::Day, CalendarUnit::Week, CalendarUnit::Month, CalendarUnit::Year] {
            let windows = calendar(1, unit, "Europe/Berlin");
            assert_eq!(windows.containing(TimestampNs::MIN).start, TimestampNs::MIN);
            assert_eq!(windows.containing(TimestampNs(i64::MAX - 1)).end, TimestampNs::MAX);
        }
    }
}
