//! Aggregate plans: every piece of every column is cut at the borders of windows and fed to their accumulators.

use std::collections::BTreeMap;
use std::ops::ControlFlow;

use model::{FieldType, SeriesId, TimeRange, TimestampNs, Values};

use super::fill::{Grid, Ruler};
use super::group::{Group, groups};
use super::limits::Budget;
use super::scanner::{Checked, Scanner};
use super::windows::Windows;
use crate::aggregate::{Accumulator, AggregateFunction, Registry, Run, View, Wants, check_type};
use crate::result::{Cell, ResultColumn};
use crate::{Aggregate, AggregatePlan, FieldColumn, Order, QueryError, QueryResult, ResultSeries, Selection, Summary};

/// What an accumulator takes besides the bytes it reports, roughly: itself, its box, its place in the row.
const BYTES_PER_STATE: usize = 96;

pub(super) fn run(
    plan: &AggregatePlan,
    registry: &Registry,
    scanner: &mut Scanner<'_>,
) -> Result<QueryResult, QueryError> {
    let computations = resolve(&plan.aggregates, registry)?;
    let range = plan.selection.range;
    let ruler = Ruler { windows: Windows::new(plan.window.as_ref(), range)?, range };
    let series = scanner.columns(&selection_of(plan))?;
    let mut result = QueryResult::default();
    let mut rows = 0;
    for group in groups(series, &plan.selection.group_by) {
        let Some(answer) = answer_group(plan, &computations, &ruler, &group, scanner, rows)? else { continue };
        rows += answer.times.len();
        result.series.push(answer);
    }
    Ok(result)
}

/// One column of the answer.
struct Computation<'a> {
    function: &'a dyn AggregateFunction,
    aggregate: &'a Aggregate,
}

fn resolve<'a>(aggregates: &'a [Aggregate], registry: &'a Registry) -> Result<Vec<Computation<'a>>, QueryError> {
    if aggregates.is_empty() {
        return Err(QueryError::invalid("nothing is to be computed: expected at least one aggregate"));
    }
    aggregates.iter().map(|aggregate| resolve_one(aggregate, registry)).collect()
}

fn resolve_one<'a>(aggregate: &'a Aggregate, registry: &'a Registry) -> Result<Computation<'a>, QueryError> {
    let function = registry.get(&aggregate.function)?;
    function
        .check_arguments(&aggregate.arguments)
        .map_err(|expected| QueryError::invalid(format!("{}() {expected}", function.name())))?;
    Ok(Computation { function, aggregate })
}

/// The plan's selection with exactly the fields that are computed of.
fn selection_of(plan: &AggregatePlan) -> Selection {
    let mut selection = plan.selection.clone();
    selection.fields.clear();
    for aggregate in &plan.aggregates {
        if !selection.fields.contains(&aggregate.field) {
            selection.fields.push(aggregate.field.clone());
        }
    }
    selection
}

