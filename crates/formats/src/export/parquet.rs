//! Points as Parquet, readable by anything that reads Parquet: a column for the time, one a tag, one a field.
//!
//! The form is that of the archive's files (`archive::table`), and so is the description under the key `hissrv` of the file's metadata, by
//! which a file is read back without options. The archive's own writer is not used: it would bring the engine along.

use std::sync::Arc;

use model::key::SeriesKey;
use model::{FieldType, FieldValue, TimestampNs};
use parquet::basic::{Compression, Encoding, LogicalType, Repetition, TimeUnit, Type as Physical, ZstdLevel};
use parquet::column::writer::ColumnWriter;
use parquet::data_type::{BoolType, ByteArray, ByteArrayType, DataType, DoubleType, Int64Type};
use parquet::errors::{ParquetError, Result as ParquetResult};
use parquet::file::metadata::KeyValue;
use parquet::file::properties::{WriterProperties, WriterPropertiesPtr};
use parquet::file::writer::{SerializedFileWriter, SerializedRowGroupWriter};
use parquet::schema::types::{ColumnPath, Type, TypePtr};

use super::series::Series;
use super::{Column, Output, Table, Writer, Written, check_count};
use crate::error::Error;
use crate::parquet::description::{Description, METADATA, Role};

/// Most rows of a row group.
const MAX_ROWS: usize = 128 << 10;
/// About as many bytes a row group takes in memory at most.
const MAX_BYTES: usize = 32 << 20;
/// Bytes of a text beside its characters.
const TEXT_BYTES: usize = 64;
/// Tag values are repeated for each row in portions of so many.
const PORTION: usize = 4096;

/// Writes a Parquet file. Memory is that of one row group.
pub struct ParquetWriter {
    file: SerializedFileWriter<Output>,
    table: Table,
    series: Series,
    times: Vec<i64>,
    /// Tag values of one series after another, and its number of rows.
    tags: Vec<(Vec<Option<ByteArray>>, usize)>,
    fields: Vec<Cells>,
    bytes: usize,
    written: Written,
}

/// A field's values, and for each row whether it has one.
struct Cells {
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

impl ParquetWriter {
    /// A writer to `to`, which should not compress: Parquet does that itself.
    ///
    /// # Errors
    /// [`Error::Parquet`].
    pub fn new(to: Output, table: Table) -> Result<Self, Error> {
        let description = Description::of(&table.measurement, &table.tags, &table.fields);
        let file =
            schema(&description).and_then(|schema| SerializedFileWriter::new(to, schema, properties(&description)?));
        let fields = table.fields.iter().map(|(_, kind)| Cells { levels: Vec::new(), values: CellValues::new(*kind) });
        let fields = fields.collect();
        let (series, times, tags) = (Series::default(), Vec::new(), Vec::new());
        Ok(Self {
            file: file.map_err(failed)?,
            table,
            series,
            times,
            tags,
            fields,
            bytes: 0,
            written: Written::default(),
        })
    }

    fn push(&mut self, time: TimestampNs, values: &[Option<FieldValue<'_>>]) {
        self.times.push(time.0);
        if let Some((_, rows)) = self.tags.last_mut() {
            *rows += 1;
        }
        self.bytes += size_of::<i64>() + self.fields.len() * size_of::<i16>();
        for (cells, value) in self.fields.iter_mut().zip(values) {
            cells.levels.push(i16::from(value.is_some()));
            if let Some(value) = value {
                self.bytes += cells.values.push(*value);
            }
        }
    }

    fn write_group(&mut self) -> ParquetResult<()> {
        let mut group = self.file.next_row_group()?;
        write_column::<Int64Type>(&mut group, &self.times, None)?;
        for tag in 0..self.table.tags.len() {
            write_tag(&mut group, &self.tags, tag)?;
        }
        self.fields.iter().try_for_each(|cells| cells.write(&mut group))?;
        group.close()?;
        self.fields.iter_mut().for_each(Cells::clear);
        self.times.clear();
        self.bytes = 0;
        // The series goes on in the next group.
        let last = self.tags.pop().map(|(tags, _)| (tags, 0));
        self.tags.clear();
        self.tags.extend(last);
        Ok(())
    }
}

impl Writer for ParquetWriter {
    fn series(&mut self, key: SeriesKey<'_>, fields: &[(&str, FieldType)]) -> Result<(), Error> {
        let tags = self.table.tags_of(key)?;
        self.series = Series::new(&self.table.fields, fields)?;
        self.bytes += tags.iter().flatten().map(|value| TEXT_BYTES + value.len()).sum::<usize>();
        let tags = tags.into_iter().map(|value| value.map(|value| ByteArray::from(value.into_bytes()))).collect();
        self.tags.push((tags, 0));
        Ok(())
    }

    fn rows(&mut self, times: &[TimestampNs], columns: &[&dyn Column]) -> Result<(), Error> {
        check_count(columns.len(), self.series.len())?;
        let mut values = Vec::new();
        for (row, time) in times.iter().enumerate() {
            let count = self.series.row(row, columns, &mut values)?;
            if count == 0 {
                continue;
            }
            self.series.count(count, &mut self.written);
            self.push(*time, &values);
            if self.times.len() >= MAX_ROWS || self.bytes >= MAX_BYTES {
                self.write_group().map_err(failed)?;
            }
        }
        Ok(())
    }

