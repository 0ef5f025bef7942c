//! From a plan to groups and back to tables: opens what is read, expands wildcards, answers name by name and group by group.
//! Not here: where everything in a row is (`layout`), how a group is answered (`raw`, `computed`).

use super::calls::has_call;
use super::feed::Feed;
use super::group::{Group, View};
use super::input::{self, Input};
use super::job::Job;
use super::layout::Layout;
use super::limit::SeriesWindow;
use super::{Sink, computed, parallel, raw};
use crate::compile::{column_names, expand};
use crate::eval::check_types;
use crate::plan::expr::{AggregateCall, Cast, Expr, Reference};
use crate::plan::{Column, Order, Select};
use crate::store::Schema;
use crate::{QueryError, Table};

/// Cells that may wait until those before them are given out: some 10 MB, texts aside.
const CELLS_WAITING: usize = 400_000;
/// From so many groups for each thread on, a group is answered on one thread.
const GROUPS_A_THREAD: usize = 8;
/// Neighbouring groups that one thread answers at a time, at most.
const GROUPS_A_BLOCK: usize = 32;

/// Answers a plan, a subquery's too.
pub(super) fn run(job: &Job<'_>, plan: &Select, into: bool, sink: Sink<'_>) -> Result<(), QueryError> {
    job.check()?;
    let inputs = input::open(job, plan)?;
    job.check()?;
    let schema = input::common_schema(inputs.values().flatten());
    let mut plan = expand(plan, &schema.fields, &schema.tags)?;
    if plan.columns.is_empty() {
        return Ok(());
    }
    let names = with_key_columns(&mut plan, into);
    check_columns(&plan, &schema)?;
    let layout = Layout::new(&plan, names, &schema)?;
    let mut parts = inputs.values().map(|inputs| Part::new(job, &layout, inputs)).collect::<Result<Vec<_>, _>>()?;
    if plan.direction == Order::Descending {
        parts.reverse();
    }
    answer(job, &layout, &parts, sink)
}

/// True when functions over points are computed.
pub(crate) fn has_calls(plan: &Select) -> bool {
    plan.columns.iter().any(|column| has_call(&column.expr))
}

/// Names of the columns; those of the tags of `top` and `bottom` are added behind them, unless the rows are written back.
fn with_key_columns(plan: &mut Select, into: bool) -> Vec<String> {
    let names = column_names(&plan.time_name, &plan.columns, into);
    if !into {
        let columns = std::mem::take(&mut plan.columns);
        for column in columns {
            let keys = match &column.expr {
                Expr::Aggregate(AggregateCall { keys, .. }) => keys.clone(),
                _ => Vec::new(),
            };
            plan.columns.push(column);
            let of_key = |key: Reference| Column { expr: Expr::Reference(key), alias: None };
            plan.columns.extend(keys.into_iter().map(of_key));
        }
    }
    names
}

/// Refuses what can never be reckoned.
fn check_columns(plan: &Select, schema: &Schema) -> Result<(), QueryError> {
    let kind_of = |reference: &Reference| match reference.cast {
        Some(Cast::Type(kind)) => Some(kind),
        Some(Cast::Tag) => None,
        _ => schema.fields.iter().find(|(name, _)| *name == reference.name).map(|(_, kind)| *kind),
    };
    let mut expressions = plan.columns.iter().map(|column| &column.expr);
    expressions.try_for_each(|expr| check_types(expr, &kind_of).map(|_| ()))
}

/// All groups of one name.
struct Part<'i> {
    name: &'i str,
    views: Vec<View>,
    groups: Vec<Group>,
}

impl<'i> Part<'i> {
    fn new(job: &Job<'_>, layout: &Layout<'_>, inputs: &'i [Input]) -> Result<Self, QueryError> {
        let plan = layout.plan;
        let view = |input: &Input| View::new(input, &layout.leaves, plan.filter.as_ref(), &layout.dimensions);
        let mut views = inputs.iter().map(view).collect::<Result<Vec<_>, _>>()?;
        views.iter_mut().for_each(|view| view.all_series = plan.series_limit.is_some() || plan.series_offset > 0);
        let mut groups = Vec::new();
        if views.iter().any(|view| layout.reads_something(view)) {
            groups = SeriesWindow::of(plan).cut(super::group::groups(job, inputs, &views, &layout.dimensions)?);
        }
        if plan.direction == Order::Descending {
            groups.reverse();
        }
        let name = inputs.first().map(|input| input.name.as_str()).unwrap_or_default();
        Ok(Self { name, views, groups })
    }
}

/// Answers everything: many groups each on one thread, few groups one after the other, their series on several threads.
fn answer<'a>(
    job: &'a Job<'a>,
    layout: &'a Layout<'a>,
    parts: &'a [Part<'a>],
    sink: Sink<'_>,
) -> Result<(), QueryError> {
    let groups: Vec<(&Part<'_>, &Group)> =
        parts.iter().flat_map(|part| part.groups.iter().map(move |group| (part, group))).collect();
    if groups.len() >= GROUPS_A_THREAD * job.threads {
        return answer_together(job, layout, &groups, sink);
    }
    groups.into_iter().try_for_each(|(part, group)| answer_alone(job, layout, part, group, sink))
}

/// One group, its series on several threads.
fn answer_alone<'a>(
    job: &'a Job<'a>,
    layout: &'a Layout<'a>,
    part: &'a Part<'a>,
    group: &Group,
    sink: Sink<'_>,
) -> Result<(), QueryError> {
    let mut feed = Feed::new(job, &part.views);
    if !layout.calls.is_empty() {
        let tables = computed::answer(job, layout, &part.views, part.name, group, &mut feed, job.threads)?;
        return tables.into_iter().try_for_each(|table| give_out(job, layout, table, sink));
    }
    raw::answer(&mut feed, layout, part.name, group, job.threads, &mut |table| give_out(job, layout, table, sink))
}

/// Many groups, each on one thread.
fn answer_together<'a>(
    job: &'a Job<'a>,
    layout: &'a Layout<'a>,
    groups: &[(&'a Part<'a>, &'a Group)],
    sink: Sink<'_>,
) -> Result<(), QueryError> {
    let answer = |feed: &mut Feed<'a>, (part, group): &(&'a Part<'a>, &'a Group)| {
        feed.views = &part.views;
        if !layout.calls.is_empty() {
            return computed::answer(job, layout, &part.views, part.name, group, feed, 1);
        }
        Ok(vec![raw::answer_with(feed, layout, part.name, group)?])
    };
    let work = parallel::Work {
        block: (groups.len() / (job.threads * 4)).clamp(1, GROUPS_A_BLOCK),
        threads: job.threads,
        max_waiting: CELLS_WAITING,
        state: &|| Feed::new(job, &[]),
        run: &answer,
        weigh: &|tables: &Vec<Table>| tables.iter().map(|table| table.len() * table.columns.len()).sum(),
    };
    parallel::run(groups, &work, &mut |tables| {
        tables.into_iter().try_for_each(|table| give_out(job, layout, table, sink))
    })
}

/// Hands a table to the sink, which takes over the memory that it holds.
fn give_out(job: &Job<'_>, layout: &Layout<'_>, table: Table, sink: Sink<'_>) -> Result<(), QueryError> {
    job.release(layout.table_bytes(table.len()));
    if table.is_empty() {
        return Ok(());
    }
    job.give_rows(table.len())?;
    sink(table)
}
