//! Rows of a rollup: read from their columns, with the parts that are wanted.

use engine::{Engine, ScanCache};
use model::{ColumnId, TimeRange, TimestampNs, Values};
use query::store::Reader;
use query::{Parts, Piece, Summary, Wish};

use crate::outlet::PartColumns;
use crate::part::Part;

/// What a rollup knows of one window of one column.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Row {
    /// Everything.
    Full(Summary),
    /// The number of points only: whole numbers might have been rounded, or other parts are damaged.
    Count(u64),
}

impl Row {
    /// The row of points that have this summary.
    pub(crate) fn of(summary: Summary, is_whole: bool) -> Self {
        let is_finite = [summary.sum, summary.squares, summary.step_area, summary.line_area, summary.increase];
        match (!is_whole || summary.is_exact()) && is_finite.iter().all(|value| value.is_finite()) {
            true => Self::Full(summary),
            false => Self::Count(summary.count),
        }
    }

    /// Number of points.
    pub(crate) const fn count(&self) -> u64 {
        match self {
            Self::Full(summary) => summary.count,
            Self::Count(count) => *count,
        }
    }

    /// The row of this one's points and those of a later one.
    pub(crate) fn then(self, later: Self, is_whole: bool) -> Self {
        match (self, later) {
            (Self::Full(own), Self::Full(later)) => Self::of(own.then(&later), is_whole),
            (own, later) => Self::Count(own.count() + later.count()),
        }
    }
}

/// Where points of columns can be read.
pub(crate) trait Source {
    /// Hands out the points of a column inside `range`, oldest first; true when some are missing because they are damaged.
    fn points(&mut self, column: ColumnId, range: TimeRange, visit: &mut dyn FnMut(&[TimestampNs], &Values)) -> bool;
}

/// The engine itself, whose values are read however old they are.
pub(crate) struct EngineSource<'a> {
    pub(crate) engine: &'a Engine,
    pub(crate) cache: ScanCache,
}

impl Source for EngineSource<'_> {
    fn points(&mut self, column: ColumnId, range: TimeRange, visit: &mut dyn FnMut(&[TimestampNs], &Values)) -> bool {
        let report = self.engine.scan(column, range, &mut self.cache, &|_, _| false, &mut |piece| {
            if let engine::Piece::Points { times, values } = piece {
                visit(times, values);
            }
            std::ops::ControlFlow::Continue(())
        });
        !report.damaged.is_empty()
    }
}

/// A reader of a query.
pub(crate) struct ReaderSource<'r, 'a>(pub(crate) &'r mut (dyn Reader + 'a));

impl Source for ReaderSource<'_, '_> {
    fn points(&mut self, column: ColumnId, range: TimeRange, visit: &mut dyn FnMut(&[TimestampNs], &Values)) -> bool {
        let report = self.0.scan(column, range, &Wish::POINTS, &mut |piece| {
            if let Piece::Points { times, values } = piece {
                visit(times, values);
            }
            std::ops::ControlFlow::Continue(())
        });
        !report.damaged.is_empty()
    }
}

/// Rows that start inside `range`, ascending by their times, with the parts wanted (the others mean nothing). True: some may be missing
/// because they are damaged.
pub(crate) fn read(
    source: &mut dyn Source,
    columns: &PartColumns,
    range: TimeRange,
    wanted: Parts,
) -> (Vec<(TimestampNs, Row)>, bool) {
    let mut rows: Vec<(TimestampNs, Summary, usize)> = Vec::new();
    let is_damaged = source.points(columns.of(Part::Count), range, &mut |times, values| {
        for (index, &time) in times.iter().enumerate() {
            // Without their own times rows stand for the start of their windows.
            let mut summary = Summary { first_time: time, last_time: time, ..Summary::default() };
            if let Some(value) = values.get(index) {
                Part::Count.set(&mut summary, time, value);
            }
            rows.push((time, summary, 0));
        }
    });
    let others: Vec<Part> =
        Part::ALL.into_iter().filter(|part| *part != Part::Count && part.is_among(wanted)).collect();
    for part in &others {
        let mut at = 0;
        source.points(columns.of(*part), range, &mut |times, values| {
            for (index, &time) in times.iter().enumerate() {
                while rows.get(at).is_some_and(|row| row.0 < time) {
                    at += 1;
                }
                let found = rows.get_mut(at).filter(|row| row.0 == time);
                if let (Some((_, summary, known)), Some(value)) = (found, values.get(index)) {
                    part.set(summary, time, value);
                    *known += 1;
                }
            }
        });
    }
    let row = |(time, summary, known): (TimestampNs, Summary, usize)| match known == others.len() {
        true => (time, Row::Full(summary)),
        false => (time, Row::Count(summary.count)),
    };
    (rows.into_iter().map(row).collect(), is_damaged)
}
