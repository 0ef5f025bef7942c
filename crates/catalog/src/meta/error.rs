//! Why a change of databases or users was refused, in the words of InfluxDB.

use crate::CatalogError;

/// Why nothing was changed.
#[derive(Debug, thiserror::Error)]
pub enum MetaError {
    /// Empty, `.`, `..`, or with a slash, a backslash or a control character.
    #[error("invalid name")]
    InvalidName,
    /// There is no such database.
    #[error("database not found: {0}")]
    DatabaseNotFound(String),
    /// There is no such policy in the database; also when its default policy was dropped.
    #[error("retention policy not found: {0}")]
    PolicyNotFound(String),
    /// One of this name has other settings.
    #[error("retention policy already exists")]
    PolicyExists,
    /// The database exists and has another default policy, or one of the same name with other settings.
    #[error("retention policy conflicts with an existing policy")]
    PolicyConflict,
    /// Kept for less than an hour.
    #[error("retention policy duration must be at least 1h0m0s")]
    DurationTooLow,
    /// Kept for less than one of its shards covers.
    #[error("retention policy duration must be greater than the shard duration")]
    IncompatibleDurations,
    /// No copy at all.
    #[error("replication factor must be greater than 0")]
    ReplicationTooLow,
    /// One of this name has another text.
    #[error("continuous query already exists")]
    QueryExists,
    /// A user needs a name.
    #[error("username required")]
    UsernameRequired,
    /// One of this name has another password, or is an administrator where the other is none.
    #[error("user already exists")]
    UserExists,
    /// There is no such user.
    #[error("user not found")]
    UserNotFound,
    /// One of this name exists in the policy.
    #[error("subscription already exists")]
    SubscriptionExists,
    /// There is no such subscription in the policy.
    #[error("subscription not found")]
    SubscriptionNotFound,
    /// Neither `http`, `https` nor `udp`, or without host and port.
    #[error("invalid subscription URL: {0}")]
    InvalidDestination(String),
    /// The change is allowed but could not be made durable.
    #[error(transparent)]
    NotStored(#[from] CatalogError),
}
