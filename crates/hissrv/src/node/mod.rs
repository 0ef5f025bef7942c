//! A running hissrv: every room opened in the right order, joined, and closed in the right order.

mod clock;
mod housekeeping;
mod metrics;
mod policies;
mod sinks;
mod status;

use std::fs::File;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::time::Instant;

use anyhow::{Context, bail};
use backend::Embedded;
use catalog::{Catalog, DEFAULT_POLICY};
use engine::Engine;
use journal::Journal;
use model::{BucketId, Seq};
use pipeline::{Applied, Applier, Intake, Origin};
use query::Limits;
use source::redis::{RedisSource, SourceOptions};
use statements::{Parts, Statements};
use vfs::RealFs;

pub(crate) use clock::now;
pub(crate) use sinks::NodeSinks;

use crate::config::Config;
use housekeeping::{House, Housekeeping};

/// Folders below the data directory.
pub(crate) const CATALOG: &str = "catalog";
pub(crate) const ENGINE: &str = "engine";
pub(crate) const JOURNAL: &str = "journal";
/// File that is locked while a process uses the data directory.
const LOCK: &str = "LOCK";
/// Name of the journal's consumer that feeds the embedded engine.
const CONSUMER: &str = "embedded";

/// Everything of a running service but its HTTP server.
pub(crate) struct Node {
    pub(crate) catalog: Arc<Catalog>,
    pub(crate) engine: Arc<Engine>,
    pub(crate) journal: Arc<Journal>,
    pub(crate) intake: Intake,
    pub(crate) applied: Arc<Applied>,
    pub(crate) applier: Applier,
    pub(crate) backend: Embedded,
    pub(crate) statements: Statements,
    housekeeping: Housekeeping,
    pub(crate) database: String,
    pub(crate) limits: Limits,
    pub(crate) started: Instant,
    /// What the journal held at the start; ready once all of it is visible.
    replay_to: Seq,
    redis: std::sync::Mutex<Option<RedisSource>>,
    bucket: BucketId,
    stopping: AtomicBool,
    /// Held, and with it the right to use the data directory, until the node is dropped.
    _lock: File,
}

impl Node {
    /// Opens the data directory and starts taking in what the journal still holds.
    pub(crate) fn open(config: &Config) -> anyhow::Result<Self> {
        let dir = &config.data_dir;
        std::fs::create_dir_all(dir).with_context(|| format!("create the data directory {}", dir.display()))?;
        let lock = lock(dir)?;
        refuse_lost_names(dir)?;
        let fs: Arc<dyn vfs::Fs> = Arc::new(RealFs);
        let (catalog, report) = Catalog::open(Arc::clone(&fs), &dir.join(CATALOG))?;
        for finding in &report.findings {
            tracing::error!(finding, "damage in the catalog");
        }
        if report.lost_records > 0 {
            tracing::error!(
                records = report.lost_records,
                "names were lost: both copies of the catalog are damaged there"
            );
        }
        let catalog = Arc::new(catalog);
        let engine_config = config.engine.to_config().context("engine.partition")?;
        let (engine, report) = Engine::open(Arc::clone(&fs), &dir.join(ENGINE), Arc::clone(&catalog), engine_config)?;
        for finding in &report.findings {
            tracing::error!(finding, "damage in the store; everything else stays readable");
        }
        let engine = Arc::new(engine);
        let (journal, report) =
            Journal::open(fs, &dir.join(JOURNAL), config.journal.to_config(), engine.flushed_seq())?;
        if report.segments == 0 && engine.flushed_seq() > Seq(0) {
            tracing::error!(folder = %dir.join(JOURNAL).display(), "the journal is gone; values that were not in files yet are lost");
        }
        status::log_recovery(&report);
        let bucket = catalog.ensure_bucket(config.database(), DEFAULT_POLICY)?;
        policies::ensure(&catalog, config)?;
        let applied = Arc::new(Applied::default());
        let replay_to = journal.durable_seq();
        let consumer = journal.consumer(CONSUMER).context("open the journal's cursor of the embedded store")?;
        refuse_lost_store(dir, consumer.committed_seq(), engine.flushed_seq())?;
        let applier = Applier::start(Arc::clone(&journal), consumer, Arc::clone(&engine), Arc::clone(&applied))?;
        let intake = Intake::new(Arc::clone(&catalog), Arc::clone(&journal), Arc::clone(&applied));
        let backend = Embedded::new(Arc::clone(&catalog), Arc::clone(&engine));
        let limits = config.query.to_limits(config.server.query_timeout.0);
        let statements = Statements::new(Parts {
            remote: None,
            catalog: Arc::clone(&catalog),
            engine: Arc::clone(&engine),
            intake: intake.clone(),
            store: Arc::new(backend.clone()),
            limits,
            threads: std::thread::available_parallelism().map_or(1, usize::from),
            dialect: config.query.to_dialect(),
            clock: now,
        });
        let housekeeping = Housekeeping::start(House {
            catalog: Arc::clone(&catalog),
            engine: Arc::clone(&engine),
            statements: statements.clone(),
            applied: Arc::clone(&applied),
            replay_to,
        })?;
        Ok(Self {
            backend,
            statements,
            housekeeping,
            database: config.database().to_owned(),
            limits,
            started: Instant::now(),
            redis: std::sync::Mutex::default(),
            stopping: AtomicBool::new(false),
            _lock: lock,
            catalog,
            engine,
            journal,
            intake,
            applied,
            applier,
            replay_to,
            bucket,
        })
    }

