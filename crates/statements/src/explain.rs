//! EXPLAIN: what a query would read; with ANALYZE what it did.

use std::time::Instant;

use influxql::ast::{self, Select};
use query::compile::compile;
use query::plan::{NameOrPattern, Source};
use query::store::{Extent, Place, SeriesQuery, Store};

use crate::failure::Failure;
use crate::origins;
use crate::rows::{Rows, text};
use crate::select;
use crate::task::{Sink, Task};
use crate::time::{go_duration, rfc3339};

pub(crate) fn run(task: &Task<'_>, select: &Select, analyze: bool, sink: Sink<'_>) -> Result<(), Failure> {
    task.needs_values_here("EXPLAIN")?;
    let mut lines = plan(task, select)?;
    let mut column = "QUERY PLAN";
    if analyze {
        column = "EXPLAIN ANALYZE";
        lines.extend(execution(task, select)?);
    }
    let mut rows = Rows::new("", &[column]);
    lines.into_iter().for_each(|line| rows.push([text(line)]));
    Ok(rows.send(sink)?)
}

/// What would be read, told from names and indexes.
fn plan(task: &Task<'_>, select: &Select) -> Result<Vec<String>, Failure> {
    let compiled = compile(select, &task.context(select.into.is_some()))?;
    let mut reads = Reads::default();
    reads.add(task, &*(task.parts.store)(), &compiled)?;
    let expressions: Vec<String> = select.fields.iter().map(|field| field.expr.to_string()).collect();
    let mut lines = vec![
        format!("EXPRESSION: {}", expressions.join(", ")),
        format!("TIME: {} TO {}", rfc3339(compiled.range.start), rfc3339(compiled.range.end)),
    ];
    lines.extend(reads.measurements.iter().map(|name| format!("MEASUREMENT: {name}")));
    lines.push(format!("NUMBER OF SERIES: {}", reads.series));
    lines.push(format!("NUMBER OF COLUMNS: {}", reads.columns));
    lines.push(format!("NUMBER OF RUNS: {}", reads.runs));
    lines.push(format!("NUMBER OF POINTS: {}", reads.points));
    Ok(lines)
}

/// Runs the query without showing its rows.
fn execution(task: &Task<'_>, select: &Select) -> Result<Vec<String>, Failure> {
    let (start, mut series, mut rows, mut last) = (Instant::now(), 0u64, 0u64, None);
    let quiet = ast::Select { into: None, ..select.clone() };
    let report = select::read(task, &quiet, false, &mut |table| {
        rows += table.len() as u64;
        let this = Some((table.name, table.tags));
        series += u64::from(this != last);
        last = this;
        Ok(())
    })?;
    let time = go_duration(i64::try_from(start.elapsed().as_nanos()).unwrap_or(i64::MAX));
    let mut lines = vec![
        format!("EXECUTION TIME: {time}"),
        format!("SERIES ANSWERED: {series}"),
        format!("ROWS ANSWERED: {rows}"),
        format!("CACHE: {}", report.cache.name()),
    ];
    lines.extend(origins::stretches(&report).map(|stretch| format!("READ {stretch}")));
    Ok(lines)
}

/// What a plan reads. Conditions on values and tags are left out, so it is what is read at most.
#[derive(Default)]
struct Reads {
    measurements: Vec<String>,
    series: usize,
    columns: usize,
    runs: usize,
    points: u64,
}

impl Reads {
    fn add(&mut self, task: &Task<'_>, store: &dyn Store, plan: &query::plan::Select) -> Result<(), Failure> {
        for source in &plan.sources {
            let measurement = match source {
                Source::Subquery(inner) => {
                    self.add(task, store, inner)?;
                    continue;
                }
                Source::Measurement(measurement) => measurement,
            };
            let place = Place { database: measurement.database.clone(), policy: measurement.policy.clone() };
            let names = match &measurement.name {
                NameOrPattern::Name(name) => vec![name.clone()],
                NameOrPattern::Pattern(pattern) => {
                    store.measurements(&place)?.into_iter().filter(|name| pattern.is_match(name)).collect()
                }
            };
            names.iter().try_for_each(|name| self.add_measurement(task, store, &place, name, plan.range))?;
        }
        Ok(())
    }

    fn add_measurement(
        &mut self,
        task: &Task<'_>,
        store: &dyn Store,
        place: &Place,
        name: &str,
        range: model::TimeRange,
    ) -> Result<(), Failure> {
        let fields = store.schema(place, name)?.fields.into_iter().map(|(field, _)| field).collect();
        let query = SeriesQuery { measurement: name.to_owned(), fields, ..SeriesQuery::default() };
        let found = store.series(place, &query)?;
        let mut reader = store.reader();
        let mut extents: Vec<Extent> = Vec::new();
        for column in found.iter().flat_map(|series| series.columns.iter().flatten()) {
            task.request.cancel.check()?;
            reader.extents(*column, range, &mut extents);
            self.columns += 1;
            self.runs += extents.len();
            self.points += extents.drain(..).map(|extent| extent.count).sum::<u64>();
        }
        self.series += found.len();
        self.measurements.push(name.to_owned());
        Ok(())
    }
}
