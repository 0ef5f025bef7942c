//! Levels with hysteresis: a level goes up at once, and falls only past the recovery threshold. Both sides of a metric may have levels: too high
//! and too low, the latter being the former of the negated value.

use crate::config::Bounds;
use crate::error::ConfigError;
use crate::event::Level;
use crate::fnv::Fnv;

/// Where a metric stands: 0 is normal, 1 to 3 too high by warning, error and critical, -1 to -3 too low.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Standing(i8);

impl Standing {
    pub(crate) const NORMAL: Self = Self(0);

    pub(crate) const fn is_normal(self) -> bool {
        self.0 == 0
    }

    pub(crate) const fn is_low(self) -> bool {
        self.0 < 0
    }

    pub(crate) const fn level(self) -> Level {
        match self.0.unsigned_abs() {
            0 => Level::Info,
            1 => Level::Warning,
            2 => Level::Error,
            _ => Level::Critical,
        }
    }

    pub(crate) const fn code(self) -> i8 {
        self.0
    }

    pub(crate) const fn from_code(code: i8) -> Option<Self> {
        if code.unsigned_abs() <= 3 { Some(Self(code)) } else { None }
    }
}

/// Values, both ends included, that leave a standing as it is.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Band {
    from: f64,
    to: f64,
}

impl Band {
    #[inline]
    pub(crate) fn holds(self, value: f64) -> bool {
        self.from <= value && value <= self.to
    }
}

/// Levels of one side, ascending; infinite where there is none.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Side {
    levels: [f64; 3],
    recovery: f64,
}

impl Side {
    /// Number of the highest level that `value` reaches; 0 for none.
    fn rank(&self, value: f64) -> i8 {
        self.levels.iter().zip(1..).filter(|&(level, _)| value >= *level).map(|(_, rank)| rank).last().unwrap_or(0)
    }

    /// The lowest threshold above a rank.
    fn above(&self, rank: i8) -> f64 {
        let rank = usize::from(rank.unsigned_abs());
        self.levels.iter().skip(rank).copied().fold(f64::INFINITY, f64::min)
    }

    fn of_rank(&self, rank: i8) -> f64 {
        let at = usize::from(rank.unsigned_abs()).saturating_sub(1);
        self.levels.get(at).copied().unwrap_or(f64::INFINITY)
    }
}

/// The thresholds of a metric. Values are finite.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Thresholds {
    high: Side,
    /// Of the negated value.
    low: Side,
}

impl Thresholds {
    /// # Errors
    /// Levels that are not in order, and recovery thresholds that are beyond the first level or on the other side's.
    pub(crate) fn new(key: &str, high: Bounds, low: Bounds) -> Result<Self, ConfigError> {
        let sides = Self { high: side(key, high, 1.0)?, low: side(key, low, -1.0)? };
        let (high_recovery, low_recovery) = (sides.high.recovery, -sides.low.recovery);
        if low_recovery > high_recovery {
            return Err(ConfigError::Order {
                key: key.to_owned(),
                first: "low.recovery",
                first_value: low_recovery,
                relation: "is above",
                second: "recovery",
                second_value: high_recovery,
                advice: "leave some values between them that are normal",
            });
        }
        Ok(sides)
    }

    /// What becomes of a standing at a value.
    pub(crate) fn next(&self, now: Standing, value: f64) -> Standing {
        let fresh = self.fresh(value);
        let changes = match now.0 {
            0 => true,
            1.. => fresh.0 > now.0 || value < self.high.recovery,
            _ => fresh.0 < now.0 || -value < self.low.recovery,
        };
        if changes { fresh } else { now }
    }

    /// Where a value stands that nothing came before.
    fn fresh(&self, value: f64) -> Standing {
        match self.high.rank(value) {
            0 => Standing(-self.low.rank(-value)),
            rank => Standing(rank),
        }
    }

    /// The values at which [`Thresholds::next`] changes nothing.
    pub(crate) fn band(&self, now: Standing) -> Band {
        // The float before a threshold is the last value that does not reach it.
        match now.0 {
            0 => Band { from: -self.low.above(0).next_down(), to: self.high.above(0).next_down() },
            1.. => Band { from: self.high.recovery, to: self.high.above(now.0).next_down() },
            _ => Band { from: -self.low.above(now.0).next_down(), to: -self.low.recovery },
        }
    }

