//! Parquet files to lines. Files of the archive and exported ones say themselves which column is what; for others the options of CSV count.

use std::fs::File;
use std::ops::ControlFlow;
use std::path::Path;

use parquet::column::reader::ColumnReader;
use parquet::errors::ParquetError;
use parquet::file::reader::{FileReader, SerializedFileReader};

use crate::converted::Converted;
use crate::error::Error;
use crate::table::{
    Assembler, Cell, FieldPlan, Kind, LayoutPlan, Mapping, Name, Nulls, Numbers, Outcome, Plan, Row, Sample, TagPlan,
    TimePlan,
};
use crate::time::{TimeFormat, TimeParser, Twice, Zone};

use super::batch::{Batch, BatchRow, Cells};
use super::column::{Form, check_compression, form_of};
use super::description::{Description, METADATA, Role};
use super::file::Stored;

/// Most rows decoded at a time.
const MAX_ROWS: usize = 4096;
/// Most cells decoded at a time, unless a row has more.
const MAX_CELLS: usize = 1 << 18;
/// Rows that columns are judged by.
const SAMPLE_ROWS: usize = 1000;

/// Converts the row groups of one file; several threads may do so at once.
pub struct ParquetReader {
    reader: SerializedFileReader<Stored>,
    names: Vec<String>,
    /// For each column of `names` its number in the file, and how it is read.
    columns: Vec<(usize, Form)>,
    /// Columns of types that points cannot have.
    left_out: Vec<String>,
    plan: Plan,
    /// Whether a column is needed.
    used: Vec<bool>,
}

impl ParquetReader {
    /// Opens a file.
    ///
    /// # Errors
    /// [`Error::File`]; [`Error::Parquet`] when it is none, or is compressed in a way that is not read; [`Error::Columns`] when its columns and
    /// the options do not fit each other.
    pub fn open(path: &Path, mapping: &Mapping) -> Result<Self, Error> {
        let stored = File::open(path).and_then(Stored::new).map_err(|source| Error::File { op: "open", source })?;
        let reader = SerializedFileReader::new(stored).map_err(failed)?;
        check_compression(reader.metadata())?;
        let schema = reader.metadata().file_metadata().schema_descr();
        let (mut names, mut columns, mut left_out) = (Vec::new(), Vec::new(), Vec::new());
        for (at, column) in schema.columns().iter().enumerate() {
            match form_of(column) {
                Some(form) => {
                    names.push(column.name().to_owned());
                    columns.push((at, form));
                }
                None => left_out.push(column.path().string()),
            }
        }
        let plan = match description_of(&reader) {
            Some(description) => described(&description, &names)?,
            None => Plan::new(mapping, &sample(&reader, &names, &columns)?)?,
        };
        let used = (0..names.len()).map(|column| plan.uses(column)).collect();
        Ok(Self { reader, names, columns, left_out, plan, used })
    }

    /// Number of row groups.
    pub fn groups(&self) -> usize {
        self.reader.num_row_groups()
    }

    /// Rows of a group; 0 for one that does not exist.
    pub fn rows(&self, group: usize) -> u64 {
        let group = self.reader.metadata().row_groups().get(group);
        group.map_or(0, |group| u64::try_from(group.num_rows()).unwrap_or(0))
    }

    /// What was decided: one line for each column, for people.
    pub fn describe(&self) -> Vec<String> {
        let mut lines = self.plan.describe(&self.names);
        lines.extend(
            self.left_out.iter().map(|name| format!("{name}: left out, since its type is none that points can have")),
        );
        lines
    }

    /// Converts a row group and hands its rows out in portions of at most some thousand, until `visit` ends it. Each comes with the number in the
    /// file, from 1, of the row that the origins of its lines are counted from.
    ///
    /// # Errors
    /// [`Error::Parquet`] when the file is damaged. What was handed out before stays valid.
    pub fn convert(
        &self,
        group: usize,
        visit: &mut dyn FnMut(u64, &Converted) -> ControlFlow<()>,
    ) -> Result<(), Error> {
        let mut first_row = 1 + (0..group).map(|before| self.rows(before)).sum::<u64>();
        let mut readers = readers(&self.reader, group, &self.columns, &self.used)?;
        let mut assembler = Assembler::new(&self.plan, &self.names);
        let rows = (MAX_CELLS / self.columns.len().max(1)).clamp(1, MAX_ROWS);
        let mut left = self.rows(group);
        while left > 0 {
            let batch = read_batch(&mut readers, &self.columns, rows)?;
            if batch.rows == 0 {
                return Err(Error::Parquet(format!("row group {group} ends {left} rows too early")));
            }
            let visit = &mut |converted: &Converted| visit(first_row, converted);
            if self.convert_batch(&batch, first_row, &mut assembler, visit).is_break() {
                break;
            }
            first_row += batch.rows as u64;
            left = left.saturating_sub(batch.rows as u64);
        }
        Ok(())
    }

