//! Rows of windows, computed anew from what they are made of. The same points give the same row, bit by bit, in whatever order they came and
//! wherever they are stored.

use model::{ColumnId, TimeRange, TimestampNs, Values};
use query::Parts;
use query::scan::Summing;

use crate::outlet::PartColumns;
use crate::row::{self, Row, Source};

/// What came of a column.
#[derive(Debug, Default)]
pub(crate) struct Computed {
    /// By window; `None` where there are no points.
    pub(crate) rows: Vec<Option<Row>>,
    /// Some points are damaged: there may have been more.
    pub(crate) is_damaged: bool,
}

/// Rows of a column of points in `windows`, which ascend and do not overlap.
pub(crate) fn of_points(source: &mut dyn Source, column: ColumnId, is_whole: bool, windows: &[TimeRange]) -> Computed {
    let mut computed = Computed { rows: vec![None; windows.len()], is_damaged: false };
    for stretch in stretches(windows) {
        let mut under_way = UnderWay { windows, at: stretch.first, summing: Summing::default(), is_whole };
        let rows = &mut computed.rows;
        computed.is_damaged |= source.points(column, stretch.range, &mut |times, values| {
            under_way.add(times, values, rows);
        });
        under_way.end_window(&mut computed.rows);
    }
    computed
}

/// Rows of a column in `windows`, made of another tier's rows.
pub(crate) fn of_rows(
    source: &mut dyn Source,
    columns: &PartColumns,
    is_whole: bool,
    windows: &[TimeRange],
) -> Computed {
    let mut computed = Computed { rows: vec![None; windows.len()], is_damaged: false };
    for stretch in stretches(windows) {
        let (rows, is_damaged) = row::read(source, columns, stretch.range, Parts::ALL);
        computed.is_damaged |= is_damaged;
        let mut at = stretch.first;
        for (time, row) in rows {
            while windows.get(at).is_some_and(|window| window.end <= time) {
                at += 1;
            }
            let is_inside = windows.get(at).is_some_and(|window| window.contains(time));
            if let Some(place) = computed.rows.get_mut(at).filter(|_| is_inside) {
                *place = Some(place.map_or(row, |before| before.then(row, is_whole)));
            }
        }
    }
    computed
}

/// Windows that meet, read at once.
struct Stretch {
    /// Index of the first of them.
    first: usize,
    range: TimeRange,
}

fn stretches(windows: &[TimeRange]) -> Vec<Stretch> {
    let mut found: Vec<Stretch> = Vec::new();
    for (index, window) in windows.iter().enumerate() {
        match found.last_mut().filter(|last| last.range.end == window.start) {
            Some(last) => last.range.end = window.end,
            None => found.push(Stretch { first: index, range: *window }),
        }
    }
    found
}

/// The window that points are added to.
struct UnderWay<'w> {
    windows: &'w [TimeRange],
    at: usize,
    summing: Summing,
    is_whole: bool,
}

impl UnderWay<'_> {
    fn add(&mut self, times: &[TimestampNs], values: &Values, rows: &mut [Option<Row>]) {
        let view = query::aggregate::View::of(values, 0..times.len());
        for (&time, value) in times.iter().zip(view.floats()) {
            while self.windows.get(self.at).is_some_and(|window| window.end <= time) {
                self.end_window(rows);
                self.at += 1;
            }
            self.summing.add(time, value);
        }
    }

    fn end_window(&mut self, rows: &mut [Option<Row>]) {
        let summing = std::mem::take(&mut self.summing);
        if let (Some(summary), Some(place)) = (summing.finish(), rows.get_mut(self.at)) {
            *place = Some(Row::of(summary, self.is_whole));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Points of one column, handed out in pieces of some length.
    struct Pieces {
        times: Vec<TimestampNs>,
        values: Vec<f64>,
        piece: usize,
    }

    impl Source for Pieces {
        fn points(&mut self, _: ColumnId, range: TimeRange, visit: &mut dyn FnMut(&[TimestampNs], &Values)) -> bool {
            let inside = |time: &TimestampNs| range.contains(*time);
            let from = self.times.iter().position(inside).unwrap_or(self.times.len());
            let to = from + self.times[from..].iter().take_while(|time| inside(time)).count();
            for start in (from..to).step_by(self.piece) {
                let end = to.min(start + self.piece);
                visit(&self.times[start..end], &Values::Float(self.values[start..end].to_vec()));
            }
            false
        }
    }

    fn pieces(piece: usize) -> Pieces {
        let times = (0..100).map(|i| TimestampNs(i * 7)).collect();
        Pieces { times, values: (0..100).map(|i| f64::from(i) * 0.1).collect(), piece }
    }

    fn windows(starts: &[i64]) -> Vec<TimeRange> {
        starts.iter().map(|&start| TimeRange::new(TimestampNs(start), TimestampNs(start + 100))).collect()
    }

    #[test]
    fn a_row_is_the_same_in_whatever_pieces_points_come() {
        let windows = windows(&[0, 100, 300, 400, 2000]);
        let rows = |piece| of_points(&mut pieces(piece), ColumnId(0), false, &windows).rows;
        let expected = rows(100);
        assert_eq!(
            expected.iter().map(|row| row.map_or(0, |row| row.count())).collect::<Vec<_>>(),
            [15, 14, 15, 14, 0]
        );
        for piece in [1, 2, 3, 17] {
            assert_eq!(rows(piece), expected);
        }
    }

    #[test]
    fn windows_that_meet_are_read_at_once() {
        let found: Vec<_> = stretches(&windows(&[0, 100, 300])).iter().map(|s| (s.first, s.range.end.0)).collect();
        assert_eq!(found, [(0, 200), (2, 400)]);
    }
}
