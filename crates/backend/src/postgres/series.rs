//! Ids of series: from what is known, else from the table, else made. Each statement is a transaction of its own, and keys come in
//! their order, so that two sessions that make the same series do not wait for each other in a circle.

use std::collections::HashMap;

use model::key::SeriesKey;
use postgres::Row;

use super::connector::Open;
use super::encode::Series;
use super::error::Failure;
use super::known::KnownPlace;
use super::names::Relation;

/// Ids of series, and which of them were not known before.
pub(super) struct Found {
    /// One for each series asked for.
    pub(super) ids: Vec<i32>,
    /// Indexes of those that had to be asked for.
    pub(super) learnt: Vec<usize>,
}

/// The ids of `series`, in their order; series that are new are written down.
pub(super) fn ids_of(open: &mut Open, place: &KnownPlace, series: &[Series]) -> Result<Found, Failure> {
    let mut ids = place.ids_of(series.iter().map(|series| series.key.as_str()));
    let missing = |ids: &[Option<i32>]| -> Vec<usize> {
        ids.iter().enumerate().filter(|(_, id)| id.is_none()).map(|(index, _)| index).collect()
    };
    let learnt = missing(&ids);
    // What is not found after the second look somebody has made between the first look and our making it.
    for step in [look_up, make, look_up] {
        let wanted: Vec<&Series> = missing(&ids).into_iter().filter_map(|index| series.get(index)).collect();
        if wanted.is_empty() {
            break;
        }
        let found = step(open, place, wanted)?;
        for (series, id) in series.iter().zip(&mut ids) {
            *id = id.or_else(|| found.get(&series.key).copied());
        }
        place.add_ids(found);
    }
    let ids: Option<Vec<i32>> = ids.into_iter().collect();
    let ids = ids.ok_or_else(|| crate::WriteError::Busy {
        message: "series vanish from PostgreSQL while they are written to".to_owned(),
        retry_after: None,
    })?;
    Ok(Found { ids, learnt })
}

type Ids = HashMap<String, i32>;

fn look_up(open: &mut Open, place: &KnownPlace, wanted: Vec<&Series>) -> Result<Ids, Failure> {
    let keys: Vec<&str> = wanted.iter().map(|series| series.key.as_str()).collect();
    let sql = format!("SELECT key, id FROM {} WHERE key = ANY($1)", Relation::series(&place.schema));
    let statement = open.statement(&sql)?;
    collect(open.client.query(&statement, &[&keys])?)
}

fn make(open: &mut Open, place: &KnownPlace, mut wanted: Vec<&Series>) -> Result<Ids, Failure> {
    wanted.sort_unstable_by(|a, b| a.key.cmp(&b.key));
    let measurements: Vec<&str> = wanted.iter().map(|series| series.measurement.as_str()).collect();
    let keys: Vec<&str> = wanted.iter().map(|series| series.key.as_str()).collect();
    let tags: Vec<String> = wanted.iter().map(|series| tags_json(&series.key)).collect();
    let sql = format!(
        "INSERT INTO {} (measurement, key, tags) SELECT m, k, t::jsonb FROM unnest($1::text[], $2::text[], $3::text[]) AS new (m, k, t)
         ON CONFLICT (key) DO NOTHING RETURNING key, id",
        Relation::series(&place.schema)
    );
    let statement = open.statement(&sql)?;
    collect(open.client.query(&statement, &[&measurements, &keys, &tags])?)
}

fn collect(rows: Vec<Row>) -> Result<Ids, Failure> {
    rows.iter().map(|row| Ok((row.try_get(0)?, row.try_get(1)?))).collect()
}

/// Tags of a key as a JSON object.
fn tags_json(key: &str) -> String {
    let tags: serde_json::Map<String, serde_json::Value> = match SeriesKey::parse(key.as_bytes()) {
        Ok(key) => key.tags().map(|(name, value)| (name.into_owned(), value.into_owned().into())).collect(),
        Err(_) => serde_json::Map::new(),
    };
    serde_json::Value::Object(tags).to_string()
}
