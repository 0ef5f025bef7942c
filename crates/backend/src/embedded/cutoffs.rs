//! From which times on buckets show their values, as of one moment.

use catalog::Catalog;
use model::{BucketId, ColumnId, TimeRange, TimestampNs};

/// The buckets whose retention policy has a duration, with the time of the oldest value that is seen.
pub(super) struct Cutoffs(Vec<(BucketId, TimestampNs)>);

impl Cutoffs {
    pub(super) fn new(mut of_buckets: Vec<(BucketId, TimestampNs)>) -> Self {
        of_buckets.sort_unstable();
        Self(of_buckets)
    }

    /// The part of a range in which values of a column are seen. Where no policy has a duration, names are not even looked at.
    pub(super) fn cut(&self, catalog: &Catalog, column: ColumnId, range: TimeRange) -> TimeRange {
        if self.0.is_empty() {
            return range;
        }
        let bucket = catalog.read().column_info(column).map(|info| info.bucket);
        let cutoff = bucket.and_then(|bucket| self.of(bucket));
        cutoff.map_or(range, |cutoff| TimeRange::new(range.start.max(cutoff), range.end.max(cutoff)))
    }

    fn of(&self, bucket: BucketId) -> Option<TimestampNs> {
        let place = self.0.binary_search_by_key(&bucket, |(bucket, _)| *bucket).ok()?;
        self.0.get(place).map(|(_, cutoff)| *cutoff)
    }
}
