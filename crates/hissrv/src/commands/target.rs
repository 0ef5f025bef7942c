//! Where points are written: the data directory itself, a running service, or a store of the configuration.

use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::Context;
use backend::hissrv::{Hissrv, HissrvConfig};
use backend::{Database, Destination, Policy, RemoteStore, Wanted};
use import::{JournalSink, Nowhere, Sink, StoreSink};

use crate::cli::{Failure, TargetArgs, TargetName};
use crate::commands::address::url_of;
use crate::config::{Config, StoreName};
use crate::node::{Node, now, stores};

/// Longest time for writing to files what is in memory at the end.
const CLOSE_DEADLINE: Duration = Duration::from_secs(600);
/// A request of many points may take longer than one of live values.
const TIMEOUT: Duration = Duration::from_secs(60);
/// The policy of databases that are made.
const DEFAULT_POLICY: &str = "autogen";

/// Where points are written.
pub(super) struct Target {
    sink: Box<dyn Sink>,
    /// The data directory, where that is it.
    node: Option<Node>,
    name: String,
}

impl Target {
    /// A place that keeps nothing.
    pub(super) fn nowhere() -> Self {
        Self { sink: Box::new(Nowhere), node: None, name: "nowhere (dry run)".to_owned() }
    }

    pub(super) fn open(args: &TargetArgs, config: &Config) -> Result<Self, Failure> {
        match args.to.unwrap_or(TargetName::Auto) {
            TargetName::Auto if args.url.is_some() || is_in_use(config) => service(args, config),
            TargetName::Service => service(args, config),
            TargetName::Auto | TargetName::Embedded => embedded(args, config),
            TargetName::Influxdb => remote(args, config, StoreName::Influxdb),
            TargetName::Victoriametrics => remote(args, config, StoreName::Victoriametrics),
            TargetName::Postgres => remote(args, config, StoreName::Postgres),
            TargetName::Hissrv => remote(args, config, StoreName::Hissrv),
        }
    }

    pub(super) fn sink(&self) -> &dyn Sink {
        &*self.sink
    }

    pub(super) fn name(&self) -> String {
        self.name.clone()
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

/// Whether a process uses the data directory.
fn is_in_use(config: &Config) -> bool {
    Node::is_in_use(&config.data_dir)
}

fn embedded(args: &TargetArgs, config: &Config) -> Result<Target, Failure> {
    let node = Node::open(config)?;
    let database = args.database.as_deref().unwrap_or(config.database());
    if !node.catalog.meta().databases().iter().any(|known| known.name == database) {
        node.catalog.ensure_bucket(database, DEFAULT_POLICY).context("make the database")?;
    }
    let target = node.intake.target(database, args.policy.as_deref()).map_err(|e| Failure::Usage(e.to_string()))?;
    let sink = Box::new(JournalSink::new(node.intake.clone(), target, now));
    Ok(Target { sink, node: Some(node), name: config.data_dir.display().to_string() })
}

fn service(args: &TargetArgs, config: &Config) -> Result<Target, Failure> {
    let url = args.url.clone().unwrap_or_else(|| url_of(config));
    let address = url.parse().map_err(|e| Failure::Usage(format!("--url {url}: {e}")))?;
    let settings = HissrvConfig { url: address, timeout: model::HumanDuration(TIMEOUT), ..HissrvConfig::default() };
    let store = Hissrv::new(&settings).map_err(|e| Failure::Usage(format!("--url {url}: {e}")))?;
    Ok(of_store(args, config, Arc::new(store), url))
}

fn remote(args: &TargetArgs, config: &Config, name: StoreName) -> Result<Target, Failure> {
    let store = stores(config)?.into_iter().find(|store| store.name() == name.text()).ok_or_else(|| {
        Failure::Usage(format!("the configuration has no store {}: name the file with --config", name.text()))
    })?;
    Ok(of_store(args, config, store, config.address_of(name)))
}

fn of_store(args: &TargetArgs, config: &Config, store: Arc<dyn RemoteStore>, name: String) -> Target {
    let database = args.database.clone().unwrap_or_else(|| config.database().to_owned());
    let is_service = store.name() == StoreName::Hissrv.text();
    let place = Destination {
        database: database.clone(),
        // Another hissrv knows its own default.
        policy: args
            .policy
            .clone()
            .unwrap_or_else(|| if is_service { String::new() } else { DEFAULT_POLICY.to_owned() }),
        is_default: args.policy.is_none(),
    };
    let sink = Box::new(StoreSink::new(store, place, wanted(args, database)));
    Target { sink, node: None, name }
}

/// What is made where the place is missing: the database, if no policy of it was named.
fn wanted(args: &TargetArgs, database: String) -> Wanted {
    if args.policy.is_some() {
        return Wanted::default();
    }
    let forever = Policy { name: DEFAULT_POLICY.to_owned(), duration: None, shard_duration: None, replication: 1 };
    let database = Database { name: database, default_policy: DEFAULT_POLICY.to_owned(), policies: vec![forever] };
    Wanted { databases: vec![database], rollups: Vec::new() }
}
