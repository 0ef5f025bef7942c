//! From a plan to groups and back to tables: expands wildcards, lays out what a row has, answers name by name.

use jiff::tz::TimeZone;

use super::computed::{self, Calls};
use super::feed::Feed;
use super::group::{Group, Meaning, View};
use super::input::{self, Input};
use super::job::Job;
use super::limit::SeriesWindow;
use super::windows::Windows;
use super::windows::find_zone;
use super::{Sink, parallel, raw};
use crate::compile::{column_names, expand};
use crate::eval::{Bound, bind, check_types};
use crate::plan::expr::{AggregateCall, Cast, Expr, Reference};
use crate::plan::{Column, Dimension, Order, Select};
use crate::result::Cell;
use crate::store::Schema;
use crate::{QueryError, Table};

/// Cells that may wait until those before them are given out: some 10 MB, texts aside.
const CELLS_WAITING: usize = 400_000;
/// From so many groups for each thread on, a group is answered on one thread.
const GROUPS_A_THREAD: usize = 8;
/// Neighbouring groups that one thread answers at a time, at most.
const GROUPS_A_BLOCK: usize = 32;

/// A plan without wildcards, and where everything in a row is.
pub(super) struct Layout<'p> {
    pub(super) plan: &'p Select,
    /// Names of the columns, that of the time first.
    pub(super) names: Vec<String>,
    /// Fields and tags that the query uses.
    pub(super) leaves: Vec<Reference>,
    /// Functions over points, in the order of their columns in a row.
    pub(super) calls: Calls<'p>,
    /// Leaves that stand in columns by themselves: they follow the functions in a row.
    pub(super) aux: Vec<usize>,
    /// What each column of the answer is of a row.
    pub(super) outputs: Vec<Bound>,
    /// Tags grouped by.
    pub(super) dimensions: Vec<String>,
    pub(super) windows: Windows,
    zone: Option<TimeZone>,
}

/// Answers a plan, a subquery's too.
pub(super) fn run(job: &Job<'_>, plan: &Select, into: bool, sink: Sink<'_>) -> Result<(), QueryError> {
    let inputs = input::open(job, plan)?;
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
    plan.columns.iter().any(|column| computed::has_call(&column.expr))
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

impl<'p> Layout<'p> {
    fn new(plan: &'p Select, names: Vec<String>, schema: &Schema) -> Result<Self, QueryError> {
        let mut leaves = Vec::new();
        let mut aux = Vec::new();
        let calls = Calls::of(plan, &mut leaves);
        for column in &plan.columns {
            note_bare(&column.expr, &mut leaves, &mut aux);
        }
        if let Some(filter) = &plan.filter {
            note_bare(filter, &mut leaves, &mut Vec::new());
        }
        let place = |expr: &Expr| match expr {
            Expr::Reference(reference) => {
                let leaf = leaves.iter().position(|leaf| leaf == reference)?;
                aux.iter().position(|known| *known == leaf).map(|i| calls.len() + i)
            }
            call => calls.position(call),
        };
        let outputs = plan.columns.iter().map(|c| bind(&c.expr, &mut |leaf| place(leaf))).collect::<Result<_, _>>()?;
        let dimensions = dimensions(plan, schema);
        let zone = plan.time_zone.as_deref().map(find_zone).transpose()?;
        Ok(Self { names, windows: Windows::new(plan)?, plan, leaves, calls, aux, outputs, dimensions, zone })
    }

    /// A table of rows whose columns are functions and bare leaves.
    pub(super) fn table(
        &self,
        name: &str,
        group: &Group,
        times: Vec<model::TimestampNs>,
        row: Vec<Vec<Cell>>,
    ) -> Table {
        Table {
            name: name.to_owned(),
            tags: group.tags.clone(),
            columns: self.names.clone(),
            cells: self.columns(times.len(), row),
            times: Some(times),
            zone: self.zone.clone(),
        }
    }

    fn columns(&self, rows: usize, mut inputs: Vec<Vec<Cell>>) -> Vec<Vec<Cell>> {
        let is_plain = |output: &Bound| matches!(output, Bound::Column(_));
        let once =
            |column: usize| self.outputs.iter().filter(|o| matches!(o, Bound::Column(c) if *c == column)).count() == 1;
        let all_plain = self.outputs.iter().all(is_plain);
        let mut column = |output: &Bound| match output {
            Bound::Column(column) if all_plain && once(*column) => {
                inputs.get_mut(*column).map(std::mem::take).unwrap_or_default()
            }
            output => (0..rows).map(|row| evaluate(output, &inputs, row)).collect(),
        };
        self.outputs.iter().map(&mut column).collect()
    }
}

fn evaluate(output: &Bound, inputs: &[Vec<Cell>], row: usize) -> Cell {
    output.eval(&|column| inputs.get(column).and_then(|cells| cells.get(row)).unwrap_or(&Cell::Null))
}

/// Notes the references of an expression that stand outside of functions over points.
fn note_bare(expr: &Expr, leaves: &mut Vec<Reference>, aux: &mut Vec<usize>) {
    match expr {
        Expr::Reference(reference) => {
            let leaf = note_leaf(reference, leaves);
            if !aux.contains(&leaf) {
                aux.push(leaf);
            }
        }
        Expr::Math { args, .. } => args.iter().for_each(|arg| note_bare(arg, leaves, aux)),
        Expr::Binary { left, right, .. } => {
            note_bare(left, leaves, aux);
            note_bare(right, leaves, aux);
        }
        _ => {}
    }
}

/// Index of a leaf, which is added if it is new.
pub(super) fn note_leaf(reference: &Reference, leaves: &mut Vec<Reference>) -> usize {
    leaves.iter().position(|leaf| leaf == reference).unwrap_or_else(|| {
        leaves.push(reference.clone());
        leaves.len() - 1
    })
}

/// Tags grouped by, sorted, each once.
fn dimensions(plan: &Select, schema: &Schema) -> Vec<String> {
    let mut keys: Vec<String> = Vec::new();
    for dimension in &plan.group_by {
        match dimension {
            Dimension::Tag(key) => keys.push(key.clone()),
            Dimension::All => keys.extend(schema.tags.iter().cloned()),
            Dimension::Like(pattern) => keys.extend(schema.tags.iter().filter(|key| pattern.is_match(key)).cloned()),
        }
    }
    keys.sort();
    keys.dedup();
    keys
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
        if views.iter().any(|view| reads_something(layout, view)) {
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

/// Whether some column of the answer can have a value at all. Tags alone are no reason for a row, except for rows of a subquery.
fn reads_something(layout: &Layout<'_>, view: &View) -> bool {
    let counts = |leaf: &usize| match view.meanings.get(*leaf) {
        Some(Meaning::Field(_)) => true,
        Some(Meaning::Tag(_)) => view.is_of_subquery,
        _ => false,
    };
    if layout.calls.is_empty() {
        layout.aux.iter().any(counts)
    } else {
        layout.calls.leaves().any(|leaf| counts(&leaf))
    }
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
        return tables.into_iter().try_for_each(|table| give_out(job, table, sink));
    }
    raw::answer(&mut feed, layout, part.name, group, job.threads, &mut |table| give_out(job, table, sink))
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
    parallel::run(groups, &work, &mut |tables| tables.into_iter().try_for_each(|table| give_out(job, table, sink)))
}

fn give_out(job: &Job<'_>, table: Table, sink: Sink<'_>) -> Result<(), QueryError> {
    if table.is_empty() {
        return Ok(());
    }
    job.give_rows(table.len())?;
    sink(table)
}
