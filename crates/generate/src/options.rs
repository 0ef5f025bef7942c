//! What is asked of a plan, and what is wrong with it when it cannot be made.

use model::{HumanDuration, TimeRange, WindowNs};
use std::time::Duration;

use crate::ems::{EmsOptions, MAX_DATA_POINTS};
use crate::nodes::NodeOptions;
use crate::offset::UtcOffset;

/// Most series of a plan; each takes about 150 bytes of memory.
pub const MAX_SERIES: u64 = 1_000_000;
/// Largest probability of an anomaly, and of a level shift. Anomalies have to stay apart from each other.
pub const MAX_PROBABILITY: f64 = 0.3;
/// Shortest step; the producers' times are in milliseconds.
pub const MIN_STEP: HumanDuration = HumanDuration(Duration::from_millis(1));

const NODE_STEP: HumanDuration = HumanDuration(Duration::from_secs(15 * 60));
const EMS_STEP: HumanDuration = HumanDuration(Duration::from_secs(1));

/// What is generated.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Subject {
    /// IT nodes.
    Nodes(NodeOptions),
    /// An energy-management plant.
    Ems(EmsOptions),
}

/// A plan as it is asked for.
#[derive(Debug, Clone)]
pub struct Options {
    /// What is generated.
    pub subject: Subject,
    /// The times of the points: from `start` on, one step after the other, before `end`. A plan with other times (and the same step,
    /// and a start that is a whole number of steps away) has the same values where both have points. An end of `TimestampNs::MAX` is fine
    /// for what runs until it is stopped.
    pub range: TimeRange,
    /// Time between two points of a series, at least [`MIN_STEP`]. Default 15 min for nodes, 1 s for a plant.
    pub step: HumanDuration,
    /// Another seed gives other values. Default 1.
    pub seed: u64,
    /// What goes wrong.
    pub anomalies: AnomalyOptions,
    /// The time of a point is late by up to this, in whole milliseconds, less than a step; points stay before `end` and, of one series, in
    /// order. Default 0: times are exact.
    pub jitter: HumanDuration,
    /// Local time, which decides about busy hours and weekends. Default UTC.
    pub utc_offset: UtcOffset,
}

impl Options {
    /// The defaults for a subject and times.
    pub fn new(subject: Subject, range: TimeRange) -> Self {
        let step = match subject {
            Subject::Nodes(_) => NODE_STEP,
            Subject::Ems(_) => EMS_STEP,
        };
        Self {
            subject,
            range,
            step,
            seed: 1,
            anomalies: AnomalyOptions::default(),
            jitter: HumanDuration(Duration::ZERO),
            utc_offset: UtcOffset::UTC,
        }
    }
}

/// How often something goes wrong.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct AnomalyOptions {
    /// The probability that a point is part of a spike, a drop or a flip, from 0 to [`MAX_PROBABILITY`]. They last 3 to 7 points.
    /// Default 0.05.
    pub probability: f64,
    /// The probability that a point is part of a level shift, from 0 to [`MAX_PROBABILITY`]. They last 64 to 127 points. Default 0.
    pub level_shifts: f64,
}

impl Default for AnomalyOptions {
    fn default() -> Self {
        Self { probability: 0.05, level_shifts: 0.0 }
    }
}

impl AnomalyOptions {
    /// Nothing goes wrong.
    pub const NONE: Self = Self { probability: 0.0, level_shifts: 0.0 };
}

/// Why there can be no such plan. Change the options; trying again does not help.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum OptionsError {
    /// There is no time in it.
    #[error("the end of the times is not after their start: nothing would be generated")]
    EmptyRange,
    /// The step is too short.
    #[error("a step of {0} is too short: expected at least {MIN_STEP}")]
    StepTooShort(HumanDuration),
    /// The step is too long.
    #[error("a step of {0} is too long: expected less than 292 years")]
    StepTooLong(HumanDuration),
    /// The jitter would bring points out of order.
    #[error("a jitter of {jitter} is too long: expected less than the step of {step}")]
    JitterTooLong {
        /// What was asked for.
        jitter: HumanDuration,
        /// The step.
        step: HumanDuration,
    },
    /// Not a probability that can be kept.
    #[error("a probability of {value} for {what} is out of range: expected 0 to {MAX_PROBABILITY}")]
    Probability {
        /// Of what.
        what: &'static str,
        /// What was asked for.
        value: f64,
    },
    /// There are no nodes.
    #[error("there are no nodes: expected at least one of any type")]
    NoNodes,
    /// There are no data points.
    #[error("there are no data points: expected at least one channel, one data point and one type")]
    NoDataPoints,
    /// A channel is too large.
    #[error("{0} data points of a channel are too many: expected at most {MAX_DATA_POINTS}")]
    TooManyDataPoints(u32),
    /// The plan would not fit into memory.
    #[error("{0} series are too many: expected at most {MAX_SERIES}; generate them in several runs")]
    TooManySeries(u64),
    /// Points could not be counted any more.
    #[error("there are too many points to be counted: take a shorter time or a longer step")]
    TooManyPoints,
}

