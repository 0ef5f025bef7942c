//! How connections are made, and what a connection is at its start: its settings, the server's word about itself, statements
//! prepared.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use postgres::config::SslMode;
use postgres::{CancelToken, Client, NoTls, Statement};
use tls::TlsConfig;
use tokio_postgres_rustls::MakeRustlsConnect;

use super::config::{ConfigError, PostgresConfig, address};
use super::error::Failure;
use super::names::Ident;
use super::threads::Threads;

/// Statements kept prepared on one connection.
const STATEMENTS_MAX: usize = 256;
/// A connection whose other end has vanished is given up after 15 s and three probes of 5 s.
const KEEPALIVE_IDLE: Duration = Duration::from_secs(15);
const KEEPALIVE_INTERVAL: Duration = Duration::from_secs(5);
const KEEPALIVE_RETRIES: u32 = 3;

/// How connections are made.
pub(super) struct Connector {
    client: postgres::Config,
    tls: TlsConfig,
    /// Hosts, ports and database, for messages.
    at: String,
    timeout: Duration,
    synchronous: bool,
    threads: Threads,
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
        let (at, threads, synchronous) = (address(&client), Threads::default(), config.synchronous);
        Ok(Self { client, tls, at, timeout, synchronous, threads })
    }

    /// Hosts, ports and database, for messages.
    pub(super) fn at(&self) -> &str {
        &self.at
    }

    /// Longest time of a request.
    pub(super) fn timeout(&self) -> Duration {
        self.timeout
    }

    /// The threads of this store.
    pub(super) fn threads(&self) -> &Threads {
        &self.threads
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

    /// The same, where nothing can be done about its failing.
    pub(super) fn cancel_quietly(&self, token: &CancelToken) {
        if let Err(failure) = self.cancel(token) {
            let error = failure.into_query_error(&self.at);
            tracing::debug!(%error, "a query of PostgreSQL could not be cancelled");
        }
    }

    /// Ends a connection that a thread is waiting on, without waiting for it.
    pub(super) fn cancel_from_aside(self: &Arc<Self>, token: CancelToken) {
        let connector = Arc::clone(self);
        if self.threads.spawn(move || connector.cancel_quietly(&token)).is_err() {
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

/// An open connection.
pub(super) struct Open {
    pub(super) client: Client,
    pub(super) peer: Peer,
    statements: HashMap<String, Statement>,
}

impl Open {
    /// Connects.
    pub(super) fn new(connector: &Connector, purpose: Purpose) -> Result<Self, Failure> {
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
    pub(super) fn is_alive(&mut self) -> bool {
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
