//! Workload generator: InfluxDB line protocol or CSV files, the same bytes for a seed on every machine.
//!
//! lpgen --set ems    --out ems.lp    [--channels 100 --points 100 --ticks 1000 --interval-ms 1000]
//! lpgen --set devops --out devops.lp [--hosts 1000 --ticks 1000 --interval-ms 10000]
//! common: --format lp|csv --seed 42 --start-s 1795132800
//! ems:    --jitter-ms 5 --ts-res ms|us|ns --full-frac 0.15 (share of analog data points that use all six decimals)
//!         --noise 1 (worst case for a codec: each analog value gets a random part below its resolution)

mod devops;
mod ems;

use std::fs::{self, File};
use std::io::{BufWriter, Write};
use std::process::ExitCode;

use histbench::{Args, Result};

const OPTIONS: &[&str] = &[
    "set",
    "out",
    "format",
    "seed",
    "start-s",
    "ticks",
    "interval-ms",
    "channels",
    "points",
    "jitter-ms",
    "ts-res",
    "full-frac",
    "noise",
    "hosts",
];
const NS_PER_MS: u64 = 1_000_000;
const NS_PER_S: u64 = 1_000_000_000;

/// Form of the file.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Format {
    Lines,
    Csv,
}

/// What every set has: a number of rounds at a fixed distance.
struct Rounds {
    seed: u64,
    start_ns: u64,
    interval_ns: u64,
    ticks: u64,
    format: Format,
}

/// What was written.
struct Written {
    lines: u64,
    values: u64,
}

fn main() -> ExitCode {
    histbench::finish(run())
}

fn run() -> Result<String> {
    let args = Args::parse(OPTIONS)?;
    let path = args.required("out")?;
    let file = File::create(path).map_err(|error| format!("create {path}: {error}"))?;
    let mut out = BufWriter::with_capacity(4 << 20, file);
    let written = match args.get("set").unwrap_or("ems") {
        "ems" => ems::generate(&rounds(&args, 1000)?, &ems::Plant::from_args(&args)?, &mut out)?,
        "devops" => devops::generate(&rounds(&args, 10_000)?, args.number("hosts", 1000)?, &mut out)?,
        other => return Err(format!("--set {other}: ems or devops").into()),
    };
    out.flush()?;
    let bytes = fs::metadata(path)?.len();
    let Written { lines, values } = written;
    Ok(format!(r#"{{"file":"{path}","lines":{lines},"values":{values},"bytes":{bytes}}}"#))
}

fn rounds(args: &Args, default_interval_ms: u64) -> Result<Rounds> {
    let format = match args.get("format").unwrap_or("lp") {
        "lp" => Format::Lines,
        "csv" => Format::Csv,
        other => return Err(format!("--format {other}: lp or csv").into()),
    };
    Ok(Rounds {
        seed: args.number("seed", 42)?,
        start_ns: args.number("start-s", 1_795_132_800)? * NS_PER_S,
        interval_ns: args.number("interval-ms", default_interval_ms)? * NS_PER_MS,
        ticks: args.number("ticks", 1000)?,
        format,
    })
}
