//! Where points are written: the data directory itself, a running service, or a store of the configuration.

use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context, anyhow};
use backend::hissrv::{Hissrv, HissrvConfig};
use backend::{Database, Destination, Policy, RemoteStore, Wanted};
use import::{JournalSink, Nowhere, Sink, StoreSink};
use model::ByteSize;
use server::Historian;

use crate::cli::{Failure, TargetArgs, TargetName};
use crate::commands::address::url_of;
use crate::commands::client::request_patiently;
use crate::commands::events::path_of;
use crate::config::{Config, StoreName};
use crate::http::Service;
use crate::node::{FromNow, Node, now, stores};

/// Longest time for writing to files what is in memory at the end.
const CLOSE_DEADLINE: Duration = Duration::from_secs(600);
/// A request of many points may take longer than one of live values.
const TIMEOUT: Duration = Duration::from_secs(60);
/// Memory for each of the engine's caches while points are written from here.
const CACHE_MAX: ByteSize = ByteSize(1 << 20);
/// The policy of databases that are made.
const DEFAULT_POLICY: &str = "autogen";

/// Database and retention policy.
#[derive(Clone, Copy)]
struct Place<'a> {
    database: &'a str,
    policy: Option<&'a str>,
}

impl<'a> Place<'a> {
    fn named(config: &'a Config, database: Option<&'a str>, policy: Option<&'a str>) -> Self {
        Self { database: database.unwrap_or(config.database()), policy }
    }
}

/// Where points are written.
pub(super) struct Target {
    sink: Box<dyn Sink>,
    /// The data directory, where that is it.
    node: Option<Arc<Node>>,
    name: String,
    /// What may be the matter when it does not answer.
    hint: Option<String>,
}

/// Most bytes of parameters in a request to a service.
const PARAMETERS_MAX: usize = 20_000;
/// Time between two looks whether the data directory is ready.
const READY_CHECK: Duration = Duration::from_millis(20);

impl Target {
    /// A place that keeps nothing.
    pub(super) fn nowhere() -> Self {
        Self { sink: Box::new(Nowhere), node: None, name: "nowhere (dry run)".to_owned(), hint: None }
    }

    /// The place that the command line says, told from others by its data directory or its address.
    pub(super) fn place(args: &TargetArgs, config: &Config) -> String {
        let named = |name| config.address_of(name).trim().to_owned();
        match (args.to.unwrap_or(TargetName::Auto), &args.url) {
            (TargetName::Auto | TargetName::Service, Some(url)) => url.clone(),
            (TargetName::Service, None) => url_of(config),
            (TargetName::Auto | TargetName::Embedded, _) => {
                std::path::absolute(&config.data_dir).unwrap_or(config.data_dir.clone()).display().to_string()
            }
            (TargetName::Influxdb, _) => named(StoreName::Influxdb),
            (TargetName::Victoriametrics, _) => named(StoreName::Victoriametrics),
            (TargetName::Postgres, _) => named(StoreName::Postgres),
            (TargetName::Hissrv, _) => named(StoreName::Hissrv),
        }
    }

    /// The target that the command line says.
    pub(super) fn open(args: &TargetArgs, config: &Config) -> Result<Self, Failure> {
        Self::open_for(args, config, args.database.as_deref(), args.policy.as_deref())
    }

    /// The same for what has its events made of history at the end ([`Target::generate_events`], [`Target::release_events`]): in the data directory
    /// no live events are made of it.
    pub(super) fn open_for_history(args: &TargetArgs, config: &Config) -> Result<Self, Failure> {
        let place = Place::named(config, args.database.as_deref(), args.policy.as_deref());
        Self::open_at(args, config, place, FromNow::PassedOver)
    }

    /// The same for a database and a policy that somebody else names.
    pub(super) fn open_for(
        args: &TargetArgs,
        config: &Config,
        database: Option<&str>,
        policy: Option<&str>,
    ) -> Result<Self, Failure> {
        Self::open_at(args, config, Place::named(config, database, policy), FromNow::Watched)
    }

    fn open_at(args: &TargetArgs, config: &Config, place: Place<'_>, from_now: FromNow) -> Result<Self, Failure> {
        match args.to.unwrap_or(TargetName::Auto) {
            TargetName::Auto if args.url.is_some() => service(args, config, place),
            TargetName::Auto if is_in_use(config) => {
                let hint = format!(
                    " (the data directory {} is in use, so a service is expected there; if it is another import or export that uses it, wait \
                     for its end)",
                    config.data_dir.display()
                );
                service(args, config, place).map(|target| Self { hint: Some(hint), ..target })
            }
            TargetName::Service => service(args, config, place),
            TargetName::Auto | TargetName::Embedded => embedded(config, place, from_now),
            TargetName::Influxdb => remote(config, place, StoreName::Influxdb),
            TargetName::Victoriametrics => remote(config, place, StoreName::Victoriametrics),
            TargetName::Postgres => remote(config, place, StoreName::Postgres),
            TargetName::Hissrv => remote(config, place, StoreName::Hissrv),
        }
    }

    pub(super) fn sink(&self) -> &dyn Sink {
        &*self.sink
    }

    pub(super) fn name(&self) -> String {
        self.name.clone()
    }

