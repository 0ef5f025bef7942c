//! One look whether a Redis is there.

use std::sync::Arc;

use super::connection::{Dialer, LinkError};
use super::stop::Stop;
use crate::config::{ConfigError, RedisConfig};

/// Why a Redis is of no use.
#[derive(Debug, thiserror::Error)]
pub enum ProbeError {
    /// A setting cannot work.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// It does not answer, or refuses us.
    #[error(transparent)]
    Link(#[from] LinkError),
}

/// Connects, authenticates and sends a `PING`. Blocks for a few seconds at most.
///
/// # Errors
/// Why it is of no use, without secrets.
pub fn probe(config: &RedisConfig) -> Result<(), ProbeError> {
    let endpoint = config.endpoint().map_err(ConfigError::from)?;
    let dialer = Dialer { endpoint, tls: config.tls.clone(), stop: Arc::new(Stop::default()) };
    dialer.connect()?.call("PING", &[])?;
    Ok(())
}
