//! Answers of InfluxQL's SELECT and SHOW as files. Rows with times become points again: the name of their measurement, the tags that were
//! grouped by, and the other columns as fields.

mod json;
mod lines;
mod typed;

use formats::{Output, Written};
use model::key::SeriesKeyBuf;
use model::{FieldType, FieldValue, TimestampNs};
use query::{Answer, Cancel, Cell, Outcome, QueryError, Shortcuts, Table};
use server::{ApiError, ErrorKind};

use super::question::{Format, Selection, wrong};
use super::{Summary, failed};
use crate::node::Node;
use json::JsonRows;
use lines::Lines;
use typed::Typed;

/// Takes the tables of an answer.
trait Tables {
    fn table(&mut self, table: Table) -> Result<(), ApiError>;

    fn finish(self: Box<Self>) -> Result<Written, ApiError>;
}

/// Writes what the statements of `text` give.
pub(super) fn export(
    node: &Node,
    selection: &Selection,
    text: &str,
    format: Format,
    cancel: &Cancel,
    to: Output,
) -> Result<Summary, ApiError> {
    let refused = |e: statements::RequestError| ApiError::new(ErrorKind::BadRequest, e.to_string());
    let request = statements::Request {
        text,
        database: Some(&selection.database),
        policy: selection.policy.as_deref(),
        parameters: None,
        cancel,
        modifying_is_deprecated: true,
        shortcuts: Shortcuts::ALL,
        tells_origins: false,
    };
    if !request.only_reads().map_err(refused)? {
        return Err(wrong("an export reads only: SELECT without INTO, SHOW, EXPLAIN"));
    }
    let tables: Box<dyn Tables> = match format {
        Format::Lines | Format::List => Box::new(Lines::new(to)),
        Format::Json => Box::new(JsonRows::new(to)),
        Format::Csv | Format::Parquet => Box::new(Typed::new(format, to)),
    };
    let mut answer = Taken { tables, failure: None };
    node.statements.run(&request, &mut answer).map_err(refused)?;
    let mut summary = Summary::default();
    match answer.failure {
        Some(failure) => return Err(failure),
        None => summary.count(answer.tables.finish()?),
    }
    Ok(summary)
}

/// An answer on its way to a file.
struct Taken {
    tables: Box<dyn Tables>,
    /// Why it ended early, the first reason.
    failure: Option<ApiError>,
}

impl Answer for Taken {
    fn begin(&mut self, _: usize) {}

    fn table(&mut self, table: Table) -> Result<(), QueryError> {
        let taken = if table.is_empty() { Ok(()) } else { self.tables.table(table) };
        taken.map_err(|failure| {
            self.failure.get_or_insert(failure);
            QueryError::Cancelled("the export cannot go on")
        })
    }

    fn end(&mut self, outcome: Outcome) {
        if let Outcome::Failed(message) = outcome {
            self.failure.get_or_insert_with(|| ApiError::new(ErrorKind::BadRequest, message));
        }
    }
}

/// The canonical key of a table's series.
fn key(table: &Table) -> Vec<u8> {
    let mut tags: Vec<_> = table.tags.iter().collect();
    tags.sort_unstable();
    let mut key = SeriesKeyBuf::default();
    key.start(&table.name);
    tags.into_iter().for_each(|(name, value)| key.tag(name, value));
    key.as_bytes().to_vec()
}

/// The times of a table's rows.
fn times(table: &Table) -> Result<&[TimestampNs], ApiError> {
    let missing = || wrong("rows without times are no points").with_hint("format=json takes any answer");
    table.times.as_deref().ok_or_else(missing)
}

/// Names of the columns behind that of the time.
fn field_names(table: &Table) -> impl Iterator<Item = &str> {
    table.columns.iter().skip(1).map(String::as_str)
}

/// The first type in a column.
fn kind_of(cells: &[Cell]) -> Option<FieldType> {
    cells.iter().find_map(value).map(|value| value.field_type())
}

fn value(cell: &Cell) -> Option<FieldValue<'_>> {
    Some(match cell {
        Cell::Null => return None,
        Cell::Float(v) => FieldValue::Float(*v),
        Cell::Integer(v) => FieldValue::Integer(*v),
        Cell::Unsigned(v) => FieldValue::Unsigned(*v),
        Cell::Boolean(v) => FieldValue::Boolean(*v),
        Cell::String(v) => FieldValue::String(v),
    })
}

/// Cells of a table as a column of a file.
struct Cells<'a>(&'a [Cell]);

impl formats::Column for Cells<'_> {
    fn get(&self, row: usize) -> Option<FieldValue<'_>> {
        self.0.get(row).and_then(value)
    }
}

/// Hands the columns named to a writer as rows of a series.
fn write(
    writer: &mut dyn formats::Writer,
    table: &Table,
    key: &[u8],
    kind: impl Fn(&str, &[Cell]) -> Option<FieldType>,
) -> Result<(), ApiError> {
    let columns = field_names(table).zip(&table.cells);
    let known: Vec<_> = columns.filter_map(|(name, cells)| Some((name, kind(name, cells)?, Cells(cells)))).collect();
    let fields: Vec<_> = known.iter().map(|(name, kind, _)| (*name, *kind)).collect();
    let columns: Vec<_> = known.iter().map(|(.., cells)| cells as &dyn formats::Column).collect();
    let key = model::key::SeriesKey::parse(key).map_err(|e| wrong(format!("rows of {}: {e}", table.name)))?;
    writer.series(key, &fields).and_then(|()| writer.rows(times(table).unwrap_or_default(), &columns)).map_err(failed)
}
