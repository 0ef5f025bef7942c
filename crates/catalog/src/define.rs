//! Creating what is missing: measurements, fields, series and columns for the values of a batch, in one durable step.

use std::collections::HashMap;

use model::key::SeriesKey;
use model::{BucketId, ColumnId, FieldType, MeasurementId, SeriesId};

use crate::entry::Entry;
use crate::names::FieldInfo;
use crate::{Catalog, CatalogError, Names};

/// Most series a catalog holds. Each takes some 300 bytes of memory; a plant has thousands.
pub const MAX_SERIES: usize = 5_000_000;
/// Most columns (fields of series) a catalog holds, some 100 bytes of memory each.
pub const MAX_COLUMNS: usize = 20_000_000;
/// Most fields a measurement may have; beyond, new fields are refused as if their type conflicted.
const MAX_FIELDS: usize = 16_384;

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
    /// When nothing was created: the disk failed, or the limit on series or columns would be exceeded.
    pub fn define(&self, bucket: BucketId, wanted: &[Wanted<'_>]) -> Result<(), CatalogError> {
        let mut durable = self.durable();
        // Under the lock: it may have been dropped since the caller looked it up.
        if self.read().bucket_names(bucket).is_none() {
            return Err(CatalogError::Dropped);
        }
        let mut draft = Draft::new(bucket, self);
        for item in wanted {
            draft.want(&self.read(), item);
        }
        let series = self.read().series_count() + draft.new_series.len();
        if series > MAX_SERIES {
            return Err(CatalogError::TooManySeries { wanted: draft.new_series.len(), limit: MAX_SERIES });
        }
        let columns = self.read().column_count() + draft.new_columns.len();
        if columns > MAX_COLUMNS {
            return Err(CatalogError::TooManyColumns { wanted: draft.new_columns.len(), limit: MAX_COLUMNS });
        }
        let entries = std::mem::take(&mut draft.entries);
        self.publish(&mut durable, entries)
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
    fields: HashMap<MeasurementId, Fields>,
    new_series: HashMap<Vec<u8>, SeriesId>,
    new_columns: HashMap<(SeriesId, u16), ColumnId>,
}

/// Fields of a measurement, those that stand and new ones.
struct Fields {
    by_name: HashMap<String, (u16, FieldType)>,
    /// Indexes given out; more than names where definitions were lost.
    count: usize,
}

impl Fields {
    fn known(fields: &[FieldInfo]) -> Self {
        let mut by_name = HashMap::with_capacity(fields.len());
        for (field, index) in fields.iter().zip(0..) {
            by_name.entry(field.name.clone()).or_insert((index, field.kind));
        }
        Self { by_name, count: fields.len() }
    }
}

impl Draft {
    fn new(bucket: BucketId, catalog: &Catalog) -> Self {
        let names = catalog.read();
        Self {
            bucket,
            entries: Vec::new(),
            next_measurement: names.next_measurement(),
            next_series: names.next_series(),
            next_column: names.next_column(),
            new_measurements: HashMap::new(),
            fields: HashMap::new(),
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
        let fields = self.fields.entry(measurement).or_insert_with(|| Fields::known(names.fields(measurement)));
        if let Some((index, kind)) = fields.by_name.get(item.field) {
            return (*kind == item.kind).then_some(*index);
        }
        let index = u16::try_from(fields.count).ok().filter(|i| usize::from(*i) < MAX_FIELDS)?;
        fields.count += 1;
        fields.by_name.insert(item.field.to_owned(), (index, item.kind));
        self.entries.push(Entry::Field { measurement, index, kind: item.kind, name: item.field.to_owned() });
        Some(index)
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
