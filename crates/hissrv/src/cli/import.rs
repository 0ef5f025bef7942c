//! Arguments of `import`.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

/// Arguments of `import`.
#[derive(Debug, Args)]
#[command(
    after_help = "Points that the store has already are overwritten by the same, so that doing it twice changes nothing. Of two lines in \
    one file for the same series, field and time the later one wins with --workers 1; with more either may.\n\nExamples:\n  \
    hissrv import day.lp.gz\n  \
    hissrv import 'export/*.lp' --to influxdb --config hissrv.yaml\n  \
    zcat old.lp.gz | hissrv import - --format lines --precision s\n  \
    hissrv import day.lp.gz --resume"
)]
pub(crate) struct ImportArgs {
    /// Files, folders, patterns in quotes, or - for standard input. gzip and zstd are recognised.
    #[arg(required = true, value_name = "FILE")]
    pub(crate) files: Vec<String>,
    /// Format of the files; default: what each one's ending says.
    #[arg(long, value_enum, value_name = "FORMAT")]
    pub(crate) format: Option<InputFormat>,
    /// Where points go. auto: the service if one uses the data directory, else the data directory itself.
    #[arg(long, value_enum, value_name = "STORE", default_value_t = TargetName::Auto)]
    pub(crate) to: TargetName,
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
    /// Unit of the times in line protocol: ns, us, ms or s.
    #[arg(long, value_name = "UNIT", default_value = "ns", value_parser = ["ns", "us", "ms", "s"])]
    pub(crate) precision: String,
    /// Threads that write, each with its own connection; default: twice the processors.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=256))]
    pub(crate) workers: Option<u16>,
    /// Points of one request.
    #[arg(long, value_name = "N", default_value_t = 5000, value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    pub(crate) batch: u32,
    /// How often a request is sent again when the store is away or busy, with growing waits up to 30 s.
    #[arg(long, value_name = "N", default_value_t = 10)]
    pub(crate) retries: u32,
    /// End when more records than this are refused.
    #[arg(long, value_name = "N", default_value_t = 1000)]
    pub(crate) max_errors: u64,
    /// File for refused records, with place and reason; default: hissrv-import.rejects in the working folder.
    #[arg(long, value_name = "FILE")]
    pub(crate) rejects: Option<PathBuf>,
    /// Go on where an import of the same files was cut off.
    #[arg(long)]
    pub(crate) resume: bool,
    /// File that says what is done; default: hissrv-import-NUMBER.json in the working folder, removed when all is done.
    #[arg(long, value_name = "FILE")]
    pub(crate) checkpoint: Option<PathBuf>,
    /// Read and check everything, and store nothing.
    #[arg(long)]
    pub(crate) dry_run: bool,
    /// Print the summary as JSON.
    #[arg(long)]
    pub(crate) json: bool,
    /// Show no progress.
    #[arg(long)]
    pub(crate) quiet: bool,
}

/// Formats of files.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum InputFormat {
    /// Line protocol.
    Lines,
    /// Comma (or otherwise) separated values.
    Csv,
    /// Apache Parquet.
    Parquet,
}

/// Where points go.
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
