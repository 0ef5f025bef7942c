//! Answers as CSV or Parquet, whose columns and types stand at the start: rows are held until every column has had a value.

use formats::{Output, Writer, Written};
use model::FieldType;
use query::Table;
use server::ApiError;

use super::{Tables, field_names, key, kind_of, times, write};
use crate::export::question::{Format, wrong};
use crate::export::{failed, writer};

/// A column without a value in so many rows is taken for floats.
const HELD_MAX: usize = 50_000;

/// Writes a table of one measurement.
pub(super) struct Typed {
    format: Format,
    to: Option<Output>,
    writer: Option<Box<dyn Writer>>,
    measurement: String,
    tags: Vec<String>,
    fields: Vec<(String, Option<FieldType>)>,
    held: Vec<Table>,
    held_rows: usize,
}

impl Typed {
    pub(super) fn new(format: Format, to: Output) -> Self {
        let (measurement, tags, fields) = (String::new(), Vec::new(), Vec::new());
        Self { format, to: Some(to), writer: None, measurement, tags, fields, held: Vec::new(), held_rows: 0 }
    }

    /// The first table says what the file has.
    fn take_up(&mut self, table: &Table) -> Result<(), ApiError> {
        let tags: Vec<_> = table.tags.iter().map(|(name, _)| name.clone()).collect();
        if self.fields.is_empty() {
            self.measurement.clone_from(&table.name);
            self.tags = tags;
            self.fields = field_names(table).map(|name| (name.to_owned(), None)).collect();
            return Ok(());
        }
        let is_same = self.measurement == table.name
            && self.tags == tags
            && field_names(table).eq(self.fields.iter().map(|(name, _)| name.as_str()));
        if is_same {
            return Ok(());
        }
        let message = format!(
            "a CSV or Parquet file holds one measurement, and the answer has rows of {} and of others",
            self.measurement
        );
        Err(wrong(message).with_hint("ask for one measurement, or take format=lines or format=json"))
    }

    fn learn(&mut self, table: &Table) {
        for ((_, kind), cells) in self.fields.iter_mut().zip(&table.cells) {
            *kind = kind.or_else(|| kind_of(cells));
        }
    }

    fn begin(&mut self) -> Result<(), ApiError> {
        let Some(to) = self.to.take() else { return Ok(()) };
        let fields = self.fields.iter().map(|(name, kind)| (name.clone(), kind.unwrap_or(FieldType::Float)));
        let table = formats::Table::new(self.measurement.clone(), self.tags.clone(), fields.collect());
        self.writer = Some(writer(self.format, table, to)?);
        self.held_rows = 0;
        std::mem::take(&mut self.held).iter().try_for_each(|table| self.write(table))
    }

    fn write(&mut self, table: &Table) -> Result<(), ApiError> {
        let Some(writer) = &mut self.writer else { return Ok(()) };
        let fields = &self.fields;
        let kind = |name: &str| fields.iter().find(|(known, _)| known == name).map(|(_, kind)| *kind);
        write(&mut **writer, table, &key(table), |name, _| Some(kind(name)?.unwrap_or(FieldType::Float)))
    }
}

impl Tables for Typed {
    fn table(&mut self, table: Table) -> Result<(), ApiError> {
        times(&table)?;
        self.take_up(&table)?;
        if self.writer.is_some() {
            return self.write(&table);
        }
        self.learn(&table);
        self.held_rows += table.len();
        self.held.push(table);
        let is_known = self.fields.iter().all(|(_, kind)| kind.is_some());
        if is_known || self.held_rows >= HELD_MAX { self.begin() } else { Ok(()) }
    }

    fn finish(mut self: Box<Self>) -> Result<Written, ApiError> {
        self.begin()?;
        self.writer.map_or_else(|| Ok(Written::default()), |writer| writer.finish().map_err(failed))
    }
}
