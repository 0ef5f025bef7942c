//! Rollups of the embedded store.

use std::path::Path;
use std::sync::Arc;

use anyhow::anyhow;
use catalog::Catalog;
use engine::Engine;
use model::BucketId;
use pipeline::Hold;
use rollup::Rollups;
use vfs::Fs;

use crate::config::Config;

/// Folder of the ledger below the data directory.
pub(crate) const ROLLUP: &str = "rollup";

/// Opens the rollups of the configuration; there may be none.
pub(super) fn open(
    fs: &Arc<dyn Fs>,
    dir: &Path,
    config: &Config,
    catalog: &Arc<Catalog>,
    engine: &Arc<Engine>,
) -> anyhow::Result<Arc<Rollups>> {
    let plan = config.rollups().map_err(|e| anyhow!(e))?;
    let (names, store) = (Arc::clone(catalog), Arc::clone(engine));
    let settings = config.downsampling.to_settings();
    let rollups = Rollups::open(Arc::clone(fs), &dir.join(ROLLUP), plan, names, store, settings)?;
    for task in rollups.homeless() {
        tracing::warn!(
            task,
            "the retention policies of a downsampling task do not exist; it waits until they are created"
        );
    }
    Ok(Arc::new(rollups))
}

/// What must stay of a bucket because rows are still to be made of it.
pub(super) fn hold(rollups: &Rollups, bucket: BucketId) -> Option<Hold> {
    let from = rollups.tiers().held_from(bucket)?;
    Some(Hold { from, why: "downsampling has not made all rows of it yet".to_owned() })
}
