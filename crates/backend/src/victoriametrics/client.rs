//! VictoriaMetrics' requests, and what its errors mean.

use std::io::Read as _;
use std::sync::Arc;

use query::QueryError;
use serde::Deserialize;

use crate::WriteError;
use crate::http::{Auth, Endpoint, Http, HttpError, HttpSettings, SetupError, form};

use super::VictoriaMetricsConfig;
use super::address::Addresses;

/// Idle connections kept: more threads than these may write, with connections of their own.
const CONNECTIONS: usize = 16;

const NAME: &str = "VictoriaMetrics";

/// Most bytes of an answer that names a snapshot.
const MAX_SNAPSHOT: u64 = 4 << 10;

/// The answer to a snapshot that was taken.
#[derive(Debug, Deserialize)]
struct Snapshot {
    snapshot: String,
}

/// The ways to one VictoriaMetrics; shared by all threads.
#[derive(Debug)]
pub(super) struct Client {
    write: Arc<Http>,
    write_root: Arc<Http>,
    query: Option<Arc<Http>>,
    query_root: Option<Arc<Http>>,
}

impl Client {
    /// # Errors
    /// [`SetupError`]: the settings cannot work.
    pub(super) fn new(config: &VictoriaMetricsConfig, addresses: &Addresses) -> Result<Self, SetupError> {
        let mut agents: Vec<Arc<Http>> = Vec::new();
        let mut agent = |endpoint: &Endpoint| {
            if let Some(known) = agents.iter().find(|known| known.endpoint().to_string() == endpoint.to_string()) {
                return Ok(Arc::clone(known));
            }
            let new = Arc::new(Http::new(settings(config, endpoint))?);
            agents.push(Arc::clone(&new));
            Ok::<_, SetupError>(new)
        };
        Ok(Self {
            write: agent(&addresses.write)?,
            write_root: agent(&addresses.write_root)?,
            query: addresses.query.as_ref().map(&mut agent).transpose()?,
            query_root: addresses.query_root.as_ref().map(&mut agent).transpose()?,
        })
    }

    /// Sends line protocol.
    pub(super) fn write(&self, target: &str, lines: &[u8]) -> Result<(), WriteError> {
        // IMPORTANT: the content type. VictoriaMetrics reads a body without one as a form and takes points for parameters.
        match self.write.post(target, "text/plain; charset=utf-8", lines) {
            Ok(_) => Ok(()),
            Err(error) => Err(write_error(error)),
        }
    }

    /// Has it write its memory to disk. NOTE: `/internal/force_flush` only makes points visible; a snapshot is made of what is on disk, so it is
    /// written there before. False where that did not work.
    pub(super) fn write_to_disk(&self) -> bool {
        let taken = self.take_snapshot();
        let taken =
            taken.inspect_err(|error| tracing::debug!(%error, "VictoriaMetrics takes no snapshot")).ok().flatten();
        if let Some(name) = &taken
            && let Err(error) = self.write_root.get(&format!("/snapshot/delete?{}", form(&[("snapshot", name)])))
        {
            tracing::debug!(%error, name, "VictoriaMetrics keeps a snapshot");
        }
        taken.is_some()
    }

    /// The name of a new snapshot.
    fn take_snapshot(&self) -> Result<Option<String>, HttpError> {
        let mut answer = String::new();
        // As an answer that comes in parts: it may take its time.
        match self.write_root.stream_get("/snapshot/create")?.take(MAX_SNAPSHOT).read_to_string(&mut answer) {
            Ok(_) => Ok(serde_json::from_str::<Snapshot>(&answer).ok().map(|taken| taken.snapshot)),
            Err(error) => {
                tracing::debug!(%error, "VictoriaMetrics does not tell how its snapshot is called");
                Ok(None)
            }
        }
    }

    /// `/metrics` of the process that takes points.
    pub(super) fn metrics(&self) -> Result<String, HttpError> {
        Ok(self.write_root.get("/metrics")?.body)
    }

    /// `/metrics` of the process that answers, when that is another one.
    pub(super) fn query_metrics(&self) -> Option<Result<String, HttpError>> {
        let root = self.query_root.as_ref().filter(|root| !Arc::ptr_eq(root, &self.write_root))?;
        Some(root.get("/metrics").map(|reply| reply.body))
    }

    /// The way for questions.
    pub(super) fn query(&self) -> Result<&Http, QueryError> {
        let missing = || {
            QueryError::Store(format!(
                "{NAME}: set query_url to the address of vmselect, such as http://host:8481/select/0/prometheus"
            ))
        };
        self.query.as_deref().ok_or_else(missing)
    }
}

fn settings(config: &VictoriaMetricsConfig, endpoint: &Endpoint) -> HttpSettings {
    let own = endpoint.login().map(|login| Auth::Basic(login.clone()));
    let is_general = config.token.is_some() || config.username.is_some();
    HttpSettings {
        endpoint: endpoint.clone(),
        auth: own.filter(|_| !is_general).unwrap_or_else(|| config.auth()),
        gzip: config.gzip,
        timeout: config.timeout.0,
        connections: CONNECTIONS,
        tls: config.tls.clone(),
    }
}

/// NOTE: VictoriaMetrics answers 400 to whatever it does not like, also to a wrong path. Only what it says of the lines themselves
/// is the fault of points: everything else would put good points aside.
fn write_error(error: HttpError) -> WriteError {
    if error.status() != Some(400) || error.body().contains("line protocol data") {
        return error.into_write_error(NAME);
    }
    WriteError::Denied { message: format!("{NAME}: {error} (look at url: is it {NAME}?)") }
}

/// Why a question has no answer.
pub(super) fn query_error(error: HttpError) -> QueryError {
    let Some((_, told)) = error.body().split_once(TOO_MANY) else { return error.into_query_error(NAME) };
    let most: String = told.chars().take_while(char::is_ascii_digit).collect();
    let limit = format!(
        "{most} series that {NAME} finds at once (its flags -search.maxSeries and -search.maxUniqueTimeseries)"
    );
    QueryError::TooMuch { limit, detail: "more are selected".to_owned() }
}

/// What stands in the answer to a question for too many series.
const TOO_MANY: &str = "the number of matching timeseries exceeds ";

/// Why its state is not known.
pub(super) fn probe_error(error: HttpError) -> WriteError {
    error.into_write_error(NAME)
}
