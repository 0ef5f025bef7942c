//! PostgreSQL, with or without the TimescaleDB extension.
//!
//! Each retention policy of each database is a schema: the default one is named as the database, others `database/policy`. In it
//! stand `series` (id, measurement, key, tags as jsonb), for each measurement a table of the same name with `time`, `series` and
//! one column for each field, and a view `.._view` that shows time, tags and fields side by side. A table has one row for each
//! series and time, and is partitioned by time; the partitions stand in the schema `hissrv_partitions`. Names that PostgreSQL
//! cannot have get a hash ([`names`]); `hissrv_names` says which measurement, field and tag is which table and column.
//!
//! | field | column |
//! | --- | --- |
//! | float, integer, boolean, string | `float8`, `int8`, `bool`, `text` |
//! | unsigned | `numeric(20,0)` |
//! | time | `timestamptz`, cut down to microseconds |
//!
//! A write is durable when it is answered, unless `synchronous` is off. Not here: retries (`writer`).

mod config;
mod names;

mod client;
mod connector;
mod error;
mod threads;

mod known;

mod partitions;
mod places;
mod schema;
mod timescale;
mod view;

mod encode;
mod series;
mod session;
mod write;

mod query;

mod health;
mod manage;
mod rollup;

#[cfg(test)]
mod tests;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

pub use config::{ConfigError, PostgresConfig, UrlText};

use client::Link;
use connector::{Connector, Purpose};
use known::Known;
use query::Pool;

use crate::{Session, StorageBackend, Write};

/// Three times the longest delay of PostgreSQL's WAL writer, which is what an asynchronous commit may be behind.
const ASYNCHRONOUS: Duration = Duration::from_secs(30);

/// A PostgreSQL database as a store.
pub struct Postgres {
    shared: Arc<Shared>,
    /// For what is neither writing nor asking for points.
    link: Mutex<Link>,
    pool: Pool,
}

/// What all sessions share.
struct Shared {
    connector: Arc<Connector>,
    known: Known,
    /// Length of a partition.
    width: Duration,
    synchronous: bool,
}

impl Shared {
    fn width_micros(&self) -> i64 {
        i64::try_from(self.width.as_micros()).unwrap_or(i64::MAX)
    }
}

impl Postgres {
    /// A store with these settings; does not talk to PostgreSQL yet.
    ///
    /// # Errors
    /// [`ConfigError`]: what is wrong with the settings.
    pub fn new(config: &PostgresConfig) -> Result<Self, ConfigError> {
        let connector = Arc::new(Connector::new(config)?);
        let link = Mutex::new(Link::new(&connector, Purpose::Work));
        let pool = Pool::new(&connector);
        let (width, synchronous) = (config.partition.0, config.synchronous);
        Ok(Self { shared: Arc::new(Shared { connector, known: Known::default(), width, synchronous }), link, pool })
    }

    fn link(&self) -> MutexGuard<'_, Link> {
        self.link.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl StorageBackend for Postgres {
    fn name(&self) -> &'static str {
        "postgres"
    }
}

impl Write for Postgres {
    fn session(&self) -> Box<dyn Session> {
        Box::new(session::PostgresSession::new(&self.shared))
    }

    fn durable_after(&self) -> Duration {
        if self.shared.synchronous { Duration::ZERO } else { ASYNCHRONOUS }
    }
}
