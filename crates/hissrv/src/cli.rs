//! The command line.

use std::path::PathBuf;
use std::process::ExitCode;

use archive::Day;
use clap::{Args, Parser, Subcommand};

use crate::commands;

mod alerts;
mod events;
mod export;
mod generate;
mod import;
mod service;
mod target;

pub(crate) use alerts::{AlertsArgs, AlertsCommand, SilenceArgs};
pub(crate) use events::{EventsArgs, EventsCommand, GenerateArgs as EventsGenerateArgs, ListArgs};
pub(crate) use export::{ExportArgs, OutputFormat, PackingName};
pub(crate) use generate::{GenerateArgs, PlanArgs, SubjectName, TimeSource};
pub(crate) use import::{ImportArgs, InputFormat, TableArgs, WhichOfTwo};
pub(crate) use service::AskedArgs;
pub(crate) use target::{DeliveryArgs, TargetArgs, TargetName};

/// Exit status of a run-time failure.
const FAILED: u8 = 1;
/// Exit status of a usage or configuration error.
const USAGE: u8 = 2;

/// Keeps the real-time values of Redis (and what is written over HTTP) as history, and answers questions about it.
///
/// Without --config: ./hissrv.yaml, then /etc/hissrv/hissrv.yaml, else built-in defaults (data in ./data, Redis at
/// redis://localhost:6379, HTTP on 127.0.0.1:6004).
#[derive(Debug, Parser)]
#[command(name = "hissrv", version, propagate_version = true)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Run the service. Ctrl-C or SIGTERM stops it in order; a second one stops it at once.
    Run(RunArgs),
    /// Run the service with a simulated plant of 20 channels, through Redis if one answers, else in process.
    Demo(DemoArgs),
    /// Read a configuration file, say what is wrong with it or what it amounts to, and change nothing.
    CheckConfig {
        /// The file.
        file: PathBuf,
    },
    /// Ask a running hissrv for stored points or aggregates.
    Query(QueryArgs),
    /// Show the state of a running hissrv.
    Status(StatusArgs),
    /// Show, pause, resume or skip the feeding of remote stores.
    Store(StoreArgs),
    /// Have a running service remove what is older than its retention policy keeps, or tell what would go.
    Retention(RetentionArgs),
    /// Archive days as Parquet files now; list, check and read back what is archived.
    Archive(ArchiveArgs),
    /// Read files (line protocol, CSV, Parquet; gzip or zstd) into a store.
    Import(Box<ImportArgs>),
    /// Show alerts, silence some of them, try a channel.
    Alerts(AlertsArgs),
    /// Write stored points, or the answer to a query, to files (line protocol, CSV, Parquet).
    Export(Box<ExportArgs>),
    /// Show events (status logs made of metrics), or make those of a part of history anew.
    Events(EventsArgs),
    /// Make metrics of IT nodes or of an energy-management plant: to a file, into a store, or to Redis at a given rate.
    Generate(Box<GenerateArgs>),
    /// Look at points that a remote store refused, send them again, take them out, or remove them.
    DeadLetter(DeadLetterArgs),
    /// Check every checksum of a data directory. The service may be stopped or running.
    Verify(VerifyArgs),
}

/// Arguments of `run`.
#[derive(Debug, Args)]
pub(crate) struct RunArgs {
    /// Configuration file.
    #[arg(long, value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,
}

/// Arguments of `demo`.
#[derive(Debug, Args)]
pub(crate) struct DemoArgs {
    /// Redis to publish to and read from; if none answers there the plant runs in process.
    #[arg(long, value_name = "URL", default_value = "redis://127.0.0.1:6379")]
    pub(crate) redis: String,
    /// Address and port to listen on.
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:6004")]
    pub(crate) listen: String,
    /// Folder for the data.
    #[arg(long, value_name = "DIR", default_value = "./data")]
    pub(crate) data_dir: PathBuf,
    /// Channels of the plant, about 50 points each.
    #[arg(long, value_name = "N", default_value_t = 20, value_parser = clap::value_parser!(u32).range(1..=10_000))]
    pub(crate) channels: u32,
}

/// Arguments of `query`.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  \
    hissrv query measurement --tag channel=1001 --tag point=10001 --start now-1h\n  \
    hissrv query measurement --function mean --interval 1m --start now-1h --group-by channel\n  \
    hissrv query measurement --latest --tag channel=1001")]
