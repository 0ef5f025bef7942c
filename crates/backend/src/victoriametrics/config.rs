//! Settings of a VictoriaMetrics.

use std::time::Duration;

use model::{HumanDuration, Secret};
use serde::{Deserialize, Serialize};
use tls::TlsConfig;

use crate::http::{Auth, Endpoint, Gzip, Login};

const TIMEOUT: HumanDuration = HumanDuration(Duration::from_secs(10));

/// Where a VictoriaMetrics is and as whom to come.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct VictoriaMetricsConfig {
    /// A single node, `http://host:8428`, or vminsert of a cluster, `http://host:8480/insert/0/influx`.
    pub url: Endpoint,
    /// What is asked, when it is not the same: vmselect of a cluster, `http://host:8481/select/0/prometheus`. Default none; a
    /// cluster without it is written to only.
    pub query_url: Option<Endpoint>,
    /// User, with `password`. Default none.
    pub username: Option<String>,
    /// Password. Default none.
    pub password: Option<Secret>,
    /// Bearer token, instead of user and password. Default none.
    pub token: Option<Secret>,
    /// Whether points are compressed on the way. Default `auto`: not towards this machine.
    #[serde(default)]
    pub gzip: Gzip,
    /// Longest time of one write. Default 10 s.
    #[serde(default = "default_timeout")]
    pub timeout: HumanDuration,
    /// Used for `https://`.
    #[serde(default)]
    pub tls: TlsConfig,
}

fn default_timeout() -> HumanDuration {
    TIMEOUT
}

impl VictoriaMetricsConfig {
    /// Everything but the address as by default.
    pub fn new(url: Endpoint) -> Self {
        Self {
            url,
            query_url: None,
            username: None,
            password: None,
            token: None,
            gzip: Gzip::Auto,
            timeout: TIMEOUT,
            tls: TlsConfig::default(),
        }
    }

    /// As whom to come. The login of `url` is that of `query_url`, too, unless that has its own.
    pub(super) fn auth(&self) -> Auth {
        if let Some(token) = &self.token {
            return Auth::Bearer(token.clone());
        }
        if let Some(user) = &self.username {
            let password = self.password.clone().unwrap_or_else(|| Secret::from(String::new()));
            return Auth::Basic(Login { user: user.clone(), password });
        }
        self.url.login().map_or(Auth::None, |login| Auth::Basic(login.clone()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_enough() {
        let config: VictoriaMetricsConfig = serde_json::from_str(r#"{"url": "http://h:8428"}"#).unwrap();
        assert_eq!(config, VictoriaMetricsConfig::new("http://h:8428".parse().unwrap()));
        assert!(serde_json::from_str::<VictoriaMetricsConfig>(r#"{"url": "http://h", "db": "x"}"#).is_err());
    }

    #[test]
    fn a_token_counts_before_a_user_and_a_user_before_the_login_of_the_url() {
        let mut config = VictoriaMetricsConfig::new("http://url:p@h".parse().unwrap());
        let user = |auth: Auth| match auth {
            Auth::Basic(login) => login.user,
            other => format!("{other:?}"),
        };
        assert_eq!(user(config.auth()), "url");
        config.username = Some("ann".to_owned());
        assert_eq!(user(config.auth()), "ann");
        config.token = Some(Secret::from("t".to_owned()));
        assert_eq!(user(config.auth()), "Bearer(***)");
    }
}
