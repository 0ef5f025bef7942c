//! Settings of an InfluxDB server: the configuration's section `influxdb`.

use std::time::Duration;

use model::{HumanDuration, Secret};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use tls::TlsConfig;

use super::Generation;
use crate::http::{Auth, CONNECTIONS, Endpoint, Gzip, HttpSettings, Login, SetupError};

/// An InfluxDB server.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct InfluxdbConfig {
    /// Its URL; may hold user and password. Default `http://localhost:8086`.
    pub url: Endpoint,
    /// Its token: needed by 2.x and 3.x, and by a 1.x that asks for one; never shown. Default none.
    pub token: Option<Secret>,
    /// Its organisation, which 2.x needs. Default none.
    pub org: Option<String>,
    /// Its bucket (2.x) or database (1.x, 3.x) for the values of Redis, which is also the name of hissrv's own default database.
    /// Default `telemetry`.
    pub bucket: String,
    /// Which InfluxDB it is: `1`, `2`, `3`, or `auto` to ask it with the first request. Default `auto`.
    pub version: Version,
    /// User, for a 1.x with logins. Default none.
    pub username: Option<String>,
    /// The user's password; never shown. Default none.
    pub password: Option<Secret>,
    /// Whether values are compressed on their way: `on`, `off`, or `auto`, which is off towards this machine. Default `auto`.
    pub gzip: Gzip,
    /// Longest time that it may take for one request, at least 100 ms. Default 10 s.
    pub timeout: HumanDuration,
    /// For `https://`: whom to trust, and who we are.
    pub tls: TlsConfig,
}

/// Which InfluxDB a server is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Version {
    /// What it says itself.
    #[default]
    Auto,
    /// This one.
    Known(Generation),
}

/// Shorter than this nothing gets done over a network.
const MIN_TIMEOUT: Duration = Duration::from_millis(100);

impl Default for InfluxdbConfig {
    fn default() -> Self {
        Self {
            url: Endpoint::local(8086),
            token: None,
            org: None,
            bucket: "telemetry".to_owned(),
            version: Version::Auto,
            username: None,
            password: None,
            gzip: Gzip::Auto,
            timeout: HumanDuration(Duration::from_secs(10)),
            tls: TlsConfig::default(),
        }
    }
}

impl InfluxdbConfig {
    /// What must hold without asking the server.
    ///
    /// # Errors
    /// [`SetupError`] naming the key.
    pub(super) fn check(&self) -> Result<(), SetupError> {
        let setting = |key, reason: &str| Err(SetupError::Setting { key, reason: reason.to_owned() });
        if self.timeout.0 < MIN_TIMEOUT {
            return setting("timeout", "at least 100ms");
        }
        if self.version == Version::Known(Generation::V2) && self.organisation().is_none() {
            return setting("org", "InfluxDB 2 needs the name of an organisation");
        }
        if self.username.is_none() && self.password.is_some() {
            return setting("username", "a password is set, but no user");
        }
        Ok(())
    }

    /// The organisation, unless it is empty.
    pub(super) fn organisation(&self) -> Option<&str> {
        self.org.as_deref().filter(|org| !org.is_empty())
    }

    /// How its requests are made when a token goes as `scheme` says. A user (here or in the URL) goes before a token.
    pub(super) fn http_settings(&self, scheme: fn(Secret) -> Auth) -> HttpSettings {
        let token = self.token.clone().filter(|token| !token.reveal().is_empty());
        let auth = match (&self.username, token) {
            (Some(user), _) => {
                let password = self.password.clone().unwrap_or_else(|| Secret::from(String::new()));
                Auth::Basic(Login { user: user.clone(), password })
            }
            (None, Some(token)) if self.url.login().is_none() => scheme(token),
            (None, _) => Auth::None,
        };
        HttpSettings {
            endpoint: self.url.clone(),
            auth,
            gzip: self.gzip,
            timeout: self.timeout.0,
            connections: CONNECTIONS,
            tls: self.tls.clone(),
        }
    }
}

