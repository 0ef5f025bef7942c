//! PostgreSQL as a [`Store`], for one query.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use model::{ColumnId, FieldType, TimeRange};
use query::QueryError;
use query::plan::Select;
use query::store::{Place, Reader, Schema, SeriesQuery, Store, StoredSeries};

use super::bins::Bins;
use super::blocks::Blocks;
use super::condition::Condition;
use super::reader::PostgresReader;
use super::session::{Found, Measurement, Session, value_of};
use super::sql::{SeriesPoint, SeriesSummary};
use super::uses::Uses;
use crate::postgres::error::Failure;
use crate::postgres::known::Field;
use crate::postgres::names::Relation;

/// Ranges whose windows are kept.
const RANGES_MAX: usize = 16;

/// One query.
pub(super) struct PostgresQuery<'q> {
    pub(super) session: Session<'q>,
    /// The plan that is executed, and what it does with fields.
    plan: &'q Select,
    pub(super) uses: Uses,
    /// What rows must fulfil.
    pub(super) condition: Condition,
    /// Version of the server.
    server: i32,
    origins: Mutex<Vec<Arc<Origin>>>,
    /// Windows by range, since every series of a query is read over the same one or two.
    bins: Mutex<HashMap<TimeRange, Option<Arc<Bins>>>>,
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

impl<'q> PostgresQuery<'q> {
    pub(super) fn new(session: Session<'q>, plan: &'q Select, uses: Uses, condition: Condition, server: i32) -> Self {
        Self {
            session,
            plan,
            uses,
            condition,
            server,
            origins: Mutex::default(),
            bins: Mutex::default(),
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

    /// The windows of a range, where SQL has them.
    pub(super) fn bins(&self, range: TimeRange) -> Option<Arc<Bins>> {
        let mut known = self.bins.lock().unwrap_or_else(PoisonError::into_inner);
        if known.len() >= RANGES_MAX {
            known.clear();
        }
        let make = || Bins::of(self.plan, range, self.server).map(Arc::new);
        known.entry(range).or_insert_with(make).clone()
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
        let found = self.session.names_of(place, measurement)?;
        let mut fields: Vec<(String, FieldType)> =
            found.names.fields.iter().map(|f| (f.name.clone(), f.field.kind)).collect();
        let mut tags: Vec<String> = found.names.tags.iter().map(|tag| tag.name.clone()).collect();
        fields.sort_unstable();
        tags.sort_unstable();
        Ok(Schema { fields, tags })
    }

    fn series(&self, place: &Place, query: &SeriesQuery) -> Result<Vec<StoredSeries>, QueryError> {
        let measurement = self.session.names_of(place, &query.measurement)?;
        let Measurement { schema, names } = &*measurement;
        let Some(table) = names.table.clone() else { return Ok(Vec::new()) };
        let column = |name: &String| names.fields.iter().find(|f| f.name == *name).map(|f| f.field.clone());
        let fields: Vec<_> = query.fields.iter().map(|name| (name.clone(), column(name))).collect();
        if !query.without_fields && fields.iter().all(|(_, field)| field.is_none()) {
            return Ok(Vec::new());
        }
        let found = self.session.series(schema, &query.measurement, &query.filter)?;
        let ids = found.iter().map(|series| series.id).collect();
        let origin = self.add_origin(Relation::new(schema, table), fields, ids)?;
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
