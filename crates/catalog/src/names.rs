//! All names in memory, for lookup in both directions.

mod drops;

use std::collections::HashMap;
use std::hash::BuildHasher;

use foldhash::quality::RandomState;
use hashbrown::HashTable;
use model::{BucketId, ColumnId, FieldType, MeasurementId, SeriesId};

use crate::entry::Entry;
use crate::tags::TagIndexes;

pub use drops::Dropped;

/// The names known at one moment.
#[derive(Default)]
pub struct Names {
    buckets: Vec<Option<Bucket>>,
    measurements: Vec<Option<Measurement>>,
    measurement_ids: HashMap<(BucketId, String), MeasurementId>,
    series: Vec<Option<Series>>,
    /// Finds a series by bucket and key without keeping the key twice.
    series_ids: HashTable<SeriesId>,
    hasher: RandomState,
    columns: Vec<Option<ColumnInfo>>,
    pub(crate) live_series: usize,
    pub(crate) live_columns: usize,
    dropped: Dropped,
    pub(crate) tag_indexes: TagIndexes,
}

struct Bucket {
    database: String,
    policy: String,
}

#[derive(Default)]
struct Measurement {
    bucket: BucketId,
    name: String,
    fields: Vec<FieldInfo>,
    /// Index of each field by its name.
    field_ids: HashMap<String, u16>,
    series: Vec<SeriesId>,
}

struct Series {
    measurement: MeasurementId,
    bucket: BucketId,
    key: Box<[u8]>,
    columns: Vec<(u16, ColumnId)>,
}

/// A field of a measurement.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FieldInfo {
    /// Field key.
    pub name: String,
    /// Its type, the same in every series of the measurement.
    pub kind: FieldType,
}

/// What a column is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ColumnInfo {
    /// Series it belongs to.
    pub series: SeriesId,
    /// Measurement of that series.
    pub measurement: MeasurementId,
    /// Bucket of that measurement.
    pub bucket: BucketId,
    /// Index of its field among the measurement's fields.
    pub field: u16,
    /// Its type.
    pub kind: FieldType,
}

impl Names {
    /// The bucket with this database and retention policy.
    pub fn bucket(&self, database: &str, policy: &str) -> Option<BucketId> {
        let found =
            self.buckets.iter().position(|b| b.as_ref().is_some_and(|b| b.database == database && b.policy == policy));
        found.map(|i| BucketId(i as u32))
    }

    /// Every bucket: identifier, database, retention policy.
    pub fn buckets(&self) -> impl Iterator<Item = (BucketId, &str, &str)> {
        let known = self.buckets.iter().enumerate();
        known.filter_map(|(i, b)| b.as_ref().map(|b| (BucketId(i as u32), b.database.as_str(), b.policy.as_str())))
    }

    /// Database and retention policy of a bucket.
    pub fn bucket_names(&self, bucket: BucketId) -> Option<(&str, &str)> {
        let found = self.buckets.get(bucket.index())?.as_ref()?;
        Some((&found.database, &found.policy))
    }

    /// The measurement of a bucket with this name.
    pub fn measurement(&self, bucket: BucketId, name: &str) -> Option<MeasurementId> {
        // NOTE: the key is a pair with an owned name; one allocation a lookup, and lookups are per batch or query, not per point.
        self.measurement_ids.get(&(bucket, name.to_owned())).copied()
    }

    /// Measurements of a bucket that have series, in the order of creation.
    pub fn measurements(&self, bucket: BucketId) -> impl Iterator<Item = (MeasurementId, &str)> {
        let known = self.measurements.iter().enumerate();
        known.filter_map(move |(i, m)| {
            let m = m.as_ref().filter(|m| m.bucket == bucket && !m.series.is_empty())?;
            Some((MeasurementId(i as u32), m.name.as_str()))
        })
    }

    /// Fields of a measurement, in the order of creation; their positions are the field indexes. One whose definition was lost
    /// stands there with an empty name.
    pub fn fields(&self, measurement: MeasurementId) -> &[FieldInfo] {
        self.measurement_ref(measurement).map_or(&[], |m| &m.fields)
    }

    /// Series of a measurement, in the order of creation.
    pub fn series_of(&self, measurement: MeasurementId) -> &[SeriesId] {
        self.measurement_ref(measurement).map_or(&[], |m| &m.series)
    }