/// Options that make a plan.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Checked {
    pub(crate) step: WindowNs,
    pub(crate) jitter_ms: u32,
    pub(crate) ticks: u64,
}

impl Options {
    pub(crate) fn check(&self) -> Result<Checked, OptionsError> {
        if self.range.is_empty() {
            return Err(OptionsError::EmptyRange);
        }
        let step = self.checked_step()?;
        let jitter_ms = self.checked_jitter()?;
        probability("anomalies", self.anomalies.probability)?;
        probability("level shifts", self.anomalies.level_shifts)?;
        let series = self.checked_series()?;
        let ticks = self.range.end.0.abs_diff(self.range.start.0).div_ceil(step.get().unsigned_abs());
        ticks.checked_mul(series).ok_or(OptionsError::TooManyPoints)?;
        Ok(Checked { step, jitter_ms, ticks })
    }

    fn checked_step(&self) -> Result<WindowNs, OptionsError> {
        if self.step < MIN_STEP {
            return Err(OptionsError::StepTooShort(self.step));
        }
        let ns = i64::try_from(self.step.0.as_nanos()).ok().and_then(WindowNs::new);
        ns.ok_or(OptionsError::StepTooLong(self.step))
    }

    fn checked_jitter(&self) -> Result<u32, OptionsError> {
        let too_long = OptionsError::JitterTooLong { jitter: self.jitter, step: self.step };
        if self.jitter >= self.step {
            return Err(too_long);
        }
        u32::try_from(self.jitter.0.as_millis()).map_err(|_| too_long)
    }

    fn checked_series(&self) -> Result<u64, OptionsError> {
        let series = match &self.subject {
            Subject::Nodes(nodes) => nodes.series(),
            Subject::Ems(plant) if plant.data_points > MAX_DATA_POINTS => {
                return Err(OptionsError::TooManyDataPoints(plant.data_points));
            }
            Subject::Ems(plant) if plant.types.is_empty() => 0,
            Subject::Ems(plant) => plant.series(),
        };
        match (series, &self.subject) {
            (0, Subject::Nodes(_)) => Err(OptionsError::NoNodes),
            (0, Subject::Ems(_)) => Err(OptionsError::NoDataPoints),
            (1..=MAX_SERIES, _) => Ok(series),
            _ => Err(OptionsError::TooManySeries(series)),
        }
    }
}

fn probability(what: &'static str, value: f64) -> Result<(), OptionsError> {
    // The negation refuses NaN, too.
    if (0.0..=MAX_PROBABILITY).contains(&value) { Ok(()) } else { Err(OptionsError::Probability { what, value }) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ems::PointType;
    use model::TimestampNs;

    fn error(change: impl FnOnce(&mut Options)) -> String {
        let range = TimeRange::new(TimestampNs(0), TimestampNs(86_400_000_000_000));
        let mut options = Options::new(Subject::Ems(EmsOptions::default()), range);
        assert!(options.check().is_ok());
        change(&mut options);
        options.check().unwrap_err().to_string()
    }

    fn plant(channels: u32, data_points: u32) -> Subject {
        Subject::Ems(EmsOptions { channels, data_points, ..EmsOptions::default() })
    }

    fn seconds(seconds: u64) -> HumanDuration {
        HumanDuration(Duration::from_secs(seconds))
    }

    #[test]
    fn what_cannot_be_made_is_refused_with_what_to_do() {
        assert!(error(|o| o.range.end = o.range.start).contains("not after their start"));
        assert!(error(|o| o.step = seconds(0)).contains("at least 1ms"));
        assert!(error(|o| o.step = seconds(u64::MAX)).contains("less than 292 years"));
        assert!(error(|o| o.jitter = seconds(1)).contains("less than the step of 1s"));
        assert!(
            error(|o| o.anomalies.probability = 0.5).contains("0.5 for anomalies is out of range: expected 0 to 0.3")
        );
        assert!(error(|o| o.anomalies.level_shifts = f64::NAN).contains("level shifts"));
        assert!(error(|o| o.subject = Subject::Nodes(NodeOptions::NONE)).contains("no nodes"));
        assert!(error(|o| o.subject = plant(0, 5)).contains("no data points"));
        assert!(error(|o| o.subject = plant(1, 10_001)).contains("at most 10000"));
        assert!(error(|o| o.subject = plant(101, 10_000)).contains("1010000 series are too many"));
        assert!(
            error(|o| o.subject = Subject::Nodes(NodeOptions { vm: u32::MAX, ..NodeOptions::NONE }))
                .contains("too many")
        );
        let no_types = EmsOptions { types: Vec::<PointType>::new(), ..EmsOptions::default() };
        assert!(error(|o| o.subject = Subject::Ems(no_types)).contains("one type"));
    }

    #[test]
    fn points_that_cannot_be_counted_are_refused() {
        let message = error(|o| {
            o.range = TimeRange::ALL;
            o.step = MIN_STEP;
            o.subject = plant(100, 10_000);
        });
        // 2^64 ns are 1.8e13 ms, times a million series.
        assert!(message.contains("too many points"), "{message}");
    }
}
