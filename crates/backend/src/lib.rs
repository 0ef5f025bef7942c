//! Stores: the embedded engine, and those in other processes (InfluxDB, VictoriaMetrics, PostgreSQL, another hissrv). What they
//! differ in are four traits: [`Write`], [`Query`], [`Manage`], [`Health`]. One folder a store, with the same files in each.
//! Not here: retries, batches and the order of writing (`writer`), what a query means (`query`).

mod answers;
mod health;
mod manage;

mod write;

mod embedded;
mod http;
mod lines;
mod remote;

pub mod hissrv;
pub mod influxdb;
pub mod postgres;
pub mod victoriametrics;

pub use answers::Query;
pub use embedded::Embedded;
pub use health::{Health, Probe};
pub use http::{Endpoint, Gzip, Login, SetupError, UrlError};
pub use manage::{Database, Manage, Policy, Rollup, RollupColumn, Step, Wanted};
pub use write::{Blame, Destination, LinePoints, Point, PointList, Points, Session, Write, WriteError, Written};

/// A store that answers queries.
pub trait StorageBackend: Query {
    /// Its name in configuration, status, metrics and file names: lower case.
    fn name(&self) -> &'static str;
}

/// A store in another process: fed by `writer`, asked, looked after.
pub trait RemoteStore: StorageBackend + Write + Manage + Health {}

impl<T: StorageBackend + Write + Manage + Health> RemoteStore for T {}
