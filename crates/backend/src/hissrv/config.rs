//! Settings of another hissrv.

use std::time::Duration;

use model::{HumanDuration, Secret};
use serde::{Deserialize, Serialize};
use tls::TlsConfig;

use crate::http::{Auth, CONNECTIONS, Endpoint, Gzip, HttpSettings, SetupError};

/// Another hissrv, such as that of the centre.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct HissrvConfig {
    /// Its URL; may hold user and password. Default `http://localhost:6004`.
    pub url: Endpoint,
    /// A token that it accepts; never shown. Default none.
    pub token: Option<Secret>,
    /// Whether values are compressed on their way: `on`, `off`, or `auto`, which is off towards this machine. Default `auto`.
    pub gzip: Gzip,
    /// Longest time that it may take for one request, at least 100 ms. Default 10 s.
    pub timeout: HumanDuration,
    /// For `https://`: whom to trust, and who we are.
    pub tls: TlsConfig,
}

/// Shorter than this nothing gets done over a network.
const MIN_TIMEOUT: Duration = Duration::from_millis(100);

impl Default for HissrvConfig {
    fn default() -> Self {
        Self {
            url: Endpoint::local(6004),
            token: None,
            gzip: Gzip::Auto,
            timeout: HumanDuration(Duration::from_secs(10)),
            tls: TlsConfig::default(),
        }
    }
}

impl HissrvConfig {
    /// How its requests are made.
    ///
    /// # Errors
    /// [`SetupError`] naming the key that is wrong.
    pub(super) fn http_settings(&self) -> Result<HttpSettings, SetupError> {
        if self.timeout.0 < MIN_TIMEOUT {
            return Err(SetupError::Setting { key: "timeout", reason: "at least 100ms".to_owned() });
        }
        let token = self.token.clone().filter(|token| !token.reveal().is_empty());
        Ok(HttpSettings {
            endpoint: self.url.clone(),
            auth: token.map_or(Auth::None, Auth::Token),
            gzip: self.gzip,
            timeout: self.timeout.0,
            connections: CONNECTIONS,
            tls: self.tls.clone(),
        })
    }
}
