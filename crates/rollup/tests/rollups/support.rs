//! A node without HTTP: values go in by line protocol, questions are asked in InfluxQL with and without rollups.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use backend::Embedded;
use catalog::{Catalog, PolicySpec};
use engine::{Engine, EngineConfig};
use journal::{Journal, JournalConfig};
use model::{Precision, TimestampNs};
use pipeline::{Applied, Applier, Intake, LineWrite, Observers};
use query::aggregate::Registry;
use query::compile::{Context, Dialect, compile};
use query::execute::{Options, execute};
use query::request::parse_interval;
use query::{Cancel, Limits, Provenance, Shortcuts, Table};
use rollup::{Function, Order, Plan, Rollups, Settings, Task, TaskField, Tiered};
use vfs::Fs;

/// 2027-03-01T08:00:00Z: later than all values of the tests.
pub(crate) const NOW: TimestampNs = TimestampNs(1_803_888_000_000_000_000);
const DATABASE: &str = "plant";
const PATIENCE: Duration = Duration::from_secs(60);

pub(crate) fn clock() -> TimestampNs {
    NOW
}

/// A task that keeps every function there is.
pub(crate) fn task(name: &str, source: &str, target: &str, interval: &str, zone: Option<&str>) -> Task {
    let fields = Function::ALL.map(|(name, function)| TaskField { function, alias: name.to_owned() });
    Task {
        name: name.to_owned(),
        database: DATABASE.to_owned(),
        source: source.to_owned(),
        target: target.to_owned(),
        window: parse_interval(interval, zone).unwrap(),
        time_zone: zone.map(str::to_owned),
        fields: fields.to_vec(),
    }
}

/// Hours of the points, and days of the hours.
pub(crate) fn hours_and_days(zone: Option<&str>) -> Vec<Task> {
    vec![task("hours", "autogen", "hourly", "1h", None), task("days", "hourly", "daily", "1d", zone)]
}

pub(crate) struct Node {
    pub(crate) catalog: Arc<Catalog>,
    pub(crate) engine: Arc<Engine>,
    pub(crate) intake: Intake,
    pub(crate) rollups: Arc<Rollups>,
    journal: Arc<Journal>,
    applier: Applier,
    embedded: Embedded,
}

impl Node {
    pub(crate) fn open(fs: &Arc<dyn Fs>, dir: &Path, tasks: Vec<Task>) -> Self {
        Self::open_with(fs, dir, tasks, Order::OldestFirst)
    }

    pub(crate) fn open_with(fs: &Arc<dyn Fs>, dir: &Path, tasks: Vec<Task>, order: Order) -> Self {
        let catalog = Arc::new(Catalog::open(Arc::clone(fs), &dir.join("catalog")).unwrap().0);
        let config = EngineConfig { head_max: model::ByteSize(1 << 20), ..EngineConfig::default() };
        let engine =
            Arc::new(Engine::open(Arc::clone(fs), &dir.join("engine"), Arc::clone(&catalog), config).unwrap().0);
        let config = JournalConfig::default();
        let journal = Journal::open(Arc::clone(fs), &dir.join("journal"), config, engine.flushed_seq()).unwrap().0;
        catalog.ensure_bucket(DATABASE, "autogen").unwrap();
        for policy in ["hourly", "daily"] {
            catalog.create_policy(DATABASE, policy, &PolicySpec::default(), false).unwrap();
        }
        let plan = Plan::new(tasks).unwrap();
        let settings = Settings {
            order,
            delay: Duration::ZERO,
            share: 1.0,
            idle: Duration::from_millis(5),
            ..Settings::default()
        };
        let (names, store) = (Arc::clone(&catalog), Arc::clone(&engine));
        let rollups =
            Arc::new(Rollups::open(Arc::clone(fs), &dir.join("rollup"), plan, names, store, settings).unwrap());
        let applied = Arc::new(Applied::default());
        let observers = Observers(vec![Arc::clone(&rollups) as Arc<dyn pipeline::Observer>]);
        let consumer = journal.consumer("embedded").unwrap();
        let replay_to = journal.durable_seq();
        let applier =
            Applier::start(Arc::clone(&journal), consumer, Arc::clone(&engine), Arc::clone(&applied), observers)
                .unwrap();
        let intake = Intake::new(Arc::clone(&catalog), Arc::clone(&journal), Arc::clone(&applied));
        let is_ready = move || applied.seq() >= replay_to;
        let deadline = Instant::now() + PATIENCE;
        while !is_ready() {
            assert!(Instant::now() < deadline, "the journal is not taken in");
            std::thread::sleep(Duration::from_millis(2));
        }
        rollups.start(intake.clone(), clock, is_ready).unwrap();
        let embedded = Embedded::new(Arc::clone(&catalog), Arc::clone(&engine), clock);
        Self { catalog, engine, intake, rollups, journal, applier, embedded }
    }

