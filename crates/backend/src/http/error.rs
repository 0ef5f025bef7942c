//! Why a request failed, and what that means for a write or a query.

use std::time::Duration;

use query::QueryError;

use super::Endpoint;
use super::reason::{reason, shorten};
use crate::{Blame, WriteError};

/// Why a request failed. Messages name host and port, never a secret.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum HttpError {
    /// No connection: name, address, TLS.
    #[error("{0}")]
    Connect(String),
    /// The connection was cut, or what came over it is no HTTP; what was sent may have arrived.
    #[error("{0}")]
    Lost(String),
    /// The time was up.
    #[error("{0}")]
    Timeout(String),
    /// The answer is larger than we take.
    #[error("{0}")]
    AnswerTooLarge(String),
    /// The store answered, with something else than success.
    #[error("{at} answered {status}: {}", reason(.body))]
    Status {
        /// Which store.
        at: String,
        /// HTTP status.
        status: u16,
        /// The answer, up to 64 KiB.
        body: String,
        /// Not before so long.
        retry_after: Option<Duration>,
    },
}

impl HttpError {
    /// What ureq said about a request to `endpoint` that had `timeout`.
    pub(super) fn from_ureq(error: ureq::Error, endpoint: &Endpoint, timeout: Duration) -> Self {
        match error {
            ureq::Error::Timeout(_) => Self::timed_out(endpoint, timeout),
            ureq::Error::Io(error) => Self::from_io(&error, endpoint, timeout),
            ureq::Error::HostNotFound => Self::Connect(format!("cannot reach {endpoint}: the host name is not known")),
            ureq::Error::BodyExceedsLimit(limit) => {
                Self::AnswerTooLarge(format!("{endpoint} answered with more than {limit} bytes"))
            }
            ureq::Error::Protocol(error) => {
                Self::Lost(shorten(&format!("{endpoint} did not answer in HTTP: {error}; is the port the right one?")))
            }
            ureq::Error::Rustls(error) => Self::Connect(format!("cannot reach {endpoint}: {error}")),
            ureq::Error::Other(error) => Self::Connect(format!("cannot reach {endpoint}: {error}")),
            other => Self::Connect(shorten(&format!("cannot reach {endpoint}: {other}"))),
        }
    }

    /// What a socket said.
    pub(super) fn from_io(error: &std::io::Error, endpoint: &Endpoint, timeout: Duration) -> Self {
        use std::io::ErrorKind as Kind;
        if let Some(error) = error.get_ref().and_then(|inner| inner.downcast_ref::<rustls::Error>()) {
            return Self::Connect(format!("cannot reach {endpoint}: {}", tls_reason(error)));
        }
        match error.kind() {
            Kind::TimedOut | Kind::WouldBlock => Self::timed_out(endpoint, timeout),
            Kind::UnexpectedEof | Kind::ConnectionReset | Kind::ConnectionAborted | Kind::BrokenPipe => {
                Self::Lost(format!("{endpoint} cut the connection"))
            }
            _ => Self::Connect(shorten(&format!("cannot reach {endpoint}: {error}"))),
        }
    }

    fn timed_out(endpoint: &Endpoint, timeout: Duration) -> Self {
        Self::Timeout(format!("{endpoint} did not answer within {timeout:?}"))
    }

    /// The HTTP status, when there was an answer.
    pub(crate) fn status(&self) -> Option<u16> {
        match self {
            Self::Status { status, .. } => Some(*status),
            _ => None,
        }
    }

    /// The body of the answer; empty without one.
    pub(crate) fn body(&self) -> &str {
        match self {
            Self::Status { body, .. } => body,
            _ => "",
        }
    }

    /// The text of the error in the answer, on one line and at most 300 characters long; empty without an answer.
    pub(crate) fn reason(&self) -> String {
        reason(self.body())
    }

    /// What it means for a write to `store`, a name for people as in `InfluxDB`, by the status alone. Stores that say more in
    /// their body look at [`HttpError::status`] and [`HttpError::body`] first.
    pub(crate) fn into_write_error(self, store: &str) -> WriteError {
        let message = format!("{store}: {self}");
        let Self::Status { status, retry_after, .. } = self else { return WriteError::Away { message } };
        match status {
            400 | 422 => {
                let blame = Blame::of_words(&message);
                WriteError::Points { message, blame }
            }
            408 => WriteError::Away { message },
            413 => WriteError::TooLarge { message },
            429 | 500.. => WriteError::Busy { message, retry_after },
            300..400 => WriteError::Denied { message: format!("{message} (a redirect: set url to where it leads)") },
            401 | 403 | 407 => WriteError::Denied { message: format!("{message} (look at user, password or token)") },
            404 | 405 => WriteError::Denied { message: format!("{message} (look at url: is it this store?)") },
            _ => WriteError::Denied { message },
        }
    }

    /// What it means for a request that carries no points: it is refused as a whole, or the store is away or busy.
    pub(crate) fn into_refusal(self, store: &str) -> WriteError {
        match self.into_write_error(store) {
            WriteError::Points { message, .. } | WriteError::TooLarge { message } | WriteError::NoPlace { message } => {
                WriteError::Denied { message }
            }
            other => other,
        }
    }

    /// True when the connection failed: the store may be another one when it is back.
    pub(crate) fn is_disconnected(&self) -> bool {
        matches!(self, Self::Connect(_) | Self::Lost(_))
    }

    /// What it means for a query of `store`: with status 400 or 422 the store does not understand it and says why.
    pub(crate) fn into_query_error(self, store: &str) -> QueryError {
        match self.status() {
            Some(400 | 422) => QueryError::invalid(self.reason()),
            _ => QueryError::Store(format!("{store}: {self}")),
        }
    }
}

fn tls_reason(error: &rustls::Error) -> String {
    match error {
        rustls::Error::InvalidCertificate(_) => format!("{error}; tls.ca_file names an authority to trust"),
        _ => error.to_string(),
    }
}
