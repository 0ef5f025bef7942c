//! Points as rows: one for each series and time of a measurement. Fields that a point does not have are null. Times are cut down to
//! microseconds, which is what PostgreSQL keeps.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::ops::Range;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use model::key::SeriesKey;
use model::{FieldType, FieldValue, TimestampNs};
use postgres::types::ToSql;
use query::Cell;

use super::error::points;
use super::schema::Needs;
use crate::{Point, Points, WriteError};

/// 2000-01-01, where PostgreSQL's times begin, in microseconds since 1970.
const EPOCH_MICROS: i64 = 946_684_800_000_000;
/// Digits of one group of a `numeric`.
const NUMERIC_BASE: u64 = 10_000;

/// The points of one write.
#[derive(Default)]
pub(super) struct Batch {
    /// Every series once.
    pub(super) series: Vec<Series>,
    by_key: HashMap<Vec<u8>, usize>,
    /// Rows by measurement.
    pub(super) tables: BTreeMap<String, Rows>,
}

/// One series of a batch.
pub(super) struct Series {
    pub(super) key: String,
    pub(super) measurement: String,
}

/// Rows of one measurement.
#[derive(Default)]
pub(super) struct Rows {
    columns: Vec<Column>,
    /// Index of the series, time in microseconds.
    rows: Vec<(usize, i64)>,
    by_row: HashMap<(usize, i64), usize>,
}

struct Column {
    field: String,
    kind: FieldType,
    /// One a row, but null at the end are missing.
    cells: Vec<Cell>,
}

impl Batch {
    /// Takes in the points of a range.
    ///
    /// # Errors
    /// [`WriteError::Points`]: one of them can never be stored.
    pub(super) fn read(from: &dyn Points, range: Range<usize>) -> Result<Self, WriteError> {
        let mut batch = Self::default();
        let mut outcome = Ok(());
        from.visit(range, &mut |point| {
            if outcome.is_ok() {
                outcome = batch.add(&point);
            }
        });
        outcome.map(|()| batch)
    }

    fn add(&mut self, point: &Point<'_>) -> Result<(), WriteError> {
        refuse_nul(point)?;
        let index = self.series(point.series)?;
        let measurement = self.series.get(index).map(|series| series.measurement.as_str()).unwrap_or_default();
        let rows = match self.tables.get_mut(measurement) {
            Some(rows) => rows,
            None => self.tables.entry(measurement.to_owned()).or_default(),
        };
        rows.set(index, micros(point.time), point).map_err(|kind| {
            let new = point.value.field_type();
            points(format!(
                "field `{}` of `{measurement}` is of type {kind} and of type {new} in one batch",
                point.field
            ))
        })
    }

    fn series(&mut self, key: &[u8]) -> Result<usize, WriteError> {
        if let Some(&index) = self.by_key.get(key) {
            return Ok(index);
        }
        let parsed = SeriesKey::parse(key).map_err(|error| points(error.to_string()))?;
        self.series.push(Series { key: parsed.as_str().to_owned(), measurement: parsed.measurement().into_owned() });
        self.by_key.insert(key.to_vec(), self.series.len() - 1);
        Ok(self.series.len() - 1)
    }

    /// What the tables must have. Tags are those of the series named.
    pub(super) fn needs<'n>(&'n self, of: impl Iterator<Item = &'n Series>) -> Vec<Needs> {
        let mut tags: HashMap<&str, BTreeSet<String>> = HashMap::new();
        for series in of {
            let Ok(key) = SeriesKey::parse(series.key.as_bytes()) else { continue };
            let known = tags.entry(series.measurement.as_str()).or_default();
            for (name, _) in key.tags() {
                if !known.contains(name.as_ref()) {
                    known.insert(name.into_owned());
                }
            }
        }
        let needs = self.tables.iter().map(|(measurement, rows)| Needs {
            measurement: measurement.clone(),
            fields: rows.columns.iter().map(|column| (column.field.clone(), column.kind)).collect(),
            tags: tags.remove(measurement.as_str()).into_iter().flatten().collect(),
        });
        needs.collect()
    }
}

