//! Creating what is missing: measurements, fields, series and columns for the values of a batch, in one durable step.

use std::collections::HashMap;
use std::sync::PoisonError;

use model::key::SeriesKey;
use model::{BucketId, ColumnId, FieldType, MeasurementId, SeriesId};

use crate::entry::Entry;
use crate::names::FieldInfo;
use crate::{Catalog, CatalogError, Names};

/// Most series a catalog holds. Each takes some 300 bytes of memory; a plant has thousands.
pub const MAX_SERIES: usize = 5_000_000;
/// Most fields a measurement may have; beyond, new fields are refused as if their type conflicted.
const MAX_FIELDS: usize = u16::MAX as usize;

/// A column that is to exist. One whose key is too long or not UTF-8, or whose field has no name, is left out.
#[derive(Debug, Clone)]
pub struct Wanted<'a> {
    /// Canonical series key.
    pub key: &'a [u8],
    /// Field key.
    pub field: &'a str,
    /// Type of the values.
    pub kind: FieldType,
}

impl Catalog {
    /// Sees to it that every wanted column exists. A column whose field already has another type in its measurement is left
    /// out: a lookup afterwards does not find it, and [`Names::fields`] tells the type that stands.
    ///
    /// # Errors
    /// When nothing was created: the disk failed, or the limit on series would be exceeded.
    pub fn define(&self, bucket: BucketId, wanted: &[Wanted<'_>]) -> Result<(), CatalogError> {
        let mut log = self.log.lock().unwrap_or_else(PoisonError::into_inner);
        let mut draft = Draft::new(bucket, self);
        for item in wanted {
            draft.want(&self.read(), item);
        }
        let series = self.read().series_count() + draft.new_series.len();
        if series > MAX_SERIES {
            return Err(CatalogError::TooManySeries { wanted: draft.new_series.len(), limit: MAX_SERIES });
        }
        let entries = std::mem::take(&mut draft.entries);
        self.publish(&mut log, entries)
    }
}

/// Definitions that are about to be written, visible to those after them in the same batch.
struct Draft {
    bucket: BucketId,
    entries: Vec<Entry>,
    next_measurement: MeasurementId,
    next_series: SeriesId,
    next_column: ColumnId,
    new_measurements: HashMap<String, MeasurementId>,
    new_fields: HashMap<MeasurementId, Vec<FieldInfo>>,
    new_series: HashMap<Vec<u8>, SeriesId>,
    new_columns: HashMap<(SeriesId, u16), ColumnId>,
}

impl Draft {
    fn new(bucket: BucketId, catalog: &Catalog) -> Self {
        let names = catalog.read();
        Self {
            bucket,
            entries: Vec::new(),
            next_measurement: names.next_measurement(),
            next_series: SeriesId(names.series_count() as u32),
            next_column: ColumnId(names.column_count() as u32),
            new_measurements: HashMap::new(),
            new_fields: HashMap::new(),
            new_series: HashMap::new(),
            new_columns: HashMap::new(),
        }
    }

    fn want(&mut self, names: &Names, item: &Wanted<'_>) {
        let Ok(key) = SeriesKey::parse(item.key) else { return };
        if item.field.is_empty() {
            return;
        }
        let measurement = self.measurement(names, &key.measurement());
        let Some(field) = self.field(names, measurement, item) else { return };
        let series = self.series(names, measurement, item.key);
        self.column(names, series, field);
    }

    fn measurement(&mut self, names: &Names, name: &str) -> MeasurementId {
        if let Some(id) = names.measurement(self.bucket, name).or_else(|| self.new_measurements.get(name).copied()) {
            return id;
        }
        let id = self.next_measurement;
        self.next_measurement.0 += 1;
        self.new_measurements.insert(name.to_owned(), id);
        self.entries.push(Entry::Measurement { id, bucket: self.bucket, name: name.to_owned() });
        id
    }

    /// Index of the field; `None` when it exists with another type or there are too many.
    fn field(&mut self, names: &Names, measurement: MeasurementId, item: &Wanted<'_>) -> Option<u16> {
        let known = names.fields(measurement);
        let fresh = self.new_fields.entry(measurement).or_default();
        let found = known.iter().chain(fresh.iter()).enumerate().find(|(_, f)| f.name == item.field);
        if let Some((index, field)) = found {
            return (field.kind == item.kind).then_some(index as u16);
        }
        let index = known.len() + fresh.len();
        if index >= MAX_FIELDS {
            return None;
        }
        fresh.push(FieldInfo { name: item.field.to_owned(), kind: item.kind });
        let name = item.field.to_owned();
        self.entries.push(Entry::Field { measurement, index: index as u16, kind: item.kind, name });
        Some(index as u16)
    }

    fn series(&mut self, names: &Names, measurement: MeasurementId, key: &[u8]) -> SeriesId {
        if let Some(id) = names.series(self.bucket, key).or_else(|| self.new_series.get(key).copied()) {
            return id;
        }
        let id = self.next_series;
        self.next_series.0 += 1;
        self.new_series.insert(key.to_vec(), id);
        self.entries.push(Entry::Series { id, measurement, key: key.to_vec() });
        id
    }

    fn column(&mut self, names: &Names, series: SeriesId, field: u16) {
        let exists = names.columns_of(series).iter().any(|(f, _)| *f == field);
        if exists || self.new_columns.contains_key(&(series, field)) {
            return;
        }
        let id = self.next_column;
        self.next_column.0 += 1;
        self.new_columns.insert((series, field), id);
        self.entries.push(Entry::Column { id, series, field });
    }
}
