//! How a node starts: the data directory first, then what is fed, then who answers, then what is done from time to time.

use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Mutex};
use std::time::Instant;

use backend::{Embedded, StorageBackend};
use catalog::Catalog;
use pipeline::{Applier, Intake};
use statements::{Parts, Statements};

use super::accounts::Accounts;
use super::alerting::Alerting;
use super::answering::Answering;
use super::eventing::{Eventing, FromNow, Hooks, Rooms};
use super::fed::Fed;
use super::forecast::Outlook;
use super::housekeeping::{House, Housekeeping};
use super::local::Local;
use super::opened::Opened;
use super::remotes::{self, Feed, Remote};
use super::results::Results;
use super::retention::Retention;
use super::{Node, now};
use crate::config::Config;

impl Node {
    /// Opens the data directory and starts taking in what the journal still holds.
    pub(crate) fn open(config: &Config) -> anyhow::Result<Self> {
        Self::open_with(config, FromNow::Watched)
    }

    /// The same; says whether live events are made of what is written from now on. Where values are not kept here, they always are.
    pub(crate) fn open_with(config: &Config, from_now: FromNow) -> anyhow::Result<Self> {
        let opened = Opened::open(config)?;
        let alerting = Arc::new(Alerting::open(&opened.fs, &config.data_dir, &config.alerts)?);
        let results = Arc::new(Results::new(config.query.cache));
        let fed = Fed::start(config, &opened, &results)?;
        let intake = Intake::new(Arc::clone(&opened.catalog), Arc::clone(&opened.journal), Arc::clone(&fed.applied));
        fed.start_making(&intake, opened.replay_to)?;
        let target = intake.target(config.database(), None)?;
        let from_now = if fed.applier.is_some() { from_now } else { FromNow::Watched };
        let eventing = eventing(config, &opened, &intake, &alerting, from_now)?;
        let remotes = feed_remotes(config, &opened)?;
        let embedded = Embedded::new(Arc::clone(&opened.catalog), Arc::clone(&opened.engine), now);
        let local = Local::new(embedded.clone(), fed.rollups.clone(), Arc::clone(&results));
        let backend = answering(config, &opened.catalog, &remotes).unwrap_or_else(|| Arc::new(local));
        let statements = statements(config, &opened, &intake, &embedded, &backend, fed.applier.as_ref());
        let holds = fed.holds();
        let Fed { applied, applier, rollups, archiver } = fed;
        let Opened { lock, fs: _, catalog, engine, journal, replay_to } = opened;
        let retention = Arc::new(Retention::new(Arc::clone(&catalog), Arc::clone(&engine), holds));
        let accounts = Arc::new(Accounts::new(intake.clone(), applier.clone()));
        let outlook = Arc::new(Outlook::default());
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
            eventing,
            results,
            embedded,
            remotes,
            statements,
            retention,
            housekeeping,
            database: config.database().to_owned(),
            limits: config.query.to_limits(config.server.query_timeout.0),
            started: Instant::now(),
            redis: Mutex::default(),
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
}

/// The lane of events; alerts hear of them.
fn eventing(
    config: &Config,
    opened: &Opened,
    intake: &Intake,
    alerting: &Arc<Alerting>,
    from_now: FromNow,
) -> anyhow::Result<Eventing> {
    let hooks = Arc::<Hooks>::default();
    let told = Arc::clone(alerting);
    hooks.add(Box::new(move |events| told.take_events(events)));
    let Opened { fs, catalog, journal, .. } = opened;
    Eventing::open(config, &Rooms { fs, dir: &config.data_dir, catalog, journal, intake, hooks: &hooks, from_now })
}

/// Starts feeding the remote stores of the configuration.
fn feed_remotes(config: &Config, opened: &Opened) -> anyhow::Result<Vec<Remote>> {
    let Opened { fs, catalog, journal, .. } = opened;
    let feed = Feed { config, dir: &config.data_dir, fs: Arc::clone(fs), journal, catalog };
    let stores = remotes::stores(config)?.into_iter();
    let remotes = stores.map(|store| Remote::start(store, &feed)).collect::<Result<_, _>>()?;
    remotes::warn_of_forsaken(journal, &config.stores());
    Ok(remotes)
}

/// The remote store that answers queries, if one does.
fn answering(config: &Config, catalog: &Arc<Catalog>, remotes: &[Remote]) -> Option<Arc<dyn StorageBackend>> {
    let remote = remotes.iter().find(|remote| remote.name == config.answering().text())?;
    Some(Arc::new(Answering { catalog: Arc::clone(catalog), store: Arc::clone(&remote.store) }))
}

fn statements(
    config: &Config,
    opened: &Opened,
    intake: &Intake,
    embedded: &Embedded,
    backend: &Arc<dyn StorageBackend>,
    applier: Option<&Arc<Applier>>,
) -> Statements {
    let store = embedded.clone();
    Statements::new(Parts {
        catalog: Arc::clone(&opened.catalog),
        engine: Arc::clone(&opened.engine),
        intake: intake.clone(),
        store: Arc::new(move || Box::new(store.for_query())),
        backend: Arc::clone(backend),
        has_values_here: applier.is_some(),
        limits: config.query.to_limits(config.server.query_timeout.0),
        threads: std::thread::available_parallelism().map_or(1, usize::from),
        dialect: config.query.to_dialect(),
        clock: now,
    })
}
