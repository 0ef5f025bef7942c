//! A Parquet file of ours back to rows.

use std::sync::Arc;

use model::key::SeriesKeyBuf;
use model::{FieldType, FieldValue, TimestampNs};
use parquet::column::reader::{ColumnReader, ColumnReaderImpl};
use parquet::data_type::{ByteArray, DataType};
use parquet::errors::{ParquetError, Result as ParquetResult};
use parquet::file::reader::{FileReader, SerializedFileReader};
use vfs::File;

use crate::error::Error;
use crate::manifest::{Content, Role};
use crate::rows::{Field, Rows};
use crate::target::Opened;

use super::METADATA;
use super::schema::schema;
use super::stored::Stored;

/// Most rows decoded at a time.
const MAX_ROWS: usize = 4096;
/// Most cells decoded at a time, unless a row has more.
const MAX_CELLS: usize = 1 << 20;

/// The rows of a file.
pub(crate) struct FileRows {
    name: String,
    content: Content,
    tags: Vec<String>,
    fields: Vec<Field>,
    reader: SerializedFileReader<Stored>,
    next_group: usize,
    readers: Vec<ColumnReader>,
    batch: Batch,
    key: SeriesKeyBuf,
    /// Removes a copy of the file in the end.
    copy: Option<Opened>,
}

/// Some rows, decoded.
#[derive(Default)]
struct Batch {
    columns: Vec<Cells>,
    rows: usize,
    /// The current row.
    at: usize,
}

/// A column's values of some rows.
struct Cells {
    /// For each row where its value stands; [`ABSENT`] for null.
    places: Vec<u32>,
    values: CellValues,
}

const ABSENT: u32 = u32::MAX;

enum CellValues {
    Integer(Vec<i64>),
    Unsigned(Vec<i64>),
    Float(Vec<f64>),
    Boolean(Vec<bool>),
    Text(Vec<ByteArray>),
}

impl FileRows {
    /// Opens a file; `name` is for messages.
    pub(crate) fn open(file: Arc<dyn File>, name: &str) -> Result<Self, Error> {
        let wrong = |e: ParquetError| Error::file(name, e);
        let stored = Stored::new(file).map_err(|e| Error::file(name, e))?;
        let reader = SerializedFileReader::new(stored).map_err(wrong)?;
        let content = content_of(&reader).ok_or_else(|| {
            Error::file(
                name,
                "is Parquet, but not written by hissrv: it does not say which columns are tags and which fields",
            )
        })?;
        check_schema(&reader, &content).map_err(wrong)?;
        let named = |role| content.columns.iter().filter(move |c| c.role == role);
        let tags = named(Role::Tag).map(|c| c.name.clone()).collect();
        let field = |c: &crate::manifest::Column| Some(Field { name: c.name.clone(), kind: c.field_type()? });
        let fields = named(Role::Field).filter_map(field).collect();
        let (batch, key) = (Batch::default(), SeriesKeyBuf::default());
        let (name, readers) = (name.to_owned(), Vec::new());
        Ok(Self { name, content, tags, fields, reader, next_group: 0, readers, batch, key, copy: None })
    }

    /// Opens an object; `name` is for messages.
    pub(crate) fn of_opened(opened: Opened, name: &str) -> Result<Self, Error> {
        let mut rows = Self::open(Arc::clone(&opened.file), name)?;
        rows.copy = Some(opened);
        Ok(rows)
    }

    /// What the file says it has.
    pub(crate) fn content(&self) -> &Content {
        &self.content
    }

    /// Decodes the next rows; false at the end of the file.
    fn load(&mut self) -> ParquetResult<bool> {
        loop {
            if !self.readers.is_empty() && self.read_batch()? {
                return Ok(true);
            }
            if self.next_group >= self.reader.num_row_groups() {
                return Ok(false);
            }
            let group = self.reader.get_row_group(self.next_group)?;
            self.next_group += 1;
            self.readers =
                (0..group.num_columns()).map(|i| group.get_column_reader(i)).collect::<ParquetResult<_>>()?;
        }
    }

    fn read_batch(&mut self) -> ParquetResult<bool> {
        let rows = (MAX_CELLS / self.readers.len()).clamp(1, MAX_ROWS);
        let kinds = self.content.columns.iter().map(crate::manifest::Column::field_type);
        let cells = self.readers.iter_mut().zip(kinds).map(|(reader, kind)| Cells::read(reader, kind, rows));
        self.batch.columns = cells.collect::<ParquetResult<_>>()?;
        self.batch.rows = self.batch.columns.first().map_or(0, |c| c.places.len());
        self.batch.at = 0;
        if self.batch.columns.iter().any(|c| c.places.len() != self.batch.rows) {
            return Err(ParquetError::General("columns have different numbers of rows".to_owned()));
        }
        Ok(self.batch.rows > 0)
    }

    /// The key of the current row, when its tags are not those of the row before.
    fn update_key(&mut self) -> ParquetResult<()> {
        let tags = self.batch.columns.get(1..=self.tags.len()).unwrap_or_default();
        if self.batch.at > 0 && tags.iter().all(|cells| cells.is_as_before(self.batch.at)) {
            return Ok(());
        }
        self.key.start(&self.content.measurement);
        for (name, cells) in self.tags.iter().zip(tags) {
            if let Some(FieldValue::String(value)) = cells.get(self.batch.at)? {
                self.key.tag(name, value);
            }
        }
        Ok(())
    }

    fn step(&mut self) -> ParquetResult<bool> {
        self.batch.at += 1;
        if self.batch.at >= self.batch.rows && !self.load()? {
            return Ok(false);
        }
        self.update_key()?;
        // Texts are looked at once here, so that `values` cannot meet one that is not UTF-8.
        self.batch.columns.iter().try_for_each(|cells| cells.get(self.batch.at).map(drop))?;
        Ok(true)
    }
}

