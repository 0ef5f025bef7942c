//! A remote store as a [`Store`], for one query.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use model::FieldType;
use query::QueryError;
use query::store::{Place, Reader, Schema, SeriesQuery, Store, StoredSeries};

use super::ahead::Ahead;
use super::columns::{Columns, Origin};
use super::reader::RemoteReader;
use super::{RawPoints, Tags};

/// One query over a remote store.
pub(super) struct RemoteQuery<'a> {
    pub(super) points: &'a dyn RawPoints,
    pub(super) columns: Columns,
    pub(super) ahead: Ahead,
    schemas: Mutex<HashMap<(Place, String), Schema>>,
    /// The first thing that went wrong while points were read.
    failure: Mutex<Option<QueryError>>,
}

impl<'a> RemoteQuery<'a> {
    pub(super) fn new(points: &'a dyn RawPoints) -> Self {
        let (columns, ahead) = (Columns::default(), Ahead::default());
        Self { points, columns, ahead, schemas: Mutex::default(), failure: Mutex::default() }
    }

    fn failure(&self) -> MutexGuard<'_, Option<QueryError>> {
        self.failure.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Remembers why points are missing. What comes later is a consequence or the same again.
    pub(super) fn fail(&self, error: QueryError) {
        self.failure().get_or_insert(error);
    }

    pub(super) fn has_failed(&self) -> bool {
        self.failure().is_some()
    }

    pub(super) fn into_failure(self) -> Option<QueryError> {
        self.failure.into_inner().unwrap_or_else(PoisonError::into_inner)
    }

    fn origin(&self, place: &Place, query: &SeriesQuery) -> Result<Arc<Origin>, QueryError> {
        let schema = self.schema(place, &query.measurement)?;
        let kind = |name: &String| -> Option<FieldType> {
            schema.fields.iter().find(|(known, _)| known == name).map(|(_, kind)| *kind)
        };
        let fields = query.fields.iter().map(|name| (name.clone(), kind(name))).collect();
        Ok(Arc::new(Origin { place: place.clone(), measurement: query.measurement.clone(), fields }))
    }
}

impl Store for RemoteQuery<'_> {
    fn measurements(&self, place: &Place) -> Result<Vec<String>, QueryError> {
        let mut names = self.points.measurements(place)?;
        names.sort_unstable();
        Ok(names)
    }

    fn schema(&self, place: &Place, measurement: &str) -> Result<Schema, QueryError> {
        let key = (place.clone(), measurement.to_owned());
        let schemas = || self.schemas.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(schema) = schemas().get(&key) {
            return Ok(schema.clone());
        }
        let schema = self.points.schema(place, measurement)?;
        schemas().insert(key, schema.clone());
        Ok(schema)
    }

    fn series(&self, place: &Place, query: &SeriesQuery) -> Result<Vec<StoredSeries>, QueryError> {
        let origin = self.origin(place, query)?;
        let has_field = origin.fields.iter().any(|(_, kind)| kind.is_some());
        if !has_field && !query.without_fields {
            return Ok(Vec::new());
        }
        let mut found = self.points.series(place, &query.measurement, &query.filter)?;
        found.retain(|tags| fulfils(tags, query));
        found.sort_unstable();
        found.dedup();
        let stored = |tags: Tags| {
            let wanted = query.tags.iter().map(|key| value_of(&tags, key).map(str::to_owned)).collect();
            Ok(StoredSeries { tags: wanted, columns: self.columns.of_series(&origin, tags)? })
        };
        found.into_iter().map(stored).collect()
    }

    fn reader(&self) -> Box<dyn Reader + '_> {
        Box::new(RemoteReader { query: self })
    }
}

fn fulfils(tags: &Tags, query: &SeriesQuery) -> bool {
    query.filter.iter().all(|condition| condition.matches.accepts(value_of(tags, &condition.key).unwrap_or_default()))
}

fn value_of<'t>(tags: &'t Tags, key: &str) -> Option<&'t str> {
    tags.iter().find(|(known, _)| known == key).map(|(_, value)| value.as_str())
}
