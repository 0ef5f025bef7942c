//! The newest value of each field of some series: found by the index, one statement for all series of a field.

use std::collections::HashMap;
use std::ops::ControlFlow;

use model::{TimeRange, TimestampNs};
use query::result::ResultColumn;
use query::store::{Place, SeriesQuery};
use query::{Cell, QueryError, QueryResult, ResultSeries};

use super::bins::Bins;
use super::condition::Condition;
use super::session::{Found, Measurement, Session};
use super::sql::{self, From, SeriesPoint};
use super::stream::stream;
use super::uses::Use;
use crate::postgres::known::Field;
use crate::postgres::names::Relation;

/// Series asked about in one statement.
const SERIES: usize = 10_000;

pub(super) fn latest(session: &Session<'_>, place: &Place, query: &SeriesQuery) -> Result<QueryResult, QueryError> {
    let measurement = session.names_of(place, &query.measurement)?;
    let Measurement { schema, names } = &*measurement;
    let Some(table) = names.table.clone() else { return Ok(QueryResult::default()) };
    let table = Relation::new(schema, table);
    let mut known: Vec<(String, Field)> = names.fields.iter().map(|f| (f.name.clone(), f.field.clone())).collect();
    known.sort_unstable_by(|a, b| a.0.cmp(&b.0));
    if !query.fields.is_empty() {
        let find = |name: &String| known.iter().find(|(field, _)| field == name).cloned();
        known = query.fields.iter().filter_map(find).collect();
    }
    let found = session.series(schema, &query.measurement, &query.filter)?;
    let mut newest: Vec<HashMap<i32, (TimestampNs, Cell)>> = Vec::with_capacity(known.len());
    for (_, field) in &known {
        newest.push(of_field(session, &table, field, &found)?);
    }
    let mut result = QueryResult::default();
    for series in found {
        for ((name, _), newest) in known.iter().zip(&mut newest) {
            let Some((time, cell)) = newest.remove(&series.id) else { continue };
            let columns = vec![ResultColumn { name: name.clone(), cells: vec![cell] }];
            let (name, tags) = (query.measurement.clone(), series.tags.clone());
            result.series.push(ResultSeries { name, tags, times: vec![time], columns });
        }
    }
    Ok(result)
}

/// The newest values of one field, by series.
fn of_field(
    session: &Session<'_>,
    table: &Relation,
    field: &Field,
    series: &[Found],
) -> Result<HashMap<i32, (TimestampNs, Cell)>, QueryError> {
    let mut newest = HashMap::new();
    let last = Use { last: true, ..Use::default() };
    let from = From { table, field, condition: &Condition::default(), range: TimeRange::ALL };
    for some in series.chunks(SERIES) {
        let ask = from.chosen(some.iter().map(|series| series.id).collect(), &Bins::One, last);
        let mut take = |(id, time, cell): SeriesPoint| {
            newest.insert(id, (time, cell));
            Ok(ControlFlow::Continue(()))
        };
        stream(session.pool, &session.patience, ask, sql::decoder(field.kind), &mut take)
            .map_err(|failure| failure.into_query_error(session.pool.at()))?;
    }
    Ok(newest)
}