/// What the file's metadata says.
fn content_of(reader: &SerializedFileReader<Stored>) -> Option<Content> {
    let pairs = reader.metadata().file_metadata().key_value_metadata()?;
    let text = pairs.iter().find(|pair| pair.key == METADATA)?.value.as_ref()?;
    let content: Content = serde_json::from_str(text).ok()?;
    // Keys are made in the order of tags.
    let tags = || content.columns.iter().filter(|c| c.role == Role::Tag).map(|c| &c.name);
    let roles = |c: &crate::manifest::Column| match c.role {
        Role::Time => 0,
        Role::Tag => 1,
        Role::Field => 2,
    };
    let is_ordered = content.columns.iter().map(roles).is_sorted() && tags().is_sorted_by(|a, b| a < b);
    let times = content.columns.iter().filter(|c| c.role == Role::Time).count();
    (is_ordered && times == 1).then_some(content)
}

/// The file's columns must be what its metadata says.
fn check_schema(reader: &SerializedFileReader<Stored>, content: &Content) -> ParquetResult<()> {
    let (expected, found) = (schema(content)?, reader.metadata().file_metadata().schema());
    let is_same = |(a, b): (&parquet::schema::types::TypePtr, &parquet::schema::types::TypePtr)| {
        a.name() == b.name()
            && b.is_primitive()
            && a.get_physical_type() == b.get_physical_type()
            && a.get_basic_info().repetition() == b.get_basic_info().repetition()
    };
    let (expected, found) = (expected.get_fields(), found.get_fields());
    if expected.len() == found.len() && expected.iter().zip(found).all(is_same) {
        return Ok(());
    }
    Err(ParquetError::General("the columns are not those that the file's metadata names".to_owned()))
}

impl Rows for FileRows {
    fn tags(&self) -> &[String] {
        &self.tags
    }

    fn fields(&self) -> &[Field] {
        &self.fields
    }

    fn advance(&mut self) -> Result<bool, Error> {
        self.step().map_err(|e| Error::file(&self.name, e))
    }

    fn series(&self) -> &[u8] {
        self.key.as_bytes()
    }

    fn time(&self) -> TimestampNs {
        match self.batch.columns.first().map(|cells| cells.get(self.batch.at)) {
            Some(Ok(Some(FieldValue::Integer(ns)))) => TimestampNs(ns),
            _ => TimestampNs::MIN,
        }
    }

    fn values(&self, visit: &mut dyn FnMut(usize, FieldValue<'_>)) {
        for (field, cells) in self.batch.columns.iter().skip(1 + self.tags.len()).enumerate() {
            if let Ok(Some(value)) = cells.get(self.batch.at) {
                visit(field, value);
            }
        }
    }
}

impl Cells {
    /// Up to `rows` rows of a column; `kind` is that of a field.
    fn read(reader: &mut ColumnReader, kind: Option<FieldType>, rows: usize) -> ParquetResult<Self> {
        let mut places = Vec::new();
        let values = match reader {
            ColumnReader::Int64ColumnReader(r) if kind == Some(FieldType::Unsigned) => {
                CellValues::Unsigned(read(r, rows, &mut places)?)
            }
            ColumnReader::Int64ColumnReader(r) => CellValues::Integer(read(r, rows, &mut places)?),
            ColumnReader::DoubleColumnReader(r) => CellValues::Float(read(r, rows, &mut places)?),
            ColumnReader::BoolColumnReader(r) => CellValues::Boolean(read(r, rows, &mut places)?),
            ColumnReader::ByteArrayColumnReader(r) => CellValues::Text(read(r, rows, &mut places)?),
            _ => return Err(ParquetError::General("a column has a type that hissrv does not write".to_owned())),
        };
        Ok(Self { places, values })
    }

    fn get(&self, row: usize) -> ParquetResult<Option<FieldValue<'_>>> {
        let Some(place) = self.places.get(row).filter(|place| **place != ABSENT).map(|place| *place as usize) else {
            return Ok(None);
        };
        Ok(match &self.values {
            CellValues::Integer(v) => v.get(place).map(|v| FieldValue::Integer(*v)),
            CellValues::Unsigned(v) => v.get(place).map(|v| FieldValue::Unsigned(v.cast_unsigned())),
            CellValues::Float(v) => v.get(place).map(|v| FieldValue::Float(*v)),
            CellValues::Boolean(v) => v.get(place).map(|v| FieldValue::Boolean(*v)),
            CellValues::Text(v) => v.get(place).map(ByteArray::as_utf8).transpose()?.map(FieldValue::String),
        })
    }

    /// Whether a text is the one of the row before.
    fn is_as_before(&self, row: usize) -> bool {
        let CellValues::Text(texts) = &self.values else { return false };
        let text = |row: usize| texts.get(*self.places.get(row)? as usize).map(ByteArray::data);
        row.checked_sub(1).is_some_and(|before| text(before) == text(row))
    }
}

/// Reads up to `rows` rows: the values, and into `places` where each row's stands.
fn read<T: DataType>(reader: &mut ColumnReaderImpl<T>, rows: usize, places: &mut Vec<u32>) -> ParquetResult<Vec<T::T>> {
    let (mut levels, mut values) = (Vec::new(), Vec::new());
    let (records, ..) = reader.read_records(rows, Some(&mut levels), None, &mut values)?;
    if levels.is_empty() {
        levels.resize(records, 1);
    }
    let mut next = 0;
    places.extend(levels.iter().map(|level| {
        if *level == 0 {
            return ABSENT;
        }
        next += 1;
        next - 1
    }));
    Ok(values)
}
