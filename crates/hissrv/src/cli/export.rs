//! Arguments of `export`.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

/// Arguments of `export`.
#[derive(Debug, Args)]
#[command(
    after_help = "Importing an export again gives the same points. A file holds points of one retention policy, and, but for line \
    protocol, of one measurement; a folder takes any number.\n\nExamples:\n  \
    hissrv export --output telemetry.lp.gz\n  \
    hissrv export --output backup/ --format parquet\n  \
    hissrv export --measurement 'pcs*' --tag unit=1 --from now-7d | head\n  \
    hissrv export --measurement pcs --from 2026-11-01 --to 2026-12-01 --output pcs.csv\n  \
    hissrv export --query 'SELECT mean(power) FROM pcs WHERE time > now() - 1d GROUP BY time(1h), *' --output hours.parquet"
)]
pub(crate) struct ExportArgs {
    /// Database; default: that of the configuration.
    #[arg(long, value_name = "NAME")]
    pub(crate) database: Option<String>,
    /// Retention policy; default: all that have points.
    #[arg(long, value_name = "NAME")]
    pub(crate) policy: Option<String>,
    /// Measurement, or a pattern in quotes (*, ?, [a-c]). May be repeated; default: all.
    #[arg(long = "measurement", value_name = "PATTERN")]
    pub(crate) measurements: Vec<String>,
    /// Tags that must match; of one tag any of the values. May be repeated.
    #[arg(long = "tag", value_name = "NAME=VALUE", value_parser = super::parse_tag)]
    pub(crate) tags: Vec<(String, String)>,
    /// First time: RFC 3339, epoch, or relative such as now-1h.
    #[arg(long, value_name = "TIME")]
    pub(crate) from: Option<String>,
    /// The time behind the last one.
    #[arg(long, value_name = "TIME")]
    pub(crate) to: Option<String>,
    /// A SELECT or SHOW of InfluxQL whose answer is exported instead of stored points.
    #[arg(long, value_name = "INFLUXQL", conflicts_with_all = ["measurements", "tags", "from", "to"])]
    pub(crate) query: Option<String>,
    /// Format; default: what the file's ending says, else lines, and csv for --query.
    #[arg(long, value_enum, value_name = "FORMAT")]
    pub(crate) format: Option<OutputFormat>,
    /// A file (packed where its name ends in .gz or .zst), or a folder (one that exists, or a name that ends in /); default: standard output.
    #[arg(long, value_name = "PATH")]
    pub(crate) output: Option<PathBuf>,
    /// How the files of a folder, or standard output, are packed. Parquet is packed by itself.
    #[arg(long, value_enum, value_name = "PACKING")]
    pub(crate) pack: Option<PackingName>,
    /// Base URL of a running service; default: the one that uses the data directory, if one does, else the data directory itself.
    #[arg(long, value_name = "URL")]
    pub(crate) url: Option<String>,
    /// Configuration file with the data directory.
    #[arg(long, value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,
    /// Print the summary as JSON.
    #[arg(long)]
    pub(crate) json: bool,
    /// Show no progress.
    #[arg(long)]
    pub(crate) quiet: bool,
}

/// Formats of files.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum OutputFormat {
    /// Line protocol.
    Lines,
    /// Comma separated values that describe themselves.
    Csv,
    /// Apache Parquet.
    Parquet,
    /// A JSON object a row; for answers to queries.
    Json,
}

/// Ways to pack.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum PackingName {
    /// Not at all.
    None,
    /// gzip.
    Gzip,
    /// Zstandard.
    Zstd,
}
