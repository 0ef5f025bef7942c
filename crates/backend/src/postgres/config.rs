//! Settings of a PostgreSQL store. What is displayed, logged and serialised never holds user or password.

use std::fmt;
use std::time::Duration;

use model::{HumanDuration, Secret};
use serde::{Deserialize, Serialize};
use tls::TlsConfig;

const DEFAULT_URL: &str = "postgres://hissrv@localhost:5432/hissrv";
const DEFAULT_TIMEOUT: HumanDuration = HumanDuration(Duration::from_secs(10));
const DEFAULT_PARTITION: HumanDuration = HumanDuration(Duration::from_hours(24));
/// Shorter ones would make more tables than PostgreSQL can have locks for.
const PARTITION_MIN: Duration = Duration::from_hours(1);

/// A PostgreSQL database, with or without the TimescaleDB extension.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct PostgresConfig {
    /// `postgres://user:password@host:port/database?sslmode=disable|prefer|require`, special characters percent-encoded. With
    /// `prefer` TLS is used where the server offers it, but its certificate is only checked against a `ca_file`; `require`
    /// always checks it. Default `postgres://hissrv@localhost:5432/hissrv`, with `prefer`.
    pub url: UrlText,
    /// Role to log in as; overrides the one of the URL. Default none.
    pub username: Option<String>,
    /// Its password; overrides the one of the URL. Default none.
    #[serde(skip_serializing)]
    pub password: Option<Secret>,
    /// Longest time that a connection, a write or a probe may take, at least 1 s. Default 10 s.
    pub timeout: HumanDuration,
    /// Span of time of one partition of a table, at least 1 h; for tables that are new. Default 1 d.
    pub partition: HumanDuration,
    /// A write is answered once PostgreSQL has it on disk. When false (`synchronous_commit = off`), its crash may lose the last
    /// seconds; writing is faster on slow disks. Default true.
    pub synchronous: bool,
    /// TLS settings.
    pub tls: TlsConfig,
}

impl Default for PostgresConfig {
    fn default() -> Self {
        Self {
            url: DEFAULT_URL.into(),
            username: None,
            password: None,
            timeout: DEFAULT_TIMEOUT,
            partition: DEFAULT_PARTITION,
            synchronous: true,
            tls: TlsConfig::default(),
        }
    }
}

/// What is wrong with the settings. Never holds the URL: it may contain a password.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ConfigError {
    /// The URL has another form.
    #[error(
        "the URL of PostgreSQL is not of the form postgres://user:password@host:port/database?sslmode=prefer with \
         special characters percent-encoded"
    )]
    Url,
    /// There is no host in it.
    #[error("the URL of PostgreSQL names no host")]
    Host,
    /// Shorter than a second.
    #[error("the timeout of PostgreSQL is {0}: expected at least 1s")]
    Timeout(HumanDuration),
    /// Shorter than an hour.
    #[error("the length of a partition is {0}: expected at least 1h, since each is a table of its own")]
    Partition(HumanDuration),
    /// Half of a client certificate.
    #[error("the TLS settings of PostgreSQL name cert_file or key_file without the other")]
    Certificate,
}

impl PostgresConfig {
    /// The settings as the client takes them, login included.
    ///
    /// # Errors
    /// [`ConfigError`]: what is wrong.
    pub(super) fn checked(&self) -> Result<postgres::Config, ConfigError> {
        let mut client = self.url.parse()?;
        if client.get_hosts().is_empty() {
            return Err(ConfigError::Host);
        }
        if self.timeout.0 < Duration::from_secs(1) {
            return Err(ConfigError::Timeout(self.timeout));
        }
        if self.partition.0 < PARTITION_MIN {
            return Err(ConfigError::Partition(self.partition));
        }
        if !self.tls.is_complete() {
            return Err(ConfigError::Certificate);
        }
        if let Some(name) = &self.username {
            client.user(name);
        }
        if let Some(password) = &self.password {
            client.password(password.reveal());
        }
        Ok(client)
    }
}

/// The URL as it was written; displayed without user and password.
#[derive(Clone, PartialEq, Eq, Deserialize)]
#[serde(from = "String")]
pub struct UrlText(String);

