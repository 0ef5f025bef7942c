//! `time_weighted_mean integral_step coverage`: every value stands until the next point of its series.
//!
//! The value before the window stands at its start, the last one stands until its end (or that of the range, where it comes
//! first); before the first point of a series nothing is known. An argument in seconds says for how long a value is valid at most.
//! - `time_weighted_mean(validity)`: mean in which every value counts as long as it stood
//! - `integral_step(unit, validity)`: area below the values, in units of the argument in seconds (1 by default)
//! - `coverage(validity)`: part of the window, 0 to 1, in which a value is known; without a validity from the first point of
//!   the window on
//!
//! Several series in one group are weighed each by itself: integrals add up, means and coverage are over all their durations.
//! Content with summaries where values are valid without a limit.

use model::{FieldType, SeriesId, TimeRange, TimestampNs};

use super::beside::nanoseconds;
use super::{Accumulator, AggregateFunction, Beside, Picked, Run, State, Wants, is_numeric};
use crate::result::Cell;
use crate::scan::seconds_between;
use crate::{Parts, Summary};

const NS_PER_SECOND: f64 = 1e9;

pub(super) fn all() -> Vec<Box<dyn AggregateFunction>> {
    vec![Box::new(Steps::Mean), Box::new(Steps::Integral), Box::new(Steps::Coverage)]
}

/// What is made of values that stand until the next.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Steps {
    Mean,
    Integral,
    Coverage,
}

impl Steps {
    /// For how long a value is valid.
    fn longest_ns(self, arguments: &[f64]) -> Option<i64> {
        let place = if self == Self::Integral { 1 } else { 0 };
        arguments.get(place).map(|&seconds| nanoseconds(seconds))
    }
}

impl AggregateFunction for Steps {
    fn name(&self) -> &'static str {
        match self {
            Self::Mean => "time_weighted_mean",
            Self::Integral => "integral_step",
            Self::Coverage => "coverage",
        }
    }

    fn accepts(&self, kind: FieldType) -> bool {
        is_numeric(kind)
    }

    fn result_type(&self, _kind: FieldType) -> FieldType {
        FieldType::Float
    }

    fn check_arguments(&self, arguments: &[f64]) -> Result<(), String> {
        let (most, expected) = match self {
            Self::Mean | Self::Coverage => (1, "one argument, for how long a value is valid"),
            Self::Integral => (2, "two arguments, a unit and for how long a value is valid"),
        };
        check_seconds(arguments, most, expected)
    }

    fn beside(&self, arguments: &[f64]) -> Beside {
        match (self, self.longest_ns(arguments)) {
            // Without a limit it would only be told that the series has begun before.
            (Self::Coverage, None) => Beside::Nothing,
            (_, longest_ns) => Beside::Steps { longest_ns },
        }
    }

    /// Where nothing is known.
    fn of_nothing(&self) -> Cell {
        match self {
            Self::Coverage => Cell::Float(0.0),
            Self::Mean | Self::Integral => Cell::Null,
        }
    }

    fn new_state(&self, arguments: &[f64], _: FieldType, span: TimeRange, _: Wants) -> Box<dyn Accumulator> {
        let unit_seconds = arguments.first().copied().filter(|_| *self == Self::Integral).unwrap_or(1.0);
        Box::new(Standing {
            wanted: *self,
            unit_seconds,
            longest_ns: self.longest_ns(arguments),
            span,
            area: 0.0,
            known_ns: 0,
            whole_ns: 0,
            newest: f64::NAN,
            last: None,
        })
    }
}

/// At most so many arguments, all of them seconds above 0.
pub(super) fn check_seconds(arguments: &[f64], most: usize, expected: &str) -> Result<(), String> {
    if arguments.len() <= most && arguments.iter().all(|seconds| *seconds > 0.0 && seconds.is_finite()) {
        return Ok(());
    }
    Err(format!("takes at most {expected}, in seconds above 0, found {arguments:?}"))
}

struct Standing {
    wanted: Steps,
    unit_seconds: f64,
    longest_ns: Option<i64>,
    span: TimeRange,
    area: f64,
    /// How long values stood, and how long they might have.
    known_ns: i128,
    whole_ns: i128,
    /// Value of the newest point.
    newest: f64,
    last: Option<Newest>,
}

