//! A node and its HTTP server from start to stop.

use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::Context;
use server::Server;
use tokio::signal::unix::{Signal, SignalKind, signal};

use super::signals::INTERRUPTED;
use crate::cli::Failure;
use crate::config::Config;
use crate::http::Service;
use crate::node::Node;

/// Longest time for a stop in order. What was acknowledged is in the journal whenever the process ends.
const STOP_DEADLINE: Duration = Duration::from_secs(30);
/// Of that, time for requests in flight.
const HTTP_PATIENCE: Duration = Duration::from_secs(5);

/// Something that produces values beside the configured sources, ended before the node is.
pub(crate) type Extra = Box<dyn FnOnce() + Send>;

/// Runs until a signal asks to stop. `start_extras` is called once the node takes values in.
pub(crate) fn serve(
    config: &Config,
    start_extras: impl FnOnce(&Arc<Node>) -> anyhow::Result<Vec<Extra>>,
) -> Result<(), Failure> {
    let runtime =
        tokio::runtime::Builder::new_multi_thread().enable_all().build().context("start the async runtime")?;
    let outcome = runtime.block_on(serve_async(config, start_extras));
    // Queries that outlived the stop are not waited for: they only read.
    runtime.shutdown_background();
    outcome
}

async fn serve_async(
    config: &Config,
    start_extras: impl FnOnce(&Arc<Node>) -> anyhow::Result<Vec<Extra>>,
) -> Result<(), Failure> {
    let mut signals = Signals::new().context("listen for signals")?;
    let node = Arc::new(Node::open(config)?);
    let server = Server::start(config.server.clone(), Arc::new(Service(Arc::clone(&node)))).await?;
    tracing::info!(url = %format_args!("http://{}", server.local_addr()), data_dir = %config.data_dir.display(), "hissrv is running");
    if config.redis.enabled {
        node.start_redis(config)?;
    }
    node.start_alerts()?;
    let extras = start_extras(&node)?;
    signals.next().await;
    tracing::info!("stopping: a second signal stops at once");
    let deadline = Instant::now() + STOP_DEADLINE;
    let stop = async {
        let first = Arc::clone(&node);
        blocking(move || {
            extras.into_iter().for_each(|end| end());
            first.stop_sources(deadline);
        })
        .await?;
        let report = server.stop(HTTP_PATIENCE).await;
        if report.cut > 0 {
            tracing::warn!(connections = report.cut, "connections were cut because their requests took too long");
        }
        let last = Arc::clone(&node);
        blocking(move || last.close(deadline)).await
    };
    tokio::select! {
        ended = tokio::time::timeout(STOP_DEADLINE, stop) => match ended {
            Ok(ended) => ended?,
            Err(_) => {
                tracing::error!("the stop took too long; what is not in files yet is in the journal");
                return Err(anyhow::anyhow!("not everything was closed within {} s", STOP_DEADLINE.as_secs()).into());
            }
        },
        () = signals.next() => {
            tracing::warn!("stopped at once by a second signal; what was acknowledged is in the journal");
            std::process::exit(INTERRUPTED);
        }
    }
    tracing::info!("stopped");
    Ok(())
}

async fn blocking(work: impl FnOnce() + Send + 'static) -> anyhow::Result<()> {
    tokio::task::spawn_blocking(work).await.context("a step of the stop panicked")
}

/// SIGINT and SIGTERM.
struct Signals {
    interrupt: Signal,
    terminate: Signal,
}

impl Signals {
    fn new() -> std::io::Result<Self> {
        Ok(Self { interrupt: signal(SignalKind::interrupt())?, terminate: signal(SignalKind::terminate())? })
    }

    async fn next(&mut self) {
        tokio::select! {
            _ = self.interrupt.recv() => {}
            _ = self.terminate.recv() => {}
        }
    }
}
