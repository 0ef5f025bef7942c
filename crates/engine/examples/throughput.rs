//! Writes ten thousand columns of a thousand points through apply, flush and merge, and reads them back, with the time each
//! value took: `cargo run --release -p engine --example throughput [folder]`. Without a folder the disk is memory.

use std::io::Write;
use std::ops::ControlFlow;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use catalog::{Catalog, DEFAULT_POLICY, Wanted};
use engine::{Engine, EngineConfig, Piece, ScanCache};
use model::wire::BatchEncoder;
use model::{ByteSize, ColumnId, FieldType, FieldValue, Seq, TimeRange, TimestampNs};
use vfs::{FaultFs, Fs, RealFs};

const SERIES: u32 = 500;
const FIELDS: u32 = 20;
const COLUMNS: u32 = SERIES * FIELDS;
const POINTS: i64 = 1000;
const STEP_NS: i64 = 10_000_000_000;
const START_NS: i64 = 1_795_132_800_000_000_000;

type Outcome<T> = Result<T, Box<dyn std::error::Error>>;

fn main() -> Outcome<()> {
    let (fs, dir): (Arc<dyn Fs>, PathBuf) = match std::env::args().nth(1) {
        Some(folder) => (Arc::new(RealFs), PathBuf::from(folder)),
        None => (Arc::new(FaultFs::new()), PathBuf::from("store")),
    };
    let catalog = Arc::new(Catalog::open(Arc::clone(&fs), &dir.join("catalog"))?.0);
    define(&catalog)?;
    let config =
        EngineConfig { head_max: ByteSize(1 << 30), cold_after: Duration::from_secs(3600), ..EngineConfig::default() };
    let (engine, _) = Engine::open(fs, &dir.join("engine"), catalog, config)?;
    let batches: Vec<Vec<u8>> = (0..POINTS).map(batch).collect();
    let mut out = std::io::stdout().lock();

    let started = Instant::now();
    for (seq, batch) in (1..).zip(&batches) {
        engine.apply(Seq(seq), batch)?;
    }
    report(&mut out, "apply", started)?;
    let head = engine.stats();
    let started = Instant::now();
    engine.flush()?;
    report(&mut out, "flush", started)?;
    size(&mut out, "flushed", &engine)?;
    let started = Instant::now();
    engine.compact_all()?;
    report(&mut out, "merge", started)?;
    size(&mut out, "merged", &engine)?;
    let started = Instant::now();
    let points = scan_all(&engine);
    report(&mut out, "scan", started)?;
    writeln!(out, "{points} points read, {:.1} bytes a value in memory", per_value(head.head_bytes))?;
    Ok(engine.close()?)
}

fn define(catalog: &Catalog) -> Outcome<()> {
    let bucket = catalog.ensure_bucket("plant", DEFAULT_POLICY)?;
    let keys: Vec<String> = (0..SERIES).map(|s| format!("pcs,device={s:03}")).collect();
    let fields: Vec<String> = (0..FIELDS).map(|f| format!("field{f:02}")).collect();
    for key in &keys {
        let want = |field| Wanted { key: key.as_bytes(), field, kind: FieldType::Float };
        catalog.define(bucket, &fields.iter().map(|f| want(f)).collect::<Vec<_>>())?;
    }
    Ok(())
}

/// One poll of all columns: each a slow wave of two decimals with noise; a fifth of them rarely change.
fn batch(i: i64) -> Vec<u8> {
    let mut encoder = BatchEncoder::default();
    for column in 0..COLUMNS {
        let jitter = i64::from(column / FIELDS) * 1_000_000 + (i * 7919) % 13 * 1_000_000;
        let noise = (i * 31 + i64::from(column) * 17) * 2_654_435_761 % 41;
        let wave = ((i as f64 / 60.0 + f64::from(column)).sin() * 2000.0) as i64;
        let value = if column % 5 == 0 { i / 100 } else { wave + noise };
        encoder.push(
            ColumnId(column),
            TimestampNs(START_NS + i * STEP_NS + jitter),
            FieldValue::Float(value as f64 / 100.0),
        );
    }
    encoder.finish()
}

fn scan_all(engine: &Engine) -> usize {
    let mut cache = ScanCache::default();
    let mut count = 0;
    for column in (0..COLUMNS).map(ColumnId) {
        engine.scan(column, TimeRange::ALL, &mut cache, &|_, _| false, &mut |piece| {
            if let Piece::Points { times, .. } = piece {
                count += times.len();
            }
            ControlFlow::Continue(())
        });
    }
    count
}

fn report(out: &mut impl Write, what: &str, started: Instant) -> std::io::Result<()> {
    let ns = started.elapsed().as_nanos() as f64 / (f64::from(COLUMNS) * POINTS as f64);
    writeln!(out, "{what:>8}: {ns:6.1} ns a value")
}

fn size(out: &mut impl Write, what: &str, engine: &Engine) -> std::io::Result<()> {
    let stats = engine.stats();
    writeln!(out, "{what:>8}: {:6.3} bytes a value in {} files", per_value(stats.file_bytes), stats.files)
}

fn per_value(bytes: u64) -> f64 {
    bytes as f64 / (f64::from(COLUMNS) * POINTS as f64)
}
