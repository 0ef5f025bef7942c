//! Connections. The client of the `postgres` crate waits for as long as the server is silent, so each connection has a thread of
//! its own ([`Link`]): whoever waits for it stops waiting in time and leaves the thread to end by itself, which happens when the
//! server answers or the network gives up. How many threads there are is bounded.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::thread;
use std::time::{Duration, Instant};

use postgres::config::SslMode;
use postgres::{CancelToken, Client, NoTls, Statement};
use tls::TlsConfig;
use tokio_postgres_rustls::MakeRustlsConnect;

use super::config::{ConfigError, PostgresConfig, address};
use super::error::Failure;
use super::names::Ident;

/// Threads of one store: those of sessions and queries, and those that a silent server keeps.
const THREADS_MAX: usize = 64;
/// Statements kept prepared on one connection.
const STATEMENTS_MAX: usize = 256;
/// A connection whose other end has vanished is given up after 15 s and three probes of 5 s.
const KEEPALIVE_IDLE: Duration = Duration::from_secs(15);
const KEEPALIVE_INTERVAL: Duration = Duration::from_secs(5);
const KEEPALIVE_RETRIES: u32 = 3;
/// How much longer than the server a waiting thread has patience, so that the server's own timeout is the one that is told.
const PATIENCE: Duration = Duration::from_millis(500);

/// How connections are made.
pub(super) struct Connector {
    client: postgres::Config,
    tls: TlsConfig,
    /// Hosts, ports and database, for messages.
    at: String,
    timeout: Duration,
    synchronous: bool,
    threads: Arc<AtomicUsize>,
}

/// What a connection is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Purpose {
    /// Each statement has the store's timeout.
    Work,
    /// A query has its own time limit, which whoever asks watches over.
    Query,
}

impl Connector {
    pub(super) fn new(config: &PostgresConfig) -> Result<Self, ConfigError> {
        let mut client = config.checked()?;
        let timeout = config.timeout.0;
        client.application_name("hissrv").connect_timeout(timeout).tcp_user_timeout(timeout);
        client.keepalives_idle(KEEPALIVE_IDLE).keepalives_interval(KEEPALIVE_INTERVAL);
        client.keepalives_retries(KEEPALIVE_RETRIES);
        let mut tls = config.tls.clone();
        // An attacker could as well take the offer of TLS away, so a check without an authority of one's own gains nothing.
        tls.insecure |= client.get_ssl_mode() == SslMode::Prefer && tls.ca_file.is_none();
        let (at, threads, synchronous) = (address(&client), Arc::default(), config.synchronous);
        Ok(Self { client, tls, at, timeout, synchronous, threads })
    }

    /// Hosts, ports and database, for messages.
    pub(super) fn at(&self) -> &str {
        &self.at
    }

    fn connect(&self) -> Result<Client, Failure> {
        if self.client.get_ssl_mode() == SslMode::Disable {
            return Ok(self.client.connect(NoTls)?);
        }
        Ok(self.client.connect(self.tls()?)?)
    }

    fn tls(&self) -> Result<MakeRustlsConnect, Failure> {
        let config = tls::client_config(&self.tls).map_err(Failure::Tls)?;
        Ok(MakeRustlsConnect::new(config.as_ref().clone()))
    }

    /// Asks the server to end what a connection is doing.
    fn cancel(&self, token: &CancelToken) -> Result<(), Failure> {
        if self.client.get_ssl_mode() == SslMode::Disable {
            return Ok(token.cancel_query(NoTls)?);
        }
        Ok(token.cancel_query(self.tls()?)?)
    }
}

impl Connector {
    fn cancel_quietly(&self, token: &CancelToken) {
        if let Err(failure) = self.cancel(token) {
            let error = failure.into_query_error(&self.at);
            tracing::debug!(%error, "a query of PostgreSQL could not be cancelled");
        }
    }

    /// Ends a connection that a thread is waiting on, without waiting for it.
    pub(super) fn cancel_from_aside(self: &Arc<Self>, token: CancelToken) {
        let connector = Arc::clone(self);
        let Ok(place) = Place::take(&self.threads) else { return };
        let work = move || {
            let _place = place;
            connector.cancel_quietly(&token);
        };
        if thread::Builder::new().name("postgresql".to_owned()).spawn(work).is_err() {
            tracing::debug!("no thread to cancel a query of PostgreSQL with");
        }
    }
}

