//! Dates and times of day without a calendar library: they are read millions of times.

/// Seconds of a day.
pub(super) const DAY: i64 = 86_400;

/// What a text says about time: seconds since 1970-01-01T00:00:00 and nanoseconds behind them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Moment {
    pub(super) seconds: i64,
    pub(super) nanos: u32,
    /// False: the seconds are those of a clock on the wall, in a zone that the text does not tell.
    pub(super) is_utc: bool,
}

/// The parts of a date and time as they were read.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Parts {
    pub(super) year: i64,
    pub(super) month: i64,
    pub(super) day: i64,
    pub(super) hour: i64,
    pub(super) minute: i64,
    pub(super) second: i64,
    pub(super) nanos: u32,
}

impl Parts {
    /// Seconds since 1970 on the same clock; `None` when there is no such day or time of day. 24:00 is the end of the day, and a second of 60 the
    /// begin of the next minute.
    pub(super) fn seconds(&self) -> Option<i64> {
        let days = days(self.year, self.month, self.day)?;
        let is_end = self.hour == 24 && self.minute == 0 && self.second == 0 && self.nanos == 0;
        let is_clock =
            (0..24).contains(&self.hour) && (0..60).contains(&self.minute) && (0..=60).contains(&self.second);
        (is_clock || is_end).then_some(days * DAY + self.hour * 3600 + self.minute * 60 + self.second)
    }
}

/// Days since 1970-01-01 in the Gregorian calendar; `None` when there is no such day.
fn days(year: i64, month: i64, day: i64) -> Option<i64> {
    if !(0..=9999).contains(&year) || !(1..=12).contains(&month) || day < 1 || day > days_of_month(year, month) {
        return None;
    }
    // Years begin in March here, so that the leap day is the last one; 400 years have 146097 days.
    let (year, month) = if month > 2 { (year, month - 3) } else { (year - 1, month + 9) };
    let (era, year_of_era) = (year.div_euclid(400), year.rem_euclid(400));
    let day_of_year = (153 * month + 2) / 5 + day - 1;
    Some(era * 146_097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year - 719_468)
}

fn days_of_month(year: i64, month: i64) -> i64 {
    let is_leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    match month {
        2 if is_leap => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

/// Reads a text from its start.
#[derive(Debug, Clone, Copy)]
pub(super) struct Reader<'a>(pub(super) &'a [u8]);

impl Reader<'_> {
    pub(super) fn is_at_end(&self) -> bool {
        self.0.is_empty()
    }

    /// Takes `byte`, if it is there.
    #[inline]
    pub(super) fn skip(&mut self, byte: u8) -> bool {
        match self.0.split_first() {
            Some((first, rest)) if *first == byte => {
                self.0 = rest;
                true
            }
            _ => false,
        }
    }

    /// A number of `min` to `max` digits.
    #[inline]
    pub(super) fn number(&mut self, min: usize, max: usize) -> Option<i64> {
        let (mut value, mut len) = (0, 0);
        while len < max {
            match self.0.split_first() {
                Some((digit @ b'0'..=b'9', rest)) => {
                    value = value * 10 + i64::from(digit - b'0');
                    self.0 = rest;
                    len += 1;
                }
                _ => break,
            }
        }
        (len >= min).then_some(value)
    }

    /// Digits behind a decimal point as nanoseconds; those behind the ninth are passed over.
    pub(super) fn fraction(&mut self) -> Option<u32> {
        let (mut nanos, mut len) = (0u32, 0u32);
        while let Some((digit @ b'0'..=b'9', rest)) = self.0.split_first() {
            if len < 9 {
                nanos = nanos * 10 + u32::from(digit - b'0');
            }
            len += 1;
            self.0 = rest;
        }
        (len > 0).then(|| nanos * 10u32.pow(9u32.saturating_sub(len)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_are_those_of_the_calendar() {
        assert_eq!(days(1970, 1, 1), Some(0));
        assert_eq!(days(1969, 12, 31), Some(-1));
        assert_eq!(days(2000, 2, 29), Some(11_016));
        assert_eq!(days(2026, 11, 22), Some(20_779));
        for (y, m, d) in [(1900, 2, 29), (2023, 2, 29), (2024, 4, 31), (2024, 13, 1), (2024, 0, 1), (2024, 1, 0)] {
            assert_eq!(days(y, m, d), None);
        }
    }

    #[test]
    fn a_day_ends_at_24_o_clock() {
        let end = Parts { year: 1970, month: 1, day: 1, hour: 24, ..Parts::default() };
        assert_eq!(end.seconds(), Some(DAY));
        assert_eq!(Parts { minute: 1, ..end }.seconds(), None);
        assert_eq!(Parts { hour: 23, minute: 59, second: 60, ..end }.seconds(), Some(DAY));
    }
}