    fn convert_batch(
        &self,
        batch: &Batch,
        first_row: u64,
        assembler: &mut Assembler<'_>,
        visit: &mut dyn FnMut(&Converted) -> ControlFlow<()>,
    ) -> ControlFlow<()> {
        let mut out = Converted::default();
        for row in 0..batch.rows {
            out.records += 1;
            let found = BatchRow { batch, row };
            match assembler.add(&found, row as u32, &mut out.lines) {
                Ok(Outcome::Lines) => {}
                Ok(Outcome::Empty) => out.empty += 1,
                Err(reason) => {
                    let text = self.text_of(&found);
                    out.reject(first_row + row as u64, text.as_bytes(), reason);
                }
            }
            out.hand_out_if_large(visit)?;
        }
        visit(&out)
    }

    /// A row for people.
    fn text_of(&self, row: &BatchRow<'_>) -> String {
        let cell = |(column, name): (usize, &String)| {
            let text = name_of(row.cell(column));
            (!text.is_empty()).then(|| format!("{name}={text}"))
        };
        self.names.iter().enumerate().filter_map(cell).collect::<Vec<_>>().join(", ")
    }
}

fn failed(error: ParquetError) -> Error {
    Error::Parquet(format!("the Parquet file cannot be read: {error}"))
}

/// A cell as text; empty where there is nothing.
fn name_of(cell: Cell<'_>) -> String {
    cell.name(&Nulls::default()).ok().flatten().map(|text| text.into_owned()).unwrap_or_default()
}

fn description_of(reader: &SerializedFileReader<Stored>) -> Option<Description> {
    let pairs = reader.metadata().file_metadata().key_value_metadata()?;
    let text = pairs.iter().find(|pair| pair.key == METADATA)?.value.as_ref()?;
    serde_json::from_str(text).ok()
}

/// The plan of a file that describes itself.
fn described(description: &Description, names: &[String]) -> Result<Plan, Error> {
    let wrong = || Error::Parquet("the columns are not those that the file's own description names".to_owned());
    let (mut time, mut tags, mut fields) = (None, Vec::new(), Vec::new());
    for said in &description.columns {
        let column = names.iter().position(|name| *name == said.column).ok_or_else(wrong)?;
        match said.role {
            Role::Time => time = Some(column),
            Role::Tag => tags.push(TagPlan { column, key: said.name.clone() }),
            Role::Field => {
                let kind = Kind::from(said.field_type().ok_or_else(wrong)?);
                fields.push(FieldPlan::new(column, said.name.clone(), kind));
            }
        }
    }
    tags.sort_by(|a, b| a.key.cmp(&b.key));
    if tags.array_windows().any(|[a, b]| a.key == b.key) {
        return Err(wrong());
    }
    let zone = Zone::new("UTC", Twice::Earlier).map_err(Error::Columns)?;
    let parser = TimeParser::new(&TimeFormat::Rfc3339, zone).map_err(Error::Columns)?;
    Ok(Plan {
        measurement: Name::Fixed(description.measurement.clone()),
        time: TimePlan { column: time.ok_or_else(wrong)?, clock: None, parser },
        tags,
        layout: LayoutPlan::Fields(fields),
        nulls: Nulls::default(),
        numbers: Numbers::default(),
    })
}

fn sample(reader: &SerializedFileReader<Stored>, names: &[String], columns: &[(usize, Form)]) -> Result<Sample, Error> {
    let mut sample = Sample::new(names.iter().cloned());
    for (column, (_, form)) in sample.columns.iter_mut().zip(columns) {
        column.declared = Some(form.content());
    }
    if reader.num_row_groups() == 0 {
        return Ok(sample);
    }
    let used = vec![true; columns.len()];
    let mut readers = readers(reader, 0, columns, &used)?;
    let rows = (MAX_CELLS / columns.len().max(1)).clamp(1, SAMPLE_ROWS);
    let batch = read_batch(&mut readers, columns, rows)?;
    for (at, column) in sample.columns.iter_mut().enumerate() {
        column.texts =
            (0..batch.rows).map(|row| name_of(BatchRow { batch: &batch, row }.cell(at)).into_bytes()).collect();
    }
    Ok(sample)
}

/// Readers of the columns of a group that are used.
fn readers(
    reader: &SerializedFileReader<Stored>,
    group: usize,
    columns: &[(usize, Form)],
    used: &[bool],
) -> Result<Vec<Option<ColumnReader>>, Error> {
    let group = reader.get_row_group(group).map_err(failed)?;
    let open = |((column, _), is_used): (&(usize, Form), &bool)| {
        is_used.then(|| group.get_column_reader(*column)).transpose().map_err(failed)
    };
    columns.iter().zip(used).map(open).collect()
}

fn read_batch(readers: &mut [Option<ColumnReader>], columns: &[(usize, Form)], rows: usize) -> Result<Batch, Error> {
    let mut batch = Batch::default();
    for (reader, (_, form)) in readers.iter_mut().zip(columns) {
        let cells = reader.as_mut().map(|reader| Cells::read(reader, *form, rows)).transpose().map_err(failed)?;
        batch.columns.push(cells);
    }
    let mut lengths = batch.columns.iter().flatten().map(Cells::len);
    batch.rows = lengths.next().unwrap_or(0);
    if lengths.any(|len| len != batch.rows) {
        return Err(Error::Parquet("the columns of the file have different numbers of rows".to_owned()));
    }
    Ok(batch)
}
