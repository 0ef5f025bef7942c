//! Loader for any server with InfluxDB's `/write`: one thread and one kept-alive connection each, batches taken in order of
//! the file, which is read before the clock starts. A batch that fails is counted and not sent again.
//!
//! lpload --url http://127.0.0.1:8086/write?db=ems --file ems.lp [--conns 4] [--batch 5000] [--max-lines N]
//!        [--values-per-line 1] [--rate LINES_PER_S] [--pid SERVER_PID] [--token TOKEN] [--show-errors 3]
//!
//! With `--rate` the latency of a batch counts from the moment it was due. With `--pid` the server is watched meanwhile.

mod batches;
mod http;
mod load;
mod watch;

use std::process::ExitCode;
use std::time::Duration;

use histbench::{Args, Process, Result, percentile};

use batches::Batches;
use http::Target;
use load::{Outcome, Plan};
use watch::Watch;

const OPTIONS: &[&str] =
    &["url", "file", "conns", "batch", "max-lines", "values-per-line", "rate", "pid", "token", "show-errors"];

fn main() -> ExitCode {
    histbench::finish(run())
}

fn run() -> Result<String> {
    let args = Args::parse(OPTIONS)?;
    let plan = Plan {
        target: Target::new(args.required("url")?, args.get("token"))?,
        connections: args.number("conns", 4)?,
        lines_per_second: args.get("rate").map(|_| args.number("rate", 0.0)).transpose()?,
        errors_shown: args.number("show-errors", 3)?,
    };
    let path = args.required("file")?;
    let data = std::fs::read(path).map_err(|error| format!("read {path}: {error}"))?;
    let batches = Batches::cut(&data, args.number("batch", 5000)?, args.number("max-lines", u64::MAX)?);
    let watch = args.get("pid").map(Watch::start).transpose()?;
    let own = Process::with_id("self")?;
    let cpu_before = own.cpu_seconds()?;
    let outcome = load::run(&plan, &batches)?;
    let cpu = own.cpu_seconds()? - cpu_before;
    let values = outcome.lines_ok * args.number::<u64>("values-per-line", 1)?;
    let mut report = report(&outcome, values, cpu);
    if let Some(watch) = watch {
        report.push_str(&watch.finish(values)?);
    }
    report.push('}');
    Ok(report)
}

fn report(outcome: &Outcome, values: u64, loader_cpu: f64) -> String {
    let wall = outcome.wall.as_secs_f64().max(Duration::from_millis(1).as_secs_f64());
    let latency = |share| percentile(&outcome.latencies_ms, share);
    format!(
        "{{\"lines_ok\":{},\"values_ok\":{values},\"wall_s\":{wall:.3},\"values_per_s\":{:.0},\"p50_ms\":{:.2},\
         \"p90_ms\":{:.2},\"p99_ms\":{:.2},\"max_ms\":{:.2},\"non2xx\":{},\"io_errors\":{},\"loader_cpu_s\":{loader_cpu:.2}",
        outcome.lines_ok,
        values as f64 / wall,
        latency(0.5),
        latency(0.9),
        latency(0.99),
        latency(1.0),
        outcome.refused,
        outcome.broken
    )
}
