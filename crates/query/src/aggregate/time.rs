//! `time_weighted_mean integral derivative`: what depends on how long a value stood.
//!
//! All three look at the points inside the window only. Several series in one group are weighed each by itself: integrals and
//! derivatives add up, the mean is over all their durations.
//! - `time_weighted_mean`: every value stands until the next point of its series, the last one until the end of the
//!   window (of the range, where that comes first); before the first point nothing stands.
//! - `integral`: area below straight lines between points, in units of the argument in seconds (1 by default).
//! - `derivative`: change from the first to the last point divided by the time between them, per unit of the
//!   argument in seconds (1 by default); null for a single point.

use model::{FieldType, SeriesId, TimeRange, TimestampNs};

use super::{Accumulator, AggregateFunction, Picked, Run, State, Wants, is_numeric};
use crate::result::Cell;

const NS_PER_SECOND: f64 = 1e9;

pub(super) fn all() -> Vec<Box<dyn AggregateFunction>> {
    vec![Box::new(TimeWeightedMean), Box::new(PerUnit::Integral), Box::new(PerUnit::Derivative)]
}

/// Mean in which every value counts as long as it stood.
struct TimeWeightedMean;

impl AggregateFunction for TimeWeightedMean {
    fn name(&self) -> &'static str {
        "time_weighted_mean"
    }

    fn accepts(&self, kind: FieldType) -> bool {
        is_numeric(kind)
    }

    fn result_type(&self, _kind: FieldType) -> FieldType {
        FieldType::Float
    }

    fn new_state(&self, _: &[f64], _: FieldType, span: TimeRange, _: Wants) -> Box<dyn Accumulator> {
        // A range without an end is no reason to let the last value stand for centuries.
        let end = (span.end != TimestampNs::MAX).then_some(span.end);
        Box::new(StepMean { end, area: 0.0, duration: 0.0, last: None })
    }
}

/// The newest point of the series that is being added.
#[derive(Clone, Copy)]
struct Newest {
    series: SeriesId,
    time: TimestampNs,
    value: f64,
}

struct StepMean {
    end: Option<TimestampNs>,
    area: f64,
    duration: f64,
    last: Option<Newest>,
}

impl StepMean {
    /// Lets the newest value stand until `time`.
    fn hold_until(&mut self, time: TimestampNs) {
        if let Some(last) = &mut self.last {
            let stood = seconds_between(last.time, time);
            self.area += last.value * stood;
            self.duration += stood;
            last.time = time;
        }
    }

    fn close_series(&mut self) {
        if let Some(end) = self.end {
            self.hold_until(end);
        }
    }
}

impl State for StepMean {
    fn add(&mut self, run: &Run<'_>) {
        if self.last.is_some_and(|last| last.series != run.series) {
            self.close_series();
            self.last = None;
        }
        for (&time, value) in run.times.iter().zip(run.values.floats()) {
            self.hold_until(time);
            self.last = Some(Newest { series: run.series, time, value });
        }
    }

    fn merge(&mut self, mut other: Self) {
        self.close_series();
        other.close_series();
        self.area += other.area;
        self.duration += other.duration;
        self.last = other.last.or(self.last);
    }

    fn finish(mut self) -> Picked {
        self.close_series();
        if self.duration > 0.0 {
            return Picked::value(Cell::Float(self.area / self.duration));
        }
        Picked::value(self.last.map_or(Cell::Null, |last| Cell::Float(last.value)))
    }
}

/// Functions with a unit of time.
#[derive(Clone, Copy)]
enum PerUnit {
    Integral,
    Derivative,
}

impl AggregateFunction for PerUnit {
    fn name(&self) -> &'static str {
        match self {
            Self::Integral => "integral",
            Self::Derivative => "derivative",
        }
    }

    fn accepts(&self, kind: FieldType) -> bool {
        is_numeric(kind)
    }

    fn result_type(&self, _kind: FieldType) -> FieldType {
        FieldType::Float
    }

    fn check_arguments(&self, arguments: &[f64]) -> Result<(), String> {
        match arguments {
            [] => Ok(()),
            [unit] if *unit > 0.0 && unit.is_finite() => Ok(()),
            _ => Err(format!("takes at most one argument, a unit in seconds above 0, found {arguments:?}")),
        }
    }

    fn new_state(&self, arguments: &[f64], _: FieldType, _: TimeRange, _: Wants) -> Box<dyn Accumulator> {
        let unit_seconds = arguments.first().copied().unwrap_or(1.0);
        match self {
            Self::Integral => Box::new(Area { area: 0.0, unit_seconds, last: None }),
            Self::Derivative => Box::new(Rate { rate: None, unit_seconds, ends: None }),
        }
    }
}

struct Area {
    area: f64,
    unit_seconds: f64,
    last: Option<Newest>,
}

impl State for Area {
    fn add(&mut self, run: &Run<'_>) {
        let series = run.series;
        for (&time, value) in run.times.iter().zip(run.values.floats()) {
            if let Some(last) = self.last.filter(|last| last.series == series) {
                self.area += seconds_between(last.time, time) * (last.value + value) / 2.0;
            }
            self.last = Some(Newest { series, time, value });
        }
    }

