//! Collects the tables of an answer into one [`QueryResult`], which is what the JSON API writes.
//!
//! More stored points than `max_rows` cut the answer short, which `partial` then says; of computed values too many are an
//! error. Tags that a series has not are left out where all tags are grouped by, and where nothing was counted stands 0.

use model::ByteSize;

use crate::aggregate::Registry;
use crate::execute::{Sink, has_calls};
use crate::plan::expr::Expr;
use crate::plan::{Column, Dimension, FillWith, Select};
use crate::result::{Cell, QueryResult, ResultColumn, ResultSeries};
use crate::{Limits, QueryError, Report, Table};

/// Has `execute` run the plan within the limits that it is given, and collects the tables. `execute` is
/// [`crate::execute::execute`] over some store.
///
/// # Errors
/// Those of `execute`, and [`QueryError::TooMuch`] when the answer needs more than `limits.max_memory`.
pub fn collect(
    plan: &Select,
    limits: &Limits,
    execute: impl FnOnce(&Select, &Limits, Sink<'_>) -> Result<Report, QueryError>,
) -> Result<QueryResult, QueryError> {
    let mut collector = Collector::new(plan, limits);
    let mut sink = |table| collector.add(table);
    let Report { mut warnings, provenance, cache } = if has_calls(plan) {
        execute(plan, limits, &mut sink)?
    } else {
        let (plan, limits) = to_be_cut(plan, limits);
        execute(&plan, &limits, &mut sink)?
    };
    let mut result = collector.result;
    result.warnings.append(&mut warnings);
    result.provenance = provenance;
    result.cache = cache;
    Ok(result)
}

/// Has `execute` run several plans, one after the other, and collects their series, plan after plan.
///
/// # Errors
/// Those of [`collect`], and [`QueryError::TooMuch`] when the answer as a whole exceeds `limits.max_rows` or `limits.max_memory`.
pub fn collect_each(
    plans: &[Select],
    limits: &Limits,
    mut execute: impl FnMut(&Select, &Limits, Sink<'_>) -> Result<Report, QueryError>,
) -> Result<QueryResult, QueryError> {
    let mut whole = QueryResult::default();
    for (index, plan) in plans.iter().enumerate() {
        let part = collect(plan, limits, &mut execute)?;
        whole.cache = if index == 0 { part.cache } else { whole.cache.and(part.cache) };
        join(&mut whole, part);
        check_size(&whole, limits)?;
    }
    whole.provenance.sort_by_key(|stretch| stretch.range.start);
    Ok(whole)
}

/// Adds the series of a part, and what it says that is new.
fn join(whole: &mut QueryResult, part: QueryResult) {
    let QueryResult { series, warnings, partial, provenance, cache: _ } = part;
    whole.series.extend(series);
    whole.partial |= partial;
    for warning in warnings {
        if !whole.warnings.contains(&warning) {
            whole.warnings.push(warning);
        }
    }
    for stretch in provenance {
        if !whole.provenance.contains(&stretch) {
            whole.provenance.push(stretch);
        }
    }
}

fn check_size(whole: &QueryResult, limits: &Limits) -> Result<(), QueryError> {
    let rows: usize = whole.series.iter().map(|series| series.times.len()).sum();
    if rows as u64 > limits.max_rows {
        let limit = format!("max_rows = {}", limits.max_rows);
        return Err(QueryError::TooMuch { limit, detail: format!("at least {rows} rows") });
    }
    let columns = whole.series.iter().flat_map(|series| &series.columns);
    check_memory(columns.map(|column| bytes(&column.cells)).sum(), limits)
}

fn check_memory(held: usize, limits: &Limits) -> Result<(), QueryError> {
    let (held, max) = (ByteSize(held as u64), limits.max_memory);
    if held.0 <= max.0 {
        return Ok(());
    }
    Err(QueryError::TooMuch { limit: format!("max_memory = {max}"), detail: format!("{held} to hold") })
}

/// One row more than allowed tells whether an answer is cut short; so no series needs more.
fn to_be_cut(plan: &Select, limits: &Limits) -> (Select, Limits) {
    let enough = usize::try_from(limits.max_rows.saturating_add(1)).unwrap_or(usize::MAX);
    let limit = plan.limit.map_or(enough, |limit| limit.min(enough));
    (Select { limit: Some(limit), ..plan.clone() }, Limits { max_rows: u64::MAX, ..*limits })
}

struct Collector<'p> {
    result: QueryResult,
    limits: &'p Limits,
    rows: u64,
    bytes: usize,
    leaves_out_missing_tags: bool,
    /// What stands in each column where it is null.
    of_nothing: Vec<Cell>,
}

impl<'p> Collector<'p> {
    fn new(plan: &Select, limits: &'p Limits) -> Self {
        let fills_nothing = matches!(plan.fill, FillWith::None | FillWith::Null);
        let of_nothing = if fills_nothing { plan.columns.iter().map(of_nothing).collect() } else { Vec::new() };
        let leaves_out_missing_tags = plan.group_by.iter().any(|dimension| matches!(dimension, Dimension::All));
        Self { result: QueryResult::default(), limits, rows: 0, bytes: 0, leaves_out_missing_tags, of_nothing }
    }

    fn add(&mut self, mut table: Table) -> Result<(), QueryError> {
        let left = self.limits.max_rows.saturating_sub(self.rows);
        let is_cut = table.len() as u64 > left;
        if is_cut {
            table.truncate(usize::try_from(left).unwrap_or(usize::MAX));
        }
        self.rows += table.len() as u64;
        if !table.is_empty() {
            self.hold(&table)?;
            self.place(table);
        }
        if is_cut {
            self.result.partial = true;
            self.result.warnings.push(format!("cut short at max_rows = {} rows", self.limits.max_rows));
            return Err(QueryError::Enough);
        }
        Ok(())
    }

    fn hold(&mut self, table: &Table) -> Result<(), QueryError> {
        self.bytes += table.cells.iter().map(|cells| bytes(cells)).sum::<usize>();
        check_memory(self.bytes, self.limits)
    }

    /// Puts a table behind those of the same series, or makes a new series of it.
    fn place(&mut self, table: Table) {
        let mut series = self.series(table);
        match self.result.series.last_mut() {
            Some(last) if last.name == series.name && last.tags == series.tags => {
                last.times.append(&mut series.times);
                for (column, mut more) in last.columns.iter_mut().zip(series.columns) {
                    column.cells.append(&mut more.cells);
                }
            }
            _ => self.result.series.push(series),
        }
    }

    fn series(&self, table: Table) -> ResultSeries {
        let Table { name, mut tags, columns, times, mut cells, .. } = table;
        if self.leaves_out_missing_tags {
            tags.retain(|(_, value)| !value.is_empty());
        }
        if cells.len() == self.of_nothing.len() {
            cells.iter_mut().zip(&self.of_nothing).for_each(|(cells, nothing)| fill(cells, nothing));
        }
        let names = columns.into_iter().skip(1);
        let columns = names.zip(cells).map(|(name, cells)| ResultColumn { name, cells }).collect();
        ResultSeries { name, tags, times: times.unwrap_or_default(), columns }
    }
}

/// Value of a column where there are no points: 0 for counts.
fn of_nothing(column: &Column) -> Cell {
    let Expr::Aggregate(call) = &column.expr else { return Cell::Null };
    Registry::shared().get(&call.function).map_or(Cell::Null, |function| function.of_nothing())
}

fn fill(cells: &mut [Cell], nothing: &Cell) {
    if *nothing != Cell::Null {
        cells.iter_mut().filter(|cell| **cell == Cell::Null).for_each(|cell| *cell = nothing.clone());
    }
}

fn bytes(cells: &[Cell]) -> usize {
    let text = |cell: &Cell| if let Cell::String(text) = cell { text.len() } else { 0 };
    size_of_val(cells) + cells.iter().map(text).sum::<usize>()
}
