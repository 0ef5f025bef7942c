//! Rows in memory until they are enough for a row group.

use model::key::SeriesKey;
use model::{FieldType, FieldValue, TimestampNs};
use parquet::column::writer::ColumnWriter;
use parquet::data_type::{BoolType, ByteArray, ByteArrayType, DataType, DoubleType, Int64Type};
use parquet::errors::{ParquetError, Result};
use parquet::file::writer::SerializedRowGroupWriter;

use crate::rows::{Field, Rows};

/// Most rows of a row group.
const MAX_ROWS: usize = 128 << 10;
/// About as many bytes a row group takes in memory at most.
const MAX_BYTES: usize = 32 << 20;
/// Bytes of a text beside its characters: the handle and what it points to.
const TEXT_BYTES: usize = 64;
/// Tag values are repeated for each row in portions of so many.
const PORTION: usize = 4096;

/// Rows of one row group.
pub(super) struct Group {
    tags: Vec<String>,
    times: Vec<i64>,
    /// Tag values of one series after another, and its number of rows.
    series: Vec<(Vec<Option<ByteArray>>, usize)>,
    key: Vec<u8>,
    fields: Vec<Cells>,
    bytes: usize,
}

/// A field's values, and for each row whether it has one.
struct Cells {
    /// 1 for a value, 0 for none; as long as rows were seen that had one.
    levels: Vec<i16>,
    values: CellValues,
}

enum CellValues {
    Float(Vec<f64>),
    /// Unsigned ones by their bits.
    Integer(Vec<i64>),
    Boolean(Vec<bool>),
    Text(Vec<ByteArray>),
}

impl Group {
    pub(super) fn new(tags: &[String], fields: &[Field]) -> Self {
        let fields = fields.iter().map(|f| Cells { levels: Vec::new(), values: CellValues::new(f.kind) }).collect();
        Self { tags: tags.to_vec(), times: Vec::new(), series: Vec::new(), key: Vec::new(), fields, bytes: 0 }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.times.is_empty()
    }

    pub(super) fn is_full(&self) -> bool {
        self.times.len() >= MAX_ROWS || self.bytes >= MAX_BYTES
    }

    /// Takes the current row in; gives its number of values.
    pub(super) fn push(&mut self, row: &dyn Rows) -> u64 {
        let at = self.times.len();
        self.times.push(row.time().0);
        if at == 0 || self.key != row.series() {
            self.begin_series(row.series());
        }
        if let Some((_, rows)) = self.series.last_mut() {
            *rows += 1;
        }
        self.bytes += size_of::<TimestampNs>() + self.fields.len() * size_of::<i16>();
        let mut values = 0;
        row.values(&mut |field, value| {
            if let Some(cells) = self.fields.get_mut(field) {
                values += u64::from(cells.set(at, value));
                self.bytes += size_of_cell(value);
            }
        });
        values
    }

    fn begin_series(&mut self, key: &[u8]) {
        self.key.clear();
        self.key.extend_from_slice(key);
        let mut found = vec![None; self.tags.len()];
        if let Ok(key) = SeriesKey::parse(key) {
            for (name, value) in key.tags() {
                let slot =
                    self.tags.binary_search_by(|tag| tag.as_str().cmp(&name)).ok().and_then(|i| found.get_mut(i));
                if let Some(slot) = slot {
                    self.bytes += TEXT_BYTES + value.len();
                    *slot = Some(ByteArray::from(value.as_bytes().to_vec()));
                }
            }
        }
        self.series.push((found, 0));
    }

    /// Writes all rows, and is empty then.
    pub(super) fn write<W: std::io::Write + Send>(&mut self, mut to: SerializedRowGroupWriter<'_, W>) -> Result<()> {
        let rows = self.times.len();
        write_column::<Int64Type, _>(&mut to, &self.times, None)?;
        for tag in 0..self.tags.len() {
            self.write_tag(tag, &mut to)?;
        }
        for cells in &mut self.fields {
            cells.levels.resize(rows, 0);
            cells.write(&mut to)?;
            cells.clear();
        }
        to.close()?;
        self.times.clear();
        self.series.clear();
        self.bytes = 0;
        Ok(())
    }

