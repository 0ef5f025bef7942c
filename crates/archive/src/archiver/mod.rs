//! Archiving what is due: by schedule, when retention waits for it, or when told.

mod job;
mod report;
mod worker;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::{collections::BTreeMap, io};

use catalog::Catalog;
use engine::Engine;
use model::{BucketId, TimeRange, TimestampNs};

use crate::Clock;
use crate::archive::Archive;
use crate::config::ArchiveConfig;
use crate::day::Day;
use crate::days::Days;
use crate::ledger::Ledger;

pub use report::{ArchiverStatus, Failure, RunReport};

use report::Totals;
use worker::Worker;

/// Which days a run is about; in any case only those that are over, with the delay.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Scope {
    /// All that are due.
    All,
    /// Those of these buckets that begin before a time.
    Before(BTreeMap<BucketId, TimestampNs>),
}

/// Puts days of the store into the archive. Cheap to share; runs follow each other.
pub struct Archiver {
    shared: Arc<Shared>,
    worker: Mutex<Option<Worker>>,
}

/// What the worker and its callers share.
struct Shared {
    config: ArchiveConfig,
    catalog: Arc<Catalog>,
    engine: Arc<Engine>,
    ledger: Arc<Ledger>,
    archive: Archive,
    clock: Clock,
    stop: AtomicBool,
    /// Held during a run.
    running: Mutex<()>,
    totals: Mutex<Totals>,
    /// What retention waits for.
    wanted: Mutex<BTreeMap<BucketId, TimestampNs>>,
}

impl Archiver {
    /// An archiver that does nothing by itself until [`Archiver::start`].
    pub fn new(
        config: ArchiveConfig,
        archive: Archive,
        catalog: Arc<Catalog>,
        engine: Arc<Engine>,
        ledger: Arc<Ledger>,
        clock: Clock,
    ) -> Self {
        let shared = Shared {
            config,
            catalog,
            engine,
            ledger,
            archive,
            clock,
            stop: AtomicBool::new(false),
            running: Mutex::default(),
            totals: Mutex::default(),
            wanted: Mutex::default(),
        };
        Self { shared: Arc::new(shared), worker: Mutex::default() }
    }

    /// Starts the thread that archives by schedule and what retention waits for. It does nothing until `is_ready`, which is to say
    /// that the journal's old records are in the store again: a day archived before that would be archived twice.
    ///
    /// # Errors
    /// When the thread cannot be started.
    pub fn start(&self, is_ready: impl Fn() -> bool + Send + 'static) -> io::Result<()> {
        let worker = Worker::start(Arc::clone(&self.shared), is_ready)?;
        *lock(&self.worker) = Some(worker);
        Ok(())
    }

    /// Ends the thread and a run under way; a file half written is left out, its day stays due. To be called before the store is closed.
    pub fn stop(&self) {
        self.shared.stop.store(true, Relaxed);
        if let Some(worker) = lock(&self.worker).take() {
            worker.stop();
        }
        // One that was told to run, not by the thread.
        drop(lock(&self.shared.running));
        // What fails here is done again after the next start.
        if let Err(error) = pipeline::Observer::persist(&*self.shared.ledger) {
            tracing::warn!(%error, "which days are archived could not be made durable; they are archived again");
        }
    }

    /// Archives what is due now, and waits for it. For `hissrv archive run`; also beside the thread.
    pub fn run(&self, scope: &Scope) -> RunReport {
        self.shared.run(scope)
    }

    /// The archive that it writes to.
    pub fn archive(&self) -> &Archive {
        &self.shared.archive
    }

    /// True when the settings say that nothing may be deleted that is not archived.
    pub fn is_before_deletion(&self) -> bool {
        self.shared.config.before_deletion
    }

    /// The first instant of a bucket that must not be deleted yet: the start of its earliest day that has values and is not archived as
    /// they are now. `None` when all is archived, or the bucket is none that is to be. Whoever is going to delete everything before a
    /// time `t` of it may do so when this is `None` or at least `t`.
    pub fn first_missing(&self, bucket: BucketId) -> Option<TimestampNs> {
        self.shared.first_missing(bucket)
    }

    /// True when everything of a bucket before `until` is archived, or need not be.
    pub fn is_archived(&self, bucket: BucketId, until: TimestampNs) -> bool {
        self.first_missing(bucket).is_none_or(|first| first >= until)
    }

    /// Retention wants to delete what is before `until`: it is archived soon, whatever the schedule says. Returns at once.
    pub fn hurry(&self, bucket: BucketId, until: TimestampNs) {
        let mut wanted = lock(&self.shared.wanted);
        let known = wanted.entry(bucket).or_insert(until);
        *known = (*known).max(until);
    }

    /// Figures of the moment.
    pub fn status(&self) -> ArchiverStatus {
        let due_runs = self.shared.ledger.due_runs();
        let is_running = self.shared.running.try_lock().is_err();
        lock(&self.shared.totals).status(&self.shared.config, self.shared.ledger.last_run(), due_runs, is_running)
    }
}

impl Shared {
    fn first_missing(&self, bucket: BucketId) -> Option<TimestampNs> {
        let mut due = Days::default();
        for measurement in self.measurements(bucket) {
            due.extend(&self.ledger.due(measurement));
        }
        let days = self.days_with_values(bucket, &due);
        days.first().map(|day| day.start())
    }

    /// Measurements of a bucket that are to be archived.
    fn measurements(&self, bucket: BucketId) -> Vec<model::MeasurementId> {
        let names = self.catalog.read();
        let Some((database, policy)) = names.bucket_names(bucket) else { return Vec::new() };
        if !self.config.takes_bucket(database, policy) {
            return Vec::new();
        }
        let all = names.measurements(bucket);
        all.filter(|(_, name)| self.config.takes(database, policy, name)).map(|(id, _)| id).collect()
    }

    /// Those of `days` on which a bucket may have values, ascending.
    fn days_with_values(&self, bucket: BucketId, days: &Days) -> Vec<Day> {
        let mut found: Vec<Day> = Vec::new();
        for partition in self.engine.partitions().iter().filter(|p| p.bucket == bucket) {
            let TimeRange { start, end } = partition.range;
            let inside = days.clip(Day::of(start), Day::of(end.saturating_add(-1)));
            for (first, last) in inside.runs() {
                let mut day = *first;
                loop {
                    found.push(day);
                    if day >= *last {
                        break;
                    }
                    day = day.next();
                }
            }
        }
        found.sort_unstable();
        found.dedup();
        found
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
