//! To which slot the values of a column go, by its number: the catalog is asked once for each column.
//!
//! A slot is a bucket and one of its shards. A series belongs to one slot, and a slot has one request under way at a time, so of
//! two values for the same series, field and time the later one arrives later.

use std::sync::Arc;

use catalog::Catalog;
use model::{BucketId, ColumnId, SeriesId};

const UNKNOWN: u32 = 0;
const GONE: u32 = u32::MAX;

/// Where the values of each column go.
pub(crate) struct Routes {
    catalog: Arc<Catalog>,
    shards: usize,
    /// Slot of a column plus one, [`UNKNOWN`] or [`GONE`].
    known: Vec<u32>,
}

impl Routes {
    pub(crate) fn new(catalog: Arc<Catalog>, shards: usize) -> Self {
        Self { catalog, shards, known: Vec::new() }
    }

    /// The slot of a column; `None` when its names were dropped, or it is of a bucket that hissrv keeps for itself.
    #[inline]
    pub(crate) fn slot(&mut self, column: ColumnId) -> Option<usize> {
        match self.known.get(column.index()) {
            None | Some(&UNKNOWN) => self.look_up(column),
            Some(&GONE) => None,
            Some(slot) => Some(*slot as usize - 1),
        }
    }

    fn look_up(&mut self, column: ColumnId) -> Option<usize> {
        let names = self.catalog.read();
        let is_shown = |bucket| names.bucket_names(bucket).is_some_and(|(_, policy)| !catalog::is_hidden(policy));
        let info = names.column_info(column).filter(|info| is_shown(info.bucket)).copied();
        drop(names);
        let slot = info.map(|info| info.bucket.index() * self.shards + shard(info.series, self.shards));
        let index = column.index();
        // An absurd number would take absurd memory: it belongs to no column, and is not noted.
        if index >= catalog::MAX_COLUMNS && slot.is_none() {
            return None;
        }
        if self.known.len() <= index {
            self.known.resize(index + 1, UNKNOWN);
        }
        if let Some(known) = self.known.get_mut(index) {
            *known = slot.and_then(|slot| u32::try_from(slot + 1).ok()).unwrap_or(GONE);
        }
        slot
    }
}

/// The bucket of a slot.
pub(crate) fn bucket_of(slot: usize, shards: usize) -> BucketId {
    BucketId((slot / shards) as u32)
}

/// Spreads series evenly, also those with consecutive numbers.
fn shard(series: SeriesId, shards: usize) -> usize {
    let mixed = series.0.wrapping_mul(0x9e37_79b1);
    ((u64::from(mixed) * shards as u64) >> 32) as usize
}

#[cfg(test)]
mod tests {
    use super::*;
    use catalog::Wanted;
    use model::FieldType;
    use std::path::Path;
    use vfs::FaultFs;

    #[test]
    fn series_are_spread_evenly() {
        for shards in [1, 2, 3, 4, 7, 64] {
            let mut counts = vec![0; shards];
            (0..64_000).for_each(|series| counts[shard(SeriesId(series), shards)] += 1);
            let even = 64_000 / shards;
            assert!(counts.iter().all(|count| (even * 9 / 10..=even * 11 / 10).contains(count)), "{counts:?}");
        }
    }

    #[test]
    fn fields_of_one_series_share_a_slot_and_unknown_columns_have_none() {
        let catalog = Arc::new(Catalog::open(Arc::new(FaultFs::new()), Path::new("c")).unwrap().0);
        catalog.ensure_bucket("other", "autogen").unwrap();
        let bucket = catalog.ensure_bucket("plant", "autogen").unwrap();
        let wanted = |field| Wanted { key: b"m,t=a", field, kind: FieldType::Float };
        catalog.define(bucket, &[wanted("x"), wanted("y")]).unwrap();
        let mut routes = Routes::new(Arc::clone(&catalog), 4);
        let slot = routes.slot(ColumnId(0)).unwrap();
        assert_eq!((routes.slot(ColumnId(1)), bucket_of(slot, 4)), (Some(slot), bucket));
        assert_eq!(routes.slot(ColumnId(2)), None);
        assert_eq!(routes.slot(ColumnId(u32::MAX)), None);
        assert!(routes.known.len() < 10);
    }

    #[test]
    fn a_column_dropped_later_keeps_its_slot() {
        let catalog = Arc::new(Catalog::open(Arc::new(FaultFs::new()), Path::new("c")).unwrap().0);
        let bucket = catalog.ensure_bucket("plant", "autogen").unwrap();
        catalog.define(bucket, &[Wanted { key: b"m", field: "x", kind: FieldType::Float }]).unwrap();
        let mut routes = Routes::new(Arc::clone(&catalog), 4);
        let slot = routes.slot(ColumnId(0));
        catalog.drop_database("plant").unwrap();
        assert_eq!(routes.slot(ColumnId(0)), slot);
        assert_eq!(Routes::new(catalog, 4).slot(ColumnId(0)), None);
    }
}
