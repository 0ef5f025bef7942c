//! `integral`: area below straight lines between the points of a group, as InfluxDB reckons it.
//!
//! Where windows are asked for, a line that crosses the end of the window it began in is cut there; the rest of it, however many windows
//! that may be, goes to the window of the point it leads to. A window is told once a point behind it is seen, the last one
//! unless its newest point is at its very start. Of points at one time the last counts for what follows.
//! Of integers, InfluxDB reckons the rest of a line that was cut as if it ran level between the point before the cut and the cut; so
//! does this.
//! Newest first, areas are negative and windows are called by their end.

use model::{FieldValue, TimeRange, TimestampNs};

use crate::Order;
use crate::aggregate::Point;
use crate::eval::value_of;
use crate::result::Cell;

/// What is asked for.
#[derive(Clone, Copy)]
pub struct Integral<'a> {
    /// Time that areas are told in, above 0.
    pub unit_ns: i64,
    /// Order the points come in.
    pub order: Order,
    /// The values are integers.
    pub integers: bool,
    /// The window of a time; `None`: all is one area, at the epoch.
    /// NOTE: of integers without windows InfluxDB takes the whole range for one, so their area is at the lower bound.
    pub windows: Option<&'a dyn Fn(TimestampNs) -> TimeRange>,
}

/// The areas of the windows, in the order of the points. Values that are no numbers are passed over.
pub fn integral(points: &[Point], wanted: Integral<'_>) -> Vec<Point> {
    let mut area: Option<Area<'_>> = None;
    let mut out = Vec::new();
    for point in points {
        let Some(value) = number(&point.cell) else { continue };
        let corner = Corner { time: point.time, value };
        match &mut area {
            None => area = Some(Area::new(wanted, corner)),
            Some(area) => out.extend(area.go_to(corner)),
        }
    }
    out.extend(area.and_then(Area::close));
    out
}

fn number(cell: &Cell) -> Option<f64> {
    match value_of(cell)? {
        FieldValue::Float(v) => Some(v),
        FieldValue::Integer(v) => Some(v as f64),
        FieldValue::Unsigned(v) => Some(v as f64),
        FieldValue::Boolean(_) | FieldValue::String(_) => None,
    }
}

/// A point of the line.
#[derive(Clone, Copy)]
struct Corner {
    time: TimestampNs,
    value: f64,
}

/// Where the current window is entered and left; without windows it is never left.
#[derive(Clone, Copy)]
struct Window {
    entered: TimestampNs,
    left: Option<TimestampNs>,
}

struct Area<'a> {
    wanted: Integral<'a>,
    window: Window,
    sum: f64,
    last: Corner,
}

impl<'a> Area<'a> {
    fn new(wanted: Integral<'a>, first: Corner) -> Self {
        Self { wanted, window: window_of(wanted, first.time), sum: 0.0, last: first }
    }

    /// Adds the area up to `corner`; the area of the window that is left by that, if one is.
    fn go_to(&mut self, corner: Corner) -> Option<Point> {
        if corner.time == self.last.time {
            self.last = corner;
            return None;
        }
        let finished = self.window.left.filter(|&left| self.is_past(corner.time, left));
        let (finished, onwards) = finished.map(|left| self.leave(left, corner)).unzip();
        self.add(onwards.unwrap_or(corner));
        self.last = corner;
        finished
    }

    fn is_past(&self, time: TimestampNs, left: TimestampNs) -> bool {
        match self.wanted.order {
            Order::Ascending => time >= left,
            Order::Descending => time <= left,
        }
    }

    /// Cuts the line to `next` where the window ends, and enters that of `next`; where the line goes on to.
    fn leave(&mut self, left: TimestampNs, next: Corner) -> (Point, Corner) {
        let mut onwards = next;
        if self.last.time != left {
            let cut = Corner { time: left, value: on_line(self.last, next, left) };
            self.add(cut);
            if self.wanted.integers {
                self.last.time = left;
                onwards.value = cut.value;
            } else {
                self.last = cut;
            }
        }
        let finished = self.point();
        self.window = window_of(self.wanted, next.time);
        self.sum = 0.0;
        (finished, onwards)
    }

    fn add(&mut self, corner: Corner) {
        let units = nanoseconds(self.last.time, corner.time) / self.wanted.unit_ns as f64;
        self.sum += 0.5 * (self.last.value + corner.value) * units;
    }

    fn point(&self) -> Point {
        // A range without a bound is called by the epoch, as everywhere.
        let is_bound = |time| time != TimestampNs::MIN && time != TimestampNs::MAX;
        let time = Some(self.window.entered).filter(|&time| is_bound(time)).unwrap_or_default();
        Point { time, cell: Cell::Float(self.sum), at: None }
    }

    fn close(self) -> Option<Point> {
        (self.last.time != self.window.entered).then(|| self.point())
    }
}

