//! What all handlers share: the historian, the settings, the limits on concurrent work, and the ways to run a call of the
//! historian on a thread that may block.

use std::any::Any;
use std::sync::Arc;
use std::time::Instant;

use model::Precision;
use query::Cancel;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::timeout;

use crate::body::BodyRules;
use crate::budget::Budget;
use crate::config::ServerConfig;
use crate::error::{ApiError, ErrorKind};
use crate::metrics::HttpMetrics;
use crate::service::{Historian, QueryOptions};

/// State of every handler.
pub(crate) type Shared = Arc<App>;

/// One server's state.
pub(crate) struct App {
    pub(crate) historian: Arc<dyn Historian>,
    pub(crate) config: ServerConfig,
    pub(crate) budget: Budget,
    pub(crate) metrics: Arc<HttpMetrics>,
    queries: Arc<Semaphore>,
    admin: Arc<Semaphore>,
}

impl App {
    /// `config` must have passed [`ServerConfig::check`].
    pub(crate) fn new(config: ServerConfig, historian: Arc<dyn Historian>) -> Self {
        Self {
            historian,
            budget: Budget::new(config.write_memory),
            metrics: Arc::default(),
            queries: Arc::new(Semaphore::new(config.max_queries)),
            admin: Arc::new(Semaphore::new(1)),
            config,
        }
    }

    /// Rules for bodies of at most `max` bytes.
    pub(crate) fn body_rules(&self, max: u64) -> BodyRules {
        BodyRules { max, timeout: self.config.body_timeout.0 }
    }

    /// Runs a query: waits for a turn, bounds its time, and cancels it when the client goes away.
    pub(crate) async fn query<T: Send + 'static>(
        &self,
        epoch: Option<Precision>,
        run: impl FnOnce(&dyn Historian, &QueryOptions) -> Result<T, ApiError> + Send + 'static,
    ) -> Result<T, ApiError> {
        let turn = self.query_turn().await?;
        let limit = self.config.query_timeout.0;
        let options = QueryOptions { cancel: Cancel::with_deadline(Instant::now() + limit), epoch };
        let _cancel_on_drop = CancelOnDrop(options.cancel.clone());
        let historian = Arc::clone(&self.historian);
        let work = self.blocking(move || {
            let result = run(&*historian, &options);
            drop(turn);
            result
        });
        match timeout(limit, work).await {
            Ok(result) => result?,
            Err(_) => Err(ApiError::new(ErrorKind::Timeout, "the query took too long")
                .with_hint("ask for a shorter time range or fewer series, or raise server.query_timeout")),
        }
    }

    async fn query_turn(&self) -> Result<OwnedSemaphorePermit, ApiError> {
        let turn = Arc::clone(&self.queries).acquire_owned();
        match timeout(self.config.query_wait.0, turn).await {
            Ok(Ok(permit)) => Ok(permit),
            _ => Err(ApiError::new(ErrorKind::Busy, "too many queries at a time")
                .with_hint("try again after Retry-After, or raise server.max_queries")),
        }
    }

    /// Runs an administrative task; one at a time, to its end even when the client goes away.
    pub(crate) async fn administer<T: Send + 'static>(
        &self,
        run: impl FnOnce(&dyn Historian) -> Result<T, ApiError> + Send + 'static,
    ) -> Result<T, ApiError> {
        let Ok(turn) = Arc::clone(&self.admin).try_acquire_owned() else {
            return Err(ApiError::new(ErrorKind::Busy, "another administrative task is running"));
        };
        let historian = Arc::clone(&self.historian);
        self.blocking(move || {
            let result = run(&*historian);
            drop(turn);
            result
        })
        .await?
    }

    /// Runs `work` on a thread that may block.
    ///
    /// # Errors
    /// [`ErrorKind::Internal`] when it panicked.
    pub(crate) async fn blocking<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, ApiError> {
        tokio::task::spawn_blocking(work).await.map_err(|failed| match failed.try_into_panic() {
            Ok(panic) => self.panicked(&*panic),
            Err(cancelled) => ApiError::new(ErrorKind::Internal, cancelled.to_string()),
        })
    }

    /// Counts a panic and makes it an error.
    pub(crate) fn panicked(&self, panic: &(dyn Any + Send)) -> ApiError {
        self.metrics.panicked();
        let owned = panic.downcast_ref::<String>().map(String::as_str);
        let text = owned.or_else(|| panic.downcast_ref::<&'static str>().copied()).unwrap_or("not a text");
        ApiError::new(ErrorKind::Internal, format!("panic: {text}"))
    }
}

/// Tells a running query that nobody waits any more.
struct CancelOnDrop(Cancel);

impl Drop for CancelOnDrop {
    fn drop(&mut self) {
        self.0.cancel();
    }
}