    /// Writes lines with times in seconds; they are visible when this returns.
    pub(crate) fn write(&self, lines: &str) {
        let target = self.catalog.bucket_of(DATABASE, None).unwrap().into();
        let (sender, receiver) = std::sync::mpsc::sync_channel(1);
        let write = LineWrite { target: &target, text: lines.as_bytes(), precision: Precision::Second, now: NOW };
        self.intake.write_lines(write, move |outcome| sender.send(outcome).unwrap());
        let outcome = receiver.recv().unwrap().unwrap();
        assert_eq!((outcome.malformed, outcome.dropped), (0, 0), "{outcome:?}");
    }

    /// Waits until every window that has ended has its row.
    pub(crate) fn settle(&self) {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let stats = self.rollups.stats();
            if stats.tasks.iter().all(|task| task.oldest.is_none()) {
                return;
            }
            assert!(Instant::now() < deadline, "not settled: {stats:?}");
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// The rows of a query, and where they came from.
    pub(crate) fn ask(&self, text: &str, shortcuts: Shortcuts) -> (Vec<Table>, Vec<Provenance>) {
        let parsed = influxql_of(text);
        let context = Context {
            now: NOW,
            database: Some(DATABASE.to_owned()),
            policy: None,
            dialect: Dialect::Extended,
            into: false,
        };
        let plan = compile(&parsed, &context).unwrap();
        let (limits, cancel) = (Limits::default(), Cancel::new());
        let options = Options {
            limits: &limits,
            cancel: &cancel,
            registry: Registry::shared(),
            threads: 2,
            into: false,
            shortcuts,
            cache: None,
        };
        let mut tables = Vec::new();
        let mut sink = |table| {
            tables.push(table);
            Ok(())
        };
        let report = match shortcuts.rollups {
            true => execute(&plan, &Tiered::new(&self.embedded, self.rollups.tiers(), NOW), &options, &mut sink),
            false => execute(&plan, &self.embedded, &options, &mut sink),
        };
        (tables, report.unwrap().provenance)
    }

    /// Asks with rollups and without, finds the same, and tells the tiers that were used.
    pub(crate) fn same(&self, text: &str) -> Vec<String> {
        let (rolled, provenance) = self.ask(text, Shortcuts::ALL);
        let (raw, _) = self.ask(text, Shortcuts::NONE);
        assert_same(&rolled, &raw, text);
        let mut tiers: Vec<String> = provenance.into_iter().map(|p| p.tier).collect();
        tiers.sort();
        tiers.dedup();
        tiers
    }

    /// Stops in order.
    pub(crate) fn close(self) {
        self.rollups.stop();
        self.journal.close();
        self.applier.drain();
    }

    /// Ends as by `kill -9`: nothing more is written to files than already was.
    pub(crate) fn kill(self) {
        self.rollups.stop();
        self.applier.abandon();
    }
}

fn influxql_of(text: &str) -> influxql::ast::Select {
    let parsed = influxql::parse(text, &influxql::Params::new(), &influxql::Limits::default()).unwrap();
    match parsed.into_iter().next() {
        Some(influxql::ast::Statement::Select(select)) => *select,
        other => panic!("{other:?}"),
    }
}

/// Equal but for the last digits of floats: sums are added up in another order.
pub(crate) fn assert_same(a: &[Table], b: &[Table], what: &str) {
    let shape = |tables: &[Table]| -> Vec<_> {
        tables.iter().map(|t| (t.name.clone(), t.tags.clone(), t.columns.clone(), t.times.clone())).collect()
    };
    assert_eq!(shape(a), shape(b), "{what}");
    for (a, b) in a.iter().zip(b) {
        for (a, b) in a.cells.iter().zip(&b.cells) {
            for (a, b) in a.iter().zip(b) {
                assert!(is_close(a, b), "{what}: {a:?} with rollups, {b:?} without");
            }
        }
    }
}

fn is_close(a: &query::Cell, b: &query::Cell) -> bool {
    match (a, b) {
        (query::Cell::Float(a), query::Cell::Float(b)) => (a - b).abs() <= 1e-9 * a.abs().max(b.abs()).max(1.0),
        _ => a == b,
    }
}

/// A data directory in memory.
pub(crate) fn memory() -> (Arc<dyn Fs>, PathBuf) {
    (Arc::new(vfs::FaultFs::new()), PathBuf::from("data"))
}