pub(crate) struct QueryArgs {
    /// Measurement, such as measurement, signal, control, adjustment.
    pub(crate) measurement: String,
    /// Base URL of the service.
    #[arg(long, value_name = "URL", default_value = "http://127.0.0.1:6004")]
    pub(crate) url: String,
    /// Database; default: the service's default one.
    #[arg(long, value_name = "NAME")]
    pub(crate) database: Option<String>,
    /// Fields; default: all (of aggregates: value).
    #[arg(long = "field", value_name = "NAME")]
    pub(crate) fields: Vec<String>,
    /// Tags that must match, NAME=VALUE. May be repeated.
    #[arg(long = "tag", value_name = "NAME=VALUE", value_parser = parse_tag)]
    pub(crate) tags: Vec<(String, String)>,
    /// First time: RFC 3339, epoch, or relative such as now-1h.
    #[arg(long, value_name = "TIME", default_value = "now-1h")]
    pub(crate) start: String,
    /// Last time.
    #[arg(long, value_name = "TIME", default_value = "now")]
    pub(crate) end: String,
    /// Aggregate function: mean, sum, min, max, count, ...; default: the stored points.
    #[arg(long, value_name = "NAME")]
    pub(crate) function: Option<String>,
    /// Length of the windows of the aggregate; default: one for the whole range.
    #[arg(long, value_name = "DURATION", requires = "function")]
    pub(crate) interval: Option<String>,
    /// Tags to group by, or *.
    #[arg(long = "group-by", value_name = "TAG", value_delimiter = ',')]
    pub(crate) group_by: Vec<String>,
    /// Most rows of a series.
    #[arg(long, value_name = "N")]
    pub(crate) limit: Option<u64>,
    /// Newest rows first.
    #[arg(long)]
    pub(crate) desc: bool,
    /// Only the newest value of each series.
    #[arg(long, conflicts_with_all = ["function", "limit", "desc"])]
    pub(crate) latest: bool,
    /// Print the service's JSON instead of a table.
    #[arg(long)]
    pub(crate) json: bool,
}

/// Arguments of `status`.
#[derive(Debug, Args)]
pub(crate) struct StatusArgs {
    /// Base URL of the service.
    #[arg(long, value_name = "URL", default_value = "http://127.0.0.1:6004")]
    pub(crate) url: String,
    /// Print the service's JSON instead of a summary.
    #[arg(long)]
    pub(crate) json: bool,
}

/// Arguments of `store`.
#[derive(Debug, Args)]
pub(crate) struct StoreArgs {
    /// Base URL of the service.
    #[arg(long, global = true, value_name = "URL", default_value = "http://127.0.0.1:6004")]
    pub(crate) url: String,
    #[command(subcommand)]
    pub(crate) command: StoreCommand,
}

/// What `store` does.
#[derive(Debug, Subcommand)]
pub(crate) enum StoreCommand {
    /// Show every store: its state, what it has, what waits for it.
    List,
    /// Send nothing until it is resumed; the journal keeps everything.
    Pause {
        /// Its name, such as influxdb.
        name: String,
    },
    /// Go on sending.
    Resume {
        /// Its name.
        name: String,
    },
    /// Give up everything that waits for the store now. It never gets these values.
    Skip {
        /// Its name.
        name: String,
    },
    /// Keep nothing in the journal any more for a store that is not configured any more.
    Forget {
        /// Its name.
        name: String,
    },
}

/// Arguments of `retention`.
#[derive(Debug, Args)]
#[command(
    after_help = "The service does this by itself, once a minute. Files go by whole partitions; queries do not see what is \
    older than its policy keeps anyway.\n\nExamples:\n  \
    hissrv retention --dry-run\n  \
    hissrv retention --dry-run --force --json"
)]
pub(crate) struct RetentionArgs {
    /// Remove nothing; only tell what would go.
    #[arg(long)]
    pub(crate) dry_run: bool,
    /// Also what is held back, such as values that no finished rollup covers yet.
    #[arg(long)]
    pub(crate) force: bool,
    #[command(flatten)]
    pub(crate) service: AskedArgs,
    /// Print the service's JSON instead of a table.
    #[arg(long)]
    pub(crate) json: bool,
}

