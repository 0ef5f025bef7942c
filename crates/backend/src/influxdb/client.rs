//! The way to one InfluxDB: its connections, and which InfluxDB it is, asked with the first request and again when the connection
//! was lost.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use serde::Deserialize;

use super::Generation;
use super::config::{InfluxdbConfig, Version};
use super::encode::bucket_name;
use crate::WriteError;
use crate::http::{Auth, Http, HttpError, Reply, SetupError, Stream, form};

/// Its name for people.
pub(super) const PRODUCT: &str = "InfluxDB";

/// One server; shared by all threads.
#[derive(Debug)]
pub(crate) struct Client {
    /// Logs in as 1.x and 2.x want it...
    http: Http,
    /// ... and as 3.x does.
    bearer: Http,
    org: Option<String>,
    version: Version,
    found: Mutex<Option<Generation>>,
    /// The default policy of each database, as far as anybody told.
    default_policies: Mutex<HashMap<String, String>>,
}

/// What a server says of itself.
#[derive(Debug, Clone)]
pub(super) struct Server {
    pub(super) generation: Generation,
    /// Such as `1.6.7`.
    pub(super) version: String,
    /// Changes with its process, where it tells.
    pub(super) process: Option<String>,
}

/// What 2.x answers at `/health` and 3.x at `/ping`.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct SelfDescription {
    version: Option<String>,
    process_id: Option<String>,
}

impl Client {
    pub(super) fn new(config: &InfluxdbConfig) -> Result<Self, SetupError> {
        config.check()?;
        Ok(Self {
            http: Http::new(config.http_settings(Auth::Token))?,
            bearer: Http::new(config.http_settings(Auth::Bearer))?,
            org: config.organisation().map(str::to_owned),
            version: config.version,
            found: Mutex::default(),
            default_policies: Mutex::default(),
        })
    }

    /// The organisation of 2.x.
    pub(super) fn org(&self) -> Option<&str> {
        self.org.as_deref()
    }

    /// How to talk to a server of this generation.
    pub(super) fn http(&self, generation: Generation) -> &Http {
        match generation {
            Generation::V1 | Generation::V2 => &self.http,
            Generation::V3 => &self.bearer,
        }
    }

    /// Which InfluxDB it is; asks it when that is not known.
    ///
    /// # Errors
    /// Why it does not tell.
    pub(super) fn generation(&self) -> Result<Generation, WriteError> {
        if let Version::Known(generation) = self.version {
            return Ok(generation);
        }
        if let Some(generation) = *lock(&self.found) {
            return Ok(generation);
        }
        self.look().map(|server| server.generation)
    }

    /// Asks the server what it is.
    ///
    /// # Errors
    /// Why it does not tell.
    pub(super) fn look(&self) -> Result<Server, WriteError> {
        let server = self.identify().inspect_err(|_| self.forget())?;
        *lock(&self.found) = Some(server.generation);
        Ok(server)
    }

    fn identify(&self) -> Result<Server, WriteError> {
        let ping = self.ping().map_err(|error| error.into_refusal(PRODUCT))?;
        let described: SelfDescription = serde_json::from_str(&ping.body).unwrap_or_default();
        let told = ping.header("x-influxdb-version").map(str::to_owned).or(described.version);
        let told = told.filter(|version| self.is_understood(version)).or_else(|| self.version_from_health());
        let version = told.unwrap_or_default().trim_start_matches('v').to_owned();
        let generation = match self.version {
            Version::Known(generation) => Some(generation),
            Version::Auto => Generation::of_version(&version),
        };
        let message = || {
            let at = self.http.endpoint();
            format!("{PRODUCT}: {at} does not say which version it is: set influxdb.version to 1, 2 or 3")
        };
        let generation = generation.ok_or_else(|| WriteError::Denied { message: message() })?;
        Ok(Server { generation, version, process: described.process_id })
    }

    fn is_understood(&self, version: &str) -> bool {
        self.version != Version::Auto || Generation::of_version(version).is_some()
    }

    /// A 3.x may ask for a token already here.
    fn ping(&self) -> Result<Reply, HttpError> {
        match self.http.get("/ping") {
            Err(error) if matches!(error.status(), Some(400 | 401)) => self.bearer.get("/ping"),
            other => other,
        }
    }

    /// Some builds of 2.x say it only there.
    fn version_from_health(&self) -> Option<String> {
        let reply = self.http.get("/health").ok()?;
        serde_json::from_str::<SelfDescription>(&reply.body).ok()?.version
    }

    /// Looks again before the next request: what comes back may be another server.
    pub(super) fn forget(&self) {
        *lock(&self.found) = None;
    }

    /// To be called with every failed request.
    pub(super) fn note(&self, error: &HttpError) {
        if error.is_disconnected() {
            self.forget();
        }
    }

    /// Remembers a default policy, which has no name in 3.x.
    pub(super) fn learn_default(&self, database: &str, policy: &str) {
        let mut defaults = lock(&self.default_policies);
        if defaults.get(database).is_none_or(|known| known != policy) {
            defaults.insert(database.to_owned(), policy.to_owned());
        }
    }

    /// Runs an InfluxQL query and hands its answer out as it comes.
    ///
    /// # Errors
    /// [`HttpError`].
    pub(super) fn ask(
        &self,
        generation: Generation,
        database: &str,
        policy: Option<&str>,
        text: &str,
    ) -> Result<Stream, HttpError> {
        let answer = match generation {
            Generation::V1 | Generation::V2 => self.http.stream("/query", &query_form(database, policy, text)),
            // In the URL: the first versions of 3.x read it nowhere else.
            Generation::V3 => {
                let policy = policy.filter(|policy| !self.is_default(database, policy)).map(str::to_owned);
                let form = query_form(&bucket_name(database, policy.as_ref()), None, text);
                self.bearer.stream_get(&format!("/query?{form}"))
            }
        };
        answer.inspect_err(|error| self.note(error))
    }

    fn is_default(&self, database: &str, policy: &str) -> bool {
        lock(&self.default_policies).get(database).is_some_and(|default| default == policy)
    }
}

/// What InfluxDB 1.x's `/query` takes, for an answer in chunks with times in nanoseconds.
pub(crate) fn query_form(database: &str, policy: Option<&str>, text: &str) -> String {
    let mut pairs = vec![("db", database)];
    pairs.extend(policy.map(|policy| ("rp", policy)));
    pairs.extend([("q", text), ("epoch", "ns"), ("chunked", "true")]);
    form(&pairs)
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
