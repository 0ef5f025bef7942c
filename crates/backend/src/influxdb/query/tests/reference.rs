//! The embedded engine over a disk in memory, with the same points as a server; and how answers of both are compared.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use catalog::Catalog;
use engine::{Engine, EngineConfig};
use influxql::ast::Statement;
use journal::{Journal, JournalConfig};
use model::key::SeriesKeyBuf;
use model::{FieldValue, TimestampNs};
use pipeline::{Applied, Applier, Intake, Origin};
use query::aggregate::Registry;
use query::compile::{Context, Dialect, compile};
use query::execute::{Options, Sink, execute};
use query::{Cancel, Cell, Limits, QueryError, ResultSeries, Select, Table, collect};
use vfs::FaultFs;

use super::super::{Schemas, run};
use super::asker::Server;
use crate::Embedded;

pub(super) const DATABASE: &str = "plant";
pub(super) const POLICY: &str = "autogen";
/// 2024-03-10T00:00:00Z
pub(super) const START: i64 = 1_710_028_800 * SECOND;
pub(super) const SECOND: i64 = 1_000_000_000;
/// `now()` of every query.
pub(super) const NOW: TimestampNs = TimestampNs(START + 3600 * SECOND);

/// Points, in the order they are written in.
#[derive(Default)]
pub(super) struct Points {
    list: Vec<(String, String, Value, i64)>,
}

/// A value of a point.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Value {
    Float(f64),
    Integer(i64),
    Boolean(bool),
    Text(String),
}

impl Points {
    /// Adds a point. Tags come in the order of their keys.
    pub(super) fn add(&mut self, measurement: &str, tags: &[(&str, &str)], field: &str, value: Value, time: i64) {
        let mut key = SeriesKeyBuf::default();
        key.start(measurement);
        tags.iter().for_each(|(name, value)| key.tag(name, value));
        let key = String::from_utf8(key.as_bytes().to_vec()).unwrap();
        self.list.push((key, field.to_owned(), value, time));
    }

    /// In line protocol.
    pub(super) fn lines(&self) -> String {
        let line = |(key, field, value, time): &(String, String, Value, i64)| {
            let field = field.replace(',', "\\,").replace(' ', "\\ ").replace('=', "\\=");
            let value = match value {
                Value::Float(v) => format!("{v:?}"),
                Value::Integer(v) => format!("{v}i"),
                Value::Boolean(v) => v.to_string(),
                Value::Text(v) => format!("\"{}\"", v.replace('\\', "\\\\").replace('"', "\\\"")),
            };
            format!("{key} {field}={value} {time}")
        };
        self.list.iter().map(line).collect::<Vec<_>>().join("\n")
    }
}

/// A server and the embedded engine with the same points.
pub(super) struct Pair {
    pub(super) server: Server,
    pub(super) schemas: Schemas,
    pub(super) embedded: Embedded,
    intake: Intake,
    catalog: Arc<Catalog>,
    _applier: Applier,
    journal: Arc<Journal>,
    applied: Arc<Applied>,
}

impl Pair {
    pub(super) fn new(points: &Points) -> Self {
        let disk = Arc::new(FaultFs::default());
        let catalog = Arc::new(Catalog::open(disk.clone(), Path::new("catalog")).unwrap().0);
        let opened = Engine::open(disk.clone(), Path::new("engine"), Arc::clone(&catalog), EngineConfig::default());
        let engine = Arc::new(opened.unwrap().0);
        let opened = Journal::open(disk, Path::new("journal"), JournalConfig::default(), engine.flushed_seq());
        let journal = opened.unwrap().0;
        let applied = Arc::new(Applied::default());
        let intake = Intake::new(Arc::clone(&catalog), Arc::clone(&journal), Arc::clone(&applied));
        let consumer = journal.consumer("embedded").unwrap();
        let applier = Applier::start(
            Arc::clone(&journal),
            consumer,
            Arc::clone(&engine),
            Arc::clone(&applied),
            pipeline::Observers::default(),
        );
        let embedded = Embedded::new(Arc::clone(&catalog), engine, || TimestampNs(0));
        let server = Server::start(DATABASE);
        let schemas = Schemas::default();
        let pair = Self { server, schemas, embedded, intake, catalog, _applier: applier.unwrap(), journal, applied };
        pair.write(POLICY, points);
        pair
    }

    /// Writes to both.
    pub(super) fn write(&self, policy: &str, points: &Points) {
        self.server.write(DATABASE, policy, &points.lines());
        let bucket = self.catalog.ensure_bucket(DATABASE, policy).unwrap();
        let mut batch = self.intake.batch(bucket, Origin::Redis);
        for (key, field, value, time) in &points.list {
            let value = match value {
                Value::Float(v) => FieldValue::Float(*v),
                Value::Integer(v) => FieldValue::Integer(*v),
                Value::Boolean(v) => FieldValue::Boolean(*v),
                Value::Text(v) => FieldValue::String(v),
            };
            batch.push(key.as_bytes(), field, value, TimestampNs(*time));
        }
        batch.flush().unwrap();
        while self.applied.seq() < self.journal.durable_seq() {
            std::thread::sleep(Duration::from_millis(1));
        }
    }

