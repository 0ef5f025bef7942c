//! Reads the points of one member at a time, filtered.

use std::ops::ControlFlow;

use model::{ColumnId, FieldType, TimeRange, TimestampNs, Values};

use super::group::{Data, Filter, Member, View};
use super::job::Job;
use super::rows::Rows;
use crate::QueryError;
use crate::plan::Order;
use crate::result::Cell;
use crate::scan::{Piece, Summary};
use crate::store::{Extent, Reader, Track};

/// Reads for one thread of a query.
pub(super) struct Feed<'a> {
    pub(super) job: &'a Job<'a>,
    pub(super) views: &'a [View],
    reader: Box<dyn Reader + 'a>,
}

/// The end of a range.
struct End {
    range: TimeRange,
    /// Nothing of the column lies before it.
    is_all: bool,
}

/// A part of a column.
pub(super) enum Part<'p> {
    /// Ascending times and as many values.
    Points(&'p [TimestampNs], &'p Values),
    /// What is known of a run of points.
    Summary(Summary),
}

/// Says whether the summary of a run from its first to its last time is enough.
pub(super) type Suffices<'s> = &'s dyn Fn(TimestampNs, TimestampNs) -> bool;

/// Takes a part in.
pub(super) type Visit<'v> = &'v mut dyn FnMut(Part<'_>) -> Result<(), QueryError>;

/// How many rows are wanted, from which end.
#[derive(Clone, Copy)]
pub(super) struct Reach {
    pub(super) order: Order,
    pub(super) rows: Option<usize>,
}

impl Reach {
    /// All of them.
    pub(super) const ALL: Self = Self { order: Order::Ascending, rows: None };
}

impl<'a> Feed<'a> {
    pub(super) fn new(job: &'a Job<'a>, views: &'a [View]) -> Self {
        Self { job, views, reader: job.store.reader() }
    }

    fn view(&self, member: &Member) -> Option<&'a View> {
        self.views.get(member.view)
    }

    /// Hands the points of one field to `visit`, oldest first.
    pub(super) fn points(
        &mut self,
        member: &Member,
        slot: usize,
        range: TimeRange,
        suffices: Suffices<'_>,
        visit: Visit<'_>,
    ) -> Result<(), QueryError> {
        self.job.check()?;
        let Some(view) = self.view(member) else { return Ok(()) };
        let Some(kinds) = view.slots.get(slot) else { return Ok(()) };
        let is_plain = view.filter.as_ref().is_none_or(|f| f.slots.is_empty()) && kinds.stored == kinds.kind;
        match &member.data {
            Data::Stored(columns) if is_plain => match columns.get(slot) {
                Some(Some(column)) => self.scan(*column, kinds.kind, range, suffices, visit),
                _ => Ok(()),
            },
            _ => {
                let rows = self.rows(member, &[slot], range, Reach::ALL)?;
                let track = rows.track(slot, kinds.kind);
                self.job.release(rows.bytes());
                if track.times.is_empty() { Ok(()) } else { visit(Part::Points(&track.times, &track.values)) }
            }
        }
    }

    fn scan(
        &mut self,
        column: ColumnId,
        kind: FieldType,
        range: TimeRange,
        suffices: Suffices<'_>,
        visit: Visit<'_>,
    ) -> Result<(), QueryError> {
        let mut outcome = Ok(());
        let job = self.job;
        let report = self.reader.scan(column, range, suffices, &mut |piece| {
            let step = job.check().and_then(|()| visit(checked(piece, kind)?));
            match step {
                Ok(()) => ControlFlow::Continue(()),
                Err(error) => {
                    outcome = Err(error);
                    ControlFlow::Break(())
                }
            }
        });
        job.note(report);
        outcome
    }

    /// The rows of a member that fulfil the filter, with the columns of `wanted` slots (columns of the result are slots). With a
    /// limit in `reach` there may be more rows than that, but the rows wanted are among them.
    pub(super) fn rows(
        &mut self,
        member: &Member,
        wanted: &[usize],
        range: TimeRange,
        reach: Reach,
    ) -> Result<Rows, QueryError> {
        self.job.check()?;
        let Some(view) = self.view(member) else { return Ok(Rows::default()) };
        let filter = view.filter.as_ref().filter(|f| !f.slots.is_empty());
        match (&member.data, filter) {
            (Data::Memory(rows, columns), filter) => {
                let rows = memory_rows(view, member, rows, columns, filter);
                self.job.hold(rows.bytes())?;
                Ok(rows)
            }
            (Data::Stored(columns), None) => self.joined(view, columns, wanted, range, reach),
            (Data::Stored(columns), Some(filter)) => self.filtered(view, member, columns, wanted, range, filter),
        }
    }

    fn filtered(
        &mut self,
        view: &View,
        member: &Member,
        columns: &[Option<ColumnId>],
        wanted: &[usize],
        range: TimeRange,
        filter: &Filter,
    ) -> Result<Rows, QueryError> {
        let others = wanted.iter().copied().filter(|slot| !filter.slots.contains(slot));
        if filter.admits_nothing(view, member) {
            // Rows without any of the filter's fields may fulfil it.
            let all: Vec<usize> = filter.slots.iter().copied().chain(others).collect();
            let mut rows = self.joined(view, columns, &all, range, Reach::ALL)?;
            self.keep(&mut rows, view, member, filter);
            return Ok(rows);
        }
        let mut rows = self.joined(view, columns, &filter.slots, range, Reach::ALL)?;
        self.keep(&mut rows, view, member, filter);
        let (Some(&first), Some(&last)) = (rows.times.first(), rows.times.last()) else { return Ok(rows) };
        let range = TimeRange::new(first, last.saturating_add(1));
        for slot in others {
            let Some(track) = self.track(view, columns, slot, range, Reach::ALL)? else { continue };
            if let Some(column) = rows.columns.get_mut(slot) {
                let cells = aligned(&track, &rows.times);
                self.let_go(&track);
                self.job.hold(cells.capacity() * size_of::<Cell>())?;
                *column = Some(cells);
            }
        }
        Ok(rows)
    }

    /// Keeps the rows that fulfil a filter.
    fn keep(&self, rows: &mut Rows, view: &View, member: &Member, filter: &Filter) {
        let held = rows.bytes();
        rows.keep(&fulfilling(view, member, rows, filter));
        self.job.release(held.saturating_sub(rows.bytes()));
    }

    fn joined(
        &mut self,
        view: &View,
        columns: &[Option<ColumnId>],
        wanted: &[usize],
        range: TimeRange,
        reach: Reach,
    ) -> Result<Rows, QueryError> {
        let mut tracks: Vec<Option<Track>> = view.slots.iter().map(|_| None).collect();
        let mut held = (0, 0);
        for &slot in wanted {
            let track = self.track(view, columns, slot, range, reach)?;
            held.0 += track.as_ref().map_or(0, |track| track.times.len());
            held.1 += track.as_ref().map_or(0, Track::bytes);
            if let Some(place) = tracks.get_mut(slot) {
                *place = track;
            }
        }
        let rows = Rows::join(tracks);
        self.job.release_points(held.0);
        self.job.release(held.1);
        self.job.hold(rows.bytes())?;
        Ok(rows)
    }

    /// Counts points as gone that have become rows.
    fn let_go(&self, track: &Track) {
        self.job.release_points(track.times.len());
        self.job.release(track.bytes());
    }

    /// The points of one column, converted; counted as held.
    fn track(
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
        let report = self.reader.scan(column, range, &|_, _| false, &mut |piece| {
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

    /// Runs of points of a field of a member.
    pub(super) fn extents(&mut self, member: &Member, slot: usize, range: TimeRange, out: &mut Vec<Extent>) {
        match &member.data {
            Data::Stored(columns) => {
                if let Some(Some(column)) = columns.get(slot) {
                    self.reader.extents(*column, range, out);
                }
            }
            Data::Memory(rows, _) => {
                if let (Some(&first), Some(&last)) = (rows.times.first(), rows.times.last()) {
                    out.push(Extent { first, last, count: rows.len() as u64 });
                }
            }
        }
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

/// The piece, if it is of the type that its column has.
fn checked(piece: Piece<'_>, kind: FieldType) -> Result<Part<'_>, QueryError> {
    match piece {
        Piece::Summary(summary) => Ok(Part::Summary(summary)),
        Piece::Points { times, values } if values.field_type() == kind && values.len() == times.len() => {
            Ok(Part::Points(times, values))
        }
        Piece::Points { times, values } => Err(QueryError::Store(format!(
            "a column of type {kind} has a piece of {} times and {} values of type {}",
            times.len(),
            values.len(),
            values.field_type()
        ))),
    }
}

/// Rows of a subquery, which has seen to their times: a window that reaches into the range may begin before it.
fn memory_rows(view: &View, member: &Member, rows: &Rows, columns: &[usize], filter: Option<&Filter>) -> Rows {
    let mut by_slot = Rows { times: rows.times.clone(), columns: Vec::new() };
    for (slot, &column) in view.slots.iter().zip(columns) {
        let cells = rows.columns.get(column).cloned().flatten();
        let convert = |cells: Vec<Cell>| cells.into_iter().map(|cell| cast(cell, slot.kind)).collect();
        by_slot.columns.push(if slot.kind == slot.stored { cells } else { cells.map(convert) });
    }
    if let Some(filter) = filter {
        by_slot.keep(&fulfilling(view, member, &by_slot, filter));
    }
    by_slot
}

/// Indexes of the rows that fulfil a filter.
fn fulfilling(view: &View, member: &Member, rows: &Rows, filter: &Filter) -> Vec<usize> {
    let fulfils = |row: &usize| filter.condition.is_true(&|leaf| view.filter_cell(leaf, member, rows, *row));
    (0..rows.len()).filter(fulfils).collect()
}

/// The cells of a track at `times`; both ascend.
fn aligned(track: &Track, times: &[TimestampNs]) -> Vec<Cell> {
    let mut at = 0;
    let cell = |time: &TimestampNs| {
        while track.times.get(at).is_some_and(|t| t < time) {
            at += 1;
        }
        let found = track.times.get(at).filter(|t| *t == time);
        found.and_then(|_| track.values.get(at)).map(Cell::from).unwrap_or_default()
    };
    times.iter().map(cell).collect()
}

fn converted(track: Track, kind: FieldType) -> Track {
    if track.values.field_type() == kind {
        return track;
    }
    let mut values = Values::new(kind);
    for index in 0..track.values.len() {
        let cell = track.values.get(index).map(Cell::from).unwrap_or_default();
        let pushed = super::rows::field_value(&cast(cell, kind)).is_some_and(|value| values.push(value));
        debug_assert!(pushed, "numbers can be turned into numbers");
    }
    Track { times: track.times, values }
}

/// A number as another kind of number; null for what is no number.
pub(super) fn cast(cell: Cell, kind: FieldType) -> Cell {
    match (cell, kind) {
        (Cell::Integer(v), FieldType::Float) => Cell::Float(v as f64),
        (Cell::Unsigned(v), FieldType::Float) => Cell::Float(v as f64),
        (Cell::Float(v), FieldType::Integer) => Cell::Integer(v as i64),
        (Cell::Unsigned(v), FieldType::Integer) => Cell::Integer(v.cast_signed()),
        (Cell::Float(v), FieldType::Unsigned) => Cell::Unsigned(v as u64),
        (Cell::Integer(v), FieldType::Unsigned) => Cell::Unsigned(v.cast_unsigned()),
        (cell @ Cell::Float(_), FieldType::Float)
        | (cell @ Cell::Integer(_), FieldType::Integer)
        | (cell @ Cell::Unsigned(_), FieldType::Unsigned)
        | (cell @ Cell::Boolean(_), FieldType::Boolean)
        | (cell @ Cell::String(_), FieldType::String) => cell,
        _ => Cell::Null,
    }
}
