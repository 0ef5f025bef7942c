//! Reads the points of single columns, from either end of a range, and counts them as held. With a limit only as much is read
//! as may be needed. Not here: filters, and rows of several columns (`feed`).

use std::ops::ControlFlow;

use model::{ColumnId, FieldType, TimeRange, Values};

use super::cast::converted;
use super::feed::{Feed, Part, Reach, checked};
use super::group::View;
use super::job::Job;
use crate::QueryError;
use crate::plan::Order;
use crate::scan::{Piece, Wish};
use crate::store::{Extent, Track};

/// The end of a range.
struct End {
    range: TimeRange,
    /// Nothing of the column lies before it.
    is_all: bool,
}

impl Feed<'_> {
    /// The points of one column, converted; counted as held.
    pub(super) fn track(
        &mut self,
        view: &View,
        columns: &[Option<ColumnId>],
        slot: usize,
        range: TimeRange,
        reach: Reach,
    ) -> Result<Option<Track>, QueryError> {
        let (Some(kinds), Some(Some(column))) = (view.slots.get(slot), columns.get(slot)) else { return Ok(None) };
        let track = match reach {
            Reach { order: Order::Descending, rows: Some(1) } => self.newest(*column, kinds.stored, range)?,
            Reach { order: Order::Descending, rows: Some(rows) } => {
                self.read_end(*column, kinds.stored, range, rows)?
            }
            Reach { order: Order::Ascending, rows } => self.read(*column, kinds.stored, range, rows)?,
            Reach { order: Order::Descending, rows: None } => self.read(*column, kinds.stored, range, None)?,
        };
        Ok(Some(converted(track, kinds.kind)))
    }

    /// The newest point.
    fn newest(&mut self, column: ColumnId, kind: FieldType, range: TimeRange) -> Result<Track, QueryError> {
        let mut track = Track { times: Vec::new(), values: Values::new(kind) };
        let report = self.reader.latest(column, range, &mut |time, value| {
            if track.values.push(value) {
                track.times.push(time);
            }
        });
        self.job.note(report);
        self.job.hold_points(track.times.len())?;
        self.job.hold(track.bytes())?;
        Ok(track)
    }

    /// At least the `rows` newest points, if there are as many.
    fn read_end(
        &mut self,
        column: ColumnId,
        kind: FieldType,
        range: TimeRange,
        rows: usize,
    ) -> Result<Track, QueryError> {
        let mut wanted = rows;
        loop {
            let end = self.end_of(column, range, wanted);
            let track = self.read(column, kind, end.range, None)?;
            if track.times.len() >= rows || end.is_all {
                return Ok(track);
            }
            self.let_go(&track);
            // Deleted and overwritten points had been counted.
            wanted = wanted.saturating_mul(8).saturating_add(1024);
        }
    }

    /// The part of `range` at its end that has at least `rows` points of the column, if it has as many.
    fn end_of(&mut self, column: ColumnId, range: TimeRange, rows: usize) -> End {
        let mut extents: Vec<Extent> = Vec::new();
        self.reader.extents(column, range, &mut extents);
        extents.sort_by_key(|extent| std::cmp::Reverse(extent.last));
        let (mut start, mut sure) = (range.end, 0u64);
        for extent in extents {
            // Of runs that overlap each other only the count of one is sure.
            if sure >= rows as u64 && extent.last < start {
                return End { range: TimeRange::new(start.max(range.start), range.end), is_all: false };
            }
            if extent.last < start && range.covers(extent.first, extent.last) {
                sure += extent.count;
            }
            start = start.min(extent.first);
        }
        End { range, is_all: true }
    }

    /// Points from the start of the range; with `rows` at least so many, if there are as many.
    fn read(
        &mut self,
        column: ColumnId,
        kind: FieldType,
        range: TimeRange,
        rows: Option<usize>,
    ) -> Result<Track, QueryError> {
        let mut track = Track { times: Vec::new(), values: Values::new(kind) };
        let mut outcome = Ok(());
        let job = self.job;
        let report = self.reader.scan(column, range, &Wish::POINTS, &mut |piece| {
            let step = job.check().and_then(|()| take(&mut track, piece, kind, job));
            if let Err(error) = step {
                outcome = Err(error);
                return ControlFlow::Break(());
            }
            if rows.is_some_and(|rows| track.times.len() >= rows) {
                return ControlFlow::Break(());
            }
            ControlFlow::Continue(())
        });
        job.note(report);
        outcome.map(|()| track)
    }

    /// Counts points as gone that have become rows.
    pub(super) fn let_go(&self, track: &Track) {
        self.job.release_points(track.times.len());
        self.job.release(track.bytes());
    }
}

/// Adds a piece to a track and counts it.
fn take(track: &mut Track, piece: Piece<'_>, kind: FieldType, job: &Job<'_>) -> Result<(), QueryError> {
    let Part::Points(times, values) = checked(piece, kind)? else {
        return Err(QueryError::Store("a summary came unasked".to_owned()));
    };
    let held = track.bytes();
    track.times.extend_from_slice(times);
    track.values.append(values);
    job.hold_points(times.len())?;
    job.hold(track.bytes().saturating_sub(held))
}
