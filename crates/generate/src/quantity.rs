//! What a series measures: its unit and range, how it follows the hours, how far it scatters, and what can go wrong with it.

/// A kind of series. The tables of them are in [`crate::nodes`] and [`crate::ems`].
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Quantity {
    /// Its name, such as `cpu_usage`.
    pub name: &'static str,
    /// Its unit, such as `%`.
    pub unit: &'static str,
    /// Smallest value.
    pub min: f64,
    /// Largest value.
    pub max: f64,
    /// What series of this kind have on average; each has a base of its own near it.
    pub base: f64,
    /// How far the bases of series differ from `base`, as a share of it.
    pub spread: f64,
    /// How far the noise goes.
    pub volatility: Volatility,
    /// What it follows.
    pub shape: Shape,
    /// Difference between the highest and the lowest level of the shape, as a share of the base; negative where busy means less.
    pub swing: f64,
    /// 10 to the power of the digits after the point.
    pub precision: f64,
    /// What goes wrong with it.
    pub faults: Faults,
}

impl Quantity {
    /// True when even the smallest anomaly upwards stays visible below `max`.
    pub(crate) fn has_room_above(&self) -> bool {
        self.base * SMALLEST_FACTOR <= self.max
    }

    /// `value` as it is given out: inside the range, with the digits of the quantity.
    pub(crate) fn finish(&self, value: f64) -> f64 {
        nearest(value.clamp(self.min, self.max) * self.precision) / self.precision
    }
}

/// The nearest whole number of a value that is far from the limits of an `i64`. Unlike `f64::round` it needs no call of a function on
/// processors of 2008, and there is no negative zero.
pub(crate) fn nearest(value: f64) -> f64 {
    (value + 0.5_f64.copysign(value)) as i64 as f64
}

/// The least that an anomaly multiplies or divides by.
pub(crate) const SMALLEST_FACTOR: f64 = 1.5;

/// The noise stays within this share of the base of its series; its standard deviation is about a third of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Volatility {
    /// No noise: states and commands.
    None,
    /// 1 %: what is held or integrated, such as a voltage or a state of charge.
    Steady,
    /// 5 %.
    Low,
    /// 15 %.
    Medium,
    /// 30 %.
    High,
}

impl Volatility {
    /// The share.
    pub const fn share(self) -> f64 {
        match self {
            Self::None => 0.0,
            Self::Steady => 0.01,
            Self::Low => 0.05,
            Self::Medium => 0.15,
            Self::High => 0.30,
        }
    }
}

/// What a quantity follows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shape {
    /// The load: high from 8 to 18 h, less at weekends.
    Load,
    /// Warmth: highest at 15 h, lowest at 3 h.
    Warmth,
    /// A battery that is charged from 8 to 16 h and discharged until the next morning.
    Charge,
    /// A state that is 1 unless something is wrong.
    State,
    /// A command that is 1 while the load is high.
    Command,
    /// A set-point that follows the load in steps of ten.
    Steps,
}

/// What goes wrong with a quantity.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Faults {
    /// Nothing: people give commands and set-points.
    None,
    /// Values are multiplied or divided.
    Factors,
    /// A state of 0 or 1 is the other one.
    Flips,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn halves_are_rounded_away_from_zero() {
        for (value, expected) in [(2.5, 3.0), (2.4, 2.0), (-2.5, -3.0), (-2.4, -2.0), (0.0, 0.0)] {
            assert_eq!(nearest(value), expected);
        }
        assert!(nearest(-0.2).is_sign_positive());
    }
}
