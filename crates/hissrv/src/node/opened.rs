//! The data directory, taken for this process, with its rooms opened one after another; what is found damaged is said in the log.

use std::fs::File;
use std::path::Path;
use std::sync::Arc;

use anyhow::{Context, bail};
use catalog::{Catalog, DEFAULT_POLICY};
use engine::Engine;
use journal::Journal;
use model::Seq;
use vfs::{Fs, RealFs};

use super::{CATALOG, ENGINE, JOURNAL, Node, policies, status};
use crate::config::Config;

/// File that is locked while a process uses the data directory.
const LOCK: &str = "LOCK";

/// The rooms of a data directory.
pub(super) struct Opened {
    /// Held, and with it the right to use the directory, for as long as anything of it is in use.
    pub(super) lock: File,
    pub(super) fs: Arc<dyn Fs>,
    pub(super) catalog: Arc<Catalog>,
    pub(super) engine: Arc<Engine>,
    pub(super) journal: Arc<Journal>,
    /// The last record that the journal holds at the start.
    pub(super) replay_to: Seq,
}

impl Opened {
    /// Opens everything, and has the databases and policies of the configuration.
    pub(super) fn open(config: &Config) -> anyhow::Result<Self> {
        let dir = &config.data_dir;
        std::fs::create_dir_all(dir).with_context(|| format!("create the data directory {}", dir.display()))?;
        let lock = lock(dir)?;
        refuse_lost_names(dir)?;
        let fs: Arc<dyn Fs> = Arc::new(RealFs);
        let catalog = catalog(&fs, dir)?;
        let engine = engine(&fs, config, &catalog)?;
        let journal = journal(&fs, config, &engine)?;
        catalog.ensure_bucket(config.database(), DEFAULT_POLICY)?;
        policies::ensure(&catalog, config)?;
        let replay_to = journal.durable_seq();
        Ok(Self { lock, fs, catalog, engine, journal, replay_to })
    }
}

impl Node {
    /// Whether a process uses this data directory.
    pub(crate) fn is_in_use(dir: &Path) -> bool {
        let taken = File::open(dir.join(LOCK)).map(|file| file.try_lock());
        matches!(taken, Ok(Err(std::fs::TryLockError::WouldBlock)))
    }
}

/// Takes the data directory for this process.
fn lock(dir: &Path) -> anyhow::Result<File> {
    let path = dir.join(LOCK);
    let file =
        File::options().create(true).append(true).open(&path).with_context(|| format!("open {}", path.display()))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(std::fs::TryLockError::WouldBlock) => {
            bail!("{} is in use by another hissrv: stop it first, or give this one its own data_dir", dir.display())
        }
        Err(std::fs::TryLockError::Error(e)) => Err(e).with_context(|| format!("lock {}", path.display())),
    }
}

/// Without the catalog its identifiers would be given out again, and old values would appear under new names.
fn refuse_lost_names(dir: &Path) -> anyhow::Result<()> {
    let holds_files =
        |folder: &str| std::fs::read_dir(dir.join(folder)).is_ok_and(|mut entries| entries.next().is_some());
    if holds_files(CATALOG) || !(holds_files(ENGINE) || holds_files(JOURNAL)) {
        return Ok(());
    }
    bail!(
        "{} is missing or empty, but there are values in {}: restore the folder from a backup, or use another data_dir",
        dir.join(CATALOG).display(),
        dir.display()
    )
}

fn catalog(fs: &Arc<dyn Fs>, dir: &Path) -> anyhow::Result<Arc<Catalog>> {
    let (catalog, report) = Catalog::open(Arc::clone(fs), &dir.join(CATALOG))?;
    for finding in &report.findings {
        tracing::error!(finding, "damage in the catalog");
    }
    if report.lost_records > 0 {
        tracing::error!(records = report.lost_records, "names were lost: both copies of the catalog are damaged there");
    }
    Ok(Arc::new(catalog))
}

fn engine(fs: &Arc<dyn Fs>, config: &Config, catalog: &Arc<Catalog>) -> anyhow::Result<Arc<Engine>> {
    let settings = config.engine.to_config().context("engine.partition")?;
    let (engine, report) = Engine::open(Arc::clone(fs), &config.data_dir.join(ENGINE), Arc::clone(catalog), settings)?;
    for finding in &report.findings {
        tracing::error!(finding, "damage in the store; everything else stays readable");
    }
    Ok(Arc::new(engine))
}

fn journal(fs: &Arc<dyn Fs>, config: &Config, engine: &Engine) -> anyhow::Result<Arc<Journal>> {
    let folder = config.data_dir.join(JOURNAL);
    let (journal, report) = Journal::open(Arc::clone(fs), &folder, config.journal.to_config(), engine.flushed_seq())?;
    if report.segments == 0 && engine.flushed_seq() > Seq(0) {
        tracing::error!(folder = %folder.display(), "the journal is gone; values that were not in files yet are lost");
    }
    status::log_recovery(&report);
    Ok(journal)
}
