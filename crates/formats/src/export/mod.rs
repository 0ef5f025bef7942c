//! Stored points to data files: line protocol, CSV that describes itself, Parquet. Importing such a file again gives the same points.
//!
//! Line protocol takes any series. A CSV or Parquet file holds one measurement, whose tags and fields are known before: [`Table`]. Floats
//! that are not finite have no spelling in line protocol and are left out everywhere.

mod csv;
mod lines;
mod output;
mod parquet;
mod series;
mod table;

use model::key::SeriesKey;
use model::{FieldType, FieldValue, TimestampNs, Values};

use crate::error::Error;

pub use csv::{CsvTimes, CsvWriter};
pub use lines::LineWriter;
pub use output::{Output, Packing};
pub use parquet::ParquetWriter;
pub use table::Table;

/// Takes points, series by series. What was written is of use only after [`Writer::finish`].
pub trait Writer: Send {
    /// Begins a series: its canonical key, and the fields that its rows will have, in their order.
    ///
    /// # Errors
    /// [`Error::Rows`] where it is not of the table; [`Error::Write`].
    fn series(&mut self, key: SeriesKey<'_>, fields: &[(&str, FieldType)]) -> Result<(), Error>;

    /// Rows of the series: for each field a column as long as `times`. May be called any number of times. A row without any value is left
    /// out.
    ///
    /// # Errors
    /// [`Error::Rows`] where columns are not those announced; [`Error::Write`].
    fn rows(&mut self, times: &[TimestampNs], columns: &[&dyn Column]) -> Result<(), Error>;

    /// Ends the file and hands everything to what it is written to.
    ///
    /// # Errors
    /// [`Error::Write`].
    fn finish(self: Box<Self>) -> Result<Written, Error>;
}

/// Values of one field for some rows.
pub trait Column {
    /// The value of a row; `None` where there is none.
    fn get(&self, row: usize) -> Option<FieldValue<'_>>;
}

impl Column for Values {
    fn get(&self, row: usize) -> Option<FieldValue<'_>> {
        Self::get(self, row)
    }
}

impl Column for [Option<FieldValue<'_>>] {
    fn get(&self, row: usize) -> Option<FieldValue<'_>> {
        *<[_]>::get(self, row)?
    }
}

impl Column for Vec<Option<FieldValue<'_>>> {
    fn get(&self, row: usize) -> Option<FieldValue<'_>> {
        *self.as_slice().get(row)?
    }
}

/// What was written.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Written {
    /// Calls of [`Writer::series`] that were followed by a row.
    pub series: u64,
    /// Rows with at least one value.
    pub rows: u64,
    /// Values.
    pub values: u64,
}

/// The value, unless it is a float that is none.
fn finite(value: FieldValue<'_>) -> Option<FieldValue<'_>> {
    match value {
        FieldValue::Float(v) if !v.is_finite() => None,
        value => Some(value),
    }
}

fn check_count(columns: usize, fields: usize) -> Result<(), Error> {
    if columns == fields {
        return Ok(());
    }
    Err(Error::Rows(format!("rows have {columns} columns, but the series has {fields} fields")))
}
