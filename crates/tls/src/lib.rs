//! The client's side of TLS, the same for every server that hissrv connects to: settings, and what rustls makes of them.

mod client;
mod config;
mod connector;

pub use client::{TlsError, client_config};
pub use config::TlsConfig;
pub use connector::{TlsConnector, TlsTransport, remaining};
