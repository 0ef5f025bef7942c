//! Points per second of processor time: `cargo run --release -p generate --example speed`.

use std::time::Instant;

use generate::{EmsOptions, Format, NodeOptions, Options, Order, Plan, Subject, UtcOffset};
use model::{TimeRange, TimestampNs};

/// 2025-07-14, a Monday, in nanoseconds.
const START: i64 = 1_752_451_200_000_000_000;
const DAY: i64 = 86_400_000_000_000;
/// Points of a batch, as `buffer.max_batch_size` is set by default.
const BATCH: u64 = 5_000;
const POINTS: u64 = 10_000_000;

fn main() {
    let range = TimeRange::new(TimestampNs(START), TimestampNs(START + 365 * DAY));
    let subjects = [
        ("nodes", Subject::Nodes(NodeOptions::share_out(1_000))),
        ("plant", Subject::Ems(EmsOptions { channels: 100, data_points: 100, ..EmsOptions::default() })),
    ];
    for (name, subject) in subjects {
        let mut options = Options::new(subject, range);
        options.anomalies.level_shifts = 0.01;
        let Ok(plan) = Plan::new(options) else { return };
        for order in [Order::ByTime, Order::BySeries] {
            lines(name, &plan, order);
        }
        values(name, &plan);
        published(name, &plan);
    }
}

fn lines(name: &str, plan: &Plan, order: Order) {
    let mut out = Vec::with_capacity(1 << 20);
    let mut bytes = 0;
    let started = Started::now();
    for first in (0..POINTS).step_by(BATCH as usize) {
        out.clear();
        plan.write_lines(order, first..first + BATCH, &mut out);
        bytes += out.len();
    }
    report(&format!("{name}, lines, {order:?}, {} bytes a point", bytes as u64 / POINTS), POINTS, started);
}

fn values(name: &str, plan: &Plan) {
    let started = Started::now();
    let sum: f64 = plan.samples(Order::ByTime, 0..POINTS).map(|sample| sample.value).sum();
    report(&format!("{name}, values only, mean {:.1}", sum / POINTS as f64), POINTS, started);
}

fn published(name: &str, plan: &Plan) {
    let mut messages = Vec::new();
    let started = Started::now();
    for sample in plan.samples(Order::ByTime, 0..POINTS / 10) {
        messages.clear();
        Format::ComsrvTextTime.render(&sample, UtcOffset::UTC, &mut messages);
    }
    report(&format!("{name}, messages"), POINTS / 10, started);
}

fn report(what: &str, points: u64, started: Started) {
    let seconds = started.seconds();
    eprintln!("{what}: {:.2} M points a second of processor time", points as f64 / seconds / 1e6);
}

/// When something began: by the processor time of this thread where the kernel tells it (Linux), else by the clock.
struct Started {
    clock: Instant,
    processor_ns: Option<u64>,
}

impl Started {
    fn now() -> Self {
        Self { clock: Instant::now(), processor_ns: processor_ns() }
    }

    fn seconds(&self) -> f64 {
        match (self.processor_ns, processor_ns()) {
            (Some(start), Some(end)) => (end - start) as f64 / 1e9,
            _ => self.clock.elapsed().as_secs_f64(),
        }
    }
}

/// Nanoseconds that this thread has run, the first number of its schedstat.
fn processor_ns() -> Option<u64> {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat").ok()?;
    text.split_whitespace().next()?.parse().ok()
}