/// Arguments of `archive`.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  \
    hissrv archive run\n  \
    hissrv archive list --measurement pcs --from 2026-11-01\n  \
    hissrv archive verify\n  \
    hissrv archive restore --database plant --to 2026-10-31 --dry-run\n  \
    hissrv archive restore 2026-11-22.parquet --into-policy restored")]
pub(crate) struct ArchiveArgs {
    #[command(subcommand)]
    pub(crate) command: ArchiveCommand,
}

/// What `archive` does.
#[derive(Debug, Subcommand)]
pub(crate) enum ArchiveCommand {
    /// Have a running service archive the days that are due now, whatever the schedule says, and wait for it.
    Run {
        #[command(flatten)]
        service: AskedArgs,
        /// Print the service's JSON instead of a summary.
        #[arg(long)]
        json: bool,
    },
    /// Show the files of the archive, by their manifests. No service is needed.
    List {
        #[command(flatten)]
        files: FilesArgs,
        /// Print the manifests, a JSON object a line, instead of a table.
        #[arg(long)]
        json: bool,
    },
    /// Read every file and compare it with its manifest: length, SHA-256, rows, values. No service is needed.
    Verify {
        #[command(flatten)]
        files: FilesArgs,
    },
    /// Read files back and write their points to a running service. Points that it has already are overwritten by the same.
    Restore(RestoreArgs),
}

/// Arguments of `archive restore`.
#[derive(Debug, Args)]
pub(crate) struct RestoreArgs {
    /// One Parquet file of an archive; without it, the files of the configuration's archive.
    #[arg(value_name = "PARQUET", conflicts_with_all = ["database", "policy", "measurement", "from", "to"])]
    pub(crate) file: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) files: FilesArgs,
    /// Base URL of the service; default: that of the configuration.
    #[arg(long, value_name = "URL")]
    pub(crate) url: Option<String>,
    /// Write to this database instead of the one that the points come from. It must exist.
    #[arg(long, value_name = "NAME")]
    pub(crate) into_database: Option<String>,
    /// Write to this retention policy instead of the one that the points come from. It must exist, and keep values that old.
    #[arg(long, value_name = "NAME")]
    pub(crate) into_policy: Option<String>,
    /// Write nothing; only count.
    #[arg(long)]
    pub(crate) dry_run: bool,
    /// Print the summary as JSON.
    #[arg(long)]
    pub(crate) json: bool,
}

/// Which files of which archive.
#[derive(Debug, Args)]
pub(crate) struct FilesArgs {
    /// Only those of this database.
    #[arg(long, value_name = "NAME")]
    pub(crate) database: Option<String>,
    /// Only those of this retention policy.
    #[arg(long, value_name = "NAME")]
    pub(crate) policy: Option<String>,
    /// Only those of this measurement.
    #[arg(long, value_name = "NAME")]
    pub(crate) measurement: Option<String>,
    /// The first day (UTC), such as 2026-11-01.
    #[arg(long, value_name = "DAY")]
    pub(crate) from: Option<Day>,
    /// The last day.
    #[arg(long, value_name = "DAY")]
    pub(crate) to: Option<Day>,
    /// Configuration file with the section storage.archive; default: the one in force.
    #[arg(long, value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,
}

/// Arguments of `dead-letter`.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  \
    hissrv dead-letter list\n  \
    hissrv dead-letter show --store influxdb --reason 'field type conflict'\n  \
    hissrv dead-letter export --format line > refused.lp\n  \
    hissrv dead-letter retry --store influxdb")]
pub(crate) struct DeadLetterArgs {
    /// Only those of this store.
    #[arg(long, global = true, value_name = "NAME")]
    pub(crate) store: Option<String>,
    /// Only those whose reason holds this text.
    #[arg(long, global = true, value_name = "TEXT")]
    pub(crate) reason: Option<String>,
    #[command(subcommand)]
    pub(crate) command: DeadLetterCommand,
}

