//! The hours of a day and the days of a week as levels between 0 and 1. Curves are cubic polynomials, for the reason that `lib.rs` gives.

use model::TimestampNs;

use crate::offset::UtcOffset;
use crate::quantity::Shape;

const DAY_S: i64 = 86_400;
/// 1970-01-01 was a Thursday, the fourth day of a week that begins on Monday.
const FIRST_WEEKDAY: i64 = 3;
/// Load of a weekend as a share of that of a working day.
const WEEKEND_LOAD: f64 = 0.4;

/// The levels at one instant.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Levels {
    load: f64,
    warmth: f64,
    charge: f64,
}

impl Levels {
    pub(crate) fn at(time: TimestampNs, offset: UtcOffset) -> Self {
        let local = offset.local_seconds(time);
        let hour = local.rem_euclid(DAY_S) as f64 / 3_600.0;
        let weekday = (local.div_euclid(DAY_S) + FIRST_WEEKDAY).rem_euclid(7);
        let workload = if weekday < 5 { 1.0 } else { WEEKEND_LOAD };
        Self { load: busy(hour) * workload, warmth: warmth(hour), charge: charge(hour) }
    }

    /// The level that a quantity of this shape follows.
    pub(crate) fn of(&self, shape: Shape) -> f64 {
        match shape {
            Shape::Load | Shape::Steps => self.load,
            Shape::Warmth => self.warmth,
            Shape::Charge => self.charge,
            Shape::State => 1.0,
            Shape::Command => f64::from(u8::from(self.load > 0.5)),
        }
    }
}

/// Half at 8 and at 18 h, 1 between 9 and 17 h.
fn busy(hour: f64) -> f64 {
    rise((hour - 7.0) / 2.0) * (1.0 - rise((hour - 17.0) / 2.0))
}

fn warmth(hour: f64) -> f64 {
    let apart = (hour - 15.0).abs();
    let apart = if apart > 12.0 { 24.0 - apart } else { apart };
    rise(1.0 - apart / 12.0)
}

fn charge(hour: f64) -> f64 {
    let since = if hour < 8.0 { hour + 16.0 } else { hour - 8.0 };
    if since < 8.0 { rise(since / 8.0) } else { 1.0 - rise((since - 8.0) / 16.0) }
}

/// From 0 to 1 without a corner, while `x` does.
fn rise(x: f64) -> f64 {
    let x = x.clamp(0.0, 1.0);
    x * x * (3.0 - 2.0 * x)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 2025-07-14, a Monday.
    const MONDAY_S: i64 = 1_752_451_200;

    fn levels(day: i64, hour: i64, offset: UtcOffset) -> Levels {
        Levels::at(TimestampNs((MONDAY_S + day * DAY_S + hour * 3_600) * 1_000_000_000), offset)
    }

    #[test]
    fn the_load_is_high_from_8_to_18_h_and_lower_at_weekends() {
        let load = |day, hour| levels(day, hour, UtcOffset::UTC).load;
        assert_eq!((load(0, 3), load(0, 8), load(0, 12), load(0, 18), load(0, 22)), (0.0, 0.5, 1.0, 0.5, 0.0));
        assert_eq!((load(4, 12), load(5, 12), load(6, 12), load(7, 12)), (1.0, 0.4, 0.4, 1.0));
    }

    #[test]
    fn hours_are_those_of_local_time() {
        let shanghai = UtcOffset::from_minutes(480).unwrap();
        assert_eq!(levels(0, 4, shanghai), levels(0, 12, UtcOffset::UTC));
        assert_eq!(levels(-3, 20, shanghai).load, 0.0);
    }

    #[test]
    fn afternoons_are_warm_and_batteries_full() {
        let at = |hour| levels(0, hour, UtcOffset::UTC);
        assert_eq!((at(15).warmth, at(3).warmth), (1.0, 0.0));
        assert_eq!((at(16).charge, at(8).charge, at(0).charge), (1.0, 0.0, 0.5));
    }

    #[test]
    fn times_before_1970_have_hours_too() {
        // 1969-12-31 was a Wednesday.
        assert_eq!(Levels::at(TimestampNs(-43_200_000_000_000), UtcOffset::UTC).load, 1.0);
    }
}
