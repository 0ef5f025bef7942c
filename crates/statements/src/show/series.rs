//! SHOW SERIES: keys as line protocol has them.

use std::collections::BTreeSet;

use influxql::ast::Scope;
use model::SeriesId;

use super::place_in;
use crate::condition::Condition;
use crate::failure::Failure;
use crate::measurements::{From, Search};
use crate::rows::{Rows, page, text};
use crate::series::FieldConditions;
use crate::task::{Sink, Task};

pub(super) fn run(task: &Task<'_>, scope: &Scope, sink: Sink<'_>) -> Result<(), Failure> {
    let (database, policy) = place_in(&scope.sources);
    let database = task.database(database.or(scope.database.as_deref()))?;
    // It must exist, though all are looked at.
    let own_buckets = task.buckets_of(database, policy)?;
    let condition = Condition::read(task, scope.condition.as_ref())?;
    // As in InfluxDB a condition on time is asked of one policy.
    let buckets = if condition.has_time { own_buckets } else { task.buckets(database) };
    let from = From::read(&scope.sources)?;
    let search = Search { buckets: &buckets, from: &from, condition: &condition, fields: FieldConditions::TakeAll };
    let found = search.run(task)?;
    let keys = found.values().flat_map(|series| keys_of(task, series));
    let mut rows = Rows::new("", &["key"]);
    page(keys, scope.offset, scope.limit).for_each(|key| rows.push([text(key)]));
    Ok(rows.send_unless_empty(sink)?)
}

/// Keys of series, sorted; one that is in several buckets stands once.
pub(super) fn keys_of(task: &Task<'_>, series: &[SeriesId]) -> BTreeSet<String> {
    let names = task.parts.catalog.read();
    let keys = series.iter().filter_map(|id| names.series_key(*id));
    keys.map(|key| String::from_utf8_lossy(key).into_owned()).collect()
}
