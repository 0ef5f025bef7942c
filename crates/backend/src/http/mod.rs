//! HTTP to a store: one [`Http`] a store, with its connections, its login, its timeouts and its TLS. Promises: every wait and
//! every answer is bounded; a connection that the store has cut is an error of that one request; no error holds a secret.
//! Not here: when to try again (`writer`), what the requests mean (each store's `client`).

mod endpoint;
mod error;
mod form;
mod reason;
mod retry_after;

mod address;
mod agent;
mod authorization;
mod gzip;

use std::time::Duration;

use model::Secret;
use serde::{Deserialize, Serialize};
use tls::TlsConfig;

pub use endpoint::{Endpoint, Login, UrlError};

pub(crate) use agent::{Http, Method, Reply, Stream};
pub(crate) use error::HttpError;
pub(crate) use form::form;

/// Idle connections kept to one store: more than it has threads that write. They are closed after 30 s without a request.
pub(crate) const CONNECTIONS: usize = 64;

/// What one store's requests have in common.
#[derive(Debug, Clone)]
pub(crate) struct HttpSettings {
    /// Where it listens; its login counts when `auth` is [`Auth::None`].
    pub(crate) endpoint: Endpoint,
    /// As whom we come.
    pub(crate) auth: Auth,
    /// Whether bodies are compressed.
    pub(crate) gzip: Gzip,
    /// Longest time of one request, from looking up the name to the last byte of the answer.
    pub(crate) timeout: Duration,
    /// Idle connections kept at most; see [`CONNECTIONS`].
    pub(crate) connections: usize,
    /// Used for `https://`.
    pub(crate) tls: TlsConfig,
}

/// As whom we come.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) enum Auth {
    /// As whom the URL says, else as nobody.
    #[default]
    None,
    /// `Authorization: Basic`.
    Basic(Login),
    /// `Authorization: Token ...`, InfluxDB's form.
    Token(Secret),
    /// `Authorization: Bearer ...`.
    Bearer(Secret),
}

/// Whether bodies to a store are compressed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Gzip {
    /// Not towards this machine, else yes.
    #[default]
    Auto,
    /// Always.
    On,
    /// Never.
    Off,
}

/// Why a store cannot be set up: its settings are wrong. Found without talking to it; never holds a secret.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SetupError {
    /// The URL has another form.
    #[error("url: {0}")]
    Url(#[from] UrlError),
    /// Only one of the two files of a client certificate is named.
    #[error("tls.cert_file and tls.key_file belong together: name both or none")]
    Certificate,
    /// A line break or the like in user, password or token.
    #[error("the {0} holds characters that cannot be sent, such as a line break at its end")]
    Login(&'static str),
    /// A setting that this store needs, or that it does not know what to do with.
    #[error("{key}: {reason}")]
    Setting {
        /// Its key in the store's section.
        key: &'static str,
        /// What is wrong, and what to do.
        reason: String,
    },
}

#[cfg(test)]
pub(crate) mod fake;
#[cfg(test)]
mod tests;