/// The newest point of the series that is being added.
#[derive(Clone, Copy)]
struct Newest {
    series: SeriesId,
    value: f64,
    /// Its time.
    since: TimestampNs,
    /// Up to here it was counted.
    from: TimestampNs,
    /// Where the series begins in this window.
    begin: TimestampNs,
}

impl Standing {
    /// Goes on to a point; before the window it stands at the window's start.
    fn step(&mut self, series: SeriesId, since: TimestampNs, value: f64) {
        if self.last.is_some_and(|last| last.series != series) {
            self.close_series();
        }
        self.hold_until(since);
        let from = since.max(self.span.start);
        let start = if self.span.start == TimestampNs::MIN { from } else { self.span.start };
        let begin = self.last.map_or(start, |last| last.begin);
        self.last = Some(Newest { series, value, since, from, begin });
        self.newest = value;
    }

    /// Lets the newest value stand until `time`, or for as long as it is valid.
    fn hold_until(&mut self, time: TimestampNs) {
        let Some(last) = &mut self.last else { return };
        let until = self.longest_ns.map_or(time, |longest| time.min(last.since.saturating_add(longest)));
        if until > last.from {
            self.area += last.value * seconds_between(last.from, until);
            self.known_ns += nanoseconds_between(last.from, until);
            last.from = until;
        }
    }

    fn close_series(&mut self) {
        // A range without an end is no reason to let the last value stand for centuries.
        if self.span.end != TimestampNs::MAX {
            self.hold_until(self.span.end);
        }
        let Some(last) = self.last.take() else { return };
        let end = if self.span.end == TimestampNs::MAX { last.since } else { self.span.end };
        self.whole_ns += nanoseconds_between(last.begin, end);
    }

    /// Where no value stood for any time, the newest.
    fn mean(&self) -> f64 {
        if self.known_ns > 0 { self.area / (self.known_ns as f64 / NS_PER_SECOND) } else { self.newest }
    }

    fn coverage(&self) -> f64 {
        if self.whole_ns > 0 { self.known_ns as f64 / self.whole_ns as f64 } else { 1.0 }
    }
}

fn nanoseconds_between(from: TimestampNs, to: TimestampNs) -> i128 {
    i128::from(to.0) - i128::from(from.0)
}

impl State for Standing {
    fn add(&mut self, run: &Run<'_>) {
        for (&time, value) in run.times.iter().zip(run.values.floats()) {
            self.step(run.series, time, value);
        }
    }

    fn parts(&self) -> Option<Parts> {
        let area = if self.wanted == Steps::Coverage { Parts::NONE } else { Parts::STEP_AREA.and(Parts::LAST) };
        self.longest_ns.is_none().then_some(area.and(Parts::ENDS))
    }

    fn add_summary(&mut self, series: SeriesId, summary: &Summary) {
        self.step(series, summary.first_time, summary.first);
        if let Some(last) = &mut self.last {
            self.area += summary.step_area;
            self.known_ns += nanoseconds_between(summary.first_time, summary.last_time);
            self.newest = summary.last;
            *last = Newest { value: summary.last, since: summary.last_time, from: summary.last_time, ..*last };
        }
    }

    fn enter(&mut self, before: &Run<'_>) {
        State::add(self, before);
    }

    fn merge(&mut self, mut other: Self) {
        self.close_series();
        other.close_series();
        self.area += other.area;
        self.known_ns += other.known_ns;
        self.whole_ns += other.whole_ns;
        self.newest = other.newest;
    }

