//! What is stored, and what queries answer, as bytes of a file: the same for the route `/api/v1/export` and for the command.
//!
//! Memory is that of the keys of one measurement's series, of some 100 000 values, and of what the format holds (a row group of Parquet),
//! however much is exported. Rows are ordered by policy's measurement, series key and time, so that equal data give equal bytes. What a
//! retention policy does not keep any more is not seen, as in queries; what is damaged is left out and named in [`Summary::damaged`].

mod answer;
mod columns;
mod plan;
mod points;
mod question;
mod rows;

use catalog::{Catalog, MetaError};
use formats::{CsvTimes, CsvWriter, LineWriter, Output, ParquetWriter, Table, Writer, Written};
use query::Cancel;
use serde::{Deserialize, Serialize};
use server::{ApiError, ErrorKind};

use crate::node::Node;
pub(crate) use question::{Format, Question};
use question::{Selection, Wanted};

/// What was exported.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Summary {
    /// Series with a row.
    pub(crate) series: u64,
    /// Rows.
    pub(crate) rows: u64,
    /// Values.
    pub(crate) values: u64,
    /// Floats that are no numbers, which no format of ours can spell.
    pub(crate) left_out: u64,
    /// Parts of the store that cannot be read, the first of them.
    pub(crate) damaged: Vec<String>,
}

impl Summary {
    /// Adds what another file got.
    pub(crate) fn add(&mut self, other: Self) {
        self.count(Written { series: other.series, rows: other.rows, values: other.values });
        self.left_out += other.left_out;
        let known = std::mem::take(&mut self.damaged);
        let more = other.damaged.into_iter().filter(|damage| !known.contains(damage)).collect::<Vec<_>>();
        self.damaged = [known, more].concat();
    }

    fn count(&mut self, written: Written) {
        self.series += written.series;
        self.rows += written.rows;
        self.values += written.values;
    }
}

/// Where points are: a retention policy and a measurement in it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Part {
    /// The policy's name.
    pub(crate) policy: String,
    /// The measurement's.
    pub(crate) measurement: String,
}

/// Answers a question into `to`, which is ended.
///
/// # Errors
/// What is wrong with the question, why it was given up, or that `to` failed. What came before was written.
pub(crate) fn run(node: &Node, question: &Question, cancel: &Cancel, to: Output) -> Result<Summary, ApiError> {
    match &question.wanted {
        Wanted::Answer(text) => answer::export(node, &question.selection, text, question.format, cancel, to),
        Wanted::Points if node.applier.is_none() => {
            let message = "the embedded store is switched off, so there are no points here";
            let hint = "ask the store that has them, or export the answer to a query";
            Err(ApiError::new(ErrorKind::BadRequest, message).with_hint(hint))
        }
        Wanted::Points if question.format == Format::List => list(&node.catalog, &question.selection, to),
        Wanted::Points => points::export(node, &question.selection, question.format, cancel, to),
    }
}

/// The parts with points that may be meant, as JSON.
fn list(catalog: &Catalog, selection: &Selection, mut to: Output) -> Result<Summary, ApiError> {
    let parts = selection.parts(catalog)?;
    serde_json::to_writer(&mut to, &parts).map_err(|e| failed(formats::Error::Write(e.into())))?;
    to.finish().map_err(|e| failed(e.into()))?;
    Ok(Summary::default())
}

/// A writer of a format for one measurement.
fn writer(format: Format, table: Table, to: Output) -> Result<Box<dyn Writer>, ApiError> {
    Ok(match format {
        Format::Csv => Box::new(CsvWriter::new(to, table, CsvTimes::Rfc3339)),
        Format::Parquet => Box::new(ParquetWriter::new(to, table).map_err(failed)?),
        Format::Lines | Format::Json | Format::List => Box::new(LineWriter::new(to)),
    })
}

fn failed(error: formats::Error) -> ApiError {
    ApiError::new(ErrorKind::Internal, error.to_string())
}

fn unknown(error: MetaError) -> ApiError {
    let message = error.to_string();
    match error {
        MetaError::DatabaseNotFound(_) | MetaError::PolicyNotFound(_) => ApiError::new(ErrorKind::NotFound, message),
        _ => ApiError::new(ErrorKind::Internal, message),
    }
}
