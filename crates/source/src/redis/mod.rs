//! Redis: the protocol, connections, subscribing, polling, and the source that runs them.

pub mod endpoint;
pub mod resp;
pub mod source;
pub mod status;

mod backoff;
mod block;
mod connection;
mod intake;
mod outlet;
mod poll;
mod stop;
mod subscriber;
mod tls;

pub use connection::LinkError;
pub use source::{RedisSource, SourceOptions, StartError, StopError};
pub use status::SourceStatus;
