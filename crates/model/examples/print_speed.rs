//! What one value costs to print as a line: `cargo run --release -p model --example print_speed`.

use std::time::Instant;

use model::line::LinePrinter;
use model::{FieldValue, TimestampNs};

const BATCHES: usize = 200;
/// Points of a batch, as `buffer.max_batch_size` is set by default.
const POINTS: usize = 5_000;
const SERIES: usize = 1_000;
/// 2024-03-10, in nanoseconds.
const START: i64 = 1_710_028_800_000_000_000;

fn main() {
    let keys: Vec<String> = (0..SERIES).map(|n| format!("measurement,channel=PCS{},point={n},type=m", n % 8)).collect();
    for (what, value_of) in [
        ("integer", (|n| FieldValue::Integer(n as i64)) as fn(usize) -> FieldValue<'static>),
        ("float of one decimal", |n| FieldValue::Float(n as f64 / 10.0)),
        ("float of all digits", |n| FieldValue::Float((n as f64).sqrt())),
    ] {
        let mut out = Vec::with_capacity(POINTS * 80);
        let started = Instant::now();
        (0..BATCHES).for_each(|_| run(&keys, &mut out, value_of));
        let ns = started.elapsed().as_nanos() as f64 / (BATCHES * POINTS) as f64;
        eprintln!("{what}: {ns:.1} ns and {} bytes a value", out.len() / POINTS);
    }
}

fn run(keys: &[String], out: &mut Vec<u8>, value_of: fn(usize) -> FieldValue<'static>) {
    out.clear();
    let mut printer = LinePrinter::new(out);
    for (n, key) in (0..POINTS).zip(keys.iter().cycle()) {
        printer.point(key.as_bytes(), "value", value_of(n), TimestampNs(START + n as i64 * 1_000_003));
    }
    printer.finish();
}
