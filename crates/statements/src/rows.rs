//! Tables made of rows, for the statements that have few of them.

use query::{Cell, QueryError, Table};

use crate::task::Sink;

/// Rows handed out at once.
const ROWS_AT_ONCE: usize = 10_000;

/// Rows under a name, perhaps with tags.
pub(crate) struct Rows {
    table: Table,
}

impl Rows {
    /// No rows yet.
    pub(crate) fn new(name: &str, columns: &[&str]) -> Self {
        let columns: Vec<String> = columns.iter().map(|c| (*c).to_owned()).collect();
        let cells = vec![Vec::new(); columns.len()];
        Self { table: Table { name: name.to_owned(), columns, cells, ..Table::default() } }
    }

    /// The same under tags.
    pub(crate) fn with_tags(mut self, tags: Vec<(String, String)>) -> Self {
        self.table.tags = tags;
        self
    }

    /// Adds a row, which has a cell for each column.
    pub(crate) fn push<const N: usize>(&mut self, row: [Cell; N]) {
        debug_assert_eq!(N, self.table.columns.len());
        self.table.cells.iter_mut().zip(row).for_each(|(column, cell)| column.push(cell));
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.table.is_empty()
    }

    /// Hands out the rows; none at all gives a table with columns only.
    pub(crate) fn send(self, sink: Sink<'_>) -> Result<(), QueryError> {
        let len = self.table.len();
        if len <= ROWS_AT_ONCE {
            return sink(self.table);
        }
        let mut rest = self.table;
        while !rest.is_empty() {
            let part = rest.cells.iter_mut().map(|column| column.drain(..column.len().min(ROWS_AT_ONCE)).collect());
            let cells = part.collect();
            let (name, tags, columns) = (rest.name.clone(), rest.tags.clone(), rest.columns.clone());
            sink(Table { name, tags, columns, cells, ..Table::default() })?;
        }
        Ok(())
    }

    /// Hands out the rows; nothing where there is none.
    pub(crate) fn send_unless_empty(self, sink: Sink<'_>) -> Result<(), QueryError> {
        if self.is_empty() { Ok(()) } else { self.send(sink) }
    }
}

/// A cell of text.
pub(crate) fn text(text: impl Into<String>) -> Cell {
    Cell::String(text.into())
}

/// A cell of a count.
pub(crate) fn count(count: usize) -> Cell {
    number(count as u64)
}

/// A cell of a number without sign.
pub(crate) fn number(number: u64) -> Cell {
    i64::try_from(number).map_or(Cell::Unsigned(number), Cell::Integer)
}

/// The part of `items` that OFFSET and LIMIT leave; a limit of 0 is none.
pub(crate) fn page<T>(items: impl IntoIterator<Item = T>, offset: u64, limit: u64) -> impl Iterator<Item = T> {
    let to_usize = |n: u64| usize::try_from(n).unwrap_or(usize::MAX);
    let limit = if limit == 0 { usize::MAX } else { to_usize(limit) };
    items.into_iter().skip(to_usize(offset)).take(limit)
}
