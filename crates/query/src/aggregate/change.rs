//! `derivative increase rate`: how far values have come, series by series; those of several series add up.
//!
//! - `derivative`: change from the first to the last point of the window divided by the time between them, per unit of the
//!   argument in seconds (1 by default); null for a single point.
//! - `increase`: what a counter has counted, such as an energy meter: from the point before the window, where there is one, to the
//!   last point in it. Where the value falls, the counter has begun again at 0. Windows add up to the whole.
//! - `rate`: the same divided by the time from that first point to the last, per unit as above; null where there is one point.
//!
//! Constant memory; content with summaries, `increase` and `rate` of integers with exact ones.

use model::{FieldType, SeriesId, TimeRange, TimestampNs};

use super::number::{Number, for_number};
use super::{Accumulator, AggregateFunction, Beside, Picked, Run, State, Wants, is_numeric};
use crate::result::Cell;
use crate::scan::{rise, seconds_between};
use crate::{Parts, Summary};

pub(super) fn all() -> Vec<Box<dyn AggregateFunction>> {
    vec![Box::new(Change::Derivative), Box::new(Change::Increase), Box::new(Change::Rate)]
}

/// How far values have come.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Change {
    Derivative,
    Increase,
    Rate,
}

impl AggregateFunction for Change {
    fn name(&self) -> &'static str {
        match self {
            Self::Derivative => "derivative",
            Self::Increase => "increase",
            Self::Rate => "rate",
        }
    }

    fn accepts(&self, kind: FieldType) -> bool {
        is_numeric(kind)
    }

    fn result_type(&self, _kind: FieldType) -> FieldType {
        FieldType::Float
    }

    fn check_arguments(&self, arguments: &[f64]) -> Result<(), String> {
        match (self, arguments) {
            (_, []) => Ok(()),
            (Self::Increase, _) => Err("takes no arguments".to_owned()),
            (_, [unit]) if *unit > 0.0 && unit.is_finite() => Ok(()),
            _ => Err(format!("takes at most one argument, a unit in seconds above 0, found {arguments:?}")),
        }
    }

    fn beside(&self, _arguments: &[f64]) -> Beside {
        match self {
            Self::Derivative => Beside::Nothing,
            Self::Increase | Self::Rate => Beside::Before,
        }
    }

    fn new_state(&self, arguments: &[f64], kind: FieldType, _: TimeRange, _: Wants) -> Box<dyn Accumulator> {
        let unit_seconds = arguments.first().copied().unwrap_or(1.0);
        match self {
            Self::Derivative => Box::new(Slope { slope: None, unit_seconds, ends: None }),
            Self::Increase | Self::Rate => {
                let unit_seconds = (*self == Self::Rate).then_some(unit_seconds);
                for_number!(kind, N => Counter::<N> { total: 0.0, rate: None, unit_seconds, current: None })
            }
        }
    }
}

/// A point of the series that is being added.
#[derive(Clone, Copy)]
struct End {
    time: TimestampNs,
    value: f64,
}

struct Slope {
    /// Of the series that are complete, per second.
    slope: Option<f64>,
    unit_seconds: f64,
    /// First and newest point of the series that is being added.
    ends: Option<(SeriesId, End, End)>,
}

impl Slope {
    fn go_on(&mut self, series: SeriesId, head: End, tail: End) {
        if self.ends.is_some_and(|(known, ..)| known != series) {
            self.close_series();
        }
        let first = self.ends.map_or(head, |(_, first, _)| first);
        self.ends = Some((series, first, tail));
    }

    fn close_series(&mut self) {
        let Some((_, first, last)) = self.ends.take() else { return };
        if last.time > first.time {
            let slope = (last.value - first.value) / seconds_between(first.time, last.time);
            self.slope = sum(self.slope, Some(slope));
        }
    }
}

impl State for Slope {
    fn add(&mut self, run: &Run<'_>) {
        let end = |index| {
            let (&time, value) = run.times.get(index).zip(run.values.float(index))?;
            Some(End { time, value })
        };
        if let (Some(head), Some(tail)) = (end(0), end(run.times.len().saturating_sub(1))) {
            self.go_on(run.series, head, tail);
        }
    }

    fn parts(&self) -> Option<Parts> {
        Some(Parts::FIRST.and(Parts::LAST).and(Parts::ENDS))
    }

    fn add_summary(&mut self, series: SeriesId, summary: &Summary) {
        let head = End { time: summary.first_time, value: summary.first };
        self.go_on(series, head, End { time: summary.last_time, value: summary.last });
    }

    fn merge(&mut self, mut other: Self) {
        self.close_series();
        other.close_series();
        self.slope = sum(self.slope, other.slope);
    }

    fn finish(mut self) -> Picked {
        self.close_series();
        Picked::value(self.slope.map_or(Cell::Null, |slope| Cell::Float(slope * self.unit_seconds)))
    }
}

struct Counter<N> {
    /// Counted by all series.
    total: f64,
    /// Of the series that are complete, per second.
    rate: Option<f64>,
    /// Where the rate is wanted.
    unit_seconds: Option<f64>,
    current: Option<Current<N>>,
}

/// The series that is being added.
#[derive(Clone, Copy)]
struct Current<N> {
    series: SeriesId,
    from: TimestampNs,
    until: TimestampNs,
    last: N,
    counted: f64,
}

