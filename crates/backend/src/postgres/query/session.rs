//! What a query asks of PostgreSQL besides points: schemas, names, series.

use std::collections::HashMap;
use std::ops::ControlFlow;
use std::sync::{Arc, Mutex, PoisonError};

use model::key::SeriesKey;
use query::store::{Place, TagCondition, TagMatch};
use query::{Cancel, Limits, QueryError};

use super::pool::{Patience, Pool};
use super::stream::{Ask, Parameter, stream};
use crate::postgres::error::Failure;
use crate::postgres::known::{Known, PlaceName};
use crate::postgres::names::{Ident, Relation};
use crate::postgres::places;
use crate::postgres::schema::Names;

/// What a query needs of the store.
pub(super) struct Session<'q> {
    pub(super) pool: &'q Pool,
    pub(super) known: &'q Known,
    pub(super) patience: Patience,
    max_series: u64,
    /// Names of measurements, as they were when first asked for.
    names: Mutex<HashMap<(Place, String), Arc<Measurement>>>,
}

/// A measurement, by its names in PostgreSQL.
pub(super) struct Measurement {
    pub(super) schema: Ident,
    pub(super) names: Names,
}

/// A series as it is found.
pub(super) struct Found {
    pub(super) id: i32,
    pub(super) tags: Vec<(String, String)>,
}

impl<'q> Session<'q> {
    pub(super) fn new(pool: &'q Pool, known: &'q Known, cancel: &Cancel, limits: &Limits) -> Self {
        let patience = Patience::new(cancel, limits);
        Self { pool, known, patience, max_series: limits.max_series, names: Mutex::default() }
    }

    fn failed(&self, failure: Failure) -> QueryError {
        failure.into_query_error(self.pool.at())
    }

    /// Does something on a connection.
    pub(super) fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut postgres::Client) -> Result<T, Failure> + Send + 'static,
    ) -> Result<T, QueryError> {
        let mut lease = self.pool.lend(&self.patience)?;
        let Some(link) = lease.link() else { return Err(self.failed(Failure::Thread)) };
        link.run(move |conversation| work(&mut conversation.opened()?.client)).map_err(|failure| self.failed(failure))
    }

    /// Version of the server.
    pub(super) fn server(&self) -> Result<i32, QueryError> {
        let mut lease = self.pool.lend(&self.patience)?;
        let Some(link) = lease.link() else { return Err(self.failed(Failure::Thread)) };
        link.run(|conversation| Ok(conversation.opened()?.peer.version)).map_err(|failure| self.failed(failure))
    }

    /// The schema of a place.
    pub(super) fn schema_of(&self, place: &Place) -> Result<Ident, QueryError> {
        let Place { database, policy } = place.clone();
        let default = self.known.default_of(&database);
        let found = self.run(move |client| match policy.or(default) {
            Some(policy) => places::find(client, &PlaceName { database, policy }),
            None => {
                let plain = Ident::schema(&database, None);
                let mut all = places::list(client)?.into_iter();
                Ok(all.find(|(name, schema)| name.database == database && *schema == plain).map(|(_, schema)| schema))
            }
        })?;
        found.ok_or_else(|| match &place.policy {
            Some(policy) => QueryError::NotFound { what: "retention policy", name: policy.clone() },
            None => QueryError::NotFound { what: "database", name: place.database.clone() },
        })
    }

    /// The names of a measurement; none where there is no such measurement.
    pub(super) fn names_of(&self, place: &Place, measurement: &str) -> Result<Arc<Measurement>, QueryError> {
        let key = (place.clone(), measurement.to_owned());
        let known = || self.names.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(found) = known().get(&key) {
            return Ok(Arc::clone(found));
        }
        let schema = self.schema_of(place)?;
        let found = Arc::new(self.read_names(schema, measurement)?);
        known().insert(key, Arc::clone(&found));
        Ok(found)
    }

    fn read_names(&self, schema: Ident, measurement: &str) -> Result<Measurement, QueryError> {
        if measurement.contains('\0') {
            return Ok(Measurement { schema, names: Names::default() });
        }
        let measurement = measurement.to_owned();
        self.run(move |client| {
            let names = Names::read(client, &schema, &measurement)?;
            Ok(Measurement { schema, names })
        })
    }

    /// Ends a query that names too many series before they fill the memory.
    fn check_series(&self, count: usize) -> Result<(), QueryError> {
        let max = self.max_series;
        if count as u64 <= max {
            return Ok(());
        }
        let (limit, detail) = (format!("max_series = {max}"), "more series are selected".to_owned());
        Err(QueryError::TooMuch { limit, detail })
    }

    /// Series of a measurement that fulfil the conditions, by their tags.
    pub(super) fn series(
        &self,
        schema: &Ident,
        measurement: &str,
        filter: &[TagCondition],
    ) -> Result<Vec<Found>, QueryError> {
        let (conditions, mut values) = tag_conditions(filter);
        let mut parameters: Vec<Parameter> = vec![Box::new(measurement.to_owned())];
        parameters.append(&mut values);
        let sql = format!("SELECT id, key FROM {} WHERE measurement = $1::text{conditions}", Relation::series(schema));
        let decode = |row: &postgres::Row| Ok((row.try_get::<_, i32>(0)?, row.try_get::<_, String>(1)?));
        let mut found: Vec<Found> = Vec::new();
        let mut take = |(id, key): (i32, String)| {
            let series = Found { id, tags: tags_of(&key) };
            if fulfils(&series.tags, filter) {
                found.push(series);
            }
            self.check_series(found.len()).map(ControlFlow::Continue)
        };
        let outcome = stream(self.pool, &self.patience, Ask { sql, parameters }, decode, &mut take);
        outcome.map_err(|failure| self.failed(failure))?;
        found.sort_unstable_by(|a, b| a.tags.cmp(&b.tags));
        Ok(found)
    }
}

