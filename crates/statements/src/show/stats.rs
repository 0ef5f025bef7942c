//! SHOW STATS: figures of this process, one table a module. The modules that InfluxDB has too have its columns' names.

use pipeline::Origin;
use query::Cell;

use crate::failure::Failure;
use crate::measurements::{From, by_name};
use crate::rows::{count, number, text};
use crate::task::{Sink, Task};

/// One table: a row of figures.
pub(super) struct Module {
    name: &'static str,
    tags: Vec<(String, String)>,
    figures: Vec<(&'static str, Cell)>,
}

impl Module {
    pub(super) fn new(name: &'static str, figures: Vec<(&'static str, Cell)>) -> Self {
        Self { name, tags: Vec::new(), figures }
    }

    fn send(self, sink: Sink<'_>) -> Result<(), Failure> {
        let (columns, cells) = self.figures.into_iter().map(|(name, cell)| (name.to_owned(), vec![cell])).unzip();
        let name = self.name.to_owned();
        Ok(sink(query::Table { name, tags: self.tags, columns, cells, ..query::Table::default() })?)
    }
}

/// Hands out the modules, or the one with the name wanted.
pub(super) fn send(modules: Vec<Module>, wanted: Option<&str>, sink: Sink<'_>) -> Result<(), Failure> {
    let is_wanted = |module: &Module| wanted.is_none_or(|name| name == module.name);
    modules.into_iter().filter(is_wanted).try_for_each(|module| module.send(sink))
}

pub(super) fn run(task: &Task<'_>, wanted: Option<&str>, sink: Sink<'_>) -> Result<(), Failure> {
    let mut modules = vec![query_executor(task), continuous(task), write(task), engine(task), catalog(task)];
    modules.extend(databases(task)?);
    send(modules, wanted, sink)
}

fn query_executor(task: &Task<'_>) -> Module {
    let totals = task.inner.running.totals();
    Module::new(
        "queryExecutor",
        vec![
            ("queriesActive", number(totals.active)),
            ("queriesExecuted", number(totals.started)),
            ("queriesFinished", number(totals.finished)),
            ("queryDurationNs", number(totals.busy_ns)),
        ],
    )
}

fn continuous(task: &Task<'_>) -> Module {
    let counts = task.inner.continuous.counts();
    Module::new("cq", vec![("queryFail", number(counts.failures)), ("queryOk", number(counts.runs))])
}

fn write(task: &Task<'_>) -> Module {
    let counters = task.parts.intake.counters();
    let sum = |of: fn(&pipeline::OriginCounts) -> u64| number(Origin::ALL.iter().map(|o| of(&counters.read(*o))).sum());
    let figures = vec![
        ("valuesReceived", sum(|c| c.received)),
        ("valuesJournaled", sum(|c| c.journaled)),
        ("valuesRejected", sum(|c| c.rejected)),
        ("valuesDropped", sum(|c| c.dropped)),
    ];
    Module::new("write", figures)
}

fn engine(task: &Task<'_>) -> Module {
    let stats = task.parts.engine.stats();
    Module::new(
        "engine",
        vec![
            ("memoryBytes", number(stats.head_bytes)),
            ("memoryValues", number(stats.head_values)),
            ("numFiles", count(stats.files)),
            ("diskBytes", number(stats.file_bytes)),
            ("fileValues", number(stats.file_values)),
            ("indexBytes", number(stats.index_bytes)),
            ("tombstones", count(stats.tombstones)),
            ("flushes", number(stats.flushes)),
            ("flushFailures", number(stats.flush_failures)),
            ("merges", number(stats.merges)),
            ("damagedReads", number(stats.damaged_reads)),
        ],
    )
}

fn catalog(task: &Task<'_>) -> Module {
    let names = task.parts.catalog.read();
    Module::new(
        "catalog",
        vec![("numSeries", count(names.series_count())), ("numColumns", count(names.column_count()))],
    )
}

fn databases(task: &Task<'_>) -> Result<Vec<Module>, Failure> {
    let all = From::read(&[])?;
    let mut modules = Vec::new();
    for database in task.meta().databases() {
        let buckets = task.buckets(&database.name);
        let names = task.parts.catalog.read();
        let measurements = by_name(&names, &buckets, &all);
        let series = measurements.values().flatten().map(|id| names.series_of(*id).len()).sum();
        let figures = vec![("numMeasurements", count(measurements.len())), ("numSeries", count(series))];
        modules.push(Module {
            tags: vec![("database".to_owned(), database.name.clone())],
            ..Module::new("database", figures)
        });
    }
    Ok(modules)
}

/// A cell that is empty where nothing is known.
pub(super) fn known(value: Option<String>) -> Cell {
    value.map_or(Cell::Null, text)
}
