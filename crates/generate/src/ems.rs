//! An energy-management plant: channels 1001, 1002, ... with data points. A series is `measurement,channel=1001,point=10001,type=m` with
//! the field `value`; numbers of data points begin at 10001 for telemetry, 20001 for signals, 30001 for controls, 40001 for adjustments.

use std::fmt;
use std::str::FromStr;

use crate::quantity::{Faults, Quantity, Shape, Volatility};

/// Number of the first channel.
pub(crate) const FIRST_CHANNEL: u32 = 1_001;
/// Most data points of a channel, so that the numbers of one type end before those of the next.
pub const MAX_DATA_POINTS: u32 = 10_000;

/// Type of a data point.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum PointType {
    /// An analog value.
    Telemetry,
    /// A status, 0 or 1.
    Signal,
    /// A command, 0 or 1.
    Control,
    /// A set-point.
    Adjustment,
}

/// Not a type of data points.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a type of data points: expected m, s, c or a")]
pub struct PointTypeError(String);

impl PointType {
    /// Every type, in the order of their numbers.
    pub const ALL: [Self; 4] = [Self::Telemetry, Self::Signal, Self::Control, Self::Adjustment];

    /// `m s c a`, the tag `type` and what most producers write.
    pub const fn letter(self) -> &'static str {
        match self {
            Self::Telemetry => "m",
            Self::Signal => "s",
            Self::Control => "c",
            Self::Adjustment => "a",
        }
    }

    /// `T S C A`, what the newest producers write.
    pub const fn capital(self) -> &'static str {
        match self {
            Self::Telemetry => "T",
            Self::Signal => "S",
            Self::Control => "C",
            Self::Adjustment => "A",
        }
    }

    /// The measurement of its values.
    pub const fn measurement(self) -> &'static str {
        match self {
            Self::Telemetry => "measurement",
            Self::Signal => "signal",
            Self::Control => "control",
            Self::Adjustment => "adjustment",
        }
    }

    const fn first_number(self) -> u32 {
        match self {
            Self::Telemetry => 10_001,
            Self::Signal => 20_001,
            Self::Control => 30_001,
            Self::Adjustment => 40_001,
        }
    }
}

impl fmt::Display for PointType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.letter())
    }
}

impl FromStr for PointType {
    type Err = PointTypeError;

    fn from_str(text: &str) -> Result<Self, PointTypeError> {
        let known = Self::ALL.into_iter().find(|kind| kind.letter() == text || kind.capital() == text);
        known.ok_or_else(|| PointTypeError(text.to_owned()))
    }
}

/// Size of a plant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EmsOptions {
    /// Number of channels. Default 20.
    pub channels: u32,
    /// Data points of each channel, at most [`MAX_DATA_POINTS`]. Default 50.
    pub data_points: u32,
    /// Types of the data points; most of them are telemetry, some signals, few controls and adjustments. Default all.
    pub types: Vec<PointType>,
}

impl Default for EmsOptions {
    fn default() -> Self {
        Self { channels: 20, data_points: 50, types: PointType::ALL.to_vec() }
    }
}

/// One data point, which every channel has.
#[derive(Debug, Clone, Copy)]
pub(crate) struct DataPoint {
    pub(crate) number: u32,
    pub(crate) kind: PointType,
    pub(crate) quantity: &'static Quantity,
}

impl EmsOptions {
    pub(crate) fn series(&self) -> u64 {
        u64::from(self.channels) * u64::from(self.data_points)
    }

    /// The data points of a channel, numbered type by type. None when there are no types.
    pub(crate) fn data_points(&self) -> impl Iterator<Item = DataPoint> {
        let wanted: Vec<_> = MIX.iter().filter(|(kind, _)| self.types.contains(kind)).collect();
        let mut next = PointType::ALL.map(PointType::first_number);
        (0..self.data_points as usize).filter_map(move |position| {
            let &&(kind, quantity) = wanted.get(position.checked_rem(wanted.len())?)?;
            let next = next.get_mut(kind as usize)?;
            *next += 1;
            Some(DataPoint { number: *next - 1, kind, quantity })
        })
    }
}

const TELEMETRY: Quantity = Quantity {
    name: "",
    unit: "",
    min: 0.0,
    max: 0.0,
    base: 0.0,
    spread: 0.3,
    volatility: Volatility::Medium,
    shape: Shape::Load,
    swing: 1.0,
    precision: 100.0,
    faults: Faults::Factors,
};
const SIGNAL: Quantity = Quantity {
    max: 1.0,
    base: 1.0,
    spread: 0.0,
    volatility: Volatility::None,
    shape: Shape::State,
    swing: 0.0,
    precision: 1.0,
    faults: Faults::Flips,
    ..TELEMETRY
};

