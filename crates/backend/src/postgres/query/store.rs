//! PostgreSQL as a [`Store`], for one query.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use model::key::SeriesKey;
use model::{ColumnId, FieldType};
use query::QueryError;
use query::plan::Select;
use query::store::{Place, Reader, Schema, SeriesQuery, Store, StoredSeries, TagCondition, TagMatch};

use super::blocks::Blocks;
use super::condition::Condition;
use super::pool::{Patience, Pool};
use super::reader::PostgresReader;
use super::sql::{SeriesPoint, SeriesSummary};
use super::stream::{Ask, Parameter, all};
use super::uses::Uses;
use crate::postgres::error::Failure;
use crate::postgres::known::{Field, Known, PlaceName};
use crate::postgres::names::{Ident, Relation};
use crate::postgres::places;
use crate::postgres::schema::Names;

/// What a query needs of the store.
pub(super) struct Session<'q> {
    pub(super) pool: &'q Pool,
    pub(super) known: &'q Known,
    pub(super) patience: Patience,
}

/// One query.
pub(super) struct PostgresQuery<'q> {
    pub(super) session: Session<'q>,
    /// The plan that is executed, and what it does with fields.
    pub(super) plan: &'q Select,
    pub(super) uses: Uses,
    /// What rows must fulfil.
    pub(super) condition: Condition,
    pub(super) threads: usize,
    /// Version of the server.
    pub(super) server: i32,
    origins: Mutex<Vec<Arc<Origin>>>,
    pub(super) summaries: Blocks<SeriesSummary>,
    pub(super) chosen: Blocks<SeriesPoint>,
    /// The first thing that went wrong while points were read.
    failure: Mutex<Option<QueryError>>,
}

/// Series of one measurement whose columns have been given out, in a row.
pub(super) struct Origin {
    /// Its index among all origins.
    pub(super) number: usize,
    pub(super) table: Relation,
    /// Fields wanted; `None` for one that the measurement does not have.
    pub(super) fields: Vec<(String, Option<Field>)>,
    /// Ids of the series.
    pub(super) series: Vec<i32>,
    /// Number of the first column.
    first: usize,
}

/// A column, as a query comes upon it.
pub(super) struct Column {
    pub(super) of: Arc<Origin>,
    /// Index of its series.
    pub(super) series: usize,
    /// Index of its field.
    pub(super) field: usize,
}

/// A series as it is found.
pub(super) struct Found {
    pub(super) id: i32,
    pub(super) tags: Vec<(String, String)>,
}

impl<'q> Session<'q> {
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

    /// The names of a measurement, and the schema they are in.
    pub(super) fn names_of(&self, place: &Place, measurement: &str) -> Result<(Ident, Names), QueryError> {
        let schema = self.schema_of(place)?;
        if measurement.contains('\0') {
            return Ok((schema, Names::default()));
        }
        let measurement = measurement.to_owned();
        self.run(move |client| {
            let names = Names::read(client, &schema, &measurement)?;
            Ok((schema, names))
        })
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
        let rows = all(self.pool, &self.patience, Ask { sql, parameters }, decode).map_err(|e| self.failed(e))?;
        let mut found: Vec<Found> = rows.into_iter().map(|(id, key)| Found { id, tags: tags_of(&key) }).collect();
        found.retain(|series| {
            filter.iter().all(|c| c.matches.accepts(value_of(&series.tags, &c.key).unwrap_or_default()))
        });
        found.sort_unstable_by(|a, b| a.tags.cmp(&b.tags));
        Ok(found)
    }
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

impl<'q> PostgresQuery<'q> {
    pub(super) fn new(
        session: Session<'q>,
        plan: &'q Select,
        uses: Uses,
        condition: Condition,
        threads: usize,
        server: i32,
    ) -> Self {
        Self {
            session,
            plan,
            uses,
            condition,
            threads,
            server,
            origins: Mutex::default(),
            summaries: Blocks::default(),
            chosen: Blocks::default(),
            failure: Mutex::default(),
        }
    }

    fn lock_origins(&self) -> MutexGuard<'_, Vec<Arc<Origin>>> {
        self.origins.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn lock_failure(&self) -> MutexGuard<'_, Option<QueryError>> {
        self.failure.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Remembers why points are missing. What comes later is a consequence or the same again.
    pub(super) fn fail(&self, failure: Failure) {
        let error = failure.into_query_error(self.session.pool.at());
        self.lock_failure().get_or_insert(error);
    }

