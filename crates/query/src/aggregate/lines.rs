//! `time_weighted_mean_linear integral`: straight lines join the points of a series.
//!
//! Lines that cross a border of the window count with their part inside: the value at its edges is interpolated between the points on
//! both sides, which may lie outside of the range asked for. Before the first and behind the last point of a series nothing is
//! known. An argument in seconds says how far two points are apart at most to be joined.
//! - `time_weighted_mean_linear(longest)`: mean height of the lines
//! - `integral(unit, longest)`: area below the lines, in units of the argument in seconds (1 by default)
//!
//! Several series in one group are weighed each by itself: integrals add up, the mean is over all their durations. Content with
//! summaries where lines have no limit. Not here: the `integral` of InfluxQL (`pick::integral`), which looks at the points of the range
//! only.

use model::{FieldType, SeriesId, TimeRange, TimestampNs};

use super::beside::nanoseconds;
use super::steps::check_seconds;
use super::{Accumulator, AggregateFunction, Beside, Picked, Run, State, Wants, is_numeric};
use crate::result::Cell;
use crate::scan::seconds_between;
use crate::{Parts, Summary};

pub(super) fn all() -> Vec<Box<dyn AggregateFunction>> {
    vec![Box::new(Lines::Mean), Box::new(Lines::Integral)]
}

/// What is made of lines between points.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Lines {
    Mean,
    Integral,
}

impl Lines {
    /// How far joined points are apart at most.
    fn longest_ns(self, arguments: &[f64]) -> Option<i64> {
        let place = if self == Self::Integral { 1 } else { 0 };
        arguments.get(place).map(|&seconds| nanoseconds(seconds))
    }
}

impl AggregateFunction for Lines {
    fn name(&self) -> &'static str {
        match self {
            Self::Mean => "time_weighted_mean_linear",
            Self::Integral => "integral",
        }
    }

    fn accepts(&self, kind: FieldType) -> bool {
        is_numeric(kind)
    }

    fn result_type(&self, _kind: FieldType) -> FieldType {
        FieldType::Float
    }

    fn check_arguments(&self, arguments: &[f64]) -> Result<(), String> {
        match self {
            Self::Mean => check_seconds(arguments, 1, "one argument, how far joined points are apart"),
            Self::Integral => check_seconds(arguments, 2, "two arguments, a unit and how far joined points are apart"),
        }
    }

    fn beside(&self, arguments: &[f64]) -> Beside {
        Beside::Lines { longest_ns: self.longest_ns(arguments) }
    }

    fn new_state(&self, arguments: &[f64], _: FieldType, span: TimeRange, _: Wants) -> Box<dyn Accumulator> {
        let unit_seconds = arguments.first().copied().filter(|_| *self == Self::Integral);
        let longest_ns = self.longest_ns(arguments);
        let newest = f64::NAN;
        Box::new(Joined { wanted: *self, unit_seconds, longest_ns, span, area: 0.0, seconds: 0.0, newest, last: None })
    }
}

struct Joined {
    wanted: Lines,
    unit_seconds: Option<f64>,
    longest_ns: Option<i64>,
    span: TimeRange,
    area: f64,
    /// Length of the lines.
    seconds: f64,
    /// Value of the newest point inside.
    newest: f64,
    last: Option<(SeriesId, End)>,
}

/// An end of a line.
#[derive(Clone, Copy)]
struct End {
    time: TimestampNs,
    value: f64,
}

impl End {
    /// The value at `time` on the line to `other`.
    fn on_line_to(self, other: Self, time: TimestampNs) -> f64 {
        let part = seconds_between(self.time, time) / seconds_between(self.time, other.time);
        self.value + (other.value - self.value) * part
    }

    /// The point of the line to `other` that is nearest to `time`.
    fn cut(self, other: Self, time: TimestampNs) -> Self {
        let time = time.clamp(self.time, other.time);
        match time {
            _ if time == self.time => self,
            _ if time == other.time => other,
            _ => Self { time, value: self.on_line_to(other, time) },
        }
    }
}

impl Joined {
    /// Draws the line to the next point of a series, as far as it is inside the window.
    fn step(&mut self, series: SeriesId, next: End) {
        if let Some((known, last)) = self.last
            && known == series
            && self.longest_ns.is_none_or(|longest| next.time <= last.time.saturating_add(longest))
        {
            let (from, to) = (last.cut(next, self.span.start), last.cut(next, self.span.end));
            let seconds = seconds_between(from.time, to.time);
            self.area += from.value.midpoint(to.value) * seconds;
            self.seconds += seconds;
        }
        self.last = Some((series, next));
    }

