//! Start, accept, stop. One task accepts and owns the connections; it stops accepting while the cap is reached, and on stop
//! lets requests in flight end before it cuts what is left.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use tokio::task::{JoinError, JoinHandle, JoinSet};
use tokio::time::{Instant, sleep, timeout_at};

use crate::app::App;
use crate::config::{ConfigError, ServerConfig};
use crate::connection::{self, Timeouts};
use crate::dispatch::Dispatcher;
use crate::metrics::HttpMetrics;
use crate::service::Historian;

/// A running server. Dropped without [`Server::stop`], it cuts its connections at once.
pub struct Server {
    local_addr: SocketAddr,
    metrics: Arc<HttpMetrics>,
    phase: watch::Sender<Phase>,
    acceptor: JoinHandle<StopReport>,
}

/// How a stop went.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StopReport {
    /// Connections whose request had not ended by the deadline.
    pub cut: usize,
}

/// Why the server did not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The settings cannot work.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// The address is wrong or taken.
    #[error("listen on {listen}")]
    Listen {
        /// As configured.
        listen: String,
        /// What the system said.
        source: io::Error,
    },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Phase {
    Running,
    Stopping { deadline: Instant },
}

impl Server {
    /// Listens at `config.listen` and serves until [`Server::stop`]. Needs a tokio runtime with time and network.
    ///
    /// # Errors
    /// When the settings cannot work or the address cannot be listened at.
    pub async fn start(config: ServerConfig, historian: Arc<dyn Historian>) -> Result<Self, StartError> {
        config.check()?;
        let listen_error = |source| StartError::Listen { listen: config.listen.clone(), source };
        let listener = TcpListener::bind(&config.listen).await.map_err(listen_error)?;
        let local_addr = listener.local_addr().map_err(listen_error)?;
        if !local_addr.ip().is_loopback() {
            tracing::warn!(%local_addr, "listening beyond this machine without authentication: everyone who reaches the port can read and write");
        }
        let app = Arc::new(App::new(config, historian));
        let metrics = Arc::clone(&app.metrics);
        let (phase, phase_seen) = watch::channel(Phase::Running);
        let acceptor = tokio::spawn(Acceptor::new(app, phase_seen).run(listener));
        tracing::info!(%local_addr, "HTTP server listens");
        Ok(Self { local_addr, metrics, phase, acceptor })
    }

    /// Where it listens; with the port that was chosen when 0 was configured.
    pub fn local_addr(&self) -> SocketAddr {
        self.local_addr
    }

    /// Counts since the start; `/metrics` shows them too.
    pub fn metrics(&self) -> &HttpMetrics {
        &self.metrics
    }

    /// Stops accepting at once, lets requests in flight end for at most `patience`, then cuts what is left.
    pub async fn stop(self, patience: Duration) -> StopReport {
        self.phase.send_replace(Phase::Stopping { deadline: Instant::now() + patience });
        self.acceptor.await.unwrap_or_else(|failed| {
            tracing::error!(error = %failed, "the accept loop died");
            StopReport { cut: 0 }
        })
    }
}

struct Acceptor {
    dispatcher: Arc<Dispatcher>,
    metrics: Arc<HttpMetrics>,
    timeouts: Timeouts,
    places: Arc<Semaphore>,
    phase: watch::Receiver<Phase>,
    connections: JoinSet<()>,
}

impl Acceptor {
    fn new(app: Arc<App>, phase: watch::Receiver<Phase>) -> Self {
        Self {
            metrics: Arc::clone(&app.metrics),
            timeouts: Timeouts::of(&app.config),
            places: Arc::new(Semaphore::new(app.config.max_connections)),
            dispatcher: Arc::new(Dispatcher::new(app)),
            phase,
            connections: JoinSet::new(),
        }
    }

    async fn run(mut self, listener: TcpListener) -> StopReport {
        loop {
            tokio::select! {
                biased;
                _ = self.phase.changed() => break,
                Some(ended) = self.connections.join_next() => note_end(ended),
                (stream, place) = accept(&listener, &self.places) => self.serve(stream, place),
            }
        }
        drop(listener);
        self.drain().await
    }

    fn serve(&mut self, stream: TcpStream, place: OwnedSemaphorePermit) {
        let dispatcher = Arc::clone(&self.dispatcher);
        let count = ConnectionCount::open(&self.metrics);
        let (timeouts, phase) = (self.timeouts, self.phase.clone());
        self.connections.spawn(async move {
            if let Err(cut) = connection::serve(stream, dispatcher, timeouts, phase).await {
                count.metrics.connection_cut();
                tracing::debug!(%cut, "connection cut");
            }
            drop(count);
            drop(place);
        });
    }

    async fn drain(mut self) -> StopReport {
        // A server dropped without `stop` leaves the phase as it was: nobody waits.
        let deadline = match *self.phase.borrow() {
            Phase::Stopping { deadline } => deadline,
            Phase::Running => Instant::now(),
        };
        let all_ended = async {
            while let Some(ended) = self.connections.join_next().await {
                note_end(ended);
            }
        };
        let in_time = timeout_at(deadline, all_ended).await.is_ok();
        let cut = if in_time { 0 } else { self.connections.len() };
        self.connections.shutdown().await;
        if cut > 0 {
            tracing::warn!(cut, "HTTP server stopped before all requests had ended");
        }
        StopReport { cut }
    }
}

/// Handlers catch their panics, so a task that died is a fault of the server itself.
fn note_end(ended: Result<(), JoinError>) {
    if let Err(error) = ended {
        tracing::error!(%error, "a connection's task died");
    }
}

/// Waits for a free place, then for a connection. An error of the system (too many open files, for example) is logged and
/// waited out, since it ends by itself when connections close.
async fn accept(listener: &TcpListener, places: &Arc<Semaphore>) -> (TcpStream, OwnedSemaphorePermit) {
    loop {
        let Ok(place) = Arc::clone(places).acquire_owned().await else {
            return std::future::pending().await;
        };
        match listener.accept().await {
            Ok((stream, _peer)) => return (stream, place),
            Err(error) => tracing::warn!(%error, "accept a connection"),
        }
        sleep(ACCEPT_PAUSE).await;
    }
}

/// Pause after a failed accept.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// Counts a connection as open until dropped, also when its task is cut.
struct ConnectionCount {
    metrics: Arc<HttpMetrics>,
}

impl ConnectionCount {
    fn open(metrics: &Arc<HttpMetrics>) -> Self {
        metrics.connection_opened();
        Self { metrics: Arc::clone(metrics) }
    }
}

impl Drop for ConnectionCount {
    fn drop(&mut self) {
        self.metrics.connection_closed();
    }
}
