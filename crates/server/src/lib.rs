//! The HTTP face of hissrv: InfluxDB's write endpoints, the JSON API under `/api/v1`, health, metrics, and two small pages.
//!
//! Promises: a write is answered 204 only after [`Historian::write`] reported it durable; every resource a client can take
//! (connections, bytes of bodies, running queries, time) is bounded by [`ServerConfig`]; garbage gets a clean 4xx; a panic in
//! a handler is a 500 and the server lives on. Not here: the meaning of a request, which is the [`Historian`]'s; TLS and
//! authentication, which this version does not have.

mod app;
mod body;
mod budget;
mod config;
mod connection;
mod dispatch;
mod error;
mod inflate;
mod influx;
mod metrics;
mod routes;
mod server;
mod service;
mod stream;

pub use config::{ConfigError, ServerConfig};
pub use error::{ApiError, ErrorKind};
pub use metrics::HttpMetrics;
pub use server::{Server, StartError, StopReport};
pub use service::{
    Answered, Dialect, Dropped, Health, Historian, InfluxRequest, LetterAction, Modifying, QueryOptions, RetentionRun,
    StoreAction, WriteDone, WriteFailure, WriteOutcome, WriteRequest,
};
