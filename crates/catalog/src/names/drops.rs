//! Names that go: out of every lookup, leaving holes where they stood and a note that they did.

use std::collections::{BTreeMap, BTreeSet};

use model::{BucketId, ColumnId, MeasurementId, SeriesId};
use roaring::RoaringBitmap;

use super::{Names, reserve};

/// What existed and does not any more. A definition that was lost is not among it: its values may be needed again, once the
/// catalog is restored.
#[derive(Debug, Clone, Default)]
pub struct Dropped {
    buckets: RoaringBitmap,
    columns: BTreeMap<BucketId, RoaringBitmap>,
}

impl Dropped {
    /// True for a bucket whose files are to go.
    pub fn has_bucket(&self, bucket: BucketId) -> bool {
        self.buckets.contains(bucket.0)
    }

    /// True for a column whose values are to go.
    pub fn has_column(&self, column: ColumnId) -> bool {
        self.columns.values().any(|columns| columns.contains(column.0))
    }

    /// Columns of a bucket whose values are to go; they only become more.
    pub fn columns_of(&self, bucket: BucketId) -> Option<&RoaringBitmap> {
        self.columns.get(&bucket)
    }
}

impl Names {
    pub(super) fn drop_bucket(&mut self, id: BucketId) {
        reserve(&mut self.buckets, id.index());
        self.dropped.buckets.insert(id.0);
        for measurement in self.all_measurements(id) {
            self.drop_measurement(measurement);
        }
        take(&mut self.buckets, id.index());
    }

    pub(super) fn drop_measurement(&mut self, id: MeasurementId) {
        reserve(&mut self.measurements, id.index());
        let Some(gone) = take(&mut self.measurements, id.index()) else { return };
        gone.series.iter().for_each(|series| self.forget_series(*series));
        self.tag_indexes.forget(id);
        self.measurement_ids.remove(&(gone.bucket, gone.name));
    }

    /// The measurements stay with their fields.
    pub(super) fn drop_series(&mut self, ids: &[SeriesId]) {
        let mut touched = BTreeSet::new();
        for id in ids {
            reserve(&mut self.series, id.index());
            touched.extend(self.measurement_of(*id));
            self.forget_series(*id);
        }
        for measurement in touched {
            self.tag_indexes.forget(measurement);
            if let Some(Some(m)) = self.measurements.get_mut(measurement.index()) {
                let series = &self.series;
                m.series.retain(|s| series.get(s.index()).is_some_and(Option::is_some));
            }
        }
    }

    /// Takes a series and its columns out, except out of its measurement.
    fn forget_series(&mut self, id: SeriesId) {
        let Some(gone) = take(&mut self.series, id.index()) else { return };
        self.live_series -= 1;
        let hash = self.hash(gone.bucket, &gone.key);
        if let Ok(entry) = self.series_ids.find_entry(hash, |other| *other == id) {
            entry.remove();
        }
        for (_, column) in gone.columns {
            self.live_columns -= usize::from(take(&mut self.columns, column.index()).is_some());
            self.dropped.columns.entry(gone.bucket).or_default().insert(column.0);
        }
    }
}

/// Leaves a hole.
fn take<T>(table: &mut [Option<T>], index: usize) -> Option<T> {
    table.get_mut(index).and_then(Option::take)
}