/// What the server said of itself when the connection was made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Peer {
    /// Time of its start.
    pub(super) incarnation: String,
    /// Its version as a number: 150018.
    pub(super) version: i32,
    /// Schema and version of the TimescaleDB extension, where it is installed in the database.
    pub(super) timescale: Option<Timescale>,
}

/// The TimescaleDB extension.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Timescale {
    pub(super) schema: Ident,
    pub(super) version: String,
}

const PEER: &str = "SELECT pg_postmaster_start_time()::text, current_setting('server_version_num')::int4, n.nspname, e.extversion
    FROM (SELECT) AS one LEFT JOIN pg_extension e ON e.extname = 'timescaledb' LEFT JOIN pg_namespace n ON n.oid = e.extnamespace";

/// One connection, as the thread that it belongs to sees it.
pub(super) struct Conversation {
    connector: Arc<Connector>,
    purpose: Purpose,
    open: Option<Open>,
    /// Writes that are made row by row, since one of the last met rows that were there already.
    pub(super) upserts_left: u32,
}

/// An open connection.
pub(super) struct Open {
    pub(super) client: Client,
    pub(super) peer: Peer,
    statements: HashMap<String, Statement>,
}

impl Conversation {
    /// The connection, made anew where it is closed.
    pub(super) fn open(&mut self) -> Result<&mut Open, Failure> {
        let works = self.open.as_mut().is_some_and(Open::is_alive);
        let open = if works { self.open.take() } else { None };
        let open = open.map_or_else(|| Open::new(&self.connector, self.purpose), Ok)?;
        Ok(self.open.insert(open))
    }

    /// The connection as it is; whoever asks has opened it before.
    pub(super) fn opened(&mut self) -> Result<&mut Open, Failure> {
        self.open.as_mut().ok_or(Failure::Thread)
    }

    /// Ends the connection, and what the server does for it.
    pub(super) fn abandon(&mut self) {
        if let Some(open) = self.open.take() {
            self.connector.cancel_quietly(&open.client.cancel_token());
        }
    }
}

impl Open {
    fn new(connector: &Connector, purpose: Purpose) -> Result<Self, Failure> {
        let mut client = connector.connect()?;
        client.batch_execute(&settings(connector, purpose))?;
        let row = client.query_one(PEER, &[])?;
        let schema: Option<String> = row.try_get(2)?;
        let version: Option<String> = row.try_get(3)?;
        let timescale =
            schema.zip(version).map(|(schema, version)| Timescale { schema: Ident::known(schema), version });
        let peer = Peer { incarnation: row.try_get(0)?, version: row.try_get(1)?, timescale };
        Ok(Self { client, peer, statements: HashMap::new() })
    }

    /// False when the server has closed it in the meantime, as a restart does.
    fn is_alive(&mut self) -> bool {
        !self.client.is_closed() && self.client.check_connection().is_ok()
    }

    /// A statement of ours, prepared once a connection.
    pub(super) fn statement(&mut self, sql: &str) -> Result<Statement, postgres::Error> {
        if let Some(known) = self.statements.get(sql) {
            return Ok(known.clone());
        }
        if self.statements.len() >= STATEMENTS_MAX {
            self.statements.clear();
        }
        let statement = self.client.prepare(sql)?;
        self.statements.insert(sql.to_owned(), statement.clone());
        Ok(statement)
    }
}

/// Settings of a connection. Only functions and types of PostgreSQL itself are found without a schema, whatever others have made.
fn settings(connector: &Connector, purpose: Purpose) -> String {
    let timeout = connector.timeout.as_millis();
    let commit = if connector.synchronous {
        // One that is stricter than `on` stays.
        "SELECT set_config('synchronous_commit', 'on', false) WHERE current_setting('synchronous_commit') = 'off'"
    } else {
        "SET synchronous_commit = off"
    };
    let longest = match purpose {
        Purpose::Work => format!("SET statement_timeout = {timeout}"),
        // Since PostgreSQL 14 a query whose client has vanished ends by itself.
        Purpose::Query => {
            "SET statement_timeout = 0; SELECT set_config('client_connection_check_interval', '10s', false)
            WHERE current_setting('client_connection_check_interval', true) IS NOT NULL"
                .to_owned()
        }
    };
    format!(
        "SET search_path = pg_catalog; SET TIME ZONE 'UTC'; SET datestyle = 'ISO'; SET client_min_messages = 'warning';
         SET standard_conforming_strings = on; SET lock_timeout = {}; SET idle_in_transaction_session_timeout = {};
         {commit}; {longest}",
        timeout / 2,
        timeout * 2,
    )
}

