//! Subqueries: the rows of an inner query become the input of the outer one.

use std::collections::BTreeMap;
use std::sync::Arc;

use model::FieldType;

use super::input::{Content, Input, MemorySeries};
use super::job::Job;
use super::rows::Rows;
use super::{calls, prepare};
use crate::plan::{Dimension, FillWith, Order, Select};
use crate::result::Cell;
use crate::store::Schema;
use crate::{QueryError, Table};

/// Runs `inner` for `outer`. The tags that the outer query groups by are grouped by inside, too.
pub(super) fn run(job: &Job<'_>, outer: &Select, inner: &Select) -> Result<Vec<Input>, QueryError> {
    let mut inner = inner.clone();
    push_dimensions(&mut inner, outer);
    widen(&mut inner, outer);
    if inner.fill == FillWith::Null && prepare::has_calls(&inner) {
        inner.fill = FillWith::None;
    }
    let mut collected = Collected { order: inner.order, direction: inner.direction, inputs: BTreeMap::new(), job };
    prepare::run(job, &inner, false, &mut |table| collected.add(table))?;
    Ok(collected.into_inputs())
}

/// Lets the inner query reach as far as functions of the outer one look beyond its range.
fn widen(inner: &mut Select, outer: &Select) {
    let beyond = calls::beyond(outer);
    if inner.range.start == outer.range.start {
        inner.range.start = beyond.start;
    }
    if inner.range.end == outer.range.end {
        inner.range.end = beyond.end;
    }
}

/// Adds the outer dimensions that the inner query has not.
fn push_dimensions(inner: &mut Select, outer: &Select) {
    for dimension in &outer.group_by {
        let Dimension::Tag(key) = dimension else { continue };
        let known = inner.group_by.iter().any(|d| match d {
            Dimension::Tag(name) => name == key,
            Dimension::Like(pattern) => pattern.is_match(key),
            Dimension::All => true,
        });
        if !known {
            inner.group_by.push(dimension.clone());
        }
    }
}

/// Tables of the inner query, put together to series.
struct Collected<'a> {
    order: Order,
    direction: Order,
    /// By measurement.
    inputs: BTreeMap<String, Draft>,
    job: &'a Job<'a>,
}

#[derive(Default)]
struct Draft {
    columns: Vec<String>,
    series: Vec<(Vec<(String, String)>, Rows)>,
}

impl Collected<'_> {
    fn add(&mut self, table: Table) -> Result<(), QueryError> {
        let draft = self.inputs.entry(table.name).or_default();
        draft.columns = table.columns.into_iter().skip(1).collect();
        let rows =
            Rows { times: table.times.unwrap_or_default(), columns: table.cells.into_iter().map(Some).collect() };
        self.job.hold(rows.bytes())?;
        match draft.series.last_mut() {
            Some((tags, known)) if *tags == table.tags => known.append(rows),
            _ => draft.series.push((table.tags, rows)),
        }
        Ok(())
    }

    fn into_inputs(self) -> Vec<Input> {
        let Self { order, direction, inputs, .. } = self;
        inputs.into_iter().map(|(name, draft)| draft.in_order(order, direction).into_input(name)).collect()
    }
}

impl Draft {
    /// Series in the order of their tags, rows oldest first.
    fn in_order(mut self, order: Order, direction: Order) -> Self {
        if direction == Order::Descending {
            self.series.reverse();
        }
        if order == Order::Descending {
            self.series.iter_mut().for_each(|(_, rows)| rows.reverse());
        }
        self
    }

    fn into_input(self, name: String) -> Input {
        // Of columns with one name the first counts.
        let mut fields: BTreeMap<&String, (usize, FieldType)> = BTreeMap::new();
        for (index, column) in self.columns.iter().enumerate() {
            let kind = self.series.iter().find_map(|(_, rows)| rows.kind_of(index)).unwrap_or(FieldType::Float);
            fields.entry(column).or_insert((index, kind));
        }
        let tags = self.series.first().map(|(tags, _)| tags.as_slice()).unwrap_or_default();
        let tags = tags.iter().map(|(key, _)| key.clone()).collect();
        let order: Vec<usize> = fields.values().map(|(index, _)| *index).collect();
        let schema =
            Schema { fields: fields.into_iter().map(|(name, (_, kind))| (name.clone(), kind)).collect(), tags };
        let arranged =
            self.series.into_iter().map(|(tags, rows)| MemorySeries { tags, rows: Arc::new(rows.arranged(&order)) });
        Input { name, schema, content: Content::Memory(arranged.collect()) }
    }
}

impl Rows {
    fn append(&mut self, mut other: Self) {
        self.times.append(&mut other.times);
        for (column, more) in self.columns.iter_mut().flatten().zip(other.columns.iter_mut().flatten()) {
            column.append(more);
        }
    }

    fn reverse(&mut self) {
        self.times.reverse();
        self.columns.iter_mut().flatten().for_each(|column| column.reverse());
    }

    /// Type of the first value of a column.
    fn kind_of(&self, column: usize) -> Option<FieldType> {
        self.columns.get(column)?.as_ref()?.iter().find_map(|cell| match cell {
            Cell::Null => None,
            Cell::Float(_) => Some(FieldType::Float),
            Cell::Integer(_) => Some(FieldType::Integer),
            Cell::Unsigned(_) => Some(FieldType::Unsigned),
            Cell::Boolean(_) => Some(FieldType::Boolean),
            Cell::String(_) => Some(FieldType::String),
        })
    }

    /// Its columns in another order.
    fn arranged(mut self, order: &[usize]) -> Self {
        let columns = order.iter().map(|&index| self.columns.get_mut(index).and_then(Option::take)).collect();
        Self { times: self.times, columns }
    }
}
