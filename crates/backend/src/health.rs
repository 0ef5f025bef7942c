//! Whether a store in another process works.

use crate::WriteError;

/// A store that can be asked how it is.
pub trait Health: Send + Sync {
    /// Asks the store; blocks for at most its timeout.
    ///
    /// # Errors
    /// Why it cannot be used: [`WriteError::Away`], [`WriteError::Busy`] or [`WriteError::Denied`].
    fn probe(&self) -> Result<Probe, WriteError>;
}

/// What a store says of itself.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Probe {
    /// Product and version, such as `InfluxDB 1.6.7`.
    pub version: String,
    /// Changes whenever its process starts anew; `None` where it does not tell.
    pub incarnation: Option<String>,
    /// What a person should know about its settings, a sentence each.
    pub advice: Vec<String>,
}
