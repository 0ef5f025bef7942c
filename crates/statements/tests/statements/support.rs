//! A store, and answers as text.

use std::path::Path;
use std::sync::Arc;
use std::sync::mpsc::sync_channel;
use std::time::Duration;

use backend::Embedded;
use catalog::Catalog;
use engine::{Engine, EngineConfig};
use journal::{Journal, JournalConfig};
use model::{Precision, TimestampNs};
use pipeline::{Applied, Applier, Intake, LineWrite};
use query::compile::Dialect;
use query::{Answer, Cancel, Cell, Limits, Outcome, QueryError, Table};
use statements::{Parts, Request, RequestError, Statements};
use vfs::FaultFs;

/// 2024-03-11T00:00:00Z.
pub(crate) const NOW: TimestampNs = TimestampNs(1_710_115_200_000_000_000);

thread_local! {
    static CLOCK: std::cell::Cell<TimestampNs> = const { std::cell::Cell::new(NOW) };
}

/// What the time is for statements that this thread runs; [`NOW`] before.
pub(crate) fn set_clock(now: TimestampNs) {
    CLOCK.set(now);
}

pub(crate) struct Plant {
    pub(crate) catalog: Arc<Catalog>,
    pub(crate) engine: Arc<Engine>,
    pub(crate) intake: Intake,
    pub(crate) statements: Statements,
    _applier: Applier,
}

impl Plant {
    /// An empty store.
    pub(crate) fn new() -> Self {
        let fs: Arc<FaultFs> = Arc::new(FaultFs::new());
        let catalog = Arc::new(Catalog::open(fs.clone(), Path::new("catalog")).unwrap().0);
        let quiet = EngineConfig { head_max_age: Duration::from_secs(3600), ..EngineConfig::default() };
        let engine = Engine::open(fs.clone(), Path::new("engine"), Arc::clone(&catalog), quiet).unwrap().0;
        let engine = Arc::new(engine);
        let (journal, _) =
            Journal::open(fs, Path::new("journal"), JournalConfig::default(), engine.flushed_seq()).unwrap();
        let applied = Arc::new(Applied::default());
        let consumer = journal.consumer("embedded").unwrap();
        let applier = Applier::start(
            Arc::clone(&journal),
            consumer,
            Arc::clone(&engine),
            Arc::clone(&applied),
            pipeline::Observers::default(),
        )
        .unwrap();
        let intake = Intake::new(Arc::clone(&catalog), journal, applied);
        let embedded = Embedded::new(Arc::clone(&catalog), Arc::clone(&engine), || CLOCK.get());
        let statements = Statements::new(Parts {
            catalog: Arc::clone(&catalog),
            engine: Arc::clone(&engine),
            intake: intake.clone(),
            backend: Arc::new(Embedded::new(Arc::clone(&catalog), Arc::clone(&engine), || CLOCK.get())),
            has_values_here: true,
            store: Arc::new(move || Box::new(embedded.for_query())),
            limits: Limits::default(),
            threads: 1,
            dialect: Dialect::Strict,
            clock: || CLOCK.get(),
        });
        Self { catalog, engine, intake, statements, _applier: applier }
    }

    /// A database `d` with the policies `autogen` and `r2`, both with values.
    pub(crate) fn with_values() -> Self {
        let plant = Self::new();
        plant.ask("CREATE DATABASE d; CREATE RETENTION POLICY r2 ON d DURATION INF REPLICATION 1");
        plant.write("autogen", "m,ch=A,pt=U v=1,q=1i 1710028800000000000");
        plant.write("autogen", "m,ch=B,pt=U v=2 1710028860000000000\nn v=\"x\" 1710028860000000000");
        plant.write("autogen", "m2,ch=A v=true 1710028860000000000\nm,ch=D q=7i 1510028860000000000");
        plant.write("autogen", "e\\ x,a\\ b=c\\,d v=1 1510028860000000000");
        plant.write("r2", "m,ch=C,zz=1 v=1,w=1i 1710028800000000000\nonly2,k=v a=1 1710028860000000000");
        plant
    }

    pub(crate) fn write(&self, policy: &str, lines: &str) {
        let bucket = self.catalog.bucket_of("d", Some(policy)).unwrap();
        let (sender, receiver) = sync_channel(1);
        let target = &bucket.into();
        let write = LineWrite { target, text: lines.as_bytes(), precision: Precision::Nanosecond, now: NOW };
        self.intake.write_lines(write, move |outcome| sender.send(outcome).unwrap());
        let outcome = receiver.recv_timeout(Duration::from_secs(20)).unwrap().unwrap();
        assert_eq!(outcome.rejected, []);
    }

    /// The answer to a request about database `d`.
    pub(crate) fn ask(&self, text: &str) -> String {
        self.ask_in(Some("d"), text)
    }

    pub(crate) fn ask_in(&self, database: Option<&str>, text: &str) -> String {
        let cancel = Cancel::new();
        let answer = self.run(&Request { database, ..request(text, &cancel) });
        answer.unwrap_or_else(|e| format!("refused: {e}"))
    }

    pub(crate) fn run(&self, request: &Request<'_>) -> Result<String, RequestError> {
        let mut answer = Text::default();
        self.statements.run(request, &mut answer)?;
        Ok(answer.0.trim_end_matches('\n').to_owned())
    }
}

pub(crate) fn request<'a>(text: &'a str, cancel: &'a Cancel) -> Request<'a> {
    Request {
        text,
        database: Some("d"),
        policy: None,
        parameters: None,
        cancel,
        modifying_is_deprecated: false,
        shortcuts: query::Shortcuts::ALL,
        tells_origins: false,
    }
}

/// `name{tag=value} column column: row; row`, a line a table.
#[derive(Default)]
struct Text(String);

impl Answer for Text {
    fn begin(&mut self, statement: usize) {
        if statement > 0 {
            self.0.push_str("--\n");
        }
    }

    fn table(&mut self, table: Table) -> Result<(), QueryError> {
        let tags: Vec<String> = table.tags.iter().map(|(k, v)| format!("{k}={v}")).collect();
        let tags = if tags.is_empty() { String::new() } else { format!("{{{}}}", tags.join(",")) };
        let rows: Vec<String> = (0..table.len()).map(|row| show_row(&table, row)).collect();
        self.0.push_str(&format!("{}{tags} {}: {}\n", table.name, table.columns.join(" "), rows.join("; ")));
        Ok(())
    }

    fn end(&mut self, outcome: Outcome) {
        match outcome {
            Outcome::Done(messages) => {
                messages.iter().for_each(|m| self.0.push_str(&format!("{}: {}\n", m.level.name(), m.text)))
            }
            Outcome::Failed(message) => self.0.push_str(&format!("error: {message}\n")),
        }
    }
}

fn show_row(table: &Table, row: usize) -> String {
    let time = table.times.iter().map(|times| times[row].0.to_string());
    let cells = table.cells.iter().map(|column| match &column[row] {
        Cell::Null => "null".to_owned(),
        Cell::Float(v) => v.to_string(),
        Cell::Integer(v) => v.to_string(),
        Cell::Unsigned(v) => v.to_string(),
        Cell::Boolean(v) => v.to_string(),
        Cell::String(v) => v.clone(),
    });
    time.chain(cells).collect::<Vec<_>>().join(" ")
}
