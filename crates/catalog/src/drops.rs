//! Dropping names: durable when the method returns, and from then on nobody finds them. Their identifiers are never used again,
//! so the same names, when written again, are new ones. The values are for the engine to remove, after this.

use std::collections::BTreeSet;

use model::{BucketId, MeasurementId, SeriesId};

use crate::entry::Entry;
use crate::{Catalog, CatalogError, Meta, MetaError};

impl Catalog {
    /// `DROP DATABASE`: with its policies, continuous queries and all names in it. One that does not exist is fine. Gives the
    /// buckets whose values are to be removed.
    ///
    /// # Errors
    /// [`MetaError::NotStored`]. Names that are gone then are gone for good, yet the database may still be there: drop it again.
    pub fn drop_database(&self, name: &str) -> Result<Vec<BucketId>, MetaError> {
        self.drop_buckets(|database, _| database == name, |meta| meta.drop_database(name))
    }

    /// `DROP RETENTION POLICY`: with all names in it. One that does not exist is fine. Gives the buckets whose values are to be
    /// removed, one at most.
    ///
    /// # Errors
    /// As [`Catalog::drop_database`].
    pub fn drop_policy(&self, database: &str, name: &str) -> Result<Vec<BucketId>, MetaError> {
        self.drop_buckets(|d, p| d == database && p == name, |meta| meta.drop_policy(database, name))
    }

    /// `DROP MEASUREMENT`: with their fields and series.
    ///
    /// # Errors
    /// When it could not be made durable; nothing was dropped.
    pub fn drop_measurements(&self, measurements: &[MeasurementId]) -> Result<(), CatalogError> {
        let mut durable = self.durable();
        let unique: BTreeSet<_> = measurements.iter().copied().filter(|id| self.read().has_measurement(*id)).collect();
        self.publish(&mut durable, unique.into_iter().map(|id| Entry::DropMeasurement { id }).collect())
    }

    /// `DROP SERIES`. Measurements keep their fields and the types of these, also when no series is left.
    ///
    /// # Errors
    /// When it could not be made durable; nothing was dropped.
    pub fn drop_series(&self, series: &[SeriesId]) -> Result<(), CatalogError> {
        let mut durable = self.durable();
        let names = self.read();
        let unique: BTreeSet<_> = series.iter().copied().filter(|id| names.measurement_of(*id).is_some()).collect();
        drop(names);
        if unique.is_empty() {
            return Ok(());
        }
        self.publish(&mut durable, vec![Entry::DropSeries { ids: unique.into_iter().collect() }])
    }

    fn drop_buckets(
        &self,
        is_meant: impl Fn(&str, &str) -> bool,
        change: impl FnOnce(&mut Meta),
    ) -> Result<Vec<BucketId>, MetaError> {
        let mut durable = self.durable();
        let meant: Vec<BucketId> = {
            let names = self.read();
            names.buckets().filter(|(_, database, policy)| is_meant(database, policy)).map(|(id, ..)| id).collect()
        };
        // IMPORTANT: the names first. Were the database gone and this failed, it could be made again and have its old data.
        self.publish(&mut durable, meant.iter().map(|id| Entry::DropBucket { id: *id }).collect())?;
        let mut meta = Meta::clone(&self.meta());
        change(&mut meta);
        self.store_meta(&mut durable, meta)?;
        Ok(meant)
    }
}