    /// The threshold that was crossed from `before` to `now`: that of the new level, or the recovery threshold of the old one's side.
    pub(crate) fn crossed(&self, before: Standing, now: Standing) -> f64 {
        match (now.0, before.0) {
            (1.., _) => self.high.of_rank(now.0),
            (..0, _) => -self.low.of_rank(now.0),
            (0, ..0) => -self.low.recovery,
            (0, _) => self.high.recovery,
        }
    }

    pub(crate) fn hash(&self, hash: Fnv) -> Fnv {
        let values = |hash, side: &Side| side.levels.iter().fold(hash, |hash: Fnv, level| hash.float(*level));
        values(values(hash, &self.high), &self.low).float(self.high.recovery).float(self.low.recovery)
    }
}

/// One side; `sign` is -1 for low values, whose thresholds are negated.
fn side(key: &str, bounds: Bounds, sign: f64) -> Result<Side, ConfigError> {
    let given = [("warning", bounds.warning), ("error", bounds.error), ("critical", bounds.critical)];
    for (name, value) in given.into_iter().chain([("recovery", bounds.recovery)]) {
        let is_wrong = |v: &f64| v.is_nan() || (*v * sign == f64::NEG_INFINITY && name != "recovery");
        if let Some(value) = value.filter(is_wrong) {
            let key = format!("{key}.{name}");
            let expected =
                if sign > 0.0 { "a number, or .inf for no such level" } else { "a number, or -.inf for no such level" };
            return Err(ConfigError::Range { key, value, expected });
        }
    }
    let mut last: Option<(&'static str, f64)> = None;
    for (name, value) in given {
        let Some(value) = value.map(|v| v * sign).filter(|v| *v < f64::INFINITY) else { continue };
        if let Some((before, lower)) = last.filter(|(_, lower)| *lower > value) {
            return Err(order(key, sign, (before, lower), (name, value)));
        }
        last = Some((name, value));
    }
    let level = |value: Option<f64>| value.map_or(f64::INFINITY, |v| v * sign);
    let levels = given.map(|(_, value)| level(value));
    let first = given.into_iter().find(|(_, value)| level(*value) < f64::INFINITY);
    let recovery = match (first, bounds.recovery) {
        (None, None) => f64::INFINITY,
        (None, Some(_)) if bounds.warning.or(bounds.error).or(bounds.critical).is_some() => f64::INFINITY,
        (None, Some(_)) => return Err(ConfigError::NothingToRecover { key: format!("{key}.recovery") }),
        (Some((_, value)), None) => level(value),
        (Some((name, value)), Some(recovery)) if recovery * sign > level(value) => {
            return Err(order(key, sign, ("recovery", recovery * sign), (name, level(value))));
        }
        (Some(_), Some(recovery)) => recovery * sign,
    };
    Ok(Side { levels, recovery })
}

/// `first` should be at or before `second`, and is beyond it.
fn order(key: &str, sign: f64, first: (&'static str, f64), second: (&'static str, f64)) -> ConfigError {
    let is_high = sign > 0.0;
    ConfigError::Order {
        key: key.to_owned(),
        first: first.0,
        first_value: first.1 * sign,
        relation: if is_high { "is above" } else { "is below" },
        second: second.0,
        second_value: second.1 * sign,
        advice: if is_high {
            "give recovery <= warning <= error <= critical"
        } else {
            "give recovery >= warning >= error >= critical, since low values are the bad ones"
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn bounds(warning: f64, error: f64, critical: f64, recovery: f64) -> Bounds {
        Bounds { warning: Some(warning), error: Some(error), critical: Some(critical), recovery: Some(recovery) }
    }

    fn cpu() -> Thresholds {
        Thresholds::new("cpu", bounds(80.0, 90.0, 98.0, 70.0), Bounds::default()).unwrap()
    }

    fn success_rate() -> Thresholds {
        Thresholds::new("rate", Bounds::default(), bounds(50.0, 30.0, 10.0, 70.0)).unwrap()
    }

    fn voltage() -> Thresholds {
        let low = Bounds { warning: Some(207.0), error: Some(195.5), critical: None, recovery: Some(212.0) };
        Thresholds::new("voltage", bounds(253.0, 264.5, 280.0, 248.0), low).unwrap()
    }

    /// The standings that a run of values gives.
    fn walk(thresholds: &Thresholds, values: &[f64]) -> Vec<i8> {
        let mut now = Standing::NORMAL;
        let mut step = |value: &f64| {
            now = thresholds.next(now, *value);
            now.code()
        };
        values.iter().map(&mut step).collect()
    }

    #[test]
    fn a_level_goes_up_at_once_and_falls_only_past_the_recovery_threshold() {
        assert_eq!(walk(&cpu(), &[79.0, 80.0, 79.0, 99.0, 91.0, 70.0, 69.9, 90.0]), [0, 1, 1, 3, 3, 3, 0, 2]);
    }

    #[test]
    fn an_inverse_metric_is_mirrored() {
        assert_eq!(
            walk(&success_rate(), &[51.0, 50.0, 60.0, 9.0, 31.0, 70.0, 70.1, 30.0]),
            [0, -1, -1, -3, -3, -3, 0, -2]
        );
    }

    #[test]
    fn a_level_is_reached_exactly_at_its_threshold() {
        for (value, rank) in [(80.0f64, 1), (90.0, 2), (98.0, 3)] {
            assert_eq!(walk(&cpu(), &[value.next_down(), value]), [rank - 1, rank]);
        }
        for (value, rank) in [(50.0f64, -1), (30.0, -2), (10.0, -3)] {
            assert_eq!(walk(&success_rate(), &[value.next_up(), value]), [rank + 1, rank]);
        }
    }

    #[test]
    fn a_metric_may_jump_from_too_high_to_too_low() {
        assert_eq!(walk(&voltage(), &[270.0, 200.0, 195.5, 212.0, 213.0, 260.0]), [2, -1, -2, -2, 0, 1]);
    }

    #[test]
    fn the_threshold_crossed_is_that_of_the_new_level_or_of_recovery() {
        let crossed = |before, now| voltage().crossed(Standing(before), Standing(now));
        assert_eq!([crossed(0, 2), crossed(2, 0), crossed(2, -1), crossed(-1, 0)], [264.5, 248.0, 207.0, 212.0]);
    }

    #[test]
    fn without_recovery_threshold_a_level_is_left_below_the_first_level() {
        let alone = Bounds { error: Some(10.0), ..Bounds::default() };
        let thresholds = Thresholds::new("x", alone, Bounds::default()).unwrap();
        assert_eq!(walk(&thresholds, &[9.9, 10.0, 9.9]), [0, 2, 0]);
    }

    #[test]
    fn thresholds_that_contradict_each_other_are_refused_with_their_key() {
        let refused = |high, low| Thresholds::new("VM.cpu", high, low).unwrap_err().to_string();
        let none = Bounds::default();
        assert_eq!(
            refused(bounds(95.0, 90.0, 98.0, 70.0), none),
            "VM.cpu: warning 95 is above error 90; give recovery <= warning <= error <= critical"
        );
        assert!(refused(bounds(80.0, 90.0, 98.0, 81.0), none).contains("recovery 81 is above warning 80"));
        assert!(refused(none, bounds(30.0, 50.0, 10.0, 70.0)).contains("warning 30 is below error 50"));
        assert!(refused(bounds(80.0, 90.0, 98.0, f64::NAN), none).contains("VM.cpu.recovery: NaN"));
        assert!(refused(Bounds { recovery: Some(1.0), ..none }, none).contains("no level"));
        let low = Bounds { warning: Some(75.0), ..none };
        assert!(refused(bounds(80.0, 90.0, 98.0, 70.0), low).contains("low.recovery 75 is above recovery 70"));
    }

    #[test]
    fn an_infinite_threshold_is_none() {
        let thresholds = Thresholds::new("x", bounds(1.0, f64::INFINITY, 3.0, 1.0), Bounds::default()).unwrap();
        assert_eq!(walk(&thresholds, &[2.5, 3.0, f64::MAX]), [1, 3, 3]);
        let off = Thresholds::new(
            "x",
            Bounds { warning: Some(f64::INFINITY), recovery: Some(1.0), ..Bounds::default() },
            Bounds::default(),
        );
        assert_eq!(walk(&off.unwrap(), &[f64::MAX, f64::MIN]), [0, 0]);
    }

    proptest! {
        #[test]
        fn inside_the_band_nothing_changes_and_outside_something_does(code in -2i8..=3, value in 150.0f64..300.0) {
            let (thresholds, now) = (voltage(), Standing(code));
            prop_assert_eq!(thresholds.band(now).holds(value), thresholds.next(now, value) == now);
        }
    }
}
