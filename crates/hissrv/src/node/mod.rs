//! A running hissrv: every room opened in the right order, joined, and closed in the right order.

mod accounts;
mod alerting;
mod answering;
mod archiving;
mod clock;
mod embedded;
mod eventing;
mod facts;
mod fed;
mod forecast;
mod housekeeping;
mod local;
mod metrics;
mod newest;
mod open;
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
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use archive::Archiver;
use backend::{Embedded, StorageBackend};
use catalog::Catalog;
use engine::Engine;
use journal::Journal;
use model::{ByteSize, Seq};
use pipeline::{Applied, Applier, Intake, Origin, Target};
use query::Limits;
use rollup::Rollups;
use source::redis::{RedisSource, SourceOptions};
use statements::Statements;

pub(crate) use alerting::ALERTS;
pub(crate) use archiving::due_days;
pub(crate) use archiving::{clock, spool};
pub(crate) use clock::now;
pub(crate) use eventing::{
    Eventing, FromNow, History, Order as EventsOrder, Report as EventsReport, state_file as events_state,
    verify as verify_events,
};
pub(crate) use facts::fact_names;
pub(crate) use publisher::tools;
pub(crate) use remotes::{Remote, stores};
pub(crate) use rolled::ROLLUP;
pub(crate) use sinks::NodeSinks;

use crate::config::Config;
use accounts::Accounts;
use alerting::Alerting;
use forecast::Outlook;
use housekeeping::Housekeeping;
use results::Results;
use retention::Retention;

/// Folders below the data directory.
pub(crate) const CATALOG: &str = "catalog";
pub(crate) const ENGINE: &str = "engine";
pub(crate) const JOURNAL: &str = "journal";
pub(crate) const DEAD_LETTERS: &str = "dead-letter";

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
    pub(crate) alerting: Arc<Alerting>,
    /// Status logs made of metrics.
    pub(crate) eventing: Eventing,
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
    redis: Mutex<Option<RedisSource>>,
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
        self.housekeeping.stop();
        if let Some(rollups) = &self.rollups {
            rollups.stop();
        }
        self.eventing.stop(deadline);
        // The last events may change alerts.
        self.alerting.stop();
        remotes::stop(&self.remotes, deadline);
        self.journal.close();
        if let Some(applier) = &self.applier {
            applier.drain();
        }
    }

    pub(crate) fn redis(&self) -> MutexGuard<'_, Option<RedisSource>> {
        self.redis.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