impl UrlText {
    fn parse(&self) -> Result<postgres::Config, ConfigError> {
        let text = self.0.trim();
        // The client takes `key=value` texts, too; one form is enough to explain.
        if !text.starts_with("postgres://") && !text.starts_with("postgresql://") {
            return Err(ConfigError::Url);
        }
        text.parse().map_err(|_| ConfigError::Url)
    }
}

impl From<String> for UrlText {
    fn from(text: String) -> Self {
        Self(text)
    }
}

impl From<&str> for UrlText {
    fn from(text: &str) -> Self {
        Self(text.to_owned())
    }
}

impl fmt::Display for UrlText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.parse() {
            Ok(client) => write!(f, "postgres://{}", address(&client)),
            Err(_) => f.write_str("***"),
        }
    }
}

impl fmt::Debug for UrlText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl Serialize for UrlText {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// Hosts, ports and database, for people.
pub(super) fn address(client: &postgres::Config) -> String {
    let ports = client.get_ports();
    let port_of = |index: usize| ports.get(index).or(ports.first()).copied().unwrap_or(5432);
    let hosts = client.get_hosts().iter().enumerate().map(|(index, host)| match host {
        postgres::config::Host::Tcp(name) if name.contains(':') => format!("[{name}]:{}", port_of(index)),
        postgres::config::Host::Tcp(name) => format!("{name}:{}", port_of(index)),
        #[cfg(unix)]
        postgres::config::Host::Unix(path) => format!("{}:{}", path.display(), port_of(index)),
    });
    let hosts: Vec<String> = hosts.collect();
    let database = client.get_dbname().or(client.get_user()).unwrap_or_default();
    format!("{}/{database}", hosts.join(","))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config(url: &str) -> PostgresConfig {
        PostgresConfig { url: url.into(), ..PostgresConfig::default() }
    }

    #[test]
    fn what_is_shown_holds_neither_user_nor_password() {
        for url in [
            "postgres://alice:hunter2@db.example:5433/plant?sslmode=require",
            "postgresql://alice@db.example:5433/plant?password=hunter2",
            "postgres://alice:hun@ter2@db.example/plant",
            "host=db.example password=hunter2",
            "hunter2",
        ] {
            let mut config = config(url);
            config.password = Some("hunter2".to_owned().into());
            let json = serde_json::to_string(&config).unwrap();
            for shown in [format!("{config:?}"), config.url.to_string(), json] {
                assert!(!shown.contains("hunter2"), "{shown}");
                assert!(!shown.contains("alice"), "{shown}");
            }
            if let Err(error) = config.checked() {
                assert!(!error.to_string().contains("hunter2"));
            }
        }
        let shown = config("postgres://me:x@db.example:5433/plant?sslmode=require").url.to_string();
        assert_eq!(shown, "postgres://db.example:5433/plant");
        assert_eq!(config("postgres://[::1]:5433/plant").url.to_string(), "postgres://[::1]:5433/plant");
    }

    #[test]
    fn settings_override_the_login_of_the_url() {
        let mut config = config("postgres://me:x@db.example/plant");
        config.username = Some("writer".to_owned());
        config.password = Some("y".to_owned().into());
        let client = config.checked().unwrap();
        assert_eq!(client.get_user(), Some("writer"));
        assert_eq!(client.get_password(), Some(&b"y"[..]));
    }

    #[test]
    fn wrong_settings_are_refused() {
        assert_eq!(config("mysql://db").checked().err(), Some(ConfigError::Url));
        assert_eq!(config("postgres://db/x?sslmode=perhaps").checked().err(), Some(ConfigError::Url));
        assert_eq!(config("postgres:///x").checked().err(), Some(ConfigError::Host));
        let short = HumanDuration(Duration::from_millis(10));
        let with = |change: &dyn Fn(&mut PostgresConfig)| {
            let mut config = PostgresConfig::default();
            change(&mut config);
            config.checked()
        };
        assert_eq!(with(&|c| c.timeout = short).err(), Some(ConfigError::Timeout(short)));
        assert_eq!(with(&|c| c.partition = short).err(), Some(ConfigError::Partition(short)));
        assert_eq!(with(&|c| c.tls.key_file = Some("k".into())).err(), Some(ConfigError::Certificate));
        assert!(with(&|_| {}).is_ok());
    }
}
