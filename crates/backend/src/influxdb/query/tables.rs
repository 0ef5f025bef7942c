//! From the parts of an answer to the tables that a plan asks for: columns get their types, and what InfluxQL had no words for is
//! done. What must be held for that is counted.

use jiff::tz::TimeZone;
use model::TimestampNs;
use query::execute::Sink;
use query::plan::Select;
use query::{Cell, QueryError, Table};

use super::after::{After, Cut};
use super::answer::{Budget, Columns, Part, bytes_of};
use super::shape::Shape;

/// Tables on their way to a sink.
pub(super) struct Tables<'a> {
    after: After,
    shape: &'a Shape,
    zone: Option<TimeZone>,
    budget: &'a Budget<'a>,
    sink: Sink<'a>,
    columns: Option<Columns>,
    /// Series seen; the last one.
    series: usize,
    last: Option<(String, Vec<(String, String)>)>,
    /// Tables that wait: those of one series, or all.
    waiting: Vec<Table>,
}

impl<'a> Tables<'a> {
    /// # Errors
    /// [`QueryError::Invalid`] when there is no such time zone.
    pub(super) fn new(
        plan: &Select,
        after: After,
        shape: &'a Shape,
        budget: &'a Budget<'a>,
        sink: Sink<'a>,
    ) -> Result<Self, QueryError> {
        let zone = plan.time_zone.as_deref().map(find_zone).transpose()?;
        Ok(Self { after, shape, zone, budget, sink, columns: None, series: 0, last: None, waiting: Vec::new() })
    }

    /// Takes a part of the answer.
    pub(super) fn add(&mut self, part: Part) -> Result<(), QueryError> {
        let table = self.table(part)?;
        self.add_table(table)
    }

    /// Takes a table, or a part of one.
    pub(super) fn add_table(&mut self, table: Table) -> Result<(), QueryError> {
        if table.is_empty() {
            return Ok(());
        }
        if self.begins_series(&table)? && !self.after.series_are_turned {
            self.give_waiting()?;
        }
        if self.after.is_nothing() {
            return give(self.budget, self.sink, table);
        }
        self.budget.hold(bytes(&table))?;
        self.waiting.push(table);
        Ok(())
    }

    /// Gives out what still waits.
    pub(super) fn finish(mut self) -> Result<(), QueryError> {
        if self.after.series_are_turned {
            self.waiting = turned(std::mem::take(&mut self.waiting));
        }
        self.give_waiting()
    }

    fn begins_series(&mut self, table: &Table) -> Result<bool, QueryError> {
        if self.last.as_ref().is_some_and(|(name, tags)| *name == table.name && *tags == table.tags) {
            return Ok(false);
        }
        self.last = Some((table.name.clone(), table.tags.clone()));
        self.series += 1;
        self.budget.check_series(self.series)?;
        Ok(true)
    }

    fn give_waiting(&mut self) -> Result<(), QueryError> {
        let mut tables = std::mem::take(&mut self.waiting);
        self.budget.release(tables.iter().map(bytes).sum());
        if let Some(count) = self.after.trimmed_by {
            trim(&mut tables, count);
        }
        if self.after.rows_are_turned {
            tables.reverse();
            tables.iter_mut().for_each(turn);
        }
        if let Some(cut) = self.after.cut {
            cut_rows(&mut tables, cut);
        }
        tables.into_iter().try_for_each(|table| give(self.budget, self.sink, table))
    }

    /// The table that a part of the answer is, its columns of their types.
    pub(super) fn table(&mut self, part: Part) -> Result<Table, QueryError> {
        let Part { name, tags, columns, cells } = part;
        let mut cells = cells.0;
        if cells.is_empty() {
            return Ok(Table::default());
        }
        if cells.len() != columns.len() {
            let (found, expected) = (cells.len(), columns.len());
            return Err(QueryError::Store(format!("its answer has rows of {found} cells in {expected} columns")));
        }
        let times = times(&cells.remove(0))?;
        let shape = self.shape;
        self.columns.get_or_insert_with(|| Columns::new(shape.kinds_of(&columns))).settle(&mut cells);
        let tags = tags.into_iter().collect();
        Ok(Table { name, tags, columns, times: Some(times), cells, zone: self.zone.clone() })
    }
}

fn find_zone(name: &str) -> Result<TimeZone, QueryError> {
    TimeZone::get(name).map_err(|_| QueryError::invalid(format!("unknown time zone `{name}`")))
}

fn give(budget: &Budget<'_>, sink: Sink<'_>, table: Table) -> Result<(), QueryError> {
    if table.is_empty() {
        return Ok(());
    }
    budget.give_rows(table.len())?;
    sink(table)
}

/// The column of times, which is the first.
pub(super) fn times(cells: &[Cell]) -> Result<Vec<TimestampNs>, QueryError> {
    let time = |cell: &Cell| match cell {
        Cell::Integer(time) => Ok(TimestampNs(*time)),
        _ => Err(QueryError::Store("its answer has a row without a time".to_owned())),
    };
    cells.iter().map(time).collect()
}

fn bytes(table: &Table) -> usize {
    let times = table.times.as_ref().map_or(0, |times| size_of_val(times.as_slice()));
    times + table.cells.iter().map(|cells| bytes_of(cells)).sum::<usize>()
}

/// The last row first.
fn turn(table: &mut Table) {
    if let Some(times) = &mut table.times {
        times.reverse();
    }
    table.cells.iter_mut().for_each(|cells| cells.reverse());
}

/// The last series first; the tables of one stay in their order.
fn turned(tables: Vec<Table>) -> Vec<Table> {
    let mut series: Vec<Vec<Table>> = Vec::new();
    for table in tables {
        match series.last_mut() {
            Some(known) if known.last().is_some_and(|last| last.name == table.name && last.tags == table.tags) => {
                known.push(table);
            }
            _ => series.push(vec![table]),
        }
    }
    series.into_iter().rev().flatten().collect()
}

/// Leaves out the rows at the end of one series in which nothing is counted.
fn trim(tables: &mut [Table], count: usize) {
    for table in tables.iter_mut().rev() {
        let counts = table.cells.get(count).map(Vec::as_slice).unwrap_or_default();
        let kept = counts.iter().rposition(|count| *count != Cell::Integer(0)).map_or(0, |last| last + 1);
        keep_rows(table, 0, kept);
        if kept > 0 {
            break;
        }
    }
}

/// Leaves the rows of one series that are to stay.
fn cut_rows(tables: &mut [Table], cut: Cut) {
    let (mut skip, mut left) = (cut.offset, cut.limit);
    for table in tables {
        let from = skip.min(table.len());
        let to = from.saturating_add(left).min(table.len());
        skip -= from;
        left -= to - from;
        keep_rows(table, from, to);
    }
}

fn keep_rows(table: &mut Table, from: usize, to: usize) {
    if let Some(times) = &mut table.times {
        keep(times, from, to);
    }
    table.cells.iter_mut().for_each(|cells| keep(cells, from, to));
}

fn keep<T>(column: &mut Vec<T>, from: usize, to: usize) {
    column.truncate(to);
    column.drain(..from.min(column.len()));
}
