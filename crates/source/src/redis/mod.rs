//! Redis: the protocol, connections, subscribing, polling, and the source that runs them.

pub mod endpoint;
pub mod resp;
pub mod source;
pub mod status;

mod backoff;
mod block;
mod client;
mod connection;
mod intake;
mod outlet;
mod poll;
mod probe;
mod stop;
mod subscriber;

pub(crate) use backoff::Backoff;
pub use client::{Client, Reply};
pub use connection::LinkError;
pub(crate) use connection::{Connection, Dialer};
pub use outlet::{BATCH_AGE, BATCH_VALUES};
pub use probe::{ProbeError, probe};
pub use source::{RedisSource, SourceOptions, StartError, StopError};
pub use status::SourceStatus;
pub use stop::Stop;
pub use tls::TlsError;