    fn go_through(&mut self, run: &Run<'_>) {
        for (&time, value) in run.times.iter().zip(run.values.floats()) {
            self.step(run.series, End { time, value });
        }
    }
}

impl State for Joined {
    fn add(&mut self, run: &Run<'_>) {
        self.go_through(run);
        self.newest = self.last.map_or(f64::NAN, |(_, last)| last.value);
    }

    fn parts(&self) -> Option<Parts> {
        let parts = Parts::LINE_AREA.and(Parts::FIRST).and(Parts::LAST).and(Parts::ENDS);
        self.longest_ns.is_none().then_some(parts)
    }

    fn add_summary(&mut self, series: SeriesId, summary: &Summary) {
        self.step(series, End { time: summary.first_time, value: summary.first });
        self.area += summary.line_area;
        self.seconds += seconds_between(summary.first_time, summary.last_time);
        self.last = Some((series, End { time: summary.last_time, value: summary.last }));
        self.newest = summary.last;
    }

    fn enter(&mut self, before: &Run<'_>) {
        self.go_through(before);
    }

    fn leave(&mut self, after: &Run<'_>) {
        self.go_through(after);
    }

    fn merge(&mut self, other: Self) {
        self.area += other.area;
        self.seconds += other.seconds;
        self.newest = other.newest;
        self.last = other.last;
    }

    fn finish(self) -> Picked {
        Picked::value(Cell::Float(match self.wanted {
            Lines::Integral => self.area / self.unit_seconds.unwrap_or(1.0),
            Lines::Mean if self.seconds > 0.0 => self.area / self.seconds,
            // Without a line, the newest point is all that is known.
            Lines::Mean => self.newest,
        }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::aggregate::tests::{Told, told};

    #[test]
    fn lines_count_with_their_part_inside_the_window() {
        let series = || Told { before: Some((-4, 0.0)), after: Some((14, 0.0)), ..Told::new(&[(4, 8.0), (6, 8.0)]) };
        // Up from 4 to 8 in 4 s, 2 s level, and down from 8 to 4 in 4 s.
        assert_eq!(told("integral", &[], &[series()]), Cell::Float(24.0 + 16.0 + 24.0));
        assert_eq!(told("time_weighted_mean_linear", &[], &[series()]), Cell::Float(6.4));
        assert_eq!(told("time_weighted_mean_linear", &[7.0], &[series()]), Cell::Float(8.0));
    }

    #[test]
    fn a_line_may_cross_a_window_without_points() {
        let series = || Told { before: Some((-10, 0.0)), after: Some((30, 4.0)), ..Told::new(&[]) };
        assert_eq!(told("time_weighted_mean_linear", &[], &[series()]), Cell::Float(1.5));
        assert_eq!(told("integral", &[60.0], &[series()]), Cell::Float(0.25));
    }

    #[test]
    fn outside_of_its_points_nothing_is_known_of_a_series() {
        let series = || Told::new(&[(3, 1.0), (5, 3.0)]);
        assert_eq!(told("time_weighted_mean_linear", &[], &[series()]), Cell::Float(2.0));
        assert_eq!(told("integral", &[], &[series()]), Cell::Float(4.0));
        assert_eq!(told("time_weighted_mean_linear", &[], &[Told::new(&[(3, 1.0)])]), Cell::Float(1.0));
        assert_eq!(told("integral", &[], &[Told::new(&[(3, 1.0)])]), Cell::Float(0.0));
    }

    #[test]
    fn several_series_are_weighed_each_by_itself() {
        let two: [&[(i64, f64)]; 2] = [&[(0, 0.0), (2, 4.0)], &[(1, 1.0), (3, 1.0)]];
        assert_eq!(told("integral", &[], &two.map(Told::new)), Cell::Float(6.0));
        assert_eq!(told("time_weighted_mean_linear", &[], &two.map(Told::new)), Cell::Float(1.5));
    }

    #[test]
    fn the_unit_scales_the_integral() {
        assert_eq!(told("integral", &[60.0], &[Told::new(&[(0, 60.0), (10, 120.0)])]), Cell::Float(15.0));
        assert!(Lines::Integral.check_arguments(&[0.0]).is_err());
        assert!(Lines::Integral.check_arguments(&[60.0, 5.0, 1.0]).is_err());
    }
}