/// A text of PostgreSQL holds no NUL.
fn refuse_nul(point: &Point<'_>) -> Result<(), WriteError> {
    let what = match point.value {
        FieldValue::String(text) if text.contains('\0') => "value",
        _ if point.field.contains('\0') => "name",
        _ if point.series.contains(&0) => "series",
        _ => return Ok(()),
    };
    let series = String::from_utf8_lossy(point.series);
    Err(points(format!(
        "the {what} of field {:?} of {series:?} holds a NUL, which PostgreSQL cannot store",
        point.field
    )))
}

/// Microseconds since 1970, rounded towards the past; not further than can be told in nanoseconds.
pub(super) fn micros(time: TimestampNs) -> i64 {
    time.0.div_euclid(1000).max(i64::MIN / 1000)
}

impl Rows {
    /// Sets one field of one row; the type it has already, where that is another one.
    fn set(&mut self, series: usize, time: i64, point: &Point<'_>) -> Result<(), FieldType> {
        let row = *self.by_row.entry((series, time)).or_insert_with(|| {
            self.rows.push((series, time));
            self.rows.len() - 1
        });
        let column = self.column(point.field, point.value.field_type())?;
        if column.cells.len() <= row {
            column.cells.resize(row + 1, Cell::Null);
        }
        if let Some(cell) = column.cells.get_mut(row) {
            *cell = Cell::from(point.value);
        }
        Ok(())
    }

    fn column(&mut self, field: &str, kind: FieldType) -> Result<&mut Column, FieldType> {
        let index = self.columns.iter().position(|column| column.field == field).unwrap_or_else(|| {
            self.columns.push(Column { field: field.to_owned(), kind, cells: Vec::new() });
            self.columns.len() - 1
        });
        match self.columns.get_mut(index) {
            Some(column) if column.kind == kind => Ok(column),
            Some(column) => Err(column.kind),
            None => Err(kind),
        }
    }

    /// Times of the rows, ascending, each once.
    pub(super) fn times(&self) -> Vec<i64> {
        let mut times: Vec<i64> = self.rows.iter().map(|(_, time)| *time).collect();
        times.sort_unstable();
        times.dedup();
        times
    }

    /// The rows in the order of their keys, which is the same for all who write, so that no two wait for each other.
    pub(super) fn sorted(&self, ids: &[i32]) -> SortedRows<'_> {
        let mut order: Vec<Row> = Vec::with_capacity(self.rows.len());
        for (index, &(series, time)) in self.rows.iter().enumerate() {
            if let Some(&series) = ids.get(series) {
                order.push(Row { series, time, index });
            }
        }
        order.sort_unstable_by_key(|row| (row.series, row.time));
        SortedRows { order, columns: &self.columns }
    }
}

/// Rows ready to be written.
pub(super) struct SortedRows<'a> {
    order: Vec<Row>,
    columns: &'a [Column],
}

struct Row {
    series: i32,
    time: i64,
    /// Index into the columns.
    index: usize,
}

