//! `hissrv demo`: the service with a simulated plant.

use std::sync::Arc;

use anyhow::Context;
use pipeline::Origin;
use source::redis::{Stop, probe};
use source::simulator::{Simulator, SimulatorConfig};

use crate::cli::{DemoArgs, Failure};
use crate::commands::service::{self, Extra};
use crate::config::Config;
use crate::node::{Node, now};

pub(crate) fn run(args: &DemoArgs) -> Result<(), Failure> {
    let mut config = Config { data_dir: args.data_dir.clone(), ..Config::default() };
    config.server.listen.clone_from(&args.listen);
    config.redis.url = args.redis.as_str().into();
    config.redis.validate().map_err(|e| Failure::Usage(e.to_string()))?;
    crate::logging::init(&config.log).map_err(Failure::Usage)?;
    let redis = probe(&config.redis);
    config.redis.enabled = redis.is_ok();
    let plant = SimulatorConfig { channels: args.channels, ..SimulatorConfig::default() };
    let through_redis = config.redis.enabled;
    let url = args.redis.clone();
    match redis {
        Ok(()) => {
            tracing::info!(redis = %config.redis.url, channels = args.channels, "a simulated plant publishes to Redis")
        }
        Err(e) => {
            tracing::info!(reason = %e, channels = args.channels, "no Redis answers, so the simulated plant runs in process")
        }
    }
    service::serve(&config, move |node| Ok(vec![start_plant(plant, node, through_redis.then_some(url))?]))
}

/// Starts the plant in a thread of its own; the result ends it.
fn start_plant(config: SimulatorConfig, node: &Arc<Node>, redis: Option<String>) -> anyhow::Result<Extra> {
    let stop = Arc::new(Stop::default());
    let simulator = Simulator::new(config, now);
    let (ours, sinks) = (Arc::clone(&stop), node.sinks(Origin::Simulator));
    let plant = move || match redis {
        None => simulator.run_in_process(&sinks, &ours),
        Some(url) => {
            if let Err(e) = simulator.run_redis(&url, &ours) {
                tracing::error!(error = %e, "the simulated plant ended");
            }
        }
    };
    let thread =
        std::thread::Builder::new().name("plant".to_owned()).spawn(plant).context("start the simulated plant")?;
    Ok(Box::new(move || {
        stop.request();
        if thread.join().is_err() {
            tracing::error!("the simulated plant had panicked");
        }
    }))
}
