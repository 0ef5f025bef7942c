//! The stores in other processes: made from the configuration, each fed by its own writer from its own position in the journal.

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::Context;
use backend::RemoteStore;
use backend::hissrv::Hissrv;
use backend::influxdb::InfluxDb;
use backend::postgres::Postgres;
use backend::victoriametrics::VictoriaMetrics;
use catalog::Catalog;
use journal::Journal;
use vfs::Fs;
use writer::dead_letters::{DeadLetters, Limits};
use writer::{Parts, StoreWriter};

use super::now;
use super::wanted::{rollups, wanted};
use crate::config::{Config, StoreName};

/// A store in another process, and what feeds it.
pub(crate) struct Remote {
    pub(crate) name: &'static str,
    pub(crate) store: Arc<dyn RemoteStore>,
    pub(crate) writer: StoreWriter,
    pub(crate) dead_letters: Arc<DeadLetters>,
}

/// What a writer is started with.
pub(super) struct Feed<'a> {
    pub(super) config: &'a Config,
    pub(super) dir: &'a Path,
    pub(super) fs: Arc<dyn Fs>,
    pub(super) journal: &'a Arc<Journal>,
    pub(super) catalog: &'a Arc<Catalog>,
}

/// Makes the remote stores of the configuration. Does not talk to them: they may be away.
pub(crate) fn stores(config: &Config) -> anyhow::Result<Vec<Arc<dyn RemoteStore>>> {
    config.stores().into_iter().filter_map(|name| store(config, name).transpose()).collect()
}

fn store(config: &Config, name: StoreName) -> anyhow::Result<Option<Arc<dyn RemoteStore>>> {
    let storage = config.storage.as_ref();
    let made: anyhow::Result<Option<Arc<dyn RemoteStore>>> = match name {
        StoreName::Embedded => Ok(None),
        StoreName::Influxdb => made(config.influxdb.as_ref(), |c| Ok(InfluxDb::new(c)?)),
        StoreName::Victoriametrics => {
            made(storage.and_then(|s| s.victoriametrics.as_ref()), |c| Ok(VictoriaMetrics::new(c)?))
        }
        StoreName::Postgres => made(storage.and_then(|s| s.postgres.as_ref()), |c| Ok(Postgres::new(c)?)),
        StoreName::Hissrv => made(storage.and_then(|s| s.hissrv.as_ref()), |c| Ok(Hissrv::new(c)?)),
    };
    made.with_context(|| format!("set up the store {}", name.text()))
}

fn made<C, S: RemoteStore + 'static>(
    config: Option<&C>,
    make: impl FnOnce(&C) -> anyhow::Result<S>,
) -> anyhow::Result<Option<Arc<dyn RemoteStore>>> {
    let Some(config) = config else { return Ok(None) };
    Ok(Some(Arc::new(make(config)?)))
}

impl Remote {
    /// Starts feeding `store` from where its cursor stands.
    pub(super) fn start(store: Arc<dyn RemoteStore>, feed: &Feed<'_>) -> anyhow::Result<Self> {
        let name = store.name();
        let context = || format!("feed the store {name}");
        let limit = feed.config.writer.dead_letter_max;
        let dead_letters = DeadLetters::open(Arc::clone(&feed.fs), feed.dir, name, Limits { max_bytes: limit });
        let dead_letters = Arc::new(dead_letters.with_context(context)?);
        let consumer = feed.journal.consumer(name).with_context(context)?;
        let (catalog, rollups) = (Arc::clone(feed.catalog), rollups(feed.config));
        let writer = StoreWriter::start(Parts {
            store: Arc::clone(&store),
            journal: Arc::clone(feed.journal),
            consumer,
            catalog: Arc::clone(feed.catalog),
            dead_letters: Arc::clone(&dead_letters),
            wanted: Box::new(move || wanted(&catalog, &rollups)),
            config: feed.config.writer.clone(),
            clock: now,
        });
        Ok(Self { name, store, writer: writer.with_context(context)?, dead_letters })
    }
}

/// Says which values the journal keeps for stores that are not configured any more.
pub(super) fn warn_of_forsaken(journal: &Journal, fed: &[StoreName]) {
    for consumer in journal.stats().consumers {
        let is_fed = fed.iter().any(|name| name.text() == consumer.name);
        if !is_fed && consumer.name != super::eventing::CONSUMER {
            tracing::warn!(
                store = consumer.name,
                values = consumer.lag_points,
                "the journal keeps values for a store that is not configured any more; `hissrv store forget NAME` gives them up"
            );
        }
    }
}

/// Longest time for requests under way at a stop: the embedded store needs the rest of it.
const STOP_PATIENCE: Duration = Duration::from_secs(8);

/// Stops all writers at once; what they have not stored stays in the journal.
pub(super) fn stop(remotes: &[Remote], deadline: Instant) {
    let deadline = deadline.min(Instant::now() + STOP_PATIENCE);
    std::thread::scope(|scope| {
        for remote in remotes {
            scope.spawn(move || remote.writer.stop(deadline));
        }
    });
}
