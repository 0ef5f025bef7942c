//! Section `storage.archive` of the configuration.

use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

use model::{HumanDuration, Secret};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use tls::TlsConfig;

use crate::schedule::Schedule;

/// Default of [`ArchiveConfig::schedule`].
const SCHEDULE: Schedule = Schedule::Daily { minute: 120 };
/// Default of [`ArchiveConfig::delay`].
const DELAY: HumanDuration = HumanDuration(Duration::from_secs(3600));
/// Default of [`S3Config::region`].
const REGION: &str = "us-east-1";
/// Default of [`S3Config::timeout`].
const TIMEOUT: HumanDuration = HumanDuration(Duration::from_secs(60));

/// Days of the embedded store as Parquet files. Without this section nothing is archived.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct ArchiveConfig {
    /// Where to: a folder, or `s3://BUCKET/PREFIX`. Must be set.
    pub target: Place,
    /// The object store of an `s3://` target.
    #[serde(default)]
    pub s3: S3Config,
    /// When: `daily at 02:00` (UTC), `every 6h` (a minute at least), or `never`, which needs `before_deletion`. Default `daily at
    /// 02:00`.
    #[serde(default = "schedule")]
    pub schedule: Schedule,
    /// How long after its end (midnight in UTC) a day is archived at the earliest, for values that come late. Default 1h.
    #[serde(default = "delay")]
    pub delay: HumanDuration,
    /// Databases to archive; `*` at the end of a name stands for any rest. Default: all.
    #[serde(default)]
    pub databases: Vec<String>,
    /// Retention policies to archive, written likewise. Default: all.
    #[serde(default)]
    pub policies: Vec<String>,
    /// Measurements to archive, written likewise. Default: all.
    #[serde(default)]
    pub measurements: Vec<String>,
    /// True: what a retention policy wants to delete is archived first, and kept until it is. Default false.
    #[serde(default)]
    pub before_deletion: bool,
}

/// How to reach an S3-compatible store. Addresses are of the form `ENDPOINT/BUCKET/KEY`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct S3Config {
    /// `http://` or `https://`, host and port. Default: Amazon's of the region.
    pub endpoint: Option<String>,
    /// Region that requests are signed for; most other stores take any. Default us-east-1.
    pub region: String,
    /// Name of the access key.
    pub access_key: String,
    /// The secret that belongs to it.
    pub secret_key: Option<Secret>,
    /// Longest wait for a connection, and for each part of an answer. Default 1m.
    pub timeout: HumanDuration,
    /// For `https://`: whom to trust.
    pub tls: TlsConfig,
}

impl Default for S3Config {
    fn default() -> Self {
        Self {
            endpoint: None,
            region: REGION.to_owned(),
            access_key: String::new(),
            secret_key: None,
            timeout: TIMEOUT,
            tls: TlsConfig::default(),
        }
    }
}

/// Where an archive is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Place {
    /// A folder, made when it is missing.
    Folder(PathBuf),
    /// A bucket, which must exist, and what all keys in it begin with (without `/` at its ends; may be empty).
    S3 {
        /// The bucket.
        bucket: String,
        /// Before every key.
        prefix: String,
    },
}

/// Why settings cannot work.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("storage.archive.{key}: {reason}")]
pub struct ConfigError {
    /// The setting.
    pub key: &'static str,
    /// What is wrong, and what to do.
    pub reason: String,
}

impl ConfigError {
    pub(crate) fn new(key: &'static str, reason: impl ToString) -> Self {
        Self { key, reason: reason.to_string() }
    }
}

impl ArchiveConfig {
    /// The settings of an archive at `target`, all others as they are by default.
    pub fn new(target: Place) -> Self {
        Self {
            target,
            s3: S3Config::default(),
            schedule: SCHEDULE,
            delay: DELAY,
            databases: Vec::new(),
            policies: Vec::new(),
            measurements: Vec::new(),
            before_deletion: false,
        }
    }

    /// Looks for what cannot work, without touching the target.
    ///
    /// # Errors
    /// The first such setting.
    pub fn check(&self) -> Result<(), ConfigError> {
        if self.schedule == Schedule::Never && !self.before_deletion {
            let reason = "nothing would ever be archived: set another schedule or `before_deletion: true`";
            return Err(ConfigError::new("schedule", reason));
        }
        if matches!(self.target, Place::S3 { .. }) {
            return self.check_s3();
        }
        if self.s3 != S3Config::default() {
            return Err(ConfigError::new(
                "s3",
                "the target is a folder: write s3://BUCKET/PREFIX to use these settings",
            ));
        }
        Ok(())
    }

