//! SELECT: compiled, executed, and its rows handed out, or written where there is INTO.

use influxql::ast::Select;
use query::aggregate::Registry;
use query::compile::compile;
use query::execute::Options;
use query::{Message, QueryError, Report, Table};

use crate::failure::Failure;
use crate::into::Writer;
use crate::origins;
use crate::task::{Sink, Task};

/// Answers a query; gives messages for the reader.
pub(crate) fn run(task: &Task<'_>, select: &Select, sink: Sink<'_>) -> Result<Vec<Message>, Failure> {
    let Some(target) = &select.into else { return Ok(messages(task, read(task, select, false, sink)?)) };
    let mut writer = Writer::new(task, target)?;
    let report = read(task, select, true, &mut |table| writer.take(&table))?;
    sink(writer.finish()?)?;
    Ok(messages(task, report))
}

fn messages(task: &Task<'_>, report: Report) -> Vec<Message> {
    let origins = if task.request.tells_origins { origins::sentences(&report) } else { Vec::new() };
    let warnings = report.warnings.into_iter().map(Message::warning);
    warnings.chain(origins.into_iter().map(Message::info)).collect()
}

/// Hands out the rows of a query.
pub(crate) fn read(
    task: &Task<'_>,
    select: &Select,
    into: bool,
    sink: &mut dyn FnMut(Table) -> Result<(), QueryError>,
) -> Result<Report, Failure> {
    let plan = compile(select, &task.context(into))?;
    let options = Options {
        limits: &task.parts.limits,
        cancel: task.request.cancel,
        registry: Registry::shared(),
        threads: task.parts.threads,
        into,
        shortcuts: task.request.shortcuts,
        cache: None,
    };
    Ok(task.parts.backend.query(&plan, &options, sink)?)
}
