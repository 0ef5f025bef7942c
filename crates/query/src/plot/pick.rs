//! Which points of the pixel columns a plot keeps.

use super::{Method, lttb};
use crate::aggregate::Point;

/// What is known of a pixel column that has points.
#[derive(Debug, Clone, PartialEq)]
pub struct Column {
    /// Its first point.
    pub first: Point,
    /// Its last point.
    pub last: Point,
    /// The first points that have its smallest and its largest value, where values are numbers.
    pub extremes: Option<[Point; 2]>,
}

impl Method {
    /// The points kept of columns in the order of time, in that order. `count` is for `lttb`, which keeps at most so many.
    pub fn pick(self, columns: Vec<Column>, count: usize) -> Vec<Point> {
        let are_numbers = columns.iter().all(|column| column.extremes.is_some());
        match self {
            Self::M4 => columns.into_iter().flat_map(Column::all).collect(),
            Self::MinMax => columns.into_iter().flat_map(Column::spread).collect(),
            Self::Lttb if are_numbers => lttb(with_outermost(columns), count),
            Self::Lttb => ends_of_neighbours(&columns, count),
        }
    }
}

impl Column {
    fn all(self) -> Vec<Point> {
        let extremes = self.extremes.into_iter().flatten();
        each_once([self.first, self.last].into_iter().chain(extremes).collect())
    }

    /// The extremes; the ends where there are none.
    fn spread(self) -> Vec<Point> {
        each_once(self.extremes.unwrap_or([self.first, self.last]).into())
    }
}

/// In the order of time; those of one time in the order of their series.
fn each_once(mut points: Vec<Point>) -> Vec<Point> {
    points.sort_by_key(|point| (point.time, point.at.map(|at| at.series)));
    points.dedup_by_key(|point| (point.time, point.at.map(|at| at.series)));
    points
}

/// The extremes of all columns, with the very first and the very last point.
fn with_outermost(columns: Vec<Column>) -> Vec<Point> {
    let first = columns.first().map(|column| column.first.clone());
    let last = columns.last().map(|column| column.last.clone());
    each_once(columns.into_iter().flat_map(Column::spread).chain(first).chain(last).collect())
}

/// First and last points of so many neighbouring columns together that there are at most `count`.
fn ends_of_neighbours(columns: &[Column], count: usize) -> Vec<Point> {
    let together = columns.len().div_ceil((count / 2).max(1)).max(1);
    let ends = |columns: &[Column]| {
        let ends = columns.first().map(|column| column.first.clone()).into_iter();
        each_once(ends.chain(columns.last().map(|column| column.last.clone())).collect())
    };
    let mut points: Vec<Point> = columns.chunks(together).flat_map(ends).collect();
    points.truncate(count);
    points
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::aggregate::Origin;
    use crate::result::Cell;
    use model::{SeriesId, TimestampNs};

    fn point(time: i64, value: f64) -> Point {
        let at = Origin { series: SeriesId(0), time: TimestampNs(time) };
        Point { time: at.time, cell: Cell::Float(value), at: Some(at) }
    }

    fn text(time: i64) -> Point {
        Point { cell: Cell::String(time.to_string()), ..point(time, 0.0) }
    }

    fn column(first: Point, min: Point, max: Point, last: Point) -> Column {
        Column { first, last, extremes: Some([min, max]) }
    }

    fn times(points: &[Point]) -> Vec<i64> {
        points.iter().map(|point| point.time.0).collect()
    }

    #[test]
    fn points_come_once_and_in_the_order_of_time() {
        let columns = || {
            vec![
                column(point(0, 5.0), point(3, 1.0), point(1, 9.0), point(4, 5.0)),
                column(point(10, 7.0), point(10, 7.0), point(10, 7.0), point(10, 7.0)),
            ]
        };
        assert_eq!(times(&Method::M4.pick(columns(), 0)), [0, 1, 3, 4, 10]);
        assert_eq!(times(&Method::MinMax.pick(columns(), 0)), [1, 3, 10]);
        assert_eq!(times(&Method::Lttb.pick(columns(), 9)), [0, 1, 3, 10]);
    }

    #[test]
    fn points_of_two_series_at_one_time_are_two() {
        let mut other = point(0, 9.0);
        other.at = Some(Origin { series: SeriesId(1), time: TimestampNs(0) });
        let columns = vec![column(other.clone(), point(0, 1.0), other.clone(), point(2, 3.0))];
        assert_eq!(Method::M4.pick(columns, 0), [point(0, 1.0), other, point(2, 3.0)]);
    }

    #[test]
    fn texts_keep_the_ends_of_columns() {
        let columns = |count: i64| -> Vec<Column> {
            (0..count).map(|i| Column { first: text(10 * i), last: text(10 * i + 5), extremes: None }).collect()
        };
        assert_eq!(times(&Method::M4.pick(columns(2), 0)), [0, 5, 10, 15]);
        assert_eq!(times(&Method::MinMax.pick(columns(2), 0)), [0, 5, 10, 15]);
        assert_eq!(times(&Method::Lttb.pick(columns(8), 4)), [0, 35, 40, 75]);
        assert_eq!(times(&Method::Lttb.pick(columns(8), 1)), [0]);
        assert!(Method::Lttb.pick(Vec::new(), 4).is_empty());
    }
}
