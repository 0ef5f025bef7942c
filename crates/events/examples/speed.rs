//! Samples per second of processor time with 100 rules: `cargo run --release -p events --example speed [columns]`.
//! Values swing daily with noise and now and then a spike, 10 million in slices of 1, 100 and 5000.

use std::fmt::Write as _;
use std::io::Write;
use std::time::{Duration, Instant};

use events::{Config, Detector, Method, Metric, Rules, Source};
use model::TimestampNs;
use model::key::SeriesKeyBuf;

const RULES: u32 = 100;
const SAMPLES: usize = 10_000_000;
const SECOND: i64 = 1_000_000_000;
const START: i64 = 1_795_132_800 * SECOND;

type Outcome<T> = Result<T, Box<dyn std::error::Error>>;

fn main() -> Outcome<()> {
    let columns: u32 = std::env::args().nth(1).map_or(Ok(1000), |text| text.parse())?;
    let mut out = std::io::stdout().lock();
    for method in [Method::Zscore, Method::Robust] {
        let rules = rules(method)?;
        for slice in [1, 100, 5000] {
            let report = run(&rules, columns, slice)?;
            writeln!(out, "{method:?}, {columns} columns, slices of {slice}: {report}")?;
        }
    }
    Ok(())
}

/// A hundred metrics with thresholds, anomalies, change points and hourly status.
fn rules(method: Method) -> Outcome<Rules> {
    let mut config = Config::default();
    config.anomalies.method = method;
    let metric = |n: u32| {
        let warning = Some(80.0 + f64::from(n % 10));
        (name(n), Metric { warning, error: Some(92.0), recovery: Some(70.0), ..Metric::default() })
    };
    config.node_types.insert("SPEED".into(), (0..RULES).map(metric).collect());
    Ok(Rules::new(&config)?)
}

fn name(rule: u32) -> String {
    format!("metric_{rule}")
}

fn run(rules: &Rules, columns: u32, slice: usize) -> Outcome<String> {
    let mut detector = Detector::new(rules);
    let mut key = SeriesKeyBuf::default();
    for column in 0..columns {
        key.start("speed_metrics");
        key.tag("metric", &name(column % RULES));
        key.tag("node_id", &format!("node-{column}"));
        key.tag("node_type", "SPEED");
        let series = model::key::SeriesKey::parse(key.as_bytes())?;
        detector.add(column, rules.watch(&series, "value").ok_or("not watched")?);
    }
    let (mut times, mut values) = (vec![TimestampNs(0); slice], vec![0.0; slice]);
    let (mut events, mut spent, mut told) = (Vec::new(), Duration::ZERO, [0usize; 5]);
    let mut random = 1u64;
    let rounds = SAMPLES / slice / columns as usize;
    for round in 0..rounds.max(1) {
        for (n, time) in times.iter_mut().enumerate() {
            *time = TimestampNs(START + (round * slice + n) as i64 * SECOND);
        }
        // Made outside the time that is taken, and the same for every column of a round.
        for value in &mut values {
            *value = next_value(&mut random, round);
        }
        let started = processor_time();
        for column in 0..columns {
            detector.feed(column, &times, &values, &mut events);
        }
        spent += processor_time() - started;
        for event in events.drain(..) {
            if let Some(count) = told.get_mut(event.source as usize) {
                *count += 1;
            }
        }
    }
    report(&detector, spent, told)
}

fn next_value(random: &mut u64, round: usize) -> f64 {
    *random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
    let noise = (*random >> 40) as f64 / f64::from(1 << 24) - 0.5;
    let day = (round as f64 / 5000.0).sin();
    let spike = if *random >> 54 == 0 { 40.0 } else { 0.0 };
    50.0 + 10.0 * day + 6.0 * noise + spike
}

fn report(detector: &Detector, spent: Duration, told: [usize; 5]) -> Outcome<String> {
    let stats = detector.stats();
    let mut text = String::new();
    let per_second = stats.samples as f64 / spent.as_secs_f64() / 1e6;
    write!(text, "{per_second:.1} M samples/s of CPU, {} samples, {} events", stats.samples, stats.events)?;
    let sources = [Source::Threshold, Source::Anomaly, Source::Info, Source::State, Source::Event];
    for source in sources {
        write!(text, ", {source} {}", told.get(source as usize).copied().unwrap_or_default())?;
    }
    let started = Instant::now();
    let saved = detector.save();
    write!(text, "; state {} kB in {:.1} ms", saved.len() / 1000, started.elapsed().as_secs_f64() * 1e3)?;
    Ok(text)
}

/// Time that this process was on a processor (Linux; elsewhere time on the clock).
fn processor_time() -> Duration {
    let on_processor = std::fs::read_to_string("/proc/self/schedstat").ok();
    let ns = on_processor.and_then(|text| text.split_whitespace().next()?.parse().ok());
    let since_start = || START_OF_PROCESS.with(Instant::elapsed);
    ns.map_or_else(since_start, Duration::from_nanos)
}

thread_local! {
    static START_OF_PROCESS: Instant = Instant::now();
}
