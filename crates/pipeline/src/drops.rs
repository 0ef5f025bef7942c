//! Dropping, in the right order: first the names, from when on nobody finds the values, then the values.

use std::sync::PoisonError;
use std::sync::mpsc::sync_channel;
use std::time::Duration;

use catalog::{Catalog, MetaError};
use engine::{Engine, ScanCache};
use model::wire::BatchEncoder;
use model::{BucketId, Seq, SeriesId, TimeRange};

use crate::{Intake, IntakeError, Visible};

/// Longest wait for the store to take in what the journal has.
pub(crate) const PATIENCE: Duration = Duration::from_secs(5);

/// `DROP DATABASE`. One that does not exist is fine.
///
/// # Errors
/// When the names could not be dropped durably.
pub fn drop_database(catalog: &Catalog, engine: &Engine, name: &str) -> Result<(), MetaError> {
    remove_values(engine, &catalog.drop_database(name)?);
    Ok(())
}

/// `DROP RETENTION POLICY`. One that does not exist is fine.
///
/// # Errors
/// When the names could not be dropped durably.
pub fn drop_policy(catalog: &Catalog, engine: &Engine, database: &str, name: &str) -> Result<(), MetaError> {
    remove_values(engine, &catalog.drop_policy(database, name)?);
    Ok(())
}

/// Files that cannot be removed now are removed by the engine's next merge; nobody sees them.
fn remove_values(engine: &Engine, buckets: &[BucketId]) {
    for bucket in buckets {
        if let Err(e) = engine.drop_bucket(*bucket) {
            tracing::warn!(error = %e, "files of something dropped could not be removed yet");
        }
    }
}

impl Intake {
    /// Drops those of `series` that have no values left, as after a deletion, and are not needed for something that is made of them; gives
    /// those it dropped. Waits until everything
    /// written before is visible, and lets nobody write meanwhile, so no value is lost that comes at the same time.
    ///
    /// # Errors
    /// When the store did not catch up or the names could not be dropped durably; nothing was dropped then.
    pub fn drop_empty_series(&self, engine: &Engine, series: &[SeriesId]) -> Result<Vec<SeriesId>, IntakeError> {
        // Most series have values left, which can be told without stopping anybody.
        let candidates = empty_among(&self.catalog, engine, series);
        if candidates.is_empty() {
            return Ok(candidates);
        }
        let _nobody_writes = self.gate.write().unwrap_or_else(PoisonError::into_inner);
        self.catch_up()?;
        let mut empty = empty_among(&self.catalog, engine, &candidates);
        empty.retain(|series| !self.is_needed(*series));
        self.catalog.drop_series(&empty)?;
        Ok(empty)
    }

    /// True when something is still to be made of a series.
    fn is_needed(&self, series: SeriesId) -> bool {
        let Some(needed) = self.needed.get() else { return false };
        let columns: Vec<_> = self.catalog.read().columns_of(series).iter().map(|(_, column)| *column).collect();
        columns.into_iter().any(needed)
    }

    /// Waits until everything in the journal's queue is visible: a record that says nothing is, after all before it.
    fn catch_up(&self) -> Result<(), IntakeError> {
        let seq = self.journal.append_wait(BatchEncoder::default().finish(), 0)?;
        self.until_visible(seq)
    }

    /// Waits until queries see what the journal has up to `seq`.
    pub(crate) fn until_visible(&self, seq: Seq) -> Result<(), IntakeError> {
        let (sender, receiver) = sync_channel(1);
        self.applied.when(seq, move |visible| {
            // The receiver may have lost its patience.
            sender.send(visible).ok();
        });
        match receiver.recv_timeout(PATIENCE) {
            Ok(Visible::Yes) => Ok(()),
            Ok(Visible::Lost) => Err(IntakeError::Lost),
            Err(_) => Err(IntakeError::Behind),
        }
    }
}

fn empty_among(catalog: &Catalog, engine: &Engine, series: &[SeriesId]) -> Vec<SeriesId> {
    let mut cache = ScanCache::default();
    let mut is_empty = |series: &SeriesId| {
        let columns: Vec<_> = catalog.read().columns_of(*series).iter().map(|(_, column)| *column).collect();
        !columns.into_iter().any(|column| engine.has_values(column, TimeRange::ALL, &mut cache))
    };
    series.iter().copied().filter(|s| is_empty(s)).collect()
}