    fn merge(&mut self, other: Self) {
        self.area += other.area;
        self.last = other.last;
    }

    fn finish(self) -> Picked {
        Picked::value(Cell::Float(self.area / self.unit_seconds))
    }
}

struct Rate {
    /// Of the series that are complete, per second.
    rate: Option<f64>,
    unit_seconds: f64,
    /// First and newest point of the series that is being added.
    ends: Option<(Newest, Newest)>,
}

impl Rate {
    fn close_series(&mut self) {
        let Some((first, last)) = self.ends.take() else { return };
        if last.time > first.time {
            let rate = (last.value - first.value) / seconds_between(first.time, last.time);
            self.rate = Some(self.rate.unwrap_or(0.0) + rate);
        }
    }
}

impl State for Rate {
    fn add(&mut self, run: &Run<'_>) {
        let series = run.series;
        let newest = |index| {
            let (&time, value) = run.times.get(index).zip(run.values.float(index))?;
            Some(Newest { series, time, value })
        };
        let (Some(head), Some(tail)) = (newest(0), newest(run.times.len().saturating_sub(1))) else { return };
        if self.ends.is_some_and(|(first, _)| first.series != series) {
            self.close_series();
        }
        let first = self.ends.map_or(head, |(first, _)| first);
        self.ends = Some((first, tail));
    }

    fn merge(&mut self, mut other: Self) {
        self.close_series();
        other.close_series();
        self.rate = match (self.rate, other.rate) {
            (Some(own), Some(other)) => Some(own + other),
            (own, other) => own.or(other),
        };
    }

    fn finish(mut self) -> Picked {
        self.close_series();
        Picked::value(self.rate.map_or(Cell::Null, |rate| Cell::Float(rate * self.unit_seconds)))
    }
}

/// Seconds from `from` to `to`; never negative for ascending times.
fn seconds_between(from: TimestampNs, to: TimestampNs) -> f64 {
    (i128::from(to.0) - i128::from(from.0)) as f64 / NS_PER_SECOND
}

#[cfg(test)]
mod tests {
    use model::Values;

    use super::*;
    use crate::aggregate::{Registry, View};

    const SECOND: i64 = 1_000_000_000;

    fn apply(function: &str, arguments: &[f64], end: TimestampNs, series: &[&[(i64, f64)]]) -> Cell {
        let function = Registry::shared().get(function).unwrap();
        function.check_arguments(arguments).unwrap();
        let span = TimeRange::new(TimestampNs(0), end);
        let mut state = function.new_state(arguments, FieldType::Float, span, Wants::Value);
        for (id, points) in series.iter().enumerate() {
            // One point a run: runs must join seamlessly.
            for &(time, value) in *points {
                let (times, values) = ([TimestampNs(time * SECOND)], Values::Float(vec![value]));
                state.add(&Run { series: SeriesId(id as u32), times: &times, values: View::of(&values, 0..1) });
            }
        }
        state.finish().cell
    }

    const TEN: TimestampNs = TimestampNs(10 * SECOND);

    #[test]
    fn a_value_stands_until_the_next_point_and_the_last_until_the_end() {
        assert_eq!(apply("time_weighted_mean", &[], TEN, &[&[(0, 1.0), (8, 6.0)]]), Cell::Float(2.0));
        assert_eq!(apply("time_weighted_mean", &[], TEN, &[&[(5, 7.0)]]), Cell::Float(7.0));
    }

    #[test]
    fn without_an_end_the_last_value_has_no_weight() {
        assert_eq!(apply("time_weighted_mean", &[], TimestampNs::MAX, &[&[(0, 1.0), (8, 6.0)]]), Cell::Float(1.0));
        assert_eq!(apply("time_weighted_mean", &[], TimestampNs::MAX, &[&[(8, 6.0)]]), Cell::Float(6.0));
    }

    #[test]
    fn several_series_are_weighed_each_by_itself() {
        let two: [&[(i64, f64)]; 2] = [&[(0, 1.0)], &[(0, 3.0), (5, 5.0)]];
        assert_eq!(apply("time_weighted_mean", &[], TEN, &two), Cell::Float(2.5));
        let two: [&[(i64, f64)]; 2] = [&[(0, 0.0), (2, 4.0)], &[(1, 1.0), (3, 1.0)]];
        assert_eq!(apply("integral", &[], TEN, &two), Cell::Float(6.0));
        assert_eq!(apply("derivative", &[], TEN, &two), Cell::Float(2.0));
    }

    #[test]
    fn the_unit_scales_integral_and_derivative() {
        let points: [&[(i64, f64)]; 1] = [&[(0, 60.0), (10, 120.0)]];
        assert_eq!(apply("integral", &[60.0], TEN, &points), Cell::Float(15.0));
        assert_eq!(apply("derivative", &[60.0], TEN, &points), Cell::Float(360.0));
        assert_eq!(apply("derivative", &[], TEN, &[&[(3, 1.0)]]), Cell::Null);
        assert!(Registry::shared().get("integral").unwrap().check_arguments(&[0.0]).is_err());
    }
}
