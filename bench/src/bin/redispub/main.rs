//! A producer as the field has them, fast enough to test a historian's bridge and exact about what it sent.
//!
//! redispub --mode messages --addr 127.0.0.1:6379 [--n 3000000] [--rate MESSAGES_PER_S] [--channels 100] [--points 100]
//!          [--pipe 500] [--start-ms EPOCH_MS]
//!     PUBLISH comsrv:{channel}:m {point}:{value}:{ms}. Every message is a distinct (data point, time): nothing sent
//!     may be merged away, so what is stored must equal what was sent. Without --rate: as fast as Redis takes it.
//! redispub --mode hashes --addr 127.0.0.1:6379 [--channels 2000] [--points 100] [--start-ms EPOCH_MS] [--seed 1]
//!     Sets every field of comsrv:{channel}:T and comsrv:{channel}:T:ts once: new values, all stamped with --start-ms.

mod hashes;
mod messages;

use std::process::ExitCode;

use histbench::{Args, Result};

const OPTIONS: &[&str] = &["mode", "addr", "n", "rate", "channels", "points", "pipe", "start-ms", "seed"];
/// 2026-11-20T00:00:00Z
const START_MS: u64 = 1_795_132_800_000;
const FIRST_CHANNEL: u64 = 1001;
const FIRST_POINT: u64 = 10_001;

fn main() -> ExitCode {
    histbench::finish(run())
}

fn run() -> Result<String> {
    let args = Args::parse(OPTIONS)?;
    match args.required("mode")? {
        "messages" => messages::run(&args),
        "hashes" => hashes::run(&args),
        other => Err(format!("--mode {other}: messages or hashes").into()),
    }
}

/// A value between 20 and 30, in millionths.
fn value_micro(rng: &mut histbench::Rng) -> i64 {
    20_000_000 + rng.below(10_000_000) as i64
}
