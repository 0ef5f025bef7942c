//! What the benchmark programs share: options, a repeatable random generator, fast number printing, process figures from
//! `/proc`, and a small Redis client. Only std. Each program prints one JSON line to stdout; complaints go to stderr.

mod args;
mod process;
pub mod redis;
mod rng;
mod stats;
pub mod text;

use std::io::Write;
use std::process::ExitCode;

pub use args::Args;
pub use process::{Process, thread_cpu_seconds};
pub use rng::Rng;
pub use stats::percentile;

/// Result of a tool: the error is only ever printed.
pub type Result<T> = std::result::Result<T, Box<dyn std::error::Error + Send + Sync>>;

/// Prints what a program found, or why it failed, and gives its exit status: 0 done, 1 failed.
pub fn finish(outcome: Result<String>) -> ExitCode {
    let printed = outcome.and_then(|line| Ok(writeln!(std::io::stdout(), "{line}")?));
    match printed {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}