    pub(super) fn has_failed(&self) -> bool {
        self.lock_failure().is_some()
    }

    pub(super) fn into_failure(self) -> Option<QueryError> {
        self.failure.into_inner().unwrap_or_else(PoisonError::into_inner)
    }

    /// The column of a number.
    pub(super) fn column(&self, id: ColumnId) -> Option<Column> {
        let origins = self.lock_origins();
        let behind = origins.partition_point(|origin| origin.first <= id.index());
        let of = Arc::clone(origins.get(behind.checked_sub(1)?)?);
        let inside = id.index() - of.first;
        let (series, field) = (inside.checked_div(of.fields.len())?, inside.checked_rem(of.fields.len())?);
        Some(Column { of, series, field })
    }

    /// Numbers the columns of series.
    fn add_origin(
        &self,
        table: Relation,
        fields: Vec<(String, Option<Field>)>,
        series: Vec<i32>,
    ) -> Result<Arc<Origin>, QueryError> {
        let mut origins = self.lock_origins();
        let first = origins.last().map_or(0, |last| last.first + last.series.len() * last.fields.len());
        let behind = first.saturating_add(series.len().saturating_mul(fields.len()));
        if u32::try_from(behind).is_err() {
            let limit = format!("{} columns", u32::MAX);
            return Err(QueryError::TooMuch { limit, detail: "more are selected".to_owned() });
        }
        let origin = Arc::new(Origin { number: origins.len(), table, fields, series, first });
        origins.push(Arc::clone(&origin));
        Ok(origin)
    }
}

impl Origin {
    /// Numbers of the columns of a series.
    fn columns(&self, series: usize) -> Vec<Option<ColumnId>> {
        let first = self.first + series * self.fields.len();
        let id = |(index, (_, field)): (usize, &(String, Option<Field>))| {
            field.as_ref().and_then(|_| u32::try_from(first + index).ok()).map(ColumnId)
        };
        self.fields.iter().enumerate().map(id).collect()
    }
}

impl Store for PostgresQuery<'_> {
    fn measurements(&self, place: &Place) -> Result<Vec<String>, QueryError> {
        let schema = self.session.schema_of(place)?;
        let tables = self.session.run(move |client| crate::postgres::partitions::tables(client, &schema))?;
        let mut names: Vec<String> = tables.into_iter().map(|(name, _)| name).collect();
        names.sort_unstable();
        Ok(names)
    }

    fn schema(&self, place: &Place, measurement: &str) -> Result<Schema, QueryError> {
        let (_, names) = self.session.names_of(place, measurement)?;
        let mut fields: Vec<(String, FieldType)> = names.fields.into_iter().map(|f| (f.name, f.field.kind)).collect();
        let mut tags: Vec<String> = names.tags.into_iter().map(|tag| tag.name).collect();
        fields.sort_unstable();
        tags.sort_unstable();
        Ok(Schema { fields, tags })
    }

    fn series(&self, place: &Place, query: &SeriesQuery) -> Result<Vec<StoredSeries>, QueryError> {
        let (schema, names) = self.session.names_of(place, &query.measurement)?;
        let Some(table) = names.table else { return Ok(Vec::new()) };
        let of_known: HashMap<String, Field> = names.fields.into_iter().map(|f| (f.name, f.field)).collect();
        let fields: Vec<_> = query.fields.iter().map(|name| (name.clone(), of_known.get(name).cloned())).collect();
        if !query.without_fields && fields.iter().all(|(_, field)| field.is_none()) {
            return Ok(Vec::new());
        }
        let found = self.session.series(&schema, &query.measurement, &query.filter)?;
        let ids = found.iter().map(|series| series.id).collect();
        let origin = self.add_origin(Relation::new(&schema, table), fields, ids)?;
        let stored = |(index, series): (usize, &Found)| StoredSeries {
            tags: query.tags.iter().map(|key| value_of(&series.tags, key).map(str::to_owned)).collect(),
            columns: origin.columns(index),
        };
        Ok(found.iter().enumerate().map(stored).collect())
    }

    fn reader(&self) -> Box<dyn Reader + '_> {
        Box::new(PostgresReader::new(self))
    }
}