    /// Bytes of parameters that a request about events may have.
    pub(super) fn parameters_max(&self) -> usize {
        if self.node.is_some() { usize::MAX } else { PARAMETERS_MAX }
    }

    /// Makes events of history, where points are written into the data directory or to a service.
    pub(super) fn generate_events(&self, parameters: &[(String, String)]) -> Result<Vec<u8>, Failure> {
        match &self.node {
            Some(node) => generate_events(node, parameters),
            None => Ok(request_patiently(&self.name, "POST", &path_of("/api/v1/admin/events", parameters))?),
        }
    }

    /// Whether an earlier process stored what has no events yet, nobody knows of which nodes and times.
    pub(super) fn owes_events(&self) -> bool {
        self.node.as_ref().is_some_and(|node| node.eventing.has_found_debt())
    }

    /// The events of all that was written are made: live ones go on behind it.
    pub(super) fn release_events(&self) {
        if let Some(node) = &self.node {
            node.eventing.release(node.journal.stats().last_seq);
        }
    }

    /// What may be the matter when it does not answer: empty, or in brackets behind a blank.
    pub(super) fn hint(&self) -> &str {
        self.hint.as_deref().unwrap_or_default()
    }

    /// Writes to files what is in memory, where that is ours to do.
    pub(super) fn close(&self) {
        if let Some(node) = &self.node {
            let deadline = Instant::now() + CLOSE_DEADLINE;
            node.stop_sources(deadline);
            node.close(deadline);
        }
    }
}

/// Makes events of history in a data directory that this process holds.
pub(super) fn generate_events(node: &Arc<Node>, parameters: &[(String, String)]) -> Result<Vec<u8>, Failure> {
    while node.ready().is_err() {
        std::thread::sleep(READY_CHECK);
    }
    Service(Arc::clone(node)).generate_events(parameters).map_err(|e| match e.kind {
        server::ErrorKind::BadRequest => Failure::Usage(e.message),
        _ => Failure::Run(anyhow!(e.message)),
    })
}

/// Whether a process uses the data directory.
fn is_in_use(config: &Config) -> bool {
    Node::is_in_use(&config.data_dir)
}

fn embedded(config: &Config, place: Place<'_>, from_now: FromNow) -> Result<Target, Failure> {
    let node = Node::open_with(&for_writing(config), from_now)?;
    let Place { database, policy } = place;
    if !node.catalog.meta().databases().iter().any(|known| known.name == database) {
        node.catalog.ensure_bucket(database, DEFAULT_POLICY).context("make the database")?;
    }
    let target = node.intake.target(database, policy).map_err(|e| Failure::Usage(e.to_string()))?;
    let sink = Box::new(JournalSink::new(node.intake.clone(), target, now));
    Ok(Target { sink, node: Some(Arc::new(node)), name: config.data_dir.display().to_string(), hint: None })
}

/// With little memory for what is read again and again: whoever writes reads what is stored once, if at all, to make events of it.
fn for_writing(config: &Config) -> Config {
    let mut config = config.clone();
    let engine = &mut config.engine;
    for cache in [&mut engine.index_cache, &mut engine.chunk_cache] {
        cache.0 = cache.0.min(CACHE_MAX.0);
    }
    config
}

fn service(args: &TargetArgs, config: &Config, place: Place<'_>) -> Result<Target, Failure> {
    let url = args.url.clone().unwrap_or_else(|| url_of(config));
    let address = url.parse().map_err(|e| Failure::Usage(format!("--url {url}: {e}")))?;
    let settings = HissrvConfig { url: address, timeout: model::HumanDuration(TIMEOUT), ..HissrvConfig::default() };
    let store = Hissrv::new(&settings).map_err(|e| Failure::Usage(format!("--url {url}: {e}")))?;
    Ok(of_store(place, Arc::new(store), url))
}

fn remote(config: &Config, place: Place<'_>, name: StoreName) -> Result<Target, Failure> {
    let store = stores(config)?.into_iter().find(|store| store.name() == name.text()).ok_or_else(|| {
        Failure::Usage(format!("the configuration has no store {}: name the file with --config", name.text()))
    })?;
    Ok(of_store(place, store, config.address_of(name).trim().to_owned()))
}

fn of_store(place: Place<'_>, store: Arc<dyn RemoteStore>, name: String) -> Target {
    let is_service = store.name() == StoreName::Hissrv.text();
    // Another hissrv knows its own default.
    let default = if is_service { "" } else { DEFAULT_POLICY };
    let destination = Destination {
        database: place.database.to_owned(),
        policy: place.policy.unwrap_or(default).to_owned(),
        is_default: place.policy.is_none(),
    };
    let sink = Box::new(StoreSink::new(store, destination, wanted(place)));
    Target { sink, node: None, name, hint: None }
}

/// What is made where the place is missing: the database, if no policy of it was named.
fn wanted(place: Place<'_>) -> Wanted {
    if place.policy.is_some() {
        return Wanted::default();
    }
    let forever = Policy { name: DEFAULT_POLICY.to_owned(), duration: None, shard_duration: None, replication: 1 };
    let database = Database {
        name: place.database.to_owned(),
        default_policy: DEFAULT_POLICY.to_owned(),
        policies: vec![forever],
    };
    Wanted { databases: vec![database], rollups: Vec::new() }
}
