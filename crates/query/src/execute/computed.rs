//! Groups for which functions over points are computed: every function gives a sequence of points, the sequences are joined by
//! time to rows. Functions that read the same range are computed in one pass over the points.

use model::{FieldType, TimeRange, TimestampNs};

use super::calls::{Call, extended};
use super::feed::Feed;
use super::folds::{Folded, Wanted};
use super::group::{Group, View};
use super::job::Job;
use super::layout::Layout;
use super::narrow;
use super::sequence::{Sequence, join};
use crate::aggregate::{Picked, Point, Wants};
use crate::plan::Order;
use crate::plan::expr::Transform;
use crate::result::Cell;
use crate::{QueryError, Table, transform};

/// Answers one group.
pub(super) fn answer<'a>(
    job: &'a Job<'a>,
    layout: &'a Layout<'a>,
    views: &'a [View],
    name: &str,
    group: &Group,
    feed: &mut Feed<'_>,
    threads: usize,
) -> Result<Vec<Table>, QueryError> {
    let mut work = Work { job, layout, views, group, feed, threads };
    let plan = layout.plan;
    let mut sequences = work.sequences()?;
    if plan.direction == Order::Descending {
        sequences.iter_mut().for_each(|sequence| sequence.reverse(&layout.windows));
    }
    if plan.limit_each {
        sequences.iter_mut().for_each(|sequence| sequence.cut(plan));
    }
    let mut rows = join(sequences, &plan.fill, plan.direction == Order::Descending);
    if plan.order != plan.direction {
        rows.reverse();
    }
    if !plan.limit_each {
        rows.cut(plan);
    }
    for &leaf in &layout.aux {
        job.session.note_read();
        let cells = work.beside(leaf, &rows.origins)?;
        rows.columns.push(cells);
    }
    if work.job.into && layout.calls.keys().next().is_some() {
        return Ok(work.by_keys(name, rows));
    }
    job.hold(layout.table_bytes(rows.times.len()))?;
    Ok(vec![layout.table(name, group, rows.times, rows.columns)])
}

/// One group being answered.
pub(super) struct Work<'w, 'a, 'f> {
    pub(super) job: &'a Job<'a>,
    pub(super) layout: &'a Layout<'a>,
    pub(super) views: &'a [View],
    pub(super) group: &'w Group,
    pub(super) feed: &'w mut Feed<'f>,
    pub(super) threads: usize,
}

impl<'a> Work<'_, 'a, '_> {
    /// What every call gives, in their order.
    fn sequences(&mut self) -> Result<Vec<Sequence>, QueryError> {
        let calls = &self.layout.calls.list;
        let mut sequences: Vec<Sequence> = calls.iter().map(|_| Sequence::default()).collect();
        for (range, numbers) in self.passes() {
            self.run_pass(range, &numbers, &mut sequences)?;
        }
        for (call, sequence) in calls.iter().zip(&mut sequences) {
            if !call.is_plain() {
                self.job.session.note_read();
                *sequence = self.point_by_point(call)?;
            }
            for transform in &call.transforms {
                *sequence = self.transformed(transform, std::mem::take(sequence))?;
            }
        }
        Ok(sequences)
    }

    /// Computes the calls of these numbers in one pass over the points.
    fn run_pass(&mut self, range: TimeRange, numbers: &[usize], sequences: &mut [Sequence]) -> Result<(), QueryError> {
        let calls = &self.layout.calls.list;
        let wanted = numbers
            .iter()
            .filter_map(|&n| calls.get(n))
            .map(|call| self.wanted(call))
            .collect::<Result<Vec<_>, _>>()?;
        let (folded, range) = self.fold(&wanted.into_iter().flatten().collect::<Vec<_>>(), range)?;
        let starts = &folded.starts;
        for ((&number, picked), kind) in numbers.iter().zip(folded.picked).zip(folded.kinds) {
            if let (Some(call), Some(kind), Some(place)) = (calls.get(number), kind, sequences.get_mut(number)) {
                *place = self.windowed(call, starts, picked, kind, range)?;
            }
        }
        Ok(())
    }

    /// The calls that give one value a window, by the range that they read.
    fn passes(&self) -> Vec<(TimeRange, Vec<usize>)> {
        let mut passes: Vec<(TimeRange, Vec<usize>)> = Vec::new();
        for (number, call) in self.layout.calls.list.iter().enumerate().filter(|(_, call)| call.is_plain()) {
            let range = self.range_of(call);
            match passes.iter_mut().find(|(known, _)| *known == range) {
                Some((_, numbers)) => numbers.push(number),
                None => passes.push((range, vec![number])),
            }
        }
        passes
    }

    /// What a call reads, with the windows that it looks back to.
    pub(super) fn range_of(&self, call: &Call<'_>) -> TimeRange {
        let width = self.layout.windows.width_ns().filter(|_| call.aggregate.is_some()).unwrap_or(0);
        extended(self.layout.plan, width.saturating_mul(call.windows_before()))
    }

    /// What a pass is to compute for a call.
    fn wanted(&self, call: &Call<'a>) -> Result<Option<Wanted<'a>>, QueryError> {
        let Some(aggregate) = call.aggregate else { return Ok(None) };
        let function = self.job.registry.get(&aggregate.call.function)?;
        let arguments = aggregate.numbers();
        // A percentile that there cannot be is no error, but nothing.
        if !aggregate.is_percentile() {
            function
                .check_arguments(&arguments)
                .map_err(|expected| QueryError::invalid(format!("{}() {expected}", aggregate.call.label)))?;
        }
        let is_point = self.layout.calls.is_selector && (!self.layout.windows.divide() || !self.layout.aux.is_empty());
        let wants = if is_point { Wants::Origin } else { Wants::Value };
        Ok(Some(Wanted { function, arguments, leaf: call.leaf, field: aggregate.field, wants }))
    }

    /// Reads a part of the range only, where a limit makes that enough; returns the range read too.
    fn fold(&mut self, wanted: &[Wanted<'_>], range: TimeRange) -> Result<(Folded, TimeRange), QueryError> {
        if let Some(narrow) = narrow::range(self, range) {
            let folded = self.fold_range(wanted, narrow.range)?;
            let is_there = |(start, picked): (&TimestampNs, &Option<Picked>)| {
                picked.is_some() && narrow.must_have.is_none_or(|wanted| wanted == *start)
            };
            if folded.picked.iter().all(|picked| folded.starts.iter().zip(picked).any(is_there)) {
                return Ok((folded, narrow.range));
            }
        }
        Ok((self.fold_range(wanted, range)?, range))
    }

    /// What a transformation makes of a sequence.
    fn transformed(&self, transform: &Transform, sequence: Sequence) -> Result<Sequence, QueryError> {
        let order = self.layout.plan.direction;
        if let Transform::HoltWinters { points, season, .. } = transform {
            self.job.check_windows((*points).max(*season))?;
        }
        let points = sequence.times.into_iter().zip(sequence.cells).filter(|(_, cell)| *cell != Cell::Null);
        let mut points: Vec<Point> = points.map(|(time, cell)| Point { time, cell, at: None }).collect();
        if order == Order::Descending {
            points.reverse();
        }
        let mut result = transform::apply(transform, points, order, self.layout.windows.width_ns())?;
        if order == Order::Descending {
            result.reverse();
        }
        let kind = match result.first().map(|point| &point.cell) {
            Some(Cell::Integer(_)) => Some(FieldType::Integer),
            Some(Cell::Float(_)) => Some(FieldType::Float),
            _ => None,
        };
        Ok(Sequence { kind, ..Sequence::of_points(result) })
    }
}
