//! The columns that a query has come upon, under the numbers by which it asks for them.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use model::{ColumnId, FieldType};
use query::QueryError;
use query::store::Place;

use super::{Column, Tags};

/// Numbers given out, in their order.
#[derive(Default)]
pub(super) struct Columns {
    known: Mutex<Vec<Known>>,
}

/// A column with the names that it shares with its neighbours.
#[derive(Clone)]
pub(super) struct Known {
    pub(super) of: Arc<Origin>,
    pub(super) tags: Arc<Tags>,
    /// Index among the fields of `of`.
    pub(super) field: usize,
}

/// Where columns come from.
pub(super) struct Origin {
    pub(super) place: Place,
    pub(super) measurement: String,
    /// Fields with their types; `None` for one that the measurement does not have.
    pub(super) fields: Vec<(String, Option<FieldType>)>,
}

impl Columns {
    fn lock(&self) -> MutexGuard<'_, Vec<Known>> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Numbers for all fields of a series; `None` for a field that the measurement does not have.
    pub(super) fn of_series(&self, of: &Arc<Origin>, tags: Tags) -> Result<Vec<Option<ColumnId>>, QueryError> {
        let mut known = self.lock();
        let tags = Arc::new(tags);
        let mut numbers = Vec::with_capacity(of.fields.len());
        for (field, (_, kind)) in of.fields.iter().enumerate() {
            if kind.is_none() {
                numbers.push(None);
                continue;
            }
            numbers.push(Some(ColumnId(u32::try_from(known.len()).map_err(|_| too_many())?)));
            known.push(Known { of: Arc::clone(of), tags: Arc::clone(&tags), field });
        }
        Ok(numbers)
    }

    /// The column of a number, and those that come next: the same field of other series.
    pub(super) fn neighbours(&self, id: ColumnId, count: usize) -> Vec<(ColumnId, Known)> {
        let known = self.lock();
        let Some(first) = known.get(id.index()) else { return Vec::new() };
        let later = (id.0..).map(ColumnId).zip(known.get(id.index()..).unwrap_or_default());
        let same =
            later.take_while(|(_, other)| Arc::ptr_eq(&other.of, &first.of)).filter(|(_, o)| o.field == first.field);
        same.take(count).map(|(id, known)| (id, known.clone())).collect()
    }

    /// The column of a number.
    pub(super) fn get(&self, id: ColumnId) -> Option<Known> {
        self.lock().get(id.index()).cloned()
    }
}

fn too_many() -> QueryError {
    QueryError::TooMuch { limit: format!("{} columns", u32::MAX), detail: "more are selected".to_owned() }
}

impl Known {
    pub(super) fn column(&self) -> Option<Column<'_>> {
        let (field, kind) = self.of.fields.get(self.field)?;
        let (place, measurement) = (&self.of.place, self.of.measurement.as_str());
        Some(Column { place, measurement, tags: &self.tags, field, kind: (*kind)? })
    }
}
