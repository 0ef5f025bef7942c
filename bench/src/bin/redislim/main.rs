//! What one connection to Redis can deliver on this machine: the ceiling for any bridge that reads from it.
//!
//! redislim --addr 127.0.0.1:6379|unix:/path --mode MODE [--n COUNT] [--points K] [--pipe 500] [--entries 1000] [--fields 100]
//!          [--pid REDIS_PID]
//! MODE: pub1   PUBLISH, nobody subscribed            sub    PUBLISH beside one PSUBSCRIBE comsrv:* connection
//!       xadd   XADD alone                            xread  XREADGROUP + XACK of a filled stream
//!       xboth  XADD beside XREADGROUP + XACK         hset   HSET of hashes        hgetall  HGETALL of the same hashes
//! `--points`: data points in one message or entry. The key `hist:stream` and the hashes `comsrv:{1001..1100}:m` are overwritten.

mod hashes;
mod producer;
mod pubsub;
mod streams;
mod workload;

use std::process::ExitCode;
use std::time::Duration;

use histbench::{Args, Process, Result};

const OPTIONS: &[&str] = &["addr", "mode", "n", "points", "pipe", "entries", "fields", "pid"];

/// How much of what.
struct Options {
    address: String,
    /// Messages, entries or hashes; a multiple of `pipe`.
    total: u64,
    points: u64,
    pipe: u64,
    entries: u64,
    fields: u64,
    redis: Option<Process>,
}

/// What one probe measured.
struct Measured {
    wall: Duration,
    redis_cpu_s: f64,
    producer_cpu_s: f64,
    consumer_cpu_s: f64,
    points: u64,
}

fn main() -> ExitCode {
    histbench::finish(run())
}

fn run() -> Result<String> {
    let args = Args::parse(OPTIONS)?;
    let options = Options::from_args(&args)?;
    let mode = args.get("mode").unwrap_or("sub");
    let measured = match mode {
        "pub1" => pubsub::publish_only(&options)?,
        "sub" => pubsub::publish_and_subscribe(&options)?,
        "xadd" => streams::add(&options)?,
        "xread" => streams::read(&options)?,
        "xboth" => streams::add_and_read(&options)?,
        "hset" => hashes::set(&options)?,
        "hgetall" => hashes::get_all(&options)?,
        other => return Err(format!("--mode {other}: see the head of redislim").into()),
    };
    Ok(report(mode, &options, &measured))
}

impl Options {
    fn from_args(args: &Args) -> Result<Self> {
        let pipe = args.number("pipe", 500u64)?.max(1);
        Ok(Self {
            address: args.get("addr").unwrap_or("127.0.0.1:6379").to_owned(),
            total: args.number("n", 1_000_000u64)?.div_ceil(pipe) * pipe,
            points: args.number("points", 1)?,
            pipe,
            entries: args.number("entries", 1000)?,
            fields: args.number("fields", 100)?,
            redis: args.get("pid").map(Process::with_id).transpose()?,
        })
    }

    /// Processor time of Redis so far; NaN when its process id was not given.
    fn redis_cpu(&self) -> Result<f64> {
        self.redis.as_ref().map_or(Ok(f64::NAN), Process::cpu_seconds)
    }
}

fn report(mode: &str, options: &Options, measured: &Measured) -> String {
    let wall = measured.wall.as_secs_f64();
    format!(
        "{{\"mode\":\"{mode}\",\"points_per_msg\":{},\"pipe\":{},\"msgs\":{},\"wall_s\":{wall:.3},\"msgs_per_s\":{:.0},\
         \"points_per_s\":{:.0},\"redis_cpu_s\":{},\"producer_cpu_s\":{:.3},\"consumer_cpu_s\":{:.3}}}",
        options.points,
        options.pipe,
        options.total,
        options.total as f64 / wall,
        measured.points as f64 / wall,
        number_or_null(measured.redis_cpu_s),
        measured.producer_cpu_s,
        measured.consumer_cpu_s
    )
}

fn number_or_null(value: f64) -> String {
    if value.is_finite() { format!("{value:.2}") } else { "null".to_owned() }
}
