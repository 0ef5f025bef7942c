//! Answers as JSON, an object a row: `{"name":"m","tags":{"a":"1"},"time":"2026-11-22T00:00:00Z","values":{"mean":1.5}}`. Takes rows
//! without times, too. A value that is missing is left out.

use std::io::Write;

use formats::{Output, Written};
use model::TimestampNs;
use query::{Cell, Table};
use serde_json::{Map, Value, json};
use server::ApiError;

use super::Tables;
use crate::export::failed;

/// Writes JSON.
pub(super) struct JsonRows {
    to: Output,
    written: Written,
}

impl JsonRows {
    pub(super) fn new(to: Output) -> Self {
        Self { to, written: Written::default() }
    }
}

impl Tables for JsonRows {
    fn table(&mut self, table: Table) -> Result<(), ApiError> {
        let tags: Map<_, _> = table.tags.iter().map(|(name, value)| (name.clone(), json!(value))).collect();
        let names: Vec<_> = table.columns.iter().skip(usize::from(table.times.is_some())).collect();
        self.written.series += 1;
        for row in 0..table.len() {
            let cells = names.iter().zip(&table.cells).filter_map(|(name, cells)| Some((*name, cells.get(row)?)));
            let values: Map<_, _> = cells.filter_map(|(name, cell)| Some((name.clone(), value(cell)?))).collect();
            self.written.rows += 1;
            self.written.values += values.len() as u64;
            let mut object = json!({ "name": table.name, "tags": tags, "values": values });
            if let (Some(object), Some(time)) = (object.as_object_mut(), table.times.as_ref().and_then(|t| t.get(row)))
            {
                object.insert("time".to_owned(), json!(rfc3339(*time)));
            }
            writeln!(self.to, "{object}").map_err(|e| failed(e.into()))?;
        }
        Ok(())
    }

    fn finish(self: Box<Self>) -> Result<Written, ApiError> {
        self.to.finish().map_err(|e| failed(e.into()))?;
        Ok(self.written)
    }
}

fn rfc3339(time: TimestampNs) -> String {
    jiff::Timestamp::from_nanosecond(i128::from(time.0)).unwrap_or_default().to_string()
}

fn value(cell: &Cell) -> Option<Value> {
    Some(match cell {
        Cell::Null => return None,
        Cell::Float(v) => json!(v),
        Cell::Integer(v) => json!(v),
        Cell::Unsigned(v) => json!(v),
        Cell::Boolean(v) => json!(v),
        Cell::String(v) => json!(v),
    })
}
