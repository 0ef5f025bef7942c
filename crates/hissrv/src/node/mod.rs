//! A running hissrv: every room opened in the right order, joined, and closed in the right order.

mod accounts;
mod alerting;
mod answering;
mod archiving;
mod clock;
mod embedded;
mod facts;
mod forecast;
mod housekeeping;
mod local;
mod metrics;
mod newest;
mod opened;
mod policies;
mod publisher;
mod remotes;
mod results;
mod retention;
mod rolled;
mod sinks;
mod status;
mod wanted;

use std::fs::File;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::time::Instant;

use anyhow::{Context, bail};
use archive::Archiver;
use backend::{Embedded, StorageBackend};
use catalog::{Catalog, DEFAULT_POLICY};
use engine::Engine;
use journal::Journal;
use model::{ByteSize, Seq};
use pipeline::{Applied, Applier, Hold, Intake, Observer, Observers, Origin, Target};
use query::Limits;
use rollup::Rollups;
use source::redis::{RedisSource, SourceOptions};
use statements::{Parts, Statements};
use vfs::RealFs;

pub(crate) use alerting::ALERTS;
pub(crate) use archiving::due_days;
pub(crate) use archiving::{clock, spool};
pub(crate) use clock::now;
pub(crate) use facts::fact_names;
pub(crate) use publisher::tools;
pub(crate) use remotes::{Remote, stores};
pub(crate) use rolled::ROLLUP;
pub(crate) use sinks::NodeSinks;

use crate::config::Config;
use accounts::Accounts;
use alerting::Alerting;
use answering::Answering;
use forecast::Outlook;
use housekeeping::{House, Housekeeping};
use local::Local;
use remotes::Feed;
use results::Results;
use retention::{Holds, Retention};

/// Folders below the data directory.
pub(crate) const CATALOG: &str = "catalog";
pub(crate) const ENGINE: &str = "engine";
pub(crate) const JOURNAL: &str = "journal";
pub(crate) const DEAD_LETTERS: &str = "dead-letter";
/// File that is locked while a process uses the data directory.
const LOCK: &str = "LOCK";