    /// The answers of both to a plan, as text.
    pub(super) fn answers(&self, plan: &Select) -> (String, String) {
        let expected = shown(plan, |plan, options, sink| execute(plan, &self.embedded, options, sink));
        let found = shown(plan, |plan, options, sink| run(&self.server, &self.schemas, plan, options, sink));
        (expected, found)
    }

    /// The answers of both to a plan as requests show them: as a whole, and 0 where nothing was counted.
    pub(super) fn collected(&self, plan: &Select) -> (String, String) {
        let expected = collected(plan, |plan, options, sink| execute(plan, &self.embedded, options, sink));
        let found = collected(plan, |plan, options, sink| run(&self.server, &self.schemas, plan, options, sink));
        (expected, found)
    }

    /// Compares answers to plans, and shows all that differ.
    #[track_caller]
    pub(super) fn compare_all(
        &self,
        plans: impl IntoIterator<Item = (Select, String)>,
        answers: impl Fn(&Self, &Select) -> (String, String),
    ) {
        let differing = plans.into_iter().filter_map(|(plan, text)| {
            let (expected, found) = answers(self, &plan);
            let asked = self.server.asked.lock().unwrap().last().cloned();
            (expected != found).then(|| format!("{text}\nasked as {asked:?}\nexpected\n{expected}found\n{found}"))
        });
        let differing: Vec<String> = differing.collect();
        assert!(differing.is_empty(), "{} differ:\n\n{}", differing.len(), differing.join("\n\n"));
    }
}

/// The plan of a text.
#[track_caller]
pub(super) fn plan(text: &str) -> Select {
    plan_of(text).unwrap_or_else(|error| panic!("{text}: {error}"))
}

/// The plan of a text that makes sense.
pub(super) fn plan_of(text: &str) -> Result<Select, String> {
    let statements = influxql::parse(text, &influxql::Params::default(), &influxql::Limits::default());
    let statements = statements.map_err(|error| error.to_string())?;
    let [Statement::Select(select)] = statements.as_slice() else { return Err("no SELECT".to_owned()) };
    let context = Context {
        now: NOW,
        database: Some(DATABASE.to_owned()),
        policy: None,
        dialect: Dialect::Extended,
        into: false,
    };
    compile(select, &context).map_err(|error| error.to_string())
}

/// Answers a plan.
trait Answers: FnOnce(&Select, &Options<'_>, Sink<'_>) -> Result<query::Report, QueryError> {}

impl<T: FnOnce(&Select, &Options<'_>, Sink<'_>) -> Result<query::Report, QueryError>> Answers for T {}

/// Runs a plan and shows its collected answer, or the error.
fn collected(plan: &Select, run: impl Answers) -> String {
    let cancel = Cancel::new();
    let result = collect(plan, &Limits::default(), |plan, limits, sink| {
        let options = Options {
            limits,
            cancel: &cancel,
            registry: Registry::shared(),
            threads: 2,
            into: false,
            shortcuts: query::Shortcuts::NONE,
            cache: None,
        };
        run(plan, &options, sink)
    });
    match result {
        Ok(result) => {
            assert!(!result.partial && result.warnings.is_empty());
            let mut shown = Shown::default();
            result.series.into_iter().for_each(|series| shown.add(&table(series)));
            shown.text
        }
        Err(error) => format!("error: {error}"),
    }
}

pub(super) fn table(series: ResultSeries) -> Table {
    let (columns, cells) = series.columns.into_iter().map(|column| (column.name, column.cells)).unzip();
    Table { name: series.name, tags: series.tags, columns, times: Some(series.times), cells, zone: None }
}

/// Runs a plan and shows its tables, or the error.
fn shown(plan: &Select, run: impl Answers) -> String {
    let (limits, cancel) = (Limits::default(), Cancel::new());
    let options = Options {
        limits: &limits,
        cancel: &cancel,
        registry: Registry::shared(),
        threads: 2,
        into: false,
        shortcuts: query::Shortcuts::NONE,
        cache: None,
    };
    let mut shown = Shown::default();
    let outcome = run(plan, &options, &mut |table| {
        shown.add(&table);
        Ok(())
    });
    match outcome {
        Ok(warnings) => {
            assert_eq!(warnings, query::Report::default());
            shown.text
        }
        Err(error) => format!("error: {error}"),
    }
}

/// Tables as text, those of one series together.
#[derive(Default)]
pub(super) struct Shown {
    pub(super) text: String,
    head: String,
}

impl Shown {
    pub(super) fn add(&mut self, table: &Table) {
        let zone = table.zone.as_ref().and_then(|zone| zone.iana_name()).unwrap_or_default();
        let head = format!("{} {:?} {:?} {zone}\n", table.name, table.tags, table.columns);
        if self.head != head {
            self.text.push_str(&head);
            self.head = head;
        }
        let times = table.times.as_ref().unwrap();
        for (row, time) in times.iter().enumerate() {
            let cells: Vec<String> = table.cells.iter().map(|cells| cell(&cells[row])).collect();
            self.text.push_str(&format!("  {} {}\n", time.0, cells.join(" | ")));
        }
    }
}

/// Floats to eleven digits: sums are made in different orders.
fn cell(cell: &Cell) -> String {
    match cell {
        Cell::Float(v) => format!("{v:.10e}"),
        other => format!("{other:?}"),
    }
}