    fn write_tag<W: std::io::Write + Send>(&self, tag: usize, to: &mut SerializedRowGroupWriter<'_, W>) -> Result<()> {
        let mut column = to.next_column()?.ok_or_else(too_few)?;
        let ColumnWriter::ByteArrayColumnWriter(writer) = column.untyped() else { return Err(too_few()) };
        for (tags, rows) in &self.series {
            let value = tags.get(tag).and_then(Option::as_ref);
            for done in (0..*rows).step_by(PORTION) {
                let portion = PORTION.min(rows - done);
                let values = vec![value.cloned().unwrap_or_default(); if value.is_some() { portion } else { 0 }];
                writer.write_batch(&values, Some(&vec![i16::from(value.is_some()); portion]), None)?;
            }
        }
        column.close()
    }
}

impl Cells {
    /// Sets the value of a row, the last one or a new one. False when it had one already.
    fn set(&mut self, row: usize, value: FieldValue<'_>) -> bool {
        if self.levels.len() > row {
            self.values.pop();
            self.values.push(value);
            return false;
        }
        if !self.values.push(value) {
            return false;
        }
        self.levels.resize(row, 0);
        self.levels.push(1);
        true
    }

    fn write<W: std::io::Write + Send>(&self, to: &mut SerializedRowGroupWriter<'_, W>) -> Result<()> {
        match &self.values {
            CellValues::Float(v) => write_column::<DoubleType, _>(to, v, Some(&self.levels)),
            CellValues::Integer(v) => write_column::<Int64Type, _>(to, v, Some(&self.levels)),
            CellValues::Boolean(v) => write_column::<BoolType, _>(to, v, Some(&self.levels)),
            CellValues::Text(v) => write_column::<ByteArrayType, _>(to, v, Some(&self.levels)),
        }
    }

    fn clear(&mut self) {
        self.levels.clear();
        match &mut self.values {
            CellValues::Float(v) => v.clear(),
            CellValues::Integer(v) => v.clear(),
            CellValues::Boolean(v) => v.clear(),
            CellValues::Text(v) => v.clear(),
        }
    }
}

impl CellValues {
    fn new(kind: FieldType) -> Self {
        match kind {
            FieldType::Float => Self::Float(Vec::new()),
            FieldType::Integer | FieldType::Unsigned => Self::Integer(Vec::new()),
            FieldType::Boolean => Self::Boolean(Vec::new()),
            FieldType::String => Self::Text(Vec::new()),
        }
    }

    /// False, and nothing is changed, for a value of another type.
    fn push(&mut self, value: FieldValue<'_>) -> bool {
        match (self, value) {
            (Self::Float(v), FieldValue::Float(x)) => v.push(x),
            (Self::Integer(v), FieldValue::Integer(x)) => v.push(x),
            (Self::Integer(v), FieldValue::Unsigned(x)) => v.push(x.cast_signed()),
            (Self::Boolean(v), FieldValue::Boolean(x)) => v.push(x),
            (Self::Text(v), FieldValue::String(x)) => v.push(ByteArray::from(x.as_bytes().to_vec())),
            _ => return false,
        }
        true
    }

    fn pop(&mut self) {
        match self {
            Self::Float(v) => drop(v.pop()),
            Self::Integer(v) => drop(v.pop()),
            Self::Boolean(v) => drop(v.pop()),
            Self::Text(v) => drop(v.pop()),
        }
    }
}

fn size_of_cell(value: FieldValue<'_>) -> usize {
    match value {
        FieldValue::String(text) => TEXT_BYTES + text.len(),
        _ => size_of::<f64>(),
    }
}

fn write_column<T: DataType, W: std::io::Write + Send>(
    to: &mut SerializedRowGroupWriter<'_, W>,
    values: &[T::T],
    levels: Option<&[i16]>,
) -> Result<()> {
    let mut column = to.next_column()?.ok_or_else(too_few)?;
    column.typed::<T>().write_batch(values, levels, None)?;
    column.close()
}

fn too_few() -> ParquetError {
    ParquetError::General("the file has other columns than its rows".to_owned())
}
