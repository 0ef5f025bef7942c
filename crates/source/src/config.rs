//! Settings of a Redis source. The short form of the seed, `url` and `patterns`, is enough; everything else has a default.

use std::fmt;
use std::time::Duration;

use model::{HumanDuration, Precision, Secret};
use serde::{Deserialize, Serialize};
use tls::TlsConfig;

use crate::redis::endpoint::{Endpoint, UrlError};

const DEFAULT_URL: &str = "redis://localhost:6379";
const DEFAULT_PATTERNS: [&str; 3] = ["point:update:*", "calc:result:*", "comsrv:*"];
/// Keys that hold current values in the field: see FORMS.md.
const DEFAULT_INCLUDE: [&str; 6] =
    ["comsrv:*", "inst:*:[MA]", "modsrv:*:measurement", "modsrv:*:control", "*:[mscaTSCA]:*", "archive:pending"];
const DEFAULT_INTERVAL: HumanDuration = HumanDuration(Duration::from_secs(5));
const DEFAULT_SCAN_INTERVAL: HumanDuration = HumanDuration(Duration::from_secs(60));
/// More connections than this to one Redis gain nothing: Redis itself is single-threaded.
const CONNECTIONS_MAX: usize = 16;

/// One Redis: where it is, what to subscribe to, what to poll, how to read it.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct RedisConfig {
    /// Whether Redis is read at all. Default true.
    pub enabled: bool,
    /// `redis://`, `rediss://` (TLS) or `unix://` URL; may hold user, password and database. Default `redis://localhost:6379`.
    pub url: UrlText,
    /// ACL user; overrides the one of the URL. Default none.
    pub username: Option<String>,
    /// Password; overrides the one of the URL. Default none.
    #[serde(skip_serializing)]
    pub password: Option<Secret>,
    /// Database number; overrides the one of the URL. Pub/Sub spans all databases, polling does not. Default none.
    pub db: Option<u32>,
    /// TLS settings; they apply to `rediss://` only.
    pub tls: TlsConfig,
    /// Pub/Sub patterns, in Redis' glob syntax. Patterns that overlap deliver a message once each. An empty list subscribes to nothing.
    pub patterns: Vec<String>,
    /// Connections the patterns are spread over, 1 to 16. Default 1, which carries more than 500 000 messages/s.
    pub connections: usize,
    /// IANA name of the zone of times written without one. Default `UTC`.
    pub time_zone: String,
    /// Unit of numeric times. Default `auto`: by magnitude.
    pub time_unit: TimeUnit,
    /// Polling of hashes, strings and lists.
    pub snapshot: SnapshotConfig,
    /// How channels and keys are read, by pattern; the first that matches decides. What matches none is read as `auto`.
    pub decoders: Vec<DecoderConfig>,
}

impl Default for RedisConfig {
    fn default() -> Self {
        Self {
            enabled: true,
            url: DEFAULT_URL.into(),
            username: None,
            password: None,
            db: None,
            tls: TlsConfig::default(),
            patterns: DEFAULT_PATTERNS.map(str::to_owned).to_vec(),
            connections: 1,
            time_zone: "UTC".to_owned(),
            time_unit: TimeUnit::Auto,
            snapshot: SnapshotConfig::default(),
            decoders: Vec::new(),
        }
    }
}

/// The URL of a Redis as it was written; displayed without user and password.
#[derive(Clone, Deserialize)]
#[serde(from = "String")]
pub struct UrlText(String);

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
        match Endpoint::parse(&self.0) {
            Ok(endpoint) => endpoint.fmt(f),
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

/// Polling with change detection: only what differs from the previous poll is stored.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct SnapshotConfig {
    /// Polls every `interval`. When false, keys are still read after each reconnect, to fill the gap. Default true.
    pub enabled: bool,
    /// Time between two polls, at least 100 ms. Default 5 s.
    pub interval: HumanDuration,
    /// Keys to read, in Redis' glob syntax. Default: every key that holds points in the field.
    pub include: Vec<String>,
    /// Keys not to read. Default none; keys that hold no points (`:config`, `:status` ...) are always skipped.
    pub exclude: Vec<String>,
    /// Time between two looks for new keys. Default 60 s.
    pub scan_interval: HumanDuration,
}

impl Default for SnapshotConfig {
    fn default() -> Self {
        Self {
            enabled: true,
            interval: DEFAULT_INTERVAL,
            include: DEFAULT_INCLUDE.map(str::to_owned).to_vec(),
            exclude: Vec::new(),
            scan_interval: DEFAULT_SCAN_INTERVAL,
        }
    }
}

/// Unit of numeric times.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum TimeUnit {
    /// By magnitude: below 1e11 seconds, below 1e14 milliseconds, below 1e17 microseconds, else nanoseconds.
    #[default]
    Auto,
    /// Seconds.
    S,
    /// Milliseconds.
    Ms,
    /// Microseconds.
    Us,
    /// Nanoseconds.
    Ns,
}

impl TimeUnit {
    /// The unit of this number.
    pub fn of(self, epoch: i64) -> Precision {
        match self {
            Self::Auto => Precision::guess(epoch),
            Self::S => Precision::Second,
            Self::Ms => Precision::Millisecond,
            Self::Us => Precision::Microsecond,
            Self::Ns => Precision::Nanosecond,
        }
    }
}