/// `None` when the group has no points in the range.
fn answer_group(
    plan: &AggregatePlan,
    computations: &[Computation<'_>],
    ruler: &Ruler,
    group: &Group,
    scanner: &mut Scanner<'_>,
    rows_before: usize,
) -> Result<Option<ResultSeries>, QueryError> {
    let kinds = column_types(computations, group)?;
    let mut table = Table::new(computations, ruler, rows_before);
    let columns = group.members.iter().flat_map(|member| member.columns.iter().map(move |c| (member.series, c)));
    let mut columns = columns.peekable();
    while let Some((series, column)) = columns.next() {
        table.is_last_column = columns.peek().is_none();
        table.scan(scanner, series, column)?;
    }
    let grid = table.finish(&mut scanner.budget);
    if grid.starts.is_empty() {
        return Ok(None);
    }
    let grid = grid.with_empty_windows(plan.fill, ruler, &scanner.budget, rows_before)?;
    scanner.budget.hold_bytes(grid.starts.len() * computations.len() * size_of::<Cell>())?;
    Ok(Some(result_series(plan, computations, &kinds, ruler, group, grid)))
}

/// Type of the field of each computation, where the group has it.
fn column_types(computations: &[Computation<'_>], group: &Group) -> Result<Vec<Option<FieldType>>, QueryError> {
    computations.iter().map(|computation| column_type(computation, group)).collect()
}

fn column_type(computation: &Computation<'_>, group: &Group) -> Result<Option<FieldType>, QueryError> {
    let field = &computation.aggregate.field;
    let mut kinds = group.members.iter().flat_map(|m| &m.columns).filter(|c| &c.field == field).map(|c| c.kind);
    let Some(kind) = kinds.next() else { return Ok(None) };
    if let Some(other) = kinds.find(|&other| other != kind) {
        return Err(QueryError::Store(format!(
            "field `{field}` is of type {kind} in one series and {other} in another"
        )));
    }
    check_type(computation.function, field, kind)?;
    Ok(Some(kind))
}

/// Accumulators of one group by the start of their window. While the last column is read, which goes forward in time, every
/// window behind the current one is finished at once; a group of one column so holds the accumulators of one window only.
struct Table<'a> {
    computations: &'a [Computation<'a>],
    ruler: &'a Ruler,
    rows: BTreeMap<TimestampNs, Vec<Option<Box<dyn Accumulator>>>>,
    finished: Grid,
    is_last_column: bool,
    rows_before: usize,
}

impl<'a> Table<'a> {
    fn new(computations: &'a [Computation<'a>], ruler: &'a Ruler, rows_before: usize) -> Self {
        let finished = Grid::new(computations.len());
        Self { computations, ruler, rows: BTreeMap::new(), finished, is_last_column: false, rows_before }
    }

    fn scan(&mut self, scanner: &mut Scanner<'_>, series: SeriesId, column: &FieldColumn) -> Result<(), QueryError> {
        let ruler = self.ruler;
        let all_take_summaries = self.all_take_summaries(column);
        let suffices = |first, last| all_take_summaries && ruler.windows.containing(first).contains(last);
        scanner.scan(column, ruler.range, &suffices, &mut |budget, piece| {
            match piece {
                Checked::Points { times, values } => self.add_points(budget, series, column, times, values)?,
                Checked::Summary(summary) => self.add_summary(budget, series, column, &summary)?,
            }
            Ok(ControlFlow::Continue(()))
        })
    }

    /// Asked of fresh accumulators, so that only they know.
    fn all_take_summaries(&self, column: &FieldColumn) -> bool {
        let mut of_column = self.computations.iter().filter(|c| c.aggregate.field == column.field);
        of_column.all(|c| new_state(c, column.kind, self.ruler.range).takes_summaries())
    }

    fn add_points(
        &mut self,
        budget: &mut Budget,
        series: SeriesId,
        column: &FieldColumn,
        times: &[TimestampNs],
        values: &Values,
    ) -> Result<(), QueryError> {
        let mut from = 0;
        while let Some(rest) = times.get(from..)
            && let Some(&first) = rest.first()
        {
            let window = self.ruler.windows.containing(first);
            let (times, _) = rest.split_at(length_before(rest, window.end));
            let run = Run { series, times, values: View::of(values, from..from + times.len()) };
            self.update(budget, column, window, &mut |state| {
                state.add(&run);
                Ok(())
            })?;
            from += times.len();
        }
        Ok(())
    }

    fn add_summary(
        &mut self,
        budget: &mut Budget,
        series: SeriesId,
        column: &FieldColumn,
        summary: &Summary,
    ) -> Result<(), QueryError> {
        let window = self.ruler.windows.containing(summary.first_time);
        self.update(budget, column, window, &mut |state| {
            if !state.takes_summaries() {
                return Err(QueryError::Store(format!("a summary of field `{}` came unasked", column.field)));
            }
            state.add_summary(series, summary);
            Ok(())
        })
    }

    /// Applies `change` to every accumulator that a window has for a column, and counts what they have grown by.
    fn update(
        &mut self,
        budget: &mut Budget,
        column: &FieldColumn,
        window: TimeRange,
        change: &mut dyn FnMut(&mut dyn Accumulator) -> Result<(), QueryError>,
    ) -> Result<(), QueryError> {
        let (computations, span) = (self.computations, intersection(window, self.ruler.range));
        let mut grown = 0;
        if !self.rows.contains_key(&window.start) {
            if self.is_last_column {
                self.finish_before(window.start, budget);
            }
            budget.check_rows(self.rows_before + self.finished.starts.len() + self.rows.len() + 1)?;
            grown += computations.len() * BYTES_PER_STATE;
        }
        let row = self.rows.entry(window.start).or_insert_with(|| computations.iter().map(|_| None).collect());
        for (slot, computation) in row.iter_mut().zip(computations) {
            if computation.aggregate.field == column.field {
                let state = slot.get_or_insert_with(|| new_state(computation, column.kind, span)).as_mut();
                let before = state.bytes();
                change(state)?;
                grown += state.bytes().saturating_sub(before);
            }
        }
        if grown > 0 { budget.hold_bytes(grown) } else { Ok(()) }
    }

    /// Finishes the windows that start before `start`.
    fn finish_before(&mut self, start: TimestampNs, budget: &mut Budget) {
        while let Some(row) = self.rows.first_entry()
            && *row.key() < start
        {
            let (start, states) = row.remove_entry();
            let held: usize = states.iter().flatten().map(|state| state.bytes()).sum();
            budget.release_bytes(held + states.len() * BYTES_PER_STATE);
            self.finished.push(start, states.into_iter().map(|state| state.map(|state| state.finish().cell)));
        }
    }

    fn finish(mut self, budget: &mut Budget) -> Grid {
        self.finish_before(TimestampNs::MAX, budget);
        self.finished
    }
}