    fn check_s3(&self) -> Result<(), ConfigError> {
        let missing = |key| Err(ConfigError::new(key, "must be set for an s3:// target"));
        if self.s3.access_key.is_empty() {
            return missing("s3.access_key");
        }
        if self.s3.secret_key.as_ref().is_none_or(|key| key.reveal().is_empty()) {
            return missing("s3.secret_key");
        }
        if !self.s3.tls.is_complete() {
            return Err(ConfigError::new("s3.tls", "cert_file and key_file belong together: name both or none"));
        }
        Ok(())
    }

    /// Whether a measurement is to be archived.
    pub(crate) fn takes(&self, database: &str, policy: &str, measurement: &str) -> bool {
        self.takes_bucket(database, policy) && matches(&self.measurements, measurement)
    }

    /// Whether something of a retention policy may have to be archived.
    pub(crate) fn takes_bucket(&self, database: &str, policy: &str) -> bool {
        !catalog::is_hidden(policy) && matches(&self.databases, database) && matches(&self.policies, policy)
    }
}

fn matches(patterns: &[String], name: &str) -> bool {
    let fits = |pattern: &String| match pattern.strip_suffix('*') {
        Some(start) => name.starts_with(start),
        None => pattern == name,
    };
    patterns.is_empty() || patterns.iter().any(fits)
}

fn schedule() -> Schedule {
    SCHEDULE
}

fn delay() -> HumanDuration {
    DELAY
}

impl FromStr for Place {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let Some(rest) = text.strip_prefix("s3://") else {
            if text.trim().is_empty() || text.contains("://") {
                return Err(format!("`{text}` is no place for an archive: expected a folder or s3://BUCKET/PREFIX"));
            }
            return Ok(Self::Folder(PathBuf::from(text)));
        };
        let (bucket, prefix) = rest.split_once('/').unwrap_or((rest, ""));
        let is_good = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '.' | '_');
        if bucket.len() < 3 || bucket.len() > 63 || !bucket.chars().all(is_good) {
            return Err(format!(
                "`{bucket}` is no name of a bucket: expected 3 to 63 letters, digits, `-`, `.` or `_`"
            ));
        }
        Ok(Self::S3 { bucket: bucket.to_owned(), prefix: prefix.trim_matches('/').to_owned() })
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Folder(path) => path.display().fmt(f),
            Self::S3 { bucket, prefix } if prefix.is_empty() => write!(f, "s3://{bucket}"),
            Self::S3 { bucket, prefix } => write!(f, "s3://{bucket}/{prefix}"),
        }
    }
}

impl Serialize for Place {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Place {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(json: &str) -> Result<ArchiveConfig, String> {
        serde_json::from_str(json).map_err(|e| e.to_string())
    }

    #[test]
    fn a_target_suffices_and_the_rest_is_as_documented() {
        let config = parse(r#"{"target": "/srv/archive"}"#).unwrap();
        assert_eq!(config, ArchiveConfig::new(Place::Folder("/srv/archive".into())));
        assert_eq!(config.schedule.to_string(), "daily at 02:00");
        assert_eq!(config.check(), Ok(()));
        assert!(parse("{}").unwrap_err().contains("target"));
    }

    #[test]
    fn a_bucket_needs_a_key() {
        let mut config = parse(r#"{"target": "s3://plant/a/b/", "s3": {"access_key": "me"}}"#).unwrap();
        assert_eq!(config.target, Place::S3 { bucket: "plant".into(), prefix: "a/b".into() });
        assert_eq!(
            config.check().unwrap_err().to_string(),
            "storage.archive.s3.secret_key: must be set for an s3:// target"
        );
        config.s3.secret_key = Some("geheim".to_owned().into());
        assert_eq!(config.check(), Ok(()));
        assert!(!format!("{config:?}{}", serde_json::to_string(&config).unwrap()).contains("geheim"));
    }

    #[test]
    fn what_cannot_work_is_refused() {
        let config = parse(r#"{"target": "a", "schedule": "never"}"#).unwrap();
        assert!(config.check().is_err());
        assert!(parse(r#"{"target": "gs://x"}"#).unwrap_err().contains("expected a folder or s3://BUCKET/PREFIX"));
        assert!(parse(r#"{"target": "s3://"}"#).unwrap_err().contains("no name of a bucket"));
        let config = parse(r#"{"target": "a", "s3": {"region": "eu"}}"#).unwrap();
        assert!(config.check().unwrap_err().to_string().contains("the target is a folder"));
    }

    #[test]
    fn filters_are_names_or_beginnings() {
        let mut config = ArchiveConfig::new(Place::Folder("a".into()));
        assert!(config.takes("plant", "autogen", "pcs"));
        assert!(!config.takes("plant", "\u{1f}rollup", "pcs"));
        config.measurements = vec!["pcs*".to_owned(), "bms".to_owned()];
        config.databases = vec!["plant".to_owned()];
        let takes = |database, measurement| config.takes(database, "autogen", measurement);
        assert!(takes("plant", "pcs_2") && takes("plant", "bms"));
        assert!(!takes("plant", "bms2") && !takes("site", "bms"));
    }
}