impl SortedRows<'_> {
    /// Fields with their types, in the order of the columns.
    pub(super) fn fields(&self) -> impl Iterator<Item = (&str, FieldType)> {
        self.columns.iter().map(|column| (column.field.as_str(), column.kind))
    }

    /// As `COPY .. (series, time, fields) .. BINARY` reads them.
    pub(super) fn copy_text(&self) -> Vec<u8> {
        let mut out = b"PGCOPY\n\xff\r\n\0\0\0\0\0\0\0\0\0".to_vec();
        let width = u16::try_from(self.columns.len() + 2).unwrap_or(u16::MAX);
        for row in &self.order {
            out.extend_from_slice(&width.to_be_bytes());
            put(&mut out, &row.series.to_be_bytes());
            put(&mut out, &row.time.saturating_sub(EPOCH_MICROS).to_be_bytes());
            self.columns.iter().for_each(|column| put_cell(&mut out, column.cells.get(row.index)));
        }
        out.extend_from_slice(&(-1i16).to_be_bytes());
        out
    }

    /// As arrays: series, times, and one of each field.
    pub(super) fn arrays(&self) -> Vec<Array> {
        let series: Vec<i32> = self.order.iter().map(|row| row.series).collect();
        let times: Vec<SystemTime> = self.order.iter().map(|row| system_time(row.time)).collect();
        let mut arrays: Vec<Array> = vec![Box::new(series), Box::new(times)];
        arrays.extend(self.columns.iter().map(|column| column.array(&self.order)));
        arrays
    }
}

/// An array as a parameter.
pub(super) type Array = Box<dyn ToSql + Sync + Send>;

impl Column {
    fn array(&self, order: &[Row]) -> Array {
        let cells = order.iter().map(|row| self.cells.get(row.index));
        match self.kind {
            FieldType::Float => boxed(cells.map(|cell| if let Some(Cell::Float(v)) = cell { Some(*v) } else { None })),
            FieldType::Integer => {
                boxed(cells.map(|cell| if let Some(Cell::Integer(v)) = cell { Some(*v) } else { None }))
            }
            FieldType::Boolean => {
                boxed(cells.map(|cell| if let Some(Cell::Boolean(v)) = cell { Some(*v) } else { None }))
            }
            // As text: the client has no type for `numeric`.
            FieldType::Unsigned => {
                boxed(cells.map(|cell| if let Some(Cell::Unsigned(v)) = cell { Some(v.to_string()) } else { None }))
            }
            FieldType::String => {
                boxed(cells.map(|cell| if let Some(Cell::String(v)) = cell { Some(v.clone()) } else { None }))
            }
        }
    }
}

fn boxed<T: ToSql + Sync + Send + 'static>(values: impl Iterator<Item = Option<T>>) -> Array {
    Box::new(values.collect::<Vec<_>>())
}

/// A time of so many microseconds since 1970.
pub(super) fn system_time(micros: i64) -> SystemTime {
    let distance = Duration::from_micros(micros.unsigned_abs());
    if micros < 0 { UNIX_EPOCH - distance } else { UNIX_EPOCH + distance }
}

fn put_cell(out: &mut Vec<u8>, cell: Option<&Cell>) {
    match cell {
        None | Some(Cell::Null) => out.extend_from_slice(&(-1i32).to_be_bytes()),
        Some(Cell::Float(v)) => put(out, &v.to_be_bytes()),
        Some(Cell::Integer(v)) => put(out, &v.to_be_bytes()),
        Some(Cell::Boolean(v)) => put(out, &[u8::from(*v)]),
        Some(Cell::String(v)) => put(out, v.as_bytes()),
        Some(Cell::Unsigned(v)) => put(out, &numeric(*v)),
    }
}

/// A length and so many bytes.
fn put(out: &mut Vec<u8>, bytes: &[u8]) {
    // PostgreSQL takes no value of 1 GiB, and says so itself.
    let len = i32::try_from(bytes.len()).unwrap_or(i32::MAX);
    out.extend_from_slice(&len.to_be_bytes());
    out.extend_from_slice(bytes);
}

/// A `numeric`: number of groups, exponent of the first, sign, digits behind the point, groups of four digits; all of 16 bits.
fn numeric(mut value: u64) -> Vec<u8> {
    let mut groups: Vec<u16> = Vec::new();
    while value > 0 {
        groups.push((value % NUMERIC_BASE) as u16);
        value /= NUMERIC_BASE;
    }
    groups.reverse();
    let count = groups.len() as u16;
    let head = [count, count.saturating_sub(1), 0, 0];
    head.iter().chain(&groups).flat_map(|word| word.to_be_bytes()).collect()
}