fn new_state(computation: &Computation<'_>, kind: FieldType, span: TimeRange) -> Box<dyn Accumulator> {
    computation.function.new_state(&computation.aggregate.arguments, kind, span, Wants::Value)
}

fn intersection(a: TimeRange, b: TimeRange) -> TimeRange {
    TimeRange::new(a.start.max(b.start), a.end.min(b.end))
}

/// How many of the ascending `times` lie before `end`. Doubles its step, since windows are mostly much shorter than pieces.
fn length_before(times: &[TimestampNs], end: TimestampNs) -> usize {
    let mut step = 1;
    while times.get(step).is_some_and(|&time| time < end) {
        step *= 2;
    }
    let (low, high) = (step / 2, step.min(times.len()));
    low + times.get(low..high).unwrap_or_default().partition_point(|&time| time < end)
}

fn result_series(
    plan: &AggregatePlan,
    computations: &[Computation<'_>],
    kinds: &[Option<FieldType>],
    ruler: &Ruler,
    group: &Group,
    grid: Grid,
) -> ResultSeries {
    let mut times: Vec<_> = grid.starts.iter().map(|&start| ruler.windows.label(start)).collect();
    arrange(&mut times, plan);
    let mut columns = Vec::with_capacity(computations.len());
    for ((computation, kind), cells) in computations.iter().zip(kinds).zip(grid.columns) {
        let mut cells = super::fill::fill(cells, &grid.starts, plan.fill, computation.function, *kind);
        arrange(&mut cells, plan);
        columns.push(ResultColumn { name: computation.aggregate.alias.clone(), cells });
    }
    ResultSeries { name: plan.selection.measurement.clone(), tags: group.tags.clone(), times, columns }
}

/// Brings ascending rows into the plan's order and cuts them at its limit.
fn arrange<T>(rows: &mut Vec<T>, plan: &AggregatePlan) {
    if plan.order == Order::Descending {
        rows.reverse();
    }
    rows.truncate(plan.limit.unwrap_or(usize::MAX));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_length_before_a_border_is_found_at_every_length() {
        for len in 0..40i64 {
            let times: Vec<_> = (0..len).map(TimestampNs).collect();
            for end in 1..45 {
                let expected = end.min(len) as usize;
                assert_eq!(length_before(&times, TimestampNs(end)), expected, "{len} times before {end}");
            }
        }
    }
}
