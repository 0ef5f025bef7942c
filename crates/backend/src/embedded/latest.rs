//! The newest value of every column of a selection.

use model::{FieldValue, TimestampNs};
use query::result::{Cell, ResultColumn};
use query::{Cancel, ColumnSource, QueryError, QueryResult, ResultSeries, Selection};

use super::source::EngineSource;

pub(super) fn latest(
    source: &EngineSource<'_>,
    selection: &Selection,
    cancel: &Cancel,
) -> Result<QueryResult, QueryError> {
    let mut result = QueryResult::default();
    for series in source.columns(selection)? {
        cancel.check()?;
        for column in series.columns {
            let mut newest = None;
            let visit = &mut |time: TimestampNs, value: FieldValue<'_>| newest = Some((time, cell(value)));
            let report = source.latest(column.id, selection.range, visit)?;
            result.warnings.extend(report.damaged);
            if let Some((time, cell)) = newest {
                result.series.push(ResultSeries {
                    name: selection.measurement.clone(),
                    tags: series.tags.clone(),
                    times: vec![time],
                    columns: vec![ResultColumn { name: column.field, cells: vec![cell] }],
                });
            }
        }
    }
    Ok(result)
}

fn cell(value: FieldValue<'_>) -> Cell {
    match value {
        FieldValue::Float(v) => Cell::Float(v),
        FieldValue::Integer(v) => Cell::Integer(v),
        FieldValue::Unsigned(v) => Cell::Unsigned(v),
        FieldValue::Boolean(v) => Cell::Boolean(v),
        FieldValue::String(v) => Cell::String(v.to_owned()),
    }
}
