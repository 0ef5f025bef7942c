//! Why a statement failed. The messages are for the client, and those of InfluxDB where it has one.

use catalog::{CatalogError, MetaError};
use pipeline::IntakeError;
use query::QueryError;

/// Why a statement has no answer.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Failure {
    /// Neither the statement nor the request names a database.
    #[error("database name required")]
    NoDatabase,
    /// There is no such database.
    #[error("database not found: {0}")]
    DatabaseNotFound(String),
    /// Something else, said in full.
    #[error("{0}")]
    Message(String),
    /// A query went wrong, or nobody wants the answer any more.
    #[error(transparent)]
    Query(#[from] QueryError),
    /// A change of databases or users was refused.
    #[error(transparent)]
    Meta(#[from] MetaError),
    /// Names could not be changed durably.
    #[error(transparent)]
    Catalog(#[from] CatalogError),
    /// The journal did not take values or deletions.
    #[error(transparent)]
    Intake(#[from] IntakeError),
}

impl Failure {
    pub(crate) fn message(text: impl Into<String>) -> Self {
        Self::Message(text.into())
    }
}
