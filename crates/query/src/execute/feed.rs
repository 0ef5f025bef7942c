//! Reads the points of one member at a time, filtered: those of one field, or rows of several. Not here: how a single column is
//! read (`tracks`).

use std::ops::ControlFlow;

use model::{ColumnId, FieldType, TimeRange, TimestampNs, Values};

use super::cast::cast;
use super::group::{Data, Filter, Member, View};
use super::job::Job;
use super::rows::Rows;
use crate::QueryError;
use crate::plan::Order;
use crate::result::Cell;
use crate::scan::{Piece, Summary, Wish};
use crate::store::{Extent, Reader, Track};

/// Summaries between two looks at whether somebody still waits.
const SUMMARIES_A_CHECK: u32 = 64;

/// Reads for one thread of a query.
pub(super) struct Feed<'a> {
    pub(super) job: &'a Job<'a>,
    pub(super) views: &'a [View],
    pub(super) reader: Box<dyn Reader + 'a>,
}

/// A part of a column.
pub(super) enum Part<'p> {
    /// Ascending times and as many values.
    Points(&'p [TimestampNs], &'p Values),
    /// What is known of a run of points.
    Summary(&'p Summary),
}

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
        wish: &Wish<'_>,
        visit: Visit<'_>,
    ) -> Result<(), QueryError> {
        self.job.check()?;
        let Some(view) = self.view(member) else { return Ok(()) };
        let Some(kinds) = view.slots.get(slot) else { return Ok(()) };
        let is_plain = view.filter.as_ref().is_none_or(|f| f.slots.is_empty()) && kinds.stored == kinds.kind;
        match &member.data {
            Data::Stored(columns) if is_plain => match columns.get(slot) {
                Some(Some(column)) => self.scan(*column, kinds.kind, range, wish, visit),
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
        wish: &Wish<'_>,
        visit: Visit<'_>,
    ) -> Result<(), QueryError> {
        let mut outcome = Ok(());
        let job = self.job;
        let mut summaries = 0u32;
        let report = self.reader.scan(column, range, wish, &mut |piece| {
            summaries = if matches!(piece, Piece::Summary(_)) { summaries + 1 } else { 0 };
            // Looking at the clock takes longer than taking a summary in.
            let checked_in = if summaries.is_multiple_of(SUMMARIES_A_CHECK) { job.check() } else { Ok(()) };
            let step = checked_in.and_then(|()| visit(checked(piece, kind)?));
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

/// The piece, if it is of the type that its column has.
pub(super) fn checked(piece: Piece<'_>, kind: FieldType) -> Result<Part<'_>, QueryError> {
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
