//! Arguments of commands that write points: where to, and how.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

/// Where points go.
#[derive(Debug, Args)]
pub(crate) struct TargetArgs {
    /// The store that points go to; import's default is auto, the service if one uses the data directory, else the data directory itself.
    #[arg(long, value_enum, value_name = "STORE")]
    pub(crate) to: Option<TargetName>,
    /// Base URL of a running service (with --to service); default: that of the configuration.
    #[arg(long, value_name = "URL")]
    pub(crate) url: Option<String>,
    /// Configuration file with the data directory and the stores.
    #[arg(long, value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,
    /// Database; default: that of the configuration.
    #[arg(long, value_name = "NAME")]
    pub(crate) database: Option<String>,
    /// Retention policy; default: the database's default one.
    #[arg(long, value_name = "NAME")]
    pub(crate) policy: Option<String>,
}

/// How points go there.
#[derive(Debug, Args)]
pub(crate) struct DeliveryArgs {
    /// Threads that write, each with its own connection; default: twice the processors.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=256))]
    pub(crate) workers: Option<u16>,
    /// Points of one request.
    #[arg(long, value_name = "N", default_value_t = 5000, value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    pub(crate) batch: u32,
    /// How often a request is sent again when the store is away or busy, with growing waits up to 30 s.
    #[arg(long, value_name = "N", default_value_t = 10)]
    pub(crate) retries: u32,
}

/// Stores that points go to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum TargetName {
    /// The service if one uses the data directory, else the data directory.
    Auto,
    /// The data directory, which no service may be using.
    Embedded,
    /// A running service.
    Service,
    /// The InfluxDB of the configuration.
    Influxdb,
    /// The VictoriaMetrics of the configuration.
    Victoriametrics,
    /// The PostgreSQL of the configuration.
    Postgres,
    /// The other hissrv of the configuration (storage.hissrv).
    Hissrv,
}
