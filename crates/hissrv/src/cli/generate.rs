//! Arguments of `generate`.

use std::path::PathBuf;

use clap::{ArgGroup, Args, ValueEnum};
use generate::{Format, PointType, UtcOffset};
use model::HumanDuration;

use super::{DeliveryArgs, TargetArgs};

const EXAMPLES: &str = "The same options give the same points, byte for byte, on every machine; each value depends on the seed, its series and \
    its time only.\n\nExamples:\n  \
    hissrv generate nodes --start 2026-01-01 --days 30 --out nodes.lp.zst --labels nodes.labels\n  \
    hissrv generate nodes --nodes 1000 --to auto --database metrics\n  \
    hissrv generate ems --channels 50 --points 200 --days 1 --to influxdb --config hissrv.yaml\n  \
    hissrv generate ems --redis redis://127.0.0.1:6379 --format-of-redis comsrv-text-time --rate 5000";

/// Arguments of `generate`.
#[derive(Debug, Args)]
#[command(
    group = ArgGroup::new("destination").required(true).multiple(true).args(["out", "to", "url", "redis"]),
    after_help = EXAMPLES,
    after_long_help = format!("{EXAMPLES}\n\n{}", redis_formats())
)]
pub(crate) struct GenerateArgs {
    #[command(flatten)]
    pub(crate) plan: PlanArgs,
    /// File to write: line protocol, or by its ending CSV or Parquet (.lp, .csv, .parquet; .gz or .zst behind it packs); - is stdout.
    #[arg(long, value_name = "FILE", help_heading = TO, conflicts_with_all = ["to", "url", "redis"])]
    pub(crate) out: Option<PathBuf>,
    /// Redis to publish to, until the plan ends or Ctrl-C.
    #[arg(long, value_name = "URL", help_heading = TO, conflicts_with_all = ["to", "url"])]
    pub(crate) redis: Option<String>,
    /// How producers write values there; --help lists all formats.
    #[arg(long, value_name = "NAME", help_heading = TO, conflicts_with_all = ["out", "to", "url"], default_value = "point-update-channel")]
    pub(crate) format_of_redis: Format,
    /// Points a second; default: as many as the plan has, a point of each series each step.
    #[arg(long, value_name = "N", help_heading = TO, conflicts_with_all = ["out", "to", "url"],
          value_parser = clap::value_parser!(u32).range(1..=10_000_000))]
    pub(crate) rate: Option<u32>,
    /// Times in the messages: that of the sending, or the plan's; default: the plan's where --start is given.
    #[arg(long, value_enum, value_name = "WHOSE", help_heading = TO, conflicts_with_all = ["out", "to", "url"])]
    pub(crate) times: Option<TimeSource>,
    /// Entries that lists and streams keep: older ones are trimmed.
    #[arg(long, value_name = "N", help_heading = TO, conflicts_with_all = ["out", "to", "url"], default_value_t = 100_000,
          value_parser = clap::value_parser!(u32).range(1..))]
    pub(crate) keep: u32,
    #[command(flatten, next_help_heading = "Into a store")]
    pub(crate) target: TargetArgs,
    #[command(flatten)]
    pub(crate) delivery: DeliveryArgs,
    /// Print the summary as JSON.
    #[arg(long)]
    pub(crate) json: bool,
    /// Show no progress.
    #[arg(long)]
    pub(crate) quiet: bool,
}

const TO: &str = "To a file or to Redis";

/// What is generated.
#[derive(Debug, Args)]
pub(crate) struct PlanArgs {
    /// nodes: VM, HOST, NE, TRU and HOSTGROUP with their metrics; ems: channels with data points.
    #[arg(value_enum, value_name = "WHAT")]
    pub(crate) subject: SubjectName,
    /// Nodes altogether, in the usual shares: 50 % VM, 20 % HOST, 15 % NE, 10 % TRU, 5 % HOSTGROUP. Default 100.
    #[arg(long, value_name = "N", conflicts_with_all = ["vm", "host", "ne", "tru", "hostgroup"])]
    pub(crate) nodes: Option<u32>,
    /// Virtual machines; with any count of a type, types without one have none.
    #[arg(long, value_name = "N")]
    pub(crate) vm: Option<u32>,
    /// Hosts.
    #[arg(long, value_name = "N")]
    pub(crate) host: Option<u32>,
    /// Network elements.
    #[arg(long, value_name = "N")]
    pub(crate) ne: Option<u32>,
    /// Storage units.
    #[arg(long, value_name = "N")]
    pub(crate) tru: Option<u32>,
    /// Groups of hosts.
    #[arg(long, value_name = "N")]
    pub(crate) hostgroup: Option<u32>,
    /// Channels of a plant. Default 20.
    #[arg(long, value_name = "N")]
    pub(crate) channels: Option<u32>,
    /// Data points of each channel. Default 50.
    #[arg(long, value_name = "N")]
    pub(crate) points: Option<u32>,
    /// Types of data points, m, s, c or a. Default all.
    #[arg(long, value_name = "TYPE,...", value_delimiter = ',')]
    pub(crate) types: Vec<PointType>,
    /// First time: RFC 3339, a date, epoch, or relative such as now-7d. Default: so long before the end (with --redis: now).
    #[arg(long, value_name = "TIME")]
    pub(crate) start: Option<String>,
    /// Time after the last one. Default: --days after the start, else the last midnight, UTC (with --redis: none).
    #[arg(long, value_name = "TIME")]
    pub(crate) end: Option<String>,
    /// Days from start to end, in place of one of them. Default 30 for nodes, 1 for a plant.
    #[arg(long, value_name = "N")]
    pub(crate) days: Option<u32>,
    /// Time between two points of a series. Default 15m for nodes, 1s for a plant.
    #[arg(long, value_name = "DURATION")]
    pub(crate) step: Option<HumanDuration>,
    /// Another seed gives other values.
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub(crate) seed: u64,
    /// Points are late by up to this.
    #[arg(long, value_name = "DURATION")]
    pub(crate) jitter: Option<HumanDuration>,
    /// Local time, which decides about busy hours and weekends, such as +08:00.
    #[arg(long, value_name = "OFFSET", default_value = "Z", allow_hyphen_values = true)]
    pub(crate) utc_offset: UtcOffset,
    /// Share of the points that are part of a spike, a drop or a flip, 0 to 0.3.
    #[arg(long, value_name = "SHARE", default_value_t = 0.05)]
    pub(crate) anomalies: f64,
    /// Share of the points that are part of a level shift, 0 to 0.3.
    #[arg(long, value_name = "SHARE", default_value_t = 0.0)]
    pub(crate) level_shifts: f64,
    /// File for the labels of all anomalies, a JSON object a line.
    #[arg(long, value_name = "FILE")]
    pub(crate) labels: Option<PathBuf>,
}

/// What is generated.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum SubjectName {
    /// IT nodes.
    Nodes,
    /// An energy-management plant.
    Ems,
}

/// Whose times messages have.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum TimeSource {
    /// The time of the sending.
    Now,
    /// The plan's.
    Plan,
}

/// All formats of Redis.
fn redis_formats() -> String {
    let lines = Format::ALL.map(|format| format!("  {:22}{}", format.name(), format.form()));
    format!("Formats of --format-of-redis:\n{}", lines.join("\n"))
}