type Job = Box<dyn FnOnce(&mut Conversation) + Send>;

/// A connection with its thread, which starts with the first work given to it.
pub(super) struct Link {
    connector: Arc<Connector>,
    purpose: Purpose,
    jobs: Option<SyncSender<Job>>,
}

impl Link {
    pub(super) fn new(connector: &Arc<Connector>, purpose: Purpose) -> Self {
        Self { connector: Arc::clone(connector), purpose, jobs: None }
    }

    /// Does `work` on the connection and waits for it, at most for the store's timeout.
    pub(super) fn run<T: Send + 'static>(
        &mut self,
        work: impl FnOnce(&mut Conversation) -> Result<T, Failure> + Send + 'static,
    ) -> Result<T, Failure> {
        let answer = self.start(work)?;
        self.wait(&answer, Instant::now() + self.connector.timeout + PATIENCE)
    }

    /// Hands out `work`; its result comes through the channel.
    pub(super) fn start<T: Send + 'static>(
        &mut self,
        work: impl FnOnce(&mut Conversation) -> Result<T, Failure> + Send + 'static,
    ) -> Result<Receiver<Result<T, Failure>>, Failure> {
        let (reply, answer) = sync_channel(1);
        let job: Job = Box::new(move |conversation| {
            // Nobody waits any more where this fails.
            reply.send(work(conversation)).ok();
        });
        let sent = self.thread()?.send(job);
        if sent.is_err() {
            self.leave();
            return Err(Failure::Thread);
        }
        Ok(answer)
    }

    /// Waits for what was started; the connection is left to itself when that takes too long.
    pub(super) fn wait<T>(&mut self, answer: &Receiver<Result<T, Failure>>, until: Instant) -> Result<T, Failure> {
        match answer.recv_timeout(until.saturating_duration_since(Instant::now())) {
            Ok(outcome) => outcome,
            Err(RecvTimeoutError::Timeout) => {
                self.leave();
                Err(Failure::Silent(self.connector.timeout))
            }
            Err(RecvTimeoutError::Disconnected) => {
                self.leave();
                Err(Failure::Thread)
            }
        }
    }

    /// Forgets the thread: it ends when its work ends.
    fn leave(&mut self) {
        self.jobs = None;
    }

    fn thread(&mut self) -> Result<&SyncSender<Job>, Failure> {
        let jobs = match self.jobs.take() {
            Some(jobs) => jobs,
            None => spawn(&self.connector, self.purpose)?,
        };
        Ok(self.jobs.insert(jobs))
    }
}

fn spawn(connector: &Arc<Connector>, purpose: Purpose) -> Result<SyncSender<Job>, Failure> {
    let place = Place::take(&connector.threads)?;
    let (jobs, inbox) = sync_channel::<Job>(1);
    let mut conversation = Conversation { connector: Arc::clone(connector), purpose, open: None, upserts_left: 0 };
    let work = move || {
        let _place = place;
        for job in inbox {
            job(&mut conversation);
        }
    };
    thread::Builder::new().name("postgresql".to_owned()).spawn(work).map_err(|_| Failure::Thread)?;
    Ok(jobs)
}

/// One of the threads there may be, free again when dropped.
struct Place(Arc<AtomicUsize>);

impl Place {
    fn take(threads: &Arc<AtomicUsize>) -> Result<Self, Failure> {
        let place = Self(Arc::clone(threads));
        if threads.fetch_add(1, Ordering::Relaxed) >= THREADS_MAX {
            return Err(Failure::Crowded(THREADS_MAX));
        }
        Ok(place)
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}