/// What `dead-letter` does.
#[derive(Debug, Subcommand)]
pub(crate) enum DeadLetterCommand {
    /// Count them by store and reason.
    List(DataArgs),
    /// Print them for reading.
    Show {
        #[command(flatten)]
        data: DataArgs,
        /// At most so many, the oldest first.
        #[arg(long, value_name = "N", default_value_t = 100)]
        limit: usize,
    },
    /// Write them to stdout for other programs.
    Export {
        #[command(flatten)]
        data: DataArgs,
        /// line: line protocol with the reason as a comment; json: an object a line; csv.
        #[arg(long, value_enum, default_value_t = ExportFormat::Line)]
        format: ExportFormat,
    },
    /// Have a running service send them to their store once more; what it takes is removed.
    Retry(ServiceArgs),
    /// Have a running service remove them.
    Purge(ServiceArgs),
}

/// Forms of `dead-letter export`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum ExportFormat {
    /// Line protocol, times in nanoseconds.
    Line,
    /// A JSON object a line.
    Json,
    /// Comma separated, with a header.
    Csv,
}

/// Which running service.
#[derive(Debug, Args)]
pub(crate) struct ServiceArgs {
    /// Base URL of the service.
    #[arg(long, value_name = "URL", default_value = "http://127.0.0.1:6004")]
    pub(crate) url: String,
}

/// Which data directory; the service may be stopped or running.
#[derive(Debug, Args)]
pub(crate) struct DataArgs {
    /// The data directory; default: that of the configuration in force.
    #[arg(long, value_name = "DIR")]
    pub(crate) data_dir: Option<PathBuf>,
    /// Configuration file to take the data directory from.
    #[arg(long, value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,
}

/// Arguments of `verify`.
#[derive(Debug, Args)]
pub(crate) struct VerifyArgs {
    /// The data directory; default: that of the configuration in force.
    #[arg(value_name = "DIR")]
    pub(crate) data_dir: Option<PathBuf>,
    /// Configuration file to take the data directory from.
    #[arg(long, value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,
}

fn parse_tag(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((name, value)) if !name.is_empty() => Ok((name.to_owned(), value.to_owned())),
        _ => Err("expected NAME=VALUE, such as channel=1001".to_owned()),
    }
}

/// Why a command ended without success.
#[derive(Debug)]
pub(crate) enum Failure {
    /// The command line or the configuration is wrong.
    Usage(String),
    /// It went wrong at run time.
    Run(anyhow::Error),
}

impl<E: Into<anyhow::Error>> From<E> for Failure {
    fn from(e: E) -> Self {
        Self::Run(e.into())
    }
}

/// Runs the command line of this process.
pub fn main() -> ExitCode {
    let outcome = match Cli::parse().command {
        Command::Run(args) => commands::run::run(&args),
        Command::Demo(args) => commands::demo::run(&args),
        Command::CheckConfig { file } => commands::check_config::run(&file),
        Command::Query(args) => commands::query::run(&args),
        Command::Status(args) => commands::status::run(&args),
        Command::Store(args) => commands::store::run(&args),
        Command::Retention(args) => commands::retention::run(&args),
        Command::Archive(args) => commands::archive::run(&args),
        Command::Events(args) => commands::events::run(&args),
        Command::Import(args) => commands::import::run(&args),
        Command::Alerts(args) => commands::alerts::run(&args),
        Command::Export(args) => commands::export::run(&args),
        Command::Generate(args) => commands::generate::run(&args),
        Command::DeadLetter(args) => commands::dead_letter::run(&args),
        Command::Verify(args) => commands::verify::run(&args),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(Failure::Usage(message)) => {
            eprintln!("hissrv: {message}");
            ExitCode::from(USAGE)
        }
        Err(Failure::Run(e)) => {
            eprintln!("hissrv: {}", told(&e));
            ExitCode::from(FAILED)
        }
    }
}

/// An error with its causes; those that it tells itself are not told again.
pub(crate) fn told(error: &anyhow::Error) -> String {
    let mut text = error.to_string();
    for cause in error.chain().skip(1).map(ToString::to_string) {
        if !text.ends_with(&cause) {
            text = format!("{text}: {cause}");
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cause_is_told_once() {
        let full = || std::io::Error::other("disk full");
        assert_eq!(told(&anyhow::Error::from(full()).context("write a.lp")), "write a.lp: disk full");
        let both = ::import::ImportError::Rejects { path: "r".into(), source: full() };
        assert_eq!(told(&both.into()), "the file of rejects r: disk full");
    }
}