    /// Starts reading Redis. It may be away; that is tried for ever.
    pub(crate) fn start_redis(&self, config: &Config) -> anyhow::Result<()> {
        let options = SourceOptions {
            name: "redis".to_owned(),
            queue_bytes: usize::try_from(config.buffer.max_memory_mb.saturating_mul(1_000_000)).unwrap_or(usize::MAX),
            batch_values: config.buffer.max_batch_size,
            batch_age: config.buffer.max_wait_time.0,
            clock: now,
        };
        let source = RedisSource::start(&config.redis, options, &self.sinks(Origin::Redis))?;
        *self.redis() = Some(source);
        Ok(())
    }

    /// Writes what was taken in so far to block files; the journal may then forget it.
    pub(crate) fn flush(&self) -> Result<(), engine::EngineError> {
        self.engine.flush()
    }

    /// Sinks for a source.
    pub(crate) fn sinks(&self, origin: Origin) -> NodeSinks {
        NodeSinks { intake: self.intake.clone(), bucket: self.bucket, origin }
    }

    /// Once everything the journal held at the start is visible.
    ///
    /// # Errors
    /// How far it is.
    pub(crate) fn ready(&self) -> Result<(), String> {
        let applied = self.applied.seq();
        if self.stopping.load(Relaxed) {
            return Err("stopping".to_owned());
        }
        if applied < self.replay_to {
            return Err(format!("taking in the journal: record {applied} of {}", self.replay_to));
        }
        Ok(())
    }

    /// True until the node is being stopped.
    pub(crate) fn is_running(&self) -> bool {
        !self.stopping.load(Relaxed)
    }

    /// Stops the sources: what they had received is handed to the journal.
    pub(crate) fn stop_sources(&self, deadline: Instant) {
        self.stopping.store(true, Relaxed);
        let source = self.redis().take();
        if let Some(Err(e)) = source.map(|s| s.stop(deadline)) {
            tracing::warn!(error = %e, "the Redis source did not stop in time");
        }
    }

    /// Drains the journal into the store and writes everything to files. Sources and HTTP must have stopped. What cannot be
    /// written is logged and stays in the journal.
    pub(crate) fn close(&self) {
        self.housekeeping.stop();
        self.journal.close();
        self.applier.drain();
    }

    pub(crate) fn redis(&self) -> std::sync::MutexGuard<'_, Option<RedisSource>> {
        self.redis.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
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