/// Everything of a running service but its HTTP server.
pub(crate) struct Node {
    pub(crate) catalog: Arc<Catalog>,
    pub(crate) engine: Arc<Engine>,
    pub(crate) journal: Arc<Journal>,
    pub(crate) intake: Intake,
    pub(crate) applied: Arc<Applied>,
    /// Feeds the embedded store; `None` where that is switched off.
    pub(crate) applier: Option<Arc<Applier>>,
    /// Answers queries.
    pub(crate) backend: Arc<dyn StorageBackend>,
    /// Knows the names, whether it has values or not.
    pub(crate) embedded: Embedded,
    pub(crate) remotes: Vec<Remote>,
    /// What is made of the embedded store's values; `None` where that is not fed.
    pub(crate) rollups: Option<Arc<Rollups>>,
    /// Puts days of the embedded store into files; `None` where the configuration has no archive.
    pub(crate) archiver: Option<Arc<Archiver>>,
    /// Rules, their alerts, and who is told.
    pub(crate) alerting: Alerting,
    /// Results of earlier queries of the embedded store.
    pub(crate) results: Arc<Results>,
    pub(crate) statements: Statements,
    pub(crate) retention: Arc<Retention>,
    housekeeping: Housekeeping,
    pub(crate) database: String,
    pub(crate) limits: Limits,
    pub(crate) started: Instant,
    /// What the journal held at the start; ready once all of it is visible.
    replay_to: Seq,
    redis: std::sync::Mutex<Option<RedisSource>>,
    /// Where sources write.
    target: Target,
    stopping: AtomicBool,
    journal_max: ByteSize,
    outlook: Arc<Outlook>,
    accounts: Arc<Accounts>,
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
        let catalog = opened::catalog(&fs, dir)?;
        let engine = opened::engine(&fs, config, &catalog)?;
        let journal = opened::journal(&fs, config, &engine)?;
        catalog.ensure_bucket(config.database(), DEFAULT_POLICY)?;
        policies::ensure(&catalog, config)?;
        let replay_to = journal.durable_seq();
        let alerting = Alerting::open(&fs, dir, &config.alerts)?;
        let results = Arc::new(Results::new(config.query.cache));
        let archiving = match config.archive() {
            Some(settings) => Some(archiving::open(&fs, dir, settings, &catalog, &engine)?),
            None => {
                archiving::forget(&fs, dir)?;
                None
            }
        };
        let (applier, applied, rollups) = if config.feeds_embedded() {
            let applied = Arc::new(Applied::default());
            let rollups = rolled::open(&fs, dir, config, &catalog, &engine)?;
            let mut observers = vec![Arc::clone(&rollups) as Arc<dyn Observer>, Arc::clone(&results) as _];
            observers.extend(archiving.iter().map(|archiving| Arc::clone(&archiving.ledger) as Arc<dyn Observer>));
            let applier = embedded::feed(dir, &journal, &engine, &applied, Observers(observers))?;
            (Some(Arc::new(applier)), applied, Some(rollups))
        } else {
            embedded::leave_alone(&journal)?;
            (None, Arc::new(Applied::at_once()), None)
        };
        let archiver = archiving.map(|archiving| archiving.archiver);
        let intake = Intake::new(Arc::clone(&catalog), Arc::clone(&journal), Arc::clone(&applied));
        if let Some(rollups) = &rollups {
            let applied = Arc::clone(&applied);
            rollups.start(intake.clone(), now, move || applied.seq() >= replay_to)?;
        }
        if let Some(archiver) = &archiver {
            let applied = Arc::clone(&applied);
            archiver.start(move || applied.seq() >= replay_to)?;
        }
        let target = intake.target(config.database(), None)?;
        let feed = Feed { config, dir, fs, journal: &journal, catalog: &catalog };
        let stores = remotes::stores(config)?;
        let remotes = stores.into_iter().map(|store| Remote::start(store, &feed)).collect::<Result<Vec<_>, _>>()?;
        remotes::warn_of_forsaken(&journal, &config.stores());
        let embedded = Embedded::new(Arc::clone(&catalog), Arc::clone(&engine), now);
        let store = embedded.clone();
        let local = Local::new(embedded.clone(), rollups.clone(), Arc::clone(&results));
        let backend = answering(config, &catalog, &remotes).unwrap_or_else(|| Arc::new(local));
        let limits = config.query.to_limits(config.server.query_timeout.0);
        let statements = Statements::new(Parts {
            catalog: Arc::clone(&catalog),
            engine: Arc::clone(&engine),
            intake: intake.clone(),
            store: Arc::new(move || Box::new(store.for_query())),
            backend: Arc::clone(&backend),
            has_values_here: applier.is_some(),
            limits,
            threads: std::thread::available_parallelism().map_or(1, usize::from),
            dialect: config.query.to_dialect(),
            clock: now,
        });
        let accounts = Arc::new(Accounts::new(intake.clone(), applier.clone()));
        let outlook = Arc::new(Outlook::default());
        let holds = holds(rollups.clone(), archiver.clone());
        let retention = Arc::new(Retention::new(Arc::clone(&catalog), Arc::clone(&engine), holds));
        let housekeeping = Housekeeping::start(House {
            retention: Arc::clone(&retention),
            statements: statements.clone(),
            applied: Arc::clone(&applied),
            replay_to,
            journal: Arc::clone(&journal),
            accounts: Arc::clone(&accounts),
            outlook: Arc::clone(&outlook),
            rollups: rollups.clone(),
        })?;
        Ok(Self {
            backend,
            rollups,
            archiver,
            alerting,
            results,
            embedded,
            remotes,
            statements,
            retention,
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
            target,
            journal_max: config.journal.max_disk,
            outlook,
            accounts,
        })
    }

    /// Whether a process uses this data directory.
    pub(crate) fn is_in_use(dir: &Path) -> bool {
        let taken = File::open(dir.join(LOCK)).map(|file| file.try_lock());
        matches!(taken, Ok(Err(std::fs::TryLockError::WouldBlock)))
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
        NodeSinks { intake: self.intake.clone(), target: self.target.clone(), origin }
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

    /// Stops the sources: what they had received is handed to the journal. Archiving ends, too, so that no request waits for it.
    pub(crate) fn stop_sources(&self, deadline: Instant) {
        self.stopping.store(true, Relaxed);
        let source = self.redis().take();
        if let Some(Err(e)) = source.map(|s| s.stop(deadline)) {
            tracing::warn!(error = %e, "the Redis source did not stop in time");
        }
        if let Some(archiver) = &self.archiver {
            archiver.stop();
        }
    }

    /// Drains the journal into the store and writes everything to files; remote stores get what they take until `deadline`.
    /// Sources and HTTP must have stopped. What cannot be written is logged and stays in the journal.
    pub(crate) fn close(&self, deadline: Instant) {
        self.alerting.stop();
        self.housekeeping.stop();
        if let Some(rollups) = &self.rollups {
            rollups.stop();
        }
        remotes::stop(&self.remotes, deadline);
        self.journal.close();
        if let Some(applier) = &self.applier {
            applier.drain();
        }
    }

    pub(crate) fn redis(&self) -> std::sync::MutexGuard<'_, Option<RedisSource>> {
        self.redis.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}

/// What must stay although its policy does not keep it: rows are still to be made of it, or it is not archived yet.
fn holds(rollups: Option<Arc<Rollups>>, archiver: Option<Arc<Archiver>>) -> Holds {
    let hurried = archiver.clone();
    let hold = move |bucket| {
        let of_rollups = rollups.as_ref().and_then(|rollups| rolled::hold(rollups, bucket));
        Hold::earlier(of_rollups, archiver.as_ref().and_then(|archiver| archiving::hold(archiver, bucket)))
    };
    let hurry = move |bucket, cutoff| {
        if let Some(archiver) = &hurried {
            archiving::hurry(archiver, bucket, cutoff);
        }
    };
    Holds { hold: Box::new(hold), hurry: Box::new(hurry) }
}

/// The remote store that answers queries, if one does.
fn answering(config: &Config, catalog: &Arc<Catalog>, remotes: &[Remote]) -> Option<Arc<dyn StorageBackend>> {
    let remote = remotes.iter().find(|remote| remote.name == config.answering().text())?;
    Some(Arc::new(Answering { catalog: Arc::clone(catalog), store: Arc::clone(&remote.store) }))
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
