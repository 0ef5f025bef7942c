//! SELECT: compiled, executed, and its rows handed out, or written where there is INTO.

use influxql::ast::Select;
use query::aggregate::Registry;
use query::compile::compile;
use query::execute::Options;
use query::{QueryError, Table};

use crate::failure::Failure;
use crate::into::Writer;
use crate::task::{Sink, Task};

/// Answers a query; gives warnings for the reader.
pub(crate) fn run(task: &Task<'_>, select: &Select, sink: Sink<'_>) -> Result<Vec<String>, Failure> {
    let Some(target) = &select.into else { return read(task, select, false, sink) };
    let mut writer = Writer::new(task, target)?;
    let warnings = read(task, select, true, &mut |table| writer.take(&table))?;
    sink(writer.finish()?)?;
    Ok(warnings)
}

/// Hands out the rows of a query.
pub(crate) fn read(
    task: &Task<'_>,
    select: &Select,
    into: bool,
    sink: &mut dyn FnMut(Table) -> Result<(), QueryError>,
) -> Result<Vec<String>, Failure> {
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
    Ok(task.parts.backend.query(&plan, &options, sink)?.warnings)
}