impl<N: Number> Counter<N> {
    /// Goes on to a value of a series; the first one of a series is where it starts from.
    fn step(&mut self, series: SeriesId, time: TimestampNs, value: N) {
        match &mut self.current {
            Some(current) if current.series == series => {
                current.counted += risen(current.last, value);
                (current.last, current.until) = (value, time);
            }
            _ => {
                self.close_series();
                self.current = Some(Current { series, from: time, until: time, last: value, counted: 0.0 });
            }
        }
    }

    fn close_series(&mut self) {
        let Some(current) = self.current.take() else { return };
        self.total += current.counted;
        if current.until > current.from {
            self.rate = sum(self.rate, Some(current.counted / seconds_between(current.from, current.until)));
        }
    }
}

/// [`rise`], of integers without rounding the counters themselves.
fn risen<N: Number>(from: N, to: N) -> f64 {
    if to < from { rise(from.float(), to.float()) } else { to.minus(from).float() }
}

impl<N: Number> State for Counter<N> {
    fn add(&mut self, run: &Run<'_>) {
        for (&time, &value) in run.times.iter().zip(N::slice(&run.values)) {
            self.step(run.series, time, value);
        }
    }

    fn parts(&self) -> Option<Parts> {
        N::parts(Parts::INCREASE.and(Parts::FIRST).and(Parts::LAST).and(Parts::ENDS))
    }

    fn add_summary(&mut self, series: SeriesId, summary: &Summary) {
        let (Some(first), Some(last)) = (N::from_summary(summary.first), N::from_summary(summary.last)) else { return };
        self.step(series, summary.first_time, first);
        if let Some(current) = &mut self.current {
            current.counted += summary.increase;
            (current.last, current.until) = (last, summary.last_time);
        }
    }

    fn enter(&mut self, before: &Run<'_>) {
        State::add(self, before);
    }

    fn merge(&mut self, mut other: Self) {
        self.close_series();
        other.close_series();
        self.total += other.total;
        self.rate = sum(self.rate, other.rate);
    }

    fn finish(mut self) -> Picked {
        self.close_series();
        Picked::value(match self.unit_seconds {
            None => Cell::Float(self.total),
            Some(unit) => self.rate.map_or(Cell::Null, |rate| Cell::Float(rate * unit)),
        })
    }
}

fn sum(a: Option<f64>, b: Option<f64>) -> Option<f64> {
    a.zip(b).map(|(a, b)| a + b).or(a).or(b)
}

#[cfg(test)]
mod tests {
    use model::Values;

    use super::*;
    use crate::aggregate::tests::{Told, told, value};

    #[test]
    fn a_counter_that_falls_has_begun_again() {
        let points: [(i64, f64); 5] = [(0, 10.0), (1, 12.0), (2, 3.0), (3, 3.0), (8, 7.0)];
        assert_eq!(told("increase", &[], &[Told::new(&points)]), Cell::Float(2.0 + 3.0 + 4.0));
        assert_eq!(told("rate", &[], &[Told::new(&points)]), Cell::Float(9.0 / 8.0));
        assert_eq!(told("rate", &[16.0], &[Told::new(&points)]), Cell::Float(18.0));
    }

    #[test]
    fn counting_starts_at_the_point_before_the_window_or_else_at_the_first_in_it() {
        let told_of = |before| Told { before, ..Told::new(&[(2, 30.0)]) };
        assert_eq!(told("increase", &[], &[told_of(Some((-8, 20.0)))]), Cell::Float(10.0));
        assert_eq!(told("rate", &[], &[told_of(Some((-8, 20.0)))]), Cell::Float(1.0));
        assert_eq!(told("increase", &[], &[told_of(None)]), Cell::Float(0.0));
        assert_eq!(told("rate", &[], &[told_of(None)]), Cell::Null);
    }

    #[test]
    fn several_series_add_up() {
        let points: [&[(i64, f64)]; 2] = [&[(0, 0.0), (2, 4.0)], &[(1, 9.0), (3, 1.0)]];
        let series = points.map(Told::new);
        assert_eq!(told("increase", &[], &series), Cell::Float(5.0));
        assert_eq!(told("rate", &[], &series), Cell::Float(2.5));
        assert_eq!(told("derivative", &[], &series), Cell::Float(2.0 - 4.0));
    }

    #[test]
    fn large_counters_are_told_apart() {
        let large = u64::MAX - 5;
        assert_eq!(value("increase", &[], &Values::Unsigned(vec![large, large + 1, large + 4])), Cell::Float(4.0));
        let wide = Values::Integer(vec![(1 << 53) + 1, (1 << 53) + 2]);
        assert_eq!(value("increase", &[], &wide), Cell::Float(1.0));
    }

    #[test]
    fn the_unit_scales_a_derivative_which_needs_two_points() {
        assert_eq!(told("derivative", &[60.0], &[Told::new(&[(0, 60.0), (10, 120.0)])]), Cell::Float(360.0));
        assert_eq!(told("derivative", &[], &[Told::new(&[(3, 1.0)])]), Cell::Null);
        assert!(Change::Derivative.check_arguments(&[0.0]).is_err());
        assert!(Change::Increase.check_arguments(&[1.0]).is_err());
    }
}
