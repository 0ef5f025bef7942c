//! Rows of windows on their way to tables.

use std::collections::{BTreeMap, BTreeSet};

use model::{TimeRange, TimestampNs};
use query::plan::Select;
use query::{Cell, QueryError, Table};

use super::super::answer::{Budget, Part, bytes_of};
use super::super::tables::Tables;
use super::plain;

/// Rows of all series, by name and tags.
pub(super) struct Gathered<'a> {
    budget: &'a Budget<'a>,
    held: usize,
    series: BTreeMap<(String, Vec<(String, String)>), Table>,
    /// Keys of all tags: a server may leave those out that no series of a window has.
    keys: BTreeSet<String>,
}

impl<'a> Gathered<'a> {
    pub(super) fn new(budget: &'a Budget<'a>) -> Self {
        Self { budget, held: 0, series: BTreeMap::new(), keys: BTreeSet::new() }
    }

    /// Adds the row of a window.
    pub(super) fn add(&mut self, window: TimestampNs, part: Part, tables: &mut Tables<'_>) -> Result<(), QueryError> {
        let mut table = tables.table(part)?;
        if table.len() != 1 {
            let rows = table.len();
            return Err(QueryError::Store(format!("its answer has {rows} rows where one was asked for")));
        }
        self.keys.extend(table.tags.iter().map(|(key, _)| key.clone()));
        table.tags.retain(|(_, value)| !value.is_empty());
        table.times = Some(vec![window]);
        self.hold(table.cells.iter().map(|cells| bytes_of(cells)).sum())?;
        match self.series.get_mut(&(table.name.clone(), table.tags.clone())) {
            Some(known) => append(known, table),
            None => drop(self.series.insert((table.name.clone(), table.tags.clone()), table)),
        }
        Ok(())
    }

    fn hold(&mut self, bytes: usize) -> Result<(), QueryError> {
        self.held += bytes;
        self.budget.hold(bytes)
    }

    /// Adds the windows without points. A count of nothing is 0, where something was counted in another window.
    pub(super) fn fill(&mut self, plan: &Select, windows: &[TimeRange]) -> Result<(), QueryError> {
        let cells = self.series.len().saturating_mul(windows.len()).saturating_mul(plan.columns.len());
        self.hold(cells.saturating_mul(size_of::<Cell>()))?;
        for table in self.series.values_mut() {
            let times = table.times.take().unwrap_or_default();
            for (cells, column) in table.cells.iter_mut().zip(&plan.columns) {
                let counts = plain(column).is_some_and(|call| call.label == "count");
                let is_something = cells.iter().any(|cell| *cell != Cell::Null);
                let nothing = if counts && is_something { Cell::Integer(0) } else { Cell::Null };
                let mut known = times.iter().zip(std::mem::take(cells)).peekable();
                let of_window =
                    |window: &TimeRange| known.next_if(|(time, _)| **time == window.start).map(|(_, cell)| cell);
                let filled = windows.iter().map(of_window);
                *cells = filled
                    .map(|cell| cell.filter(|cell| *cell != Cell::Null).unwrap_or_else(|| nothing.clone()))
                    .collect();
            }
            table.times = Some(windows.iter().map(|window| window.start).collect());
        }
        Ok(())
    }

    /// Gives the series out in the order of their tags.
    pub(super) fn give_out(self, tables: &mut Tables<'_>) -> Result<(), QueryError> {
        // From here on `tables` counts what it holds.
        self.budget.release(self.held);
        let keys = &self.keys;
        let whole = |mut table: Table| {
            let of_key = |key: &String| {
                let value = table.tags.iter().find(|(known, _)| known == key).map(|(_, value)| value.clone());
                (key.clone(), value.unwrap_or_default())
            };
            let tags = keys.iter().map(of_key).collect();
            table.tags = tags;
            table
        };
        let mut all: Vec<Table> = self.series.into_values().map(whole).collect();
        all.sort_by(|a, b| a.name.cmp(&b.name).then_with(|| a.tags.cmp(&b.tags)));
        all.into_iter().try_for_each(|table| tables.add_table(table))
    }
}

fn append(known: &mut Table, more: Table) {
    if let (Some(times), Some(more)) = (&mut known.times, more.times) {
        times.extend(more);
    }
    known.cells.iter_mut().zip(more.cells).for_each(|(cells, more)| cells.extend(more));
}