    /// The series of a bucket with this canonical key.
    #[inline]
    pub fn series(&self, bucket: BucketId, key: &[u8]) -> Option<SeriesId> {
        let is_it = |id: &SeriesId| self.series_ref(*id).is_some_and(|s| s.bucket == bucket && *s.key == *key);
        self.series_ids.find(self.hash(bucket, key), is_it).copied()
    }

    /// Canonical key of a series.
    pub fn series_key(&self, series: SeriesId) -> Option<&[u8]> {
        self.series_ref(series).map(|s| &*s.key)
    }

    /// Columns of a series: field index and identifier, ascending by field index.
    pub fn columns_of(&self, series: SeriesId) -> &[(u16, ColumnId)] {
        self.series_ref(series).map_or(&[], |s| &s.columns)
    }

    /// The column of a series for the field named, with its type. `hint` is where it probably stands among the series'
    /// columns: the position of the field in the line.
    #[inline]
    pub fn column(&self, series: SeriesId, hint: usize, field: &str) -> Option<(ColumnId, FieldType)> {
        let s = self.series_ref(series)?;
        let m = self.measurement_ref(s.measurement)?;
        let named = |(index, _): &&(u16, ColumnId)| m.fields.get(usize::from(*index)).is_some_and(|f| f.name == field);
        let (index, id) = s.columns.get(hint).filter(named).or_else(|| s.column_of(*m.field_ids.get(field)?))?;
        Some((*id, m.fields.get(usize::from(*index))?.kind))
    }

    /// What a column is; `None` for one that was never defined (or whose definition was lost).
    #[inline]
    pub fn column_info(&self, column: ColumnId) -> Option<&ColumnInfo> {
        self.columns.get(column.index())?.as_ref()
    }

    /// Number of series.
    pub fn series_count(&self) -> usize {
        self.live_series
    }

    /// Number of columns.
    pub fn column_count(&self) -> usize {
        self.live_columns
    }

    /// What existed and does not any more.
    pub fn dropped(&self) -> &Dropped {
        &self.dropped
    }

    /// Measurement of a series.
    pub fn measurement_of(&self, series: SeriesId) -> Option<MeasurementId> {
        self.series_ref(series).map(|s| s.measurement)
    }

    /// Measurements of a bucket, those without series included.
    pub(crate) fn all_measurements(&self, bucket: BucketId) -> Vec<MeasurementId> {
        let known = self.measurements.iter().zip(0..);
        known.filter(|(m, _)| m.as_ref().is_some_and(|m| m.bucket == bucket)).map(|(_, i)| MeasurementId(i)).collect()
    }

    /// True while this measurement exists.
    pub(crate) fn has_measurement(&self, measurement: MeasurementId) -> bool {
        self.measurement_ref(measurement).is_some()
    }

    pub(crate) fn next_series(&self) -> SeriesId {
        SeriesId(self.series.len() as u32)
    }

    pub(crate) fn next_column(&self) -> ColumnId {
        ColumnId(self.columns.len() as u32)
    }

    pub(crate) fn next_bucket(&self) -> BucketId {
        BucketId(self.buckets.len() as u32)
    }

    pub(crate) fn next_measurement(&self) -> MeasurementId {
        MeasurementId(self.measurements.len() as u32)
    }

    /// Takes a durable entry in. One that refers to something lost is left out, but every identifier that is mentioned
    /// counts as given out, so that it is never given to something else.
    pub(crate) fn apply(&mut self, entry: Entry) {
        match entry {
            Entry::Bucket { id, database, policy } => self.apply_bucket(id, database, policy),
            Entry::Measurement { id, bucket, name } => self.apply_measurement(id, bucket, name),
            Entry::Field { measurement, index, kind, name } => {
                self.apply_field(measurement, index, FieldInfo { name, kind })
            }
            Entry::Series { id, measurement, key } => self.apply_series(id, measurement, key),
            Entry::Column { id, series, field } => self.apply_column(id, series, field),
            Entry::DropBucket { id } => self.drop_bucket(id),
            Entry::DropMeasurement { id } => self.drop_measurement(id),
            Entry::DropSeries { ids } => self.drop_series(&ids),
        }
    }

    /// Should the name stand for a bucket already, that one was dropped by an entry that is lost. The same goes for the others.
    fn apply_bucket(&mut self, id: BucketId, database: String, policy: String) {
        if let Some(old) = self.bucket(&database, &policy) {
            self.drop_bucket(old);
        }
        put(&mut self.buckets, id.index(), Bucket { database, policy });
    }

