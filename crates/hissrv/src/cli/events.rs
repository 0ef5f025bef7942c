//! Arguments of `events`.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use super::AskedArgs;

/// Arguments of `events`.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  \
    hissrv events list --level error --since now-7d\n  \
    hissrv events list --node 'vm-*' --source anomaly --json\n  \
    hissrv events generate --from now-30d --dry-run\n  \
    hissrv events generate --from 2026-10-01 --to 2026-11-01 --match 'vm-00*'")]
pub(crate) struct EventsArgs {
    #[command(subcommand)]
    pub(crate) command: EventsCommand,
}

/// What `events` does.
#[derive(Debug, Subcommand)]
pub(crate) enum EventsCommand {
    /// Show stored events of a running service, newest first.
    List(ListArgs),
    /// Make the events of a part of history anew: write what is missing, delete what is not produced any more. Doing it twice changes
    /// nothing. The service may run; without one the data directory is used.
    Generate(GenerateArgs),
}

/// Arguments of `events list`.
#[derive(Debug, Args)]
pub(crate) struct ListArgs {
    /// This level and those that are worse: info, warning, error, critical.
    #[arg(long, value_name = "LEVEL")]
    pub(crate) level: Option<String>,
    /// Only those of this node; * stands for anything.
    #[arg(long, value_name = "NODE")]
    pub(crate) node: Option<String>,
    /// Only those of this source: threshold, anomaly, info, state, event.
    #[arg(long, value_name = "SOURCE")]
    pub(crate) source: Option<String>,
    /// Only those of this metric; * stands for anything.
    #[arg(long, value_name = "METRIC")]
    pub(crate) metric: Option<String>,
    /// First time: RFC 3339, a date, epoch, or relative such as now-1h.
    #[arg(long, value_name = "TIME", default_value = "now-24h")]
    pub(crate) since: String,
    /// End of the times, itself not in.
    #[arg(long, value_name = "TIME")]
    pub(crate) until: Option<String>,
    /// At most so many, 1 to 10000.
    #[arg(long, value_name = "N", default_value_t = 100)]
    pub(crate) limit: usize,
    #[command(flatten)]
    pub(crate) service: AskedArgs,
    /// Print the service's JSON instead of a table.
    #[arg(long)]
    pub(crate) json: bool,
}

/// Arguments of `events generate`.
#[derive(Debug, Args)]
pub(crate) struct GenerateArgs {
    /// Start of the times: RFC 3339, a date, epoch, or relative such as now-30d.
    #[arg(long, value_name = "TIME")]
    pub(crate) from: String,
    /// End of the times, itself not in; default: now.
    #[arg(long, value_name = "TIME", default_value = "now")]
    pub(crate) to: String,
    /// Only nodes whose id fits this pattern, such as vm-*. May be repeated.
    #[arg(long = "match", value_name = "PATTERN")]
    pub(crate) nodes: Vec<String>,
    /// Samples from so long before the start are looked at first, so that it is known which metrics are abnormal then.
    #[arg(long, value_name = "DURATION", default_value = "30d")]
    pub(crate) lookback: String,
    /// Change nothing; only count.
    #[arg(long)]
    pub(crate) dry_run: bool,
    /// Base URL of a running service; default: that of the configuration, if one uses the data directory.
    #[arg(long, value_name = "URL")]
    pub(crate) url: Option<String>,
    /// Configuration file with the data directory and the rules; a running service goes by its own.
    #[arg(long, value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,
    /// Print the summary as JSON.
    #[arg(long)]
    pub(crate) json: bool,
}
