//! Arguments of `import`.

use std::path::PathBuf;

use clap::{Args, ValueEnum};
use formats::{FieldColumn, TimeFormat};
use model::{ByteSize, HumanDuration};

use super::{DeliveryArgs, TargetArgs};

/// Arguments of `import`.
#[derive(Debug, Args)]
#[command(
    after_help = "Points that the store has already are overwritten by the same, so that doing it twice changes nothing. Of two lines in \
    one file for the same series, field and time the later one wins with --workers 1; with more either may.\n\nExamples:\n  \
    hissrv import day.lp.gz\n  \
    hissrv import 'export/**/*.lp' --to influxdb --config hissrv.yaml\n  \
    zcat old.lp.gz | hissrv import - --format lines --precision s\n  \
    hissrv import household.txt --format csv --measurement household --dry-run\n  \
    hissrv import day.lp.gz --resume\n  \
    hissrv import nodes.lp.zst --events\n  \
    hissrv import '/shared/*.lp' --coordinator redis://redis:6379\n  \
    hissrv import --worker --coordinator redis://redis:6379 --to service --url http://centre:6004"
)]
pub(crate) struct ImportArgs {
    /// Files, folders, patterns in quotes (*, ?, [a-c], ** for folders at any depth), or - for standard input. gzip and zstd are recognised.
    #[arg(required_unless_present = "worker", value_name = "FILE")]
    pub(crate) files: Vec<String>,
    /// Format of the files; default: what each one's ending says.
    #[arg(long, value_enum, value_name = "FORMAT")]
    pub(crate) format: Option<InputFormat>,
    #[command(flatten)]
    pub(crate) target: TargetArgs,
    /// Unit of the times in line protocol: ns, us, ms or s. Default ns; a file that begins with times of our days in another unit is then
    /// refused.
    #[arg(long, value_name = "UNIT", value_parser = ["ns", "us", "ms", "s"])]
    pub(crate) precision: Option<String>,
    #[command(flatten)]
    pub(crate) table: TableArgs,
    #[command(flatten)]
    pub(crate) delivery: DeliveryArgs,
    /// End when more records than this are refused.
    #[arg(long, value_name = "N", default_value_t = 1000)]
    pub(crate) max_errors: u64,
    /// File for refused records, with place and reason; default: hissrv-import-NUMBER.rejects in the working folder.
    #[arg(long, value_name = "FILE")]
    pub(crate) rejects: Option<PathBuf>,
    /// Go on where an import of the same files was cut off; with --coordinator try what was given up, and only that.
    #[arg(long, conflicts_with = "worker")]
    pub(crate) resume: bool,
    /// File that says what is done; default: hissrv-import-NUMBER.json in the working folder, removed when all is done.
    #[arg(long, value_name = "FILE")]
    pub(crate) checkpoint: Option<PathBuf>,
    /// Spread the import over workers on other machines by this Redis (redis://...), which read the same paths; waits until all is done.
    #[arg(long, value_name = "URL", conflicts_with_all = ["checkpoint", "dry_run"])]
    pub(crate) coordinator: Option<String>,
    /// Be such a worker: take jobs until all are done. --to says where this worker writes.
    #[arg(long, requires = "coordinator", conflicts_with = "files")]
    pub(crate) worker: bool,
    /// With --coordinator: tells several imports in one Redis apart.
    #[arg(long, value_name = "NAME", default_value = "default")]
    pub(crate) name: String,
    /// With --coordinator: bytes of one job.
    #[arg(long, value_name = "SIZE", default_value = "64MiB")]
    pub(crate) chunk: ByteSize,
    /// With --coordinator: a job whose worker is silent for so long is given to another one.
    #[arg(long, value_name = "DURATION", default_value = "15s")]
    pub(crate) lease: HumanDuration,
    /// With --coordinator: give up what is posted under the name, and post this.
    #[arg(long, requires = "coordinator", conflicts_with_all = ["worker", "resume"])]
    pub(crate) anew: bool,
    /// Afterwards make the events of the times and nodes that were imported, as `events generate` does; into the data directory or a service.
    #[arg(long, conflicts_with_all = ["coordinator", "dry_run"])]
    pub(crate) events: bool,
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

/// What the columns of CSV and Parquet files are. What is not said is found out from names and first records; files that hissrv has exported
/// describe themselves.
#[derive(Debug, Args)]
#[command(next_help_heading = "Tables (CSV, Parquet)")]
pub(crate) struct TableArgs {
    /// Measurement of all points.
    #[arg(long, value_name = "NAME", conflicts_with = "measurement_column")]
    pub(crate) measurement: Option<String>,
    /// Column with the measurement.
    #[arg(long, value_name = "COLUMN")]
    pub(crate) measurement_column: Option<String>,
    /// Column with the time; twice: one with the date, one with the time of day.
    #[arg(long = "time", value_name = "COLUMN", num_args = 1)]
    pub(crate) time: Vec<String>,
    /// How times are written: auto, rfc3339, s, ms, us, ns, or a pattern such as %d.%m.%Y %H:%M.
    #[arg(long, value_name = "FORMAT", default_value = "auto")]
    pub(crate) time_format: TimeFormat,
    /// IANA zone of times without one, such as Europe/Berlin.
    #[arg(long, value_name = "ZONE", default_value = "UTC")]
    pub(crate) time_zone: String,
    /// What a time means that the zone has twice, when clocks are set back.
    #[arg(long, value_enum, value_name = "WHICH", default_value = "earlier")]
    pub(crate) twice: WhichOfTwo,
    /// A column that is a tag; then only those named are.
    #[arg(long = "tag", value_name = "COLUMN")]
    pub(crate) tags: Vec<String>,
    /// A column that is a field, with its type (float, integer, unsigned, boolean, string); then only those named are.
    #[arg(long = "field", value_name = "COLUMN[:TYPE]")]
    pub(crate) fields: Vec<FieldColumn>,
    /// A column that is left out.
    #[arg(long = "ignore", value_name = "COLUMN")]
    pub(crate) ignore: Vec<String>,
    /// Another name for a column.
    #[arg(long = "rename", value_name = "COLUMN=NAME", value_parser = parse_rename)]
    pub(crate) rename: Vec<(String, String)>,
    /// What columns of values become: fields; tag:NAME (each a series, told by that tag); long:COLUMN,COLUMN (one has the field's name, the
    /// other its value).
    #[arg(long, value_name = "LAYOUT", default_value = "fields")]
    pub(crate) columns_as: formats::Layout,
    /// Decimal sign.
    #[arg(long, value_name = "SIGN", default_value_t = '.')]
    pub(crate) decimal: char,
    /// Sign between thousands.
    #[arg(long, value_name = "SIGN")]
    pub(crate) thousands: Option<char>,
    /// A word for a missing value, besides the empty cell; default: NA, NaN, null and ?.
    #[arg(long = "null", value_name = "WORD", allow_negative_numbers = true)]
    pub(crate) nulls: Vec<String>,
    /// CSV: the sign between cells; default: found out. \\t is a tab.
    #[arg(long, value_name = "SIGN", value_parser = parse_delimiter)]
    pub(crate) delimiter: Option<char>,
    /// CSV: the first record has values, not names.
    #[arg(long)]
    pub(crate) no_header: bool,
    /// CSV: names of the columns, in place of those of the header.
    #[arg(long = "columns", value_name = "NAME,...", value_delimiter = ',')]
    pub(crate) columns: Vec<String>,
    /// CSV: lines at the start that are passed over.
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub(crate) skip_lines: u64,
    /// CSV: lines that begin so are passed over.
    #[arg(long, value_name = "PREFIX")]
    pub(crate) comment: Option<String>,
}

fn parse_rename(text: &str) -> Result<(String, String), String> {
    // Names of columns may have equals signs in them, new names less often.
    match text.rsplit_once('=') {
        Some((column, name)) if !column.is_empty() && !name.is_empty() => Ok((column.to_owned(), name.to_owned())),
        _ => Err("expected COLUMN=NAME, such as kWh=energy".to_owned()),
    }
}

fn parse_delimiter(text: &str) -> Result<char, String> {
    let mut signs = text.chars();
    match (text, signs.next(), signs.next()) {
        ("\\t" | "tab", ..) => Ok('\t'),
        (_, Some(sign), None) => Ok(sign),
        _ => Err("expected one sign, such as ; or \\t".to_owned()),
    }
}

/// Which of two equal local times is meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum WhichOfTwo {
    /// The first, before clocks are set back.
    Earlier,
    /// The second.
    Later,
    /// Neither: the record is refused.
    Reject,
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
