//! What marking costs a value, in the orders in which values arrive: `cargo run --release -p rollup --example marking`.

use std::io::Write;
use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

use model::{ColumnId, TimestampNs, WindowNs};
use query::execute::Grid;
use query::plan::{CalendarUnit, Windowing};
use rollup::ledger::{Ledger, LedgerLimits, Order, TaskNumber, TaskSpec};
use vfs::FaultFs;

const BATCH: usize = 5_000;
const VALUES: i64 = 20_000_000;
const SECOND: i64 = 1_000_000_000;
const START: i64 = 1_795_132_800 * SECOND;
const HOURLY: TaskNumber = TaskNumber(0);
const DAILY: TaskNumber = TaskNumber(1);

type Outcome<T> = Result<T, Box<dyn std::error::Error>>;
type Value = (ColumnId, TimestampNs);

fn main() -> Outcome<()> {
    for columns in [100, 1_000, 10_000, 100_000, 1_000_000] {
        let poll = move |i: i64| (ColumnId((i % columns) as u32), TimestampNs(START + i / columns));
        measure(&format!("{columns} columns in turn, one window"), &poll)?;
    }
    let step = |i: i64| (ColumnId((i % 10_000) as u32), TimestampNs(START + i / 10_000 * 10 * SECOND));
    measure("10000 columns in turn, every 10 s", &step)?;
    let series = |i: i64| (ColumnId((i / 2_000) as u32), TimestampNs(START + i % 2_000 * 60 * SECOND));
    measure("10000 columns one after the other, every minute", &series)?;
    let border = |i: i64| (ColumnId((i % 10_000) as u32), TimestampNs(START + 86_400 * SECOND - (i % 2) * SECOND));
    measure("10000 columns in turn, two windows in turn", &border)?;
    let import = |i: i64| (ColumnId((i / 8_760) as u32), TimestampNs(START + i % 8_760 * 3600 * SECOND));
    measure("2300 columns one after the other, every hour of a year", &import)?;
    let sparse =
        |i: i64| (ColumnId((i / 8_760 * 997 % 100_000) as u32), TimestampNs(START + i % 8_760 * 3600 * SECOND));
    measure("2300 of 100000 columns one after the other, every hour of a year", &sparse)?;
    Ok(())
}

/// Marks values in batches, first when nothing is marked, then when all are.
fn measure(what: &str, value: &dyn Fn(i64) -> Value) -> Outcome<()> {
    let ledger = open()?;
    let batches: Vec<Vec<Value>> =
        (0..VALUES / BATCH as i64).map(|n| (0..BATCH as i64).map(|i| value(n * BATCH as i64 + i)).collect()).collect();
    let mut out = std::io::stdout().lock();
    for (task, name) in [(HOURLY, "hourly"), (DAILY, "daily in Berlin")] {
        let mut nanoseconds = [0.0; 2];
        for cost in &mut nanoseconds {
            let started = Instant::now();
            batches.iter().for_each(|batch| ledger.mark(task, batch.iter().copied()));
            *cost = started.elapsed().as_secs_f64() * 1e9 / VALUES as f64;
        }
        let [first, again] = nanoseconds;
        writeln!(out, "{first:6.1} ns a value, {again:6.1} again: {what}, {name}")?;
    }
    Ok(())
}

/// A ledger of two tasks, of which nothing is dirty.
fn open() -> Outcome<Ledger> {
    let hour = Windowing::Fixed { width: WindowNs::new(3600 * SECOND).ok_or("no width")?, offset_ns: 0 };
    let day = Windowing::Calendar { count: 1, unit: CalendarUnit::Day };
    let task = |name: &str, grid| TaskSpec { name: name.to_owned(), fingerprint: String::new(), grid };
    let tasks = vec![task("hourly", Grid::new(&hour, None)?), task("daily", Grid::new(&day, Some("Europe/Berlin"))?)];
    let (ledger, _) = Ledger::open(Arc::new(FaultFs::new()), Path::new("ledger"), tasks, LedgerLimits::default())?;
    for task in [HOURLY, DAILY] {
        let everything = ledger.take(task, TimestampNs::MAX, Order::OldestFirst, 1).ok_or("nothing is dirty")?;
        ledger.done(everything);
    }
    Ok(ledger)
}
