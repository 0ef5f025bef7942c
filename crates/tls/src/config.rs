//! Settings of a TLS client.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

/// Whom to trust, and who we are.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct TlsConfig {
    /// PEM file of the authorities to trust instead of the system's. Default none.
    pub ca_file: Option<PathBuf>,
    /// PEM file of the client certificate; needs `key_file`. Default none.
    pub cert_file: Option<PathBuf>,
    /// PEM file of the client's private key; needs `cert_file`. Default none.
    pub key_file: Option<PathBuf>,
    /// Accepts any certificate: protects against listeners, not against impostors. Default false.
    pub insecure: bool,
}

impl TlsConfig {
    /// True when certificate and key are named both or neither.
    pub fn is_complete(&self) -> bool {
        self.cert_file.is_some() == self.key_file.is_some()
    }
}