static VOLTAGE: Quantity = Quantity {
    name: "voltage",
    unit: "V",
    max: 1_000.0,
    base: 230.0,
    spread: 0.01,
    volatility: Volatility::Steady,
    swing: -0.02,
    ..TELEMETRY
};
static CURRENT: Quantity = Quantity { name: "current", unit: "A", max: 1_000.0, base: 40.0, ..TELEMETRY };
static POWER: Quantity = Quantity { name: "power", unit: "kW", max: 2_000.0, base: 60.0, ..TELEMETRY };
static SOC: Quantity = Quantity {
    name: "soc",
    unit: "%",
    max: 100.0,
    base: 55.0,
    spread: 0.05,
    volatility: Volatility::Steady,
    shape: Shape::Charge,
    precision: 10.0,
    ..TELEMETRY
};
static TEMPERATURE: Quantity = Quantity {
    name: "temperature",
    unit: "°C",
    min: -40.0,
    max: 125.0,
    base: 28.0,
    spread: 0.1,
    volatility: Volatility::Low,
    shape: Shape::Warmth,
    swing: 0.5,
    precision: 10.0,
    ..TELEMETRY
};
static COMMS_STATE: Quantity = Quantity { name: "comms_state", ..SIGNAL };
static BREAKER_STATE: Quantity = Quantity { name: "breaker_state", ..SIGNAL };
static RUN_COMMAND: Quantity = Quantity { name: "run_command", shape: Shape::Command, faults: Faults::None, ..SIGNAL };
static POWER_SETPOINT: Quantity = Quantity {
    name: "power_setpoint",
    unit: "kW",
    max: 2_000.0,
    base: 60.0,
    volatility: Volatility::None,
    shape: Shape::Steps,
    precision: 1.0,
    faults: Faults::None,
    ..TELEMETRY
};

/// What the data points of a channel are, over and over.
static MIX: [(PointType, &Quantity); 25] = [
    (PointType::Telemetry, &VOLTAGE),
    (PointType::Telemetry, &CURRENT),
    (PointType::Telemetry, &POWER),
    (PointType::Signal, &COMMS_STATE),
    (PointType::Telemetry, &SOC),
    (PointType::Telemetry, &TEMPERATURE),
    (PointType::Telemetry, &VOLTAGE),
    (PointType::Telemetry, &CURRENT),
    (PointType::Telemetry, &POWER),
    (PointType::Signal, &BREAKER_STATE),
    (PointType::Control, &RUN_COMMAND),
    (PointType::Telemetry, &VOLTAGE),
    (PointType::Telemetry, &CURRENT),
    (PointType::Telemetry, &POWER),
    (PointType::Telemetry, &SOC),
    (PointType::Telemetry, &TEMPERATURE),
    (PointType::Adjustment, &POWER_SETPOINT),
    (PointType::Telemetry, &VOLTAGE),
    (PointType::Telemetry, &CURRENT),
    (PointType::Telemetry, &POWER),
    (PointType::Signal, &COMMS_STATE),
    (PointType::Telemetry, &VOLTAGE),
    (PointType::Telemetry, &CURRENT),
    (PointType::Telemetry, &POWER),
    (PointType::Signal, &BREAKER_STATE),
];

#[cfg(test)]
mod tests {
    use super::*;

    fn points(types: &[PointType], count: u32) -> Vec<DataPoint> {
        EmsOptions { data_points: count, types: types.to_vec(), ..EmsOptions::default() }.data_points().collect()
    }

    #[test]
    fn data_points_of_every_type_are_numbered_from_their_own_start() {
        let all = points(&PointType::ALL, 25);
        let numbers = |kind| all.iter().filter(|p| p.kind == kind).map(|p| p.number).collect::<Vec<_>>();
        assert_eq!(numbers(PointType::Telemetry), (10_001..=10_019).collect::<Vec<_>>());
        assert_eq!(numbers(PointType::Signal), [20_001, 20_002, 20_003, 20_004]);
        assert_eq!(numbers(PointType::Control), [30_001]);
        assert_eq!(numbers(PointType::Adjustment), [40_001]);
    }

    #[test]
    fn types_that_are_not_wanted_are_left_out() {
        let signals = points(&[PointType::Signal], MAX_DATA_POINTS);
        assert!(signals.iter().all(|point| point.kind == PointType::Signal));
        assert_eq!(signals.last().map(|point| point.number), Some(30_000));
        assert_eq!(points(&[], 5).len(), 0);
    }

    #[test]
    fn normal_values_stay_inside_the_range() {
        for (_, quantity) in &MIX {
            let noise = quantity.volatility.share();
            let highest = quantity.base * (1.0 + quantity.spread) * (1.0 + quantity.swing.abs() / 2.0 + noise);
            let lowest = quantity.base * (1.0 - quantity.spread) * (1.0 - quantity.swing.abs() / 2.0 - noise);
            assert!(quantity.min < lowest && highest <= quantity.max, "{}: {lowest} to {highest}", quantity.name);
        }
    }

    #[test]
    fn types_are_read_in_both_spellings() {
        assert_eq!(("m".parse(), "A".parse()), (Ok(PointType::Telemetry), Ok(PointType::Adjustment)));
        assert!("x".parse::<PointType>().unwrap_err().to_string().ends_with("expected m, s, c or a"));
    }
}