    fn finish(mut self) -> Picked {
        self.close_series();
        Picked::value(Cell::Float(match self.wanted {
            Steps::Mean => self.mean(),
            Steps::Integral => self.area / self.unit_seconds,
            Steps::Coverage => self.coverage(),
        }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::aggregate::tests::{Told, told};

    /// Seconds from 10:20.
    const DEVICE: [(i64, f64); 5] = [(60, 3.0), (180, 10.0), (240, 8.0), (540, 12.0), (600, 14.0)];

    #[test]
    fn the_example_of_influxdb_issue_7445_gives_65_ninths() {
        // Values are valid for 4 minutes: 5 stands from 10:20 to 10:21 although it came at 10:18, and 8 only until 10:28.
        let told_of = |function: &str, arguments: &[f64]| {
            let (points, after) = DEVICE.split_at(4);
            let series =
                Told { before: Some((-120, 5.0)), after: after.first().copied(), end: 600, ..Told::new(points) };
            told(function, arguments, &[series])
        };
        assert_eq!(told_of("time_weighted_mean", &[240.0]), Cell::Float(65.0 / 9.0));
        assert_eq!(told_of("integral_step", &[60.0, 240.0]), Cell::Float(65.0));
        assert_eq!(told_of("coverage", &[240.0]), Cell::Float(0.9));
        assert_eq!(told_of("time_weighted_mean", &[]), Cell::Float((65.0 + 8.0) / 10.0));
    }

    #[test]
    fn a_value_stands_until_the_next_point_and_the_last_until_the_end() {
        assert_eq!(told("time_weighted_mean", &[], &[Told::new(&[(0, 1.0), (8, 6.0)])]), Cell::Float(2.0));
        assert_eq!(told("time_weighted_mean", &[], &[Told::new(&[(5, 7.0)])]), Cell::Float(7.0));
        assert_eq!(told("integral_step", &[], &[Told::new(&[(5, 7.0)])]), Cell::Float(35.0));
    }

    #[test]
    fn the_value_before_the_window_stands_at_its_start() {
        let series = |points| Told { before: Some((-3, 4.0)), ..Told::new(points) };
        assert_eq!(told("time_weighted_mean", &[], &[series(&[(5, 7.0)])]), Cell::Float(5.5));
        assert_eq!(told("time_weighted_mean", &[], &[series(&[])]), Cell::Float(4.0));
        assert_eq!(told("integral_step", &[0.5], &[series(&[])]), Cell::Float(80.0));
        assert_eq!(
            told("time_weighted_mean", &[5.0], &[series(&[(6, 7.0)])]),
            Cell::Float((2.0 * 4.0 + 4.0 * 7.0) / 6.0)
        );
        assert_eq!(told("time_weighted_mean", &[1.0], &[series(&[(6, 7.0)])]), Cell::Float(7.0));
    }

    #[test]
    fn coverage_begins_with_the_first_point_and_ends_where_values_are_valid_no_longer() {
        assert_eq!(told("coverage", &[], &[Told::new(&[(5, 7.0), (8, 1.0)])]), Cell::Float(0.5));
        assert_eq!(told("coverage", &[2.0], &[Told::new(&[(5, 7.0), (8, 1.0)])]), Cell::Float(0.4));
        let known_before = Told { before: Some((-1, 0.0)), ..Told::new(&[(5, 7.0)]) };
        assert_eq!(told("coverage", &[3.0], &[known_before, Told::new(&[(0, 7.0)])]), Cell::Float(0.4));
        let open = Told { end: i64::MAX, ..Told::new(&[(0, 1.0), (8, 6.0)]) };
        assert_eq!(told("coverage", &[2.0], &[open]), Cell::Float(0.25));
        assert_eq!(told("coverage", &[], &[Told { end: i64::MAX, ..Told::new(&[(0, 1.0)]) }]), Cell::Float(1.0));
    }

    #[test]
    fn without_an_end_the_last_value_has_no_weight() {
        let open = |points| Told { end: i64::MAX, ..Told::new(points) };
        assert_eq!(told("time_weighted_mean", &[], &[open(&[(0, 1.0), (8, 6.0)])]), Cell::Float(1.0));
        assert_eq!(told("time_weighted_mean", &[], &[open(&[(8, 6.0)])]), Cell::Float(6.0));
    }

    #[test]
    fn several_series_are_weighed_each_by_itself() {
        let two: [&[(i64, f64)]; 2] = [&[(0, 1.0)], &[(0, 3.0), (5, 5.0)]];
        assert_eq!(told("time_weighted_mean", &[], &two.map(Told::new)), Cell::Float(2.5));
        assert_eq!(told("integral_step", &[], &two.map(Told::new)), Cell::Float(50.0));
    }

    #[test]
    fn arguments_are_lengths_of_time() {
        assert!(Steps::Integral.check_arguments(&[60.0, 240.0]).is_ok());
        assert_eq!(
            Steps::Mean.check_arguments(&[0.0]).unwrap_err(),
            "takes at most one argument, for how long a value is valid, in seconds above 0, found [0.0]"
        );
    }
}