    fn apply_measurement(&mut self, id: MeasurementId, bucket: BucketId, name: String) {
        reserve(&mut self.buckets, bucket.index());
        if let Some(old) = self.measurement(bucket, &name) {
            self.drop_measurement(old);
        }
        self.measurement_ids.insert((bucket, name.clone()), id);
        put(&mut self.measurements, id.index(), Measurement { bucket, name, ..Measurement::default() });
    }

    fn apply_field(&mut self, measurement: MeasurementId, index: u16, field: FieldInfo) {
        reserve(&mut self.measurements, measurement.index());
        let Some(Some(m)) = self.measurements.get_mut(measurement.index()) else { return };
        let name = field.name.clone();
        if let Some(slot) = m.field_slot(index) {
            *slot = field;
            m.field_ids.insert(name, index);
        }
    }

    fn apply_series(&mut self, id: SeriesId, measurement: MeasurementId, key: Vec<u8>) {
        reserve(&mut self.measurements, measurement.index());
        reserve(&mut self.series, id.index());
        let Some(bucket) = self.measurement_ref(measurement).map(|m| m.bucket) else { return };
        if let Some(old) = self.series(bucket, &key) {
            self.drop_series(&[old]);
        }
        let Some(Some(m)) = self.measurements.get_mut(measurement.index()) else { return };
        m.series.push(id);
        self.live_series += 1;
        let hash = self.hash(bucket, &key);
        let fresh = Series { measurement, bucket, key: key.into_boxed_slice(), columns: Vec::new() };
        put(&mut self.series, id.index(), fresh);
        let (series, hasher) = (&self.series, &self.hasher);
        self.series_ids.insert_unique(hash, id, |other| match series.get(other.index()) {
            Some(Some(s)) => hash_key(hasher, s.bucket, &s.key),
            _ => 0,
        });
    }

    fn apply_column(&mut self, id: ColumnId, series: SeriesId, field: u16) {
        reserve(&mut self.series, series.index());
        reserve(&mut self.columns, id.index());
        let Some(Some(s)) = self.series.get_mut(series.index()) else { return };
        let Some(Some(m)) = self.measurements.get_mut(s.measurement.index()) else { return };
        let Some(kind) = m.field_slot(field).filter(|f| !f.name.is_empty()).map(|f| f.kind) else { return };
        self.live_columns += 1;
        let place = s.columns.partition_point(|(known, _)| *known <= field);
        s.columns.insert(place, (field, id));
        let info = ColumnInfo { series, measurement: s.measurement, bucket: s.bucket, field, kind };
        put(&mut self.columns, id.index(), info);
    }

    fn hash(&self, bucket: BucketId, key: &[u8]) -> u64 {
        hash_key(&self.hasher, bucket, key)
    }

    fn series_ref(&self, id: SeriesId) -> Option<&Series> {
        self.series.get(id.index())?.as_ref()
    }

    fn measurement_ref(&self, id: MeasurementId) -> Option<&Measurement> {
        self.measurements.get(id.index())?.as_ref()
    }
}

fn hash_key(hasher: &RandomState, bucket: BucketId, key: &[u8]) -> u64 {
    hasher.hash_one((bucket.0, key))
}

impl Series {
    fn column_of(&self, field: u16) -> Option<&(u16, ColumnId)> {
        let place = self.columns.binary_search_by_key(&field, |(index, _)| *index).ok()?;
        self.columns.get(place)
    }
}

impl Measurement {
    /// The field at `index`, nameless until it is filled in; lost fields before it stay nameless.
    fn field_slot(&mut self, index: u16) -> Option<&mut FieldInfo> {
        while self.fields.len() <= usize::from(index) {
            self.fields.push(FieldInfo { name: String::new(), kind: FieldType::Float });
        }
        self.fields.get_mut(usize::from(index))
    }
}

/// Makes the table reach `index`, with holes where definitions are missing.
fn reserve<T>(table: &mut Vec<Option<T>>, index: usize) {
    while table.len() <= index {
        table.push(None);
    }
}

fn put<T>(table: &mut Vec<Option<T>>, index: usize, value: T) {
    reserve(table, index);
    if let Some(slot) = table.get_mut(index) {
        *slot = Some(value);
    }
}