    fn finish(mut self: Box<Self>) -> Result<Written, Error> {
        if !self.times.is_empty() {
            self.write_group().map_err(failed)?;
        }
        self.file.into_inner().map_err(failed)?.finish()?;
        Ok(self.written)
    }
}

fn failed(error: ParquetError) -> Error {
    Error::Write(std::io::Error::other(error))
}

fn schema(description: &Description) -> ParquetResult<TypePtr> {
    let column = |column: &crate::parquet::description::Column| {
        let (physical, logical) = types(column.role, column.field_type());
        let repetition = if column.role == Role::Time { Repetition::REQUIRED } else { Repetition::OPTIONAL };
        let built = Type::primitive_type_builder(&column.column, physical).with_logical_type(logical);
        built.with_repetition(repetition).build().map(Arc::new)
    };
    let columns = description.columns.iter().map(column).collect::<ParquetResult<_>>()?;
    Ok(Arc::new(Type::group_type_builder("hissrv").with_fields(columns).build()?))
}

fn types(role: Role, kind: Option<FieldType>) -> (Physical, Option<LogicalType>) {
    match (role, kind) {
        (Role::Time, _) => (Physical::INT64, Some(LogicalType::timestamp(true, TimeUnit::NANOS))),
        (Role::Field, Some(FieldType::Float)) => (Physical::DOUBLE, None),
        (Role::Field, Some(FieldType::Integer)) => (Physical::INT64, None),
        (Role::Field, Some(FieldType::Unsigned)) => (Physical::INT64, Some(LogicalType::integer(64, false))),
        (Role::Field, Some(FieldType::Boolean)) => (Physical::BOOLEAN, None),
        _ => (Physical::BYTE_ARRAY, Some(LogicalType::String)),
    }
}

fn properties(description: &Description) -> ParquetResult<WriterPropertiesPtr> {
    let text = serde_json::to_string(description).map_err(|e| ParquetError::General(e.to_string()))?;
    let metadata = KeyValue { key: METADATA.to_owned(), value: Some(text) };
    let mut properties = WriterProperties::builder()
        .set_created_by(concat!("hissrv ", env!("CARGO_PKG_VERSION")).to_owned())
        .set_compression(Compression::ZSTD(ZstdLevel::try_new(3)?))
        .set_key_value_metadata(Some(vec![metadata]))
        // Limits of rows and bytes are ours.
        .set_max_row_group_row_count(None);
    for column in &description.columns {
        if types(column.role, column.field_type()).0 == Physical::INT64 {
            let path = ColumnPath::from(column.column.clone());
            properties = properties.set_column_dictionary_enabled(path.clone(), false);
            properties = properties.set_column_encoding(path, Encoding::DELTA_BINARY_PACKED);
        }
    }
    Ok(Arc::new(properties.build()))
}

type Group<'a> = SerializedRowGroupWriter<'a, Output>;

fn write_tag(to: &mut Group<'_>, series: &[(Vec<Option<ByteArray>>, usize)], tag: usize) -> ParquetResult<()> {
    let mut column = to.next_column()?.ok_or_else(too_few)?;
    let ColumnWriter::ByteArrayColumnWriter(writer) = column.untyped() else { return Err(too_few()) };
    for (tags, rows) in series {
        let value = tags.get(tag).and_then(Option::as_ref);
        for done in (0..*rows).step_by(PORTION) {
            let portion = PORTION.min(rows - done);
            let values = vec![value.cloned().unwrap_or_default(); if value.is_some() { portion } else { 0 }];
            writer.write_batch(&values, Some(&vec![i16::from(value.is_some()); portion]), None)?;
        }
    }
    column.close()
}

fn write_column<T: DataType>(to: &mut Group<'_>, values: &[T::T], levels: Option<&[i16]>) -> ParquetResult<()> {
    let mut column = to.next_column()?.ok_or_else(too_few)?;
    column.typed::<T>().write_batch(values, levels, None)?;
    column.close()
}

fn too_few() -> ParquetError {
    ParquetError::General("the file has other columns than its rows".to_owned())
}

impl Cells {
    fn write(&self, to: &mut Group<'_>) -> ParquetResult<()> {
        let levels = Some(self.levels.as_slice());
        match &self.values {
            CellValues::Float(v) => write_column::<DoubleType>(to, v, levels),
            CellValues::Integer(v) => write_column::<Int64Type>(to, v, levels),
            CellValues::Boolean(v) => write_column::<BoolType>(to, v, levels),
            CellValues::Text(v) => write_column::<ByteArrayType>(to, v, levels),
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

    /// Takes a value, whose type was checked; gives its memory.
    fn push(&mut self, value: FieldValue<'_>) -> usize {
        match (self, value) {
            (Self::Float(v), FieldValue::Float(x)) => v.push(x),
            (Self::Integer(v), FieldValue::Integer(x)) => v.push(x),
            (Self::Integer(v), FieldValue::Unsigned(x)) => v.push(x.cast_signed()),
            (Self::Boolean(v), FieldValue::Boolean(x)) => v.push(x),
            (Self::Text(v), FieldValue::String(x)) => {
                v.push(ByteArray::from(x.as_bytes().to_vec()));
                return TEXT_BYTES + x.len();
            }
            _ => debug_assert!(false, "a value's type was not checked"),
        }
        size_of::<f64>()
    }
}
