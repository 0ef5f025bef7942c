//! Which stores are fed, and which of them answers queries.

use std::path::Path;
use std::sync::Arc;

use archive::{Archive, ArchiveConfig};
use backend::hissrv::HissrvConfig;
use backend::postgres::PostgresConfig;
use backend::victoriametrics::VictoriaMetricsConfig;
use serde::{Deserialize, Serialize};

use super::Config;

/// Stores that are fed from the journal, each with its own position in it. Without this section: the embedded one, or just
/// InfluxDB where there is a section `influxdb`.
#[derive(Debug, Clone, Default, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct StorageSection {
    /// The store inside hissrv. On unless switched off.
    pub embedded: EmbeddedSection,
    /// The server of the section `influxdb`. Off unless switched on.
    pub influxdb: InfluxdbSwitch,
    /// VictoriaMetrics.
    pub victoriametrics: Option<VictoriaMetricsConfig>,
    /// PostgreSQL.
    pub postgres: Option<PostgresConfig>,
    /// Another hissrv.
    pub hissrv: Option<HissrvConfig>,
    /// Days of the embedded store as Parquet files.
    pub archive: Option<ArchiveConfig>,
}

/// The embedded store.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct EmbeddedSection {
    /// False: values are in remote stores only, and so are the answers to queries. Default true.
    pub enabled: bool,
}

impl Default for EmbeddedSection {
    fn default() -> Self {
        Self { enabled: true }
    }
}

/// Whether the server of the section `influxdb` is fed.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct InfluxdbSwitch {
    /// True: it is. Default false; without a section `storage` the section `influxdb` suffices.
    pub enabled: bool,
}

/// A store by its name in the configuration, in status, metrics and files.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum StoreName {
    /// The one inside hissrv.
    Embedded,
    /// InfluxDB.
    Influxdb,
    /// VictoriaMetrics.
    Victoriametrics,
    /// PostgreSQL.
    Postgres,
    /// Another hissrv.
    Hissrv,
}

impl StoreName {
    /// As it is written.
    pub const fn text(self) -> &'static str {
        match self {
            Self::Embedded => "embedded",
            Self::Influxdb => "influxdb",
            Self::Victoriametrics => "victoriametrics",
            Self::Postgres => "postgres",
            Self::Hissrv => "hissrv",
        }
    }
}

impl Config {
    /// The stores that are fed, in the order in which one of them answers queries where nothing else is said.
    pub fn stores(&self) -> Vec<StoreName> {
        let Some(storage) = &self.storage else {
            return vec![if self.influxdb.is_some() { StoreName::Influxdb } else { StoreName::Embedded }];
        };
        let fed = [
            (StoreName::Embedded, storage.embedded.enabled),
            (StoreName::Influxdb, storage.influxdb.enabled),
            (StoreName::Victoriametrics, storage.victoriametrics.is_some()),
            (StoreName::Postgres, storage.postgres.is_some()),
            (StoreName::Hissrv, storage.hissrv.is_some()),
        ];
        fed.into_iter().filter(|(_, is_fed)| *is_fed).map(|(name, _)| name).collect()
    }

    /// Where a store is, without login, with a space before it; empty for the embedded one.
    pub fn address_of(&self, name: StoreName) -> String {
        let storage = self.storage.as_ref();
        let url = match name {
            StoreName::Embedded => None,
            StoreName::Influxdb => self.influxdb.as_ref().map(|c| c.url.to_string()),
            StoreName::Victoriametrics => storage.and_then(|s| s.victoriametrics.as_ref()).map(|c| c.url.to_string()),
            StoreName::Postgres => storage.and_then(|s| s.postgres.as_ref()).map(|c| c.url.to_string()),
            StoreName::Hissrv => storage.and_then(|s| s.hissrv.as_ref()).map(|c| c.url.to_string()),
        };
        url.map_or_else(String::new, |url| format!(" {url}"))
    }

    /// True when values are kept inside hissrv.
    pub fn feeds_embedded(&self) -> bool {
        self.stores().contains(&StoreName::Embedded)
    }

    /// Where days of the embedded store are put as files; `None`: nowhere.
    pub fn archive(&self) -> Option<&ArchiveConfig> {
        self.storage.as_ref()?.archive.as_ref()
    }

    /// The store that answers queries: `query.backend`, else the first one that is fed.
    pub fn answering(&self) -> StoreName {
        self.query.backend.or_else(|| self.stores().first().copied()).unwrap_or(StoreName::Embedded)
    }

    /// Checks what the sections of stores say together.
    pub(super) fn check_stores(&self) -> Result<(), String> {
        let stores = self.stores();
        if stores.is_empty() {
            return Err("storage: no store is left; leave the section out for the embedded one".to_owned());
        }
        if stores.contains(&StoreName::Influxdb) && self.influxdb.is_none() {
            return Err("storage.influxdb: there is no section `influxdb` that says where it is".to_owned());
        }
        if let Some(backend) = self.query.backend.filter(|name| !stores.contains(name)) {
            return Err(format!("query.backend: the store `{}` is not one of those that are fed", backend.text()));
        }
        self.check_archive()?;
        self.refuse_self()?;
        self.writer.check()
    }

    fn check_archive(&self) -> Result<(), String> {
        let Some(archive) = self.archive() else { return Ok(()) };
        if !self.feeds_embedded() {
            let reason = "days are archived of what the embedded store has, which is switched off: leave storage.archive out, or set \
                          storage.embedded.enabled: true";
            return Err(format!("storage.archive: {reason}"));
        }
        // Touches nothing and connects to nobody, so any folder and clock will do.
        let checked = Archive::new(Arc::new(vfs::RealFs), archive, Path::new(""), Arc::new(|| model::TimestampNs(0)));
        checked.map(|_| ()).map_err(|e| e.to_string())
    }

    /// A hissrv that feeds itself would never come to an end.
    fn refuse_self(&self) -> Result<(), String> {
        let Some(url) = self.storage.as_ref().and_then(|s| s.hissrv.as_ref()).map(|c| c.url.to_string()) else {
            return Ok(());
        };
        let own_port = self.server.listen.parse().map_or(0, |address: std::net::SocketAddr| address.port());
        let is_local = ["//127.", "//localhost", "//[::1]"].iter().any(|host| url.contains(host));
        match is_local && own_port > 0 && url.trim_end_matches('/').ends_with(&format!(":{own_port}")) {
            true => Err(format!("storage.hissrv.url: {url} is this hissrv itself (server.listen)")),
            false => Ok(()),
        }
    }
}
