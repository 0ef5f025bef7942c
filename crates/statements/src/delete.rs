//! DELETE, DROP SERIES, DROP MEASUREMENT, DROP SHARD: over all retention policies of a database.
//!
//! Deleting goes through the journal; what is dropped loses its names, and with them its values.

use influxql::ast::Removal;
use model::{BucketId, ColumnId, SeriesId};

use crate::condition::Condition;
use crate::failure::Failure;
use crate::measurements::{From, Search};
use crate::series::FieldConditions;
use crate::shards;
use crate::task::Task;

/// Columns in one record of the journal.
const COLUMNS_AT_ONCE: usize = 500_000;

/// Values go; series without values left go, too, while the types of their fields stay.
pub(crate) fn delete(task: &Task<'_>, removal: &Removal) -> Result<(), Failure> {
    task.needs_values_here("DELETE")?;
    let database = database(task)?;
    let condition = Condition::read(task, removal.condition.as_ref())?;
    let range = condition.range;
    // Time says which values go, not which series they are of.
    let condition = Condition { has_time: false, ..condition };
    let series = find(task, &database, removal, &condition)?;
    if !range.is_empty() {
        delete_values(task, &series, range)?;
    }
    Ok(())
}

/// Series go, with all their values.
pub(crate) fn drop_series(task: &Task<'_>, removal: &Removal) -> Result<(), Failure> {
    task.needs_values_here("DROP SERIES")?;
    let database = database(task)?;
    let condition = Condition::read(task, removal.condition.as_ref())?.without_time("DROP SERIES")?;
    let series = find(task, &database, removal, &condition)?;
    Ok(task.parts.catalog.drop_series(&series)?)
}

/// A measurement goes, with its fields and their types. One that does not exist is fine.
pub(crate) fn drop_measurement(task: &Task<'_>, name: &str) -> Result<(), Failure> {
    task.needs_values_here("DROP MEASUREMENT")?;
    let buckets = task.all_buckets(&database(task)?);
    let found: Vec<_> = {
        let names = task.parts.catalog.read();
        buckets.iter().filter_map(|bucket| names.measurement(*bucket, name)).collect()
    };
    Ok(task.parts.catalog.drop_measurements(&found)?)
}

/// The values of one partition go. One that does not exist is fine.
pub(crate) fn drop_shard(task: &Task<'_>, id: u64) -> Result<(), Failure> {
    task.needs_values_here("DROP SHARD")?;
    let all = shards::all(task);
    let Some(shard) = all.iter().find(|shard| shard.id == id) else { return Ok(()) };
    let series = series_in(task, shard.bucket);
    delete_values(task, &series, shard.range)
}

/// The request's database.
fn database(task: &Task<'_>) -> Result<String, Failure> {
    let name = task.request.database.unwrap_or_default();
    Ok(task.known_database(name)?.name)
}

fn find(task: &Task<'_>, database: &str, removal: &Removal, condition: &Condition) -> Result<Vec<SeriesId>, Failure> {
    let buckets = task.all_buckets(database);
    let from = From::read(&removal.sources)?;
    let search = Search { buckets: &buckets, from: &from, condition, fields: FieldConditions::Refuse };
    Ok(search.run(task)?.into_values().flatten().collect())
}

fn series_in(task: &Task<'_>, bucket: BucketId) -> Vec<SeriesId> {
    let names = task.parts.catalog.read();
    names.measurements(bucket).flat_map(|(id, _)| names.series_of(id)).copied().collect()
}

fn delete_values(task: &Task<'_>, series: &[SeriesId], range: model::TimeRange) -> Result<(), Failure> {
    let columns: Vec<ColumnId> = {
        let names = task.parts.catalog.read();
        series.iter().flat_map(|id| names.columns_of(*id)).map(|(_, column)| *column).collect()
    };
    for part in columns.chunks(COLUMNS_AT_ONCE) {
        task.parts.intake.delete(part, range)?;
    }
    task.parts.intake.drop_empty_series(&task.parts.engine, series)?;
    Ok(())
}
