//! The embedded store as a consumer of the journal: fed, or left alone where it is switched off.

use std::path::Path;
use std::sync::Arc;

use anyhow::{Context, bail};
use engine::Engine;
use journal::Journal;
use model::Seq;
use pipeline::{Applied, Applier, Observers};

use super::ENGINE;

/// Name of the journal's consumer that feeds the embedded engine.
const CONSUMER: &str = "embedded";

/// Starts feeding the engine from where it stands.
pub(super) fn feed(
    dir: &Path,
    journal: &Arc<Journal>,
    engine: &Arc<Engine>,
    applied: &Arc<Applied>,
    observers: Observers,
) -> anyhow::Result<Applier> {
    let is_known = journal.knows_consumer(CONSUMER);
    let consumer = journal.consumer(CONSUMER).context("open the journal's cursor of the embedded store")?;
    // One that was switched off has missed what went to other stores meanwhile, and has lost nothing.
    if is_known {
        refuse_lost_store(dir, consumer.committed_seq(), engine.flushed_seq())?;
    }
    Ok(Applier::start(Arc::clone(journal), consumer, Arc::clone(engine), Arc::clone(applied), observers)?)
}

/// The journal need not keep anything for the engine. What it has not written to files yet goes to the other stores only.
pub(super) fn leave_alone(journal: &Journal) -> anyhow::Result<()> {
    journal.remove_consumer(CONSUMER).context("remove the journal's cursor of the embedded store")
}

/// The journal forgets what the store has in files: a store with less than that has lost values.
fn refuse_lost_store(dir: &Path, forgotten: Seq, stored: Seq) -> anyhow::Result<()> {
    if forgotten <= stored {
        return Ok(());
    }
    bail!(
        "{} holds values up to record {stored} only, but the journal has handed over records up to {forgotten}: restore the \
         folder from a backup, or use another data_dir",
        dir.join(ENGINE).display()
    )
}
