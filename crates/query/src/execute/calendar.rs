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
#[derive(Debug)]
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