fn fulfils(tags: &[(String, String)], filter: &[TagCondition]) -> bool {
    filter.iter().all(|condition| condition.matches.accepts(value_of(tags, &condition.key).unwrap_or_default()))
}

fn tags_of(key: &str) -> Vec<(String, String)> {
    let Ok(key) = SeriesKey::parse(key.as_bytes()) else { return Vec::new() };
    key.tags().map(|(name, value)| (name.into_owned(), value.into_owned())).collect()
}

pub(super) fn value_of<'t>(tags: &'t [(String, String)], key: &str) -> Option<&'t str> {
    tags.iter().find(|(known, _)| known == key).map(|(_, value)| value.as_str())
}

/// What the index answers of the conditions, and its values from `$2` on. All of them are checked again afterwards: patterns are left
/// out, since PostgreSQL's are of another kind.
fn tag_conditions(filter: &[TagCondition]) -> (String, Vec<Parameter>) {
    let mut sql = String::new();
    let mut parameters: Vec<Parameter> = Vec::new();
    let storable =
        |values: &[String]| -> Vec<String> { values.iter().filter(|v| !v.contains('\0')).cloned().collect() };
    for condition in filter.iter().filter(|condition| !condition.key.contains('\0')) {
        let key = parameters.len() + 2;
        match &condition.matches {
            TagMatch::In(values) => {
                let values = storable(values);
                if let [only] = values.as_slice()
                    && !only.is_empty()
                {
                    // This is what the index on tags is for.
                    sql += &format!(" AND tags @> ${key}::text::jsonb");
                    let tag = serde_json::json!({ condition.key.as_str(): only });
                    parameters.push(Box::new(tag.to_string()));
                    continue;
                }
                sql += &format!(" AND COALESCE(tags ->> ${key}::text, '') = ANY(${}::text[])", key + 1);
                parameters.push(Box::new(condition.key.clone()));
                parameters.push(Box::new(values));
            }
            TagMatch::NotIn(values) => {
                sql += &format!(" AND COALESCE(tags ->> ${key}::text, '') <> ALL(${}::text[])", key + 1);
                parameters.push(Box::new(condition.key.clone()));
                parameters.push(Box::new(storable(values)));
            }
            TagMatch::Like(_) | TagMatch::NotLike(_) => {}
        }
    }
    (sql, parameters)
}
