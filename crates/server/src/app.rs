//! What all handlers share: the historian, the settings, the limits on concurrent work, and the ways to run a call of the
//! historian on a thread that may block.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};
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
    /// Memory for answers that are sent as a whole.
    pub(crate) answers: Budget,
    pub(crate) metrics: Arc<HttpMetrics>,
    queries: Arc<Semaphore>,
    admin: Arc<Semaphore>,
    archive: Arc<Semaphore>,
}

impl App {
    /// `config` must have passed [`ServerConfig::check`].
    pub(crate) fn new(config: ServerConfig, historian: Arc<dyn Historian>) -> Self {
        Self {
            historian,
            budget: Budget::new(config.write_memory),
            answers: Budget::new(config.answer_memory),
            metrics: Arc::default(),
            queries: Arc::new(Semaphore::new(config.max_queries)),
            admin: Arc::new(Semaphore::new(1)),
            archive: Arc::new(Semaphore::new(1)),
            config,
        }
    }

    /// Rules for bodies of at most `max` bytes.
    pub(crate) fn body_rules(&self, max: u64) -> BodyRules {
        BodyRules { max, timeout: self.config.body_timeout.0 }
    }

    /// Runs a query of the own API.
    ///
    /// # Errors
    /// As [`App::query`].
    pub(crate) async fn query_json<T: Send + 'static>(
        &self,
        epoch: Option<Precision>,
        run: impl FnOnce(&dyn Historian, &QueryOptions) -> Result<T, ApiError> + Send + 'static,
    ) -> Result<T, ApiError> {
        self.query(move |historian, cancel| run(historian, &QueryOptions { cancel, epoch })).await
    }

    /// Runs a query: waits for a turn, bounds its time, and cancels it when the client goes away.
    ///
    /// # Errors
    /// Those of the query, and [`ErrorKind::Busy`] or [`ErrorKind::Timeout`].
    pub(crate) async fn query<T: Send + 'static>(
        &self,
        run: impl FnOnce(&dyn Historian, Cancel) -> Result<T, ApiError> + Send + 'static,
    ) -> Result<T, ApiError> {
        let turn = self.query_turn().await?;
        let limit = self.config.query_timeout.0;
        let cancel = Cancel::with_deadline(Instant::now() + limit);
        let _cancel_on_drop = CancelOnDrop(cancel.clone());
        let historian = Arc::clone(&self.historian);
        let work = self.blocking(move || {
            let result = run(&*historian, cancel);
            drop(turn);
            result
        });
        match timeout(limit, work).await {
            Ok(result) => result?,
            Err(_) => Err(Self::query_took_too_long()),
        }
    }

    /// Starts a query that gives its answer in other ways than by a result: waits for a turn, bounds its time. It runs until
    /// it ends or the caller cancels it.
    ///
    /// # Errors
    /// [`ErrorKind::Busy`].
    pub(crate) async fn start_query(
        app: &Shared,
        run: impl FnOnce(&dyn Historian, Cancel) + Send + 'static,
    ) -> Result<Cancel, ApiError> {
        let limit = app.config.query_timeout.0;
        Self::start(app, || Cancel::with_deadline(Instant::now() + limit), run).await
    }

    /// The same for what may take hours: an export runs until it ends or the caller cancels it.
    ///
    /// # Errors
    /// [`ErrorKind::Busy`].
    pub(crate) async fn start_export(
        app: &Shared,
        run: impl FnOnce(&dyn Historian, Cancel) + Send + 'static,
    ) -> Result<Cancel, ApiError> {
        Self::start(app, Cancel::new, run).await
    }

    async fn start(
        app: &Shared,
        cancel: impl FnOnce() -> Cancel,
        run: impl FnOnce(&dyn Historian, Cancel) + Send + 'static,
    ) -> Result<Cancel, ApiError> {
        let turn = app.query_turn().await?;
        let cancel = cancel();
        let (app, given) = (Arc::clone(app), cancel.clone());
        tokio::task::spawn_blocking(move || {
            if let Err(panic) = catch_unwind(AssertUnwindSafe(|| run(&*app.historian, given))) {
                // Whoever reads the answer sees it end early; the cause goes to the log here.
                app.panicked(&*panic).into_public();
            }
            drop(turn);
        });
        Ok(cancel)
    }

    /// A query did not answer before its time was up.
    pub(crate) fn query_took_too_long() -> ApiError {
        ApiError::new(ErrorKind::Timeout, "the query took too long")
            .with_hint("ask for a shorter time range or fewer series, or raise server.query_timeout")
    }

    /// Before the journal is taken in, answers would lack what it holds.
    async fn query_turn(&self) -> Result<OwnedSemaphorePermit, ApiError> {
        if let Err(reason) = self.historian.ready() {
            return Err(ApiError::new(ErrorKind::Unavailable, format!("not ready: {reason}"))
                .with_hint("try again after Retry-After; /ready tells when"));
        }
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
        self.in_turn(&self.admin, "another administrative task is running", run).await
    }

    /// Archives what is due. That may take hours, so other tasks of the operator do not wait for it.
    ///
    /// # Errors
    /// Those of the historian, and [`ErrorKind::Busy`].
    pub(crate) async fn archive(&self) -> Result<Vec<u8>, ApiError> {
        let busy = "days are being archived already, since somebody asked for it";
        self.in_turn(&self.archive, busy, |historian| historian.archive()).await
    }

    async fn in_turn<T: Send + 'static>(
        &self,
        turns: &Arc<Semaphore>,
        busy: &str,
        run: impl FnOnce(&dyn Historian) -> Result<T, ApiError> + Send + 'static,
    ) -> Result<T, ApiError> {
        let Ok(turn) = Arc::clone(turns).try_acquire_owned() else {
            return Err(ApiError::new(ErrorKind::Busy, busy));
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
pub(crate) struct CancelOnDrop(pub(crate) Cancel);

impl Drop for CancelOnDrop {
    fn drop(&mut self) {
        self.0.cancel();
    }
}