impl Serialize for Version {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Auto => serializer.serialize_str("auto"),
            Self::Known(generation) => serializer.serialize_u8(generation.number()),
        }
    }
}

impl<'de> Deserialize<'de> for Version {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(VersionVisitor)
    }
}

/// YAML reads `1` as a number and `"1"` as a text: both are meant.
struct VersionVisitor;

impl de::Visitor<'_> for VersionVisitor {
    type Value = Version;

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("one of auto, 1, 2, 3")
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<Version, E> {
        match (text, text.parse().ok().and_then(Generation::of)) {
            ("auto", _) => Ok(Version::Auto),
            (_, Some(generation)) => Ok(Version::Known(generation)),
            _ => Err(E::invalid_value(de::Unexpected::Str(text), &self)),
        }
    }

    fn visit_u64<E: de::Error>(self, number: u64) -> Result<Version, E> {
        let known = Generation::of(number).map(Version::Known);
        known.ok_or_else(|| E::invalid_value(de::Unexpected::Unsigned(number), &self))
    }

    fn visit_i64<E: de::Error>(self, number: i64) -> Result<Version, E> {
        self.visit_u64(u64::try_from(number).unwrap_or_default())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(json: &str) -> Result<InfluxdbConfig, serde_json::Error> {
        serde_json::from_str(json)
    }

    #[test]
    fn the_seeds_keys_are_enough() {
        let json = r#"{"url": "http://localhost:8086", "token": "t0p", "org": "voltageems", "bucket": "telemetry"}"#;
        let config = read(json).unwrap();
        assert_eq!(config.url, InfluxdbConfig::default().url);
        assert_eq!(config.check(), Ok(()));
        assert_eq!(config.http_settings(Auth::Token).auth, Auth::Token("t0p".to_owned().into()));
    }

    #[test]
    fn what_is_serialised_or_shown_holds_no_secret() {
        let json = r#"{"url": "http://ann:s3cret@h:1", "token": "s3cret", "username": "bob", "password": "s3cret"}"#;
        let config = read(json).unwrap();
        assert!(!format!("{config:?}{}", serde_json::to_string(&config).unwrap()).contains("s3cret"));
    }

    #[test]
    fn the_version_is_a_number_or_a_text() {
        let version = |text: &str| read(&format!("{{\"version\": {text}}}")).map(|config| config.version);
        assert_eq!(version("\"auto\"").unwrap(), Version::Auto);
        assert_eq!(version("1").unwrap(), Version::Known(Generation::V1));
        assert_eq!(version("\"3\"").unwrap(), Version::Known(Generation::V3));
        for wrong in ["4", "0", "-1", "\"two\"", "\"01x\""] {
            assert!(version(wrong).unwrap_err().to_string().contains("expected one of auto, 1, 2, 3"), "{wrong}");
        }
        assert_eq!(serde_json::to_string(&Version::Known(Generation::V2)).unwrap(), "2");
        assert_eq!(serde_json::to_string(&Version::Auto).unwrap(), "\"auto\"");
    }

    #[test]
    fn a_user_goes_before_a_token_and_an_empty_token_is_none() {
        let auth = |json: &str| read(json).unwrap().http_settings(Auth::Bearer).auth;
        assert!(matches!(auth(r#"{"token": "t", "username": "u", "password": "p"}"#), Auth::Basic(_)));
        assert_eq!(auth(r#"{"token": "t", "url": "http://u:p@h"}"#), Auth::None);
        assert_eq!(auth(r#"{"token": ""}"#), Auth::None);
        assert_eq!(auth(r#"{"token": "t"}"#), Auth::Bearer("t".to_owned().into()));
    }

    #[test]
    fn settings_that_cannot_work_are_named() {
        let wrong = |json: &str| read(json).unwrap().check().unwrap_err().to_string();
        assert_eq!(wrong(r#"{"timeout": "5ms"}"#), "timeout: at least 100ms");
        assert_eq!(wrong(r#"{"version": 2}"#), "org: InfluxDB 2 needs the name of an organisation");
        assert_eq!(wrong(r#"{"password": "p"}"#), "username: a password is set, but no user");
    }
}