fn window_of(wanted: Integral<'_>, time: TimestampNs) -> Window {
    match (wanted.windows, wanted.order) {
        (None, _) => Window { entered: TimestampNs::default(), left: None },
        (Some(windows), Order::Ascending) => {
            let TimeRange { start, end } = windows(time);
            Window { entered: start, left: Some(end) }
        }
        (Some(windows), Order::Descending) => {
            let TimeRange { start, end } = windows(time);
            Window { entered: end, left: Some(start) }
        }
    }
}

/// The value at `time` on the line from `a` to `b`.
fn on_line(a: Corner, b: Corner, time: TimestampNs) -> f64 {
    a.value + (b.value - a.value) * (nanoseconds(a.time, time) / nanoseconds(a.time, b.time))
}

fn nanoseconds(from: TimestampNs, to: TimestampNs) -> f64 {
    (i128::from(to.0) - i128::from(from.0)) as f64
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pick::support::floats;

    const SECOND: i64 = 1_000_000_000;

    /// Windows of ten seconds.
    fn tens(time: TimestampNs) -> TimeRange {
        let start = time.0.div_euclid(10 * SECOND) * 10 * SECOND;
        TimeRange::new(TimestampNs(start), TimestampNs(start + 10 * SECOND))
    }

    fn of(points: &[(i64, f64)], order: Order, windows: Option<&dyn Fn(TimestampNs) -> TimeRange>) -> Vec<Point> {
        integral(&floats(points), Integral { unit_ns: SECOND, order, integers: false, windows })
    }

    #[test]
    fn without_windows_all_is_one_area_at_the_epoch() {
        let points = [(20, 60.0), (30, 120.0), (40, 0.0)];
        assert_eq!(of(&points, Order::Ascending, None), floats(&[(0, 1500.0)]));
        let minutes = Integral { unit_ns: 60 * SECOND, order: Order::Ascending, integers: false, windows: None };
        assert_eq!(integral(&floats(&points), minutes), floats(&[(0, 25.0)]));
        assert_eq!(of(&[(20, 60.0)], Order::Ascending, None), floats(&[(0, 0.0)]));
        assert!(of(&[], Order::Ascending, None).is_empty());
    }

    #[test]
    fn lines_are_cut_where_windows_end() {
        let points = [(0, 0.0), (5, 5.0), (15, 15.0), (18, 15.0)];
        let areas = of(&points, Order::Ascending, Some(&tens));
        assert_eq!(areas, floats(&[(0, 50.0), (10, 62.5 + 45.0)]));
    }

    #[test]
    fn the_area_of_a_gap_goes_to_the_window_of_the_point_behind_it() {
        let areas = of(&[(5, 1.0), (35, 1.0)], Order::Ascending, Some(&tens));
        assert_eq!(areas, floats(&[(0, 5.0), (30, 25.0)]));
    }

    #[test]
    fn the_last_window_comes_only_when_it_reaches_past_its_start() {
        assert_eq!(of(&[(0, 1.0), (10, 1.0)], Order::Ascending, Some(&tens)), floats(&[(0, 10.0)]));
        assert_eq!(of(&[(5, 1.0)], Order::Ascending, Some(&tens)), floats(&[(0, 0.0)]));
        assert!(of(&[(10, 1.0)], Order::Ascending, Some(&tens)).is_empty());
    }

    #[test]
    fn of_points_at_one_time_the_last_counts_for_what_follows() {
        let points = [(0, 1.0), (4, 1.0), (4, 9.0), (8, 9.0)];
        assert_eq!(of(&points, Order::Ascending, Some(&tens)), floats(&[(0, 4.0 + 36.0)]));
    }

    #[test]
    fn newest_first_areas_are_negative_and_windows_called_by_their_end() {
        let points = [(15, 1.0), (5, 1.0)];
        assert_eq!(of(&points, Order::Descending, Some(&tens)), floats(&[(20, -5.0), (10, -5.0)]));
        // As recorded: one point at 1710031141 gives 0 at 1710031155 in windows of 15 s.
        let fifteen = |time: TimestampNs| {
            let start = time.0.div_euclid(15 * SECOND) * 15 * SECOND;
            TimeRange::new(TimestampNs(start), TimestampNs(start + 15 * SECOND))
        };
        let recorded = of(&[(1_710_031_141, 0.0)], Order::Descending, Some(&fifteen));
        assert_eq!(recorded, floats(&[(1_710_031_155, 0.0)]));
    }

    #[test]
    fn a_whole_range_is_called_by_its_lower_bound() {
        let range = |_| TimeRange::new(TimestampNs(3 * SECOND), TimestampNs::MAX);
        assert_eq!(of(&[(4, 1.0), (6, 1.0)], Order::Ascending, Some(&range)), floats(&[(3, 2.0)]));
        let all = |_| TimeRange::ALL;
        assert_eq!(of(&[(4, 1.0), (6, 1.0)], Order::Ascending, Some(&all)), floats(&[(0, 2.0)]));
    }
}