/// Says how the channels or keys of one pattern are read.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct DecoderConfig {
    /// Channels and keys it applies to, in Redis' glob syntax.
    pub pattern: String,
    /// How their names are read.
    pub preset: Preset,
}

/// How the name of a channel or key is read. Payloads are recognised by themselves.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Preset {
    /// By the families of names in FORMS.md.
    #[default]
    Auto,
    /// `...{channel}:{type}` or `...{channel}:{type}:{point}`, behind any prefix.
    ChannelType,
    /// The last part is a model; payloads hold names.
    Model,
    /// The whole name is the point.
    Value,
    /// Messages are events.
    Event,
    /// Nothing is read.
    Ignore,
}

/// A setting that cannot work.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ConfigError {
    /// The URL.
    #[error("redis.url: {0}")]
    Url(#[from] UrlError),
    /// Not in the time-zone database.
    #[error("redis.time_zone: `{0}` is not a known time zone; expected a name such as Europe/Berlin")]
    TimeZone(String),
    /// A number out of its range.
    #[error("redis.{key}: expected {expected}")]
    Range {
        /// The setting.
        key: &'static str,
        /// What would be right.
        expected: String,
    },
    /// Neither patterns nor polling.
    #[error("redis: neither patterns to subscribe to nor a snapshot to poll")]
    Nothing,
}

impl RedisConfig {
    /// Refuses what cannot work.
    ///
    /// # Errors
    /// The first setting that is wrong.
    pub fn validate(&self) -> Result<(), ConfigError> {
        self.endpoint()?;
        self.zone()?;
        if !(1..=CONNECTIONS_MAX).contains(&self.connections) {
            return Err(range("connections", format!("1 to {CONNECTIONS_MAX}")));
        }
        if self.snapshot.interval.0 < Duration::from_millis(100) {
            return Err(range("snapshot.interval", "at least 100ms".to_owned()));
        }
        if self.snapshot.scan_interval.0 < Duration::from_millis(100) {
            return Err(range("snapshot.scan_interval", "at least 100ms".to_owned()));
        }
        if !self.tls.is_complete() {
            return Err(range("tls", "cert_file and key_file, or neither".to_owned()));
        }
        let polls = self.snapshot.enabled && !self.snapshot.include.is_empty();
        if self.patterns.is_empty() && !polls { Err(ConfigError::Nothing) } else { Ok(()) }
    }

    /// Where to connect and as whom: the URL with the overrides applied.
    ///
    /// # Errors
    /// [`UrlError`] when the URL is wrong.
    pub fn endpoint(&self) -> Result<Endpoint, UrlError> {
        let mut endpoint = Endpoint::parse(&self.url.0)?;
        if self.username.is_some() {
            endpoint.username.clone_from(&self.username);
        }
        if let Some(password) = &self.password {
            endpoint.password = Some(password.clone());
        }
        endpoint.db = self.db.unwrap_or(endpoint.db);
        Ok(endpoint)
    }

    /// The zone of times written without one.
    ///
    /// # Errors
    /// [`ConfigError::TimeZone`] when the name is unknown.
    pub fn zone(&self) -> Result<jiff::tz::TimeZone, ConfigError> {
        jiff::tz::TimeZone::get(&self.time_zone).map_err(|_| ConfigError::TimeZone(self.time_zone.clone()))
    }
}

fn range(key: &'static str, expected: String) -> ConfigError {
    ConfigError::Range { key, expected }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_short_form_is_enough_and_the_default_is_valid() {
        let config: RedisConfig =
            serde_json::from_str(r#"{"url":"redis://h:1/2","patterns":["point:update:*"]}"#).unwrap();
        assert_eq!(config.endpoint().unwrap().db, 2);
        assert_eq!(config.validate(), Ok(()));
        assert_eq!(RedisConfig::default().validate(), Ok(()));
    }

    #[test]
    fn overrides_win_and_no_secret_is_shown() {
        let text = r#"{"url":"redis://a:hunter1@h","username":"b","password":"hunter2","db":7}"#;
        let config: RedisConfig = serde_json::from_str(text).unwrap();
        let endpoint = config.endpoint().unwrap();
        assert_eq!((endpoint.username.as_deref(), endpoint.db), (Some("b"), 7));
        assert_eq!(endpoint.password.unwrap().reveal(), "hunter2");
        assert!(!serde_json::to_string(&config).unwrap().contains("hunter"));
        assert!(!format!("{config:?}").contains("hunter"));
    }

    #[test]
    fn what_cannot_work_is_refused_by_name() {
        let wrong = |change: fn(&mut RedisConfig)| {
            let mut config = RedisConfig::default();
            change(&mut config);
            config.validate().unwrap_err().to_string()
        };
        assert!(wrong(|c| c.time_zone = "Mars/Base".to_owned()).contains("Mars/Base"));
        assert!(wrong(|c| c.connections = 0).contains("connections"));
        assert!(wrong(|c| c.snapshot.interval = HumanDuration(Duration::ZERO)).contains("snapshot.interval"));
        assert!(wrong(|c| c.tls.cert_file = Some("x".into())).contains("key_file"));
        assert!(wrong(|c| c.url = "ftp://x".into()).contains("redis.url"));
        assert!(serde_json::from_str::<RedisConfig>(r#"{"urls":1}"#).unwrap_err().to_string().contains("urls"));
    }
}
