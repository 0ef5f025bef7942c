//! The rooms of the data directory, opened one after another, with what was found damaged said in the log.

use std::path::Path;
use std::sync::Arc;

use anyhow::Context;
use catalog::Catalog;
use engine::Engine;
use journal::Journal;
use model::Seq;
use vfs::Fs;

use super::{CATALOG, ENGINE, JOURNAL, status};
use crate::config::Config;

pub(super) fn catalog(fs: &Arc<dyn Fs>, dir: &Path) -> anyhow::Result<Arc<Catalog>> {
    let (catalog, report) = Catalog::open(Arc::clone(fs), &dir.join(CATALOG))?;
    for finding in &report.findings {
        tracing::error!(finding, "damage in the catalog");
    }
    if report.lost_records > 0 {
        tracing::error!(records = report.lost_records, "names were lost: both copies of the catalog are damaged there");
    }
    Ok(Arc::new(catalog))
}

pub(super) fn engine(fs: &Arc<dyn Fs>, config: &Config, catalog: &Arc<Catalog>) -> anyhow::Result<Arc<Engine>> {
    let settings = config.engine.to_config().context("engine.partition")?;
    let (engine, report) = Engine::open(Arc::clone(fs), &config.data_dir.join(ENGINE), Arc::clone(catalog), settings)?;
    for finding in &report.findings {
        tracing::error!(finding, "damage in the store; everything else stays readable");
    }
    Ok(Arc::new(engine))
}

pub(super) fn journal(fs: &Arc<dyn Fs>, config: &Config, engine: &Engine) -> anyhow::Result<Arc<Journal>> {
    let folder = config.data_dir.join(JOURNAL);
    let (journal, report) = Journal::open(Arc::clone(fs), &folder, config.journal.to_config(), engine.flushed_seq())?;
    if report.segments == 0 && engine.flushed_seq() > Seq(0) {
        tracing::error!(folder = %folder.display(), "the journal is gone; values that were not in files yet are lost");
    }
    status::log_recovery(&report);
    Ok(journal)
}
