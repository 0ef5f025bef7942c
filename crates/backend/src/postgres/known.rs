//! What is known of the schemas, so that a write seldom asks: ids of series, columns and partitions of tables. Bounded, and shared by all
//! sessions of a store. It can be wrong where somebody changes things by hand: PostgreSQL then refuses the write, what is known of
//! that place is forgotten, and the write is made again.

use std::collections::{HashMap, HashSet};
use std::ops::Range;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use model::FieldType;

use super::names::{Ident, Relation};

/// Series whose ids are kept, of one place: twice as many at most.
const SERIES_MAX: usize = 250_000;
/// Tables kept, of one place.
const TABLES_MAX: usize = 10_000;

/// Database and retention policy.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct PlaceName {
    pub(super) database: String,
    pub(super) policy: String,
}

/// Everything known of one PostgreSQL database.
#[derive(Default)]
pub(super) struct Known {
    inner: Mutex<Inner>,
}

#[derive(Default)]
struct Inner {
    /// Start of the server that this was learnt from.
    incarnation: String,
    places: HashMap<PlaceName, Arc<KnownPlace>>,
    /// Default policies by database.
    defaults: HashMap<String, String>,
}

/// What is known of one schema.
pub(super) struct KnownPlace {
    pub(super) schema: Ident,
    series: Mutex<SeriesIds>,
    tables: Mutex<HashMap<String, Arc<Table>>>,
}

/// Ids in two generations: when the younger one is full, the older one is forgotten.
#[derive(Default)]
struct SeriesIds {
    recent: HashMap<String, i32>,
    older: HashMap<String, i32>,
}

/// A measurement's table.
#[derive(Debug, Clone)]
pub(super) struct Table {
    pub(super) relation: Relation,
    /// By field key.
    pub(super) fields: HashMap<String, Field>,
    /// Keys of all tags.
    pub(super) tags: HashSet<String>,
    /// Times that have a partition, in microseconds, ascending; TimescaleDB makes its own.
    pub(super) partitions: Vec<Range<i64>>,
    /// TimescaleDB makes the partitions.
    pub(super) is_hypertable: bool,
}

/// A field's column.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Field {
    pub(super) column: Ident,
    pub(super) kind: FieldType,
}

impl Known {
    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Forgets everything that was learnt before the server started: it may have been restored from a backup.
    pub(super) fn expect_incarnation(&self, incarnation: &str) {
        let mut inner = self.lock();
        if inner.incarnation != incarnation {
            inner.places.clear();
            incarnation.clone_into(&mut inner.incarnation);
        }
    }

    pub(super) fn place(&self, name: &PlaceName) -> Option<Arc<KnownPlace>> {
        self.lock().places.get(name).cloned()
    }

    /// Remembers the schema of a place; returns what another session has remembered before.
    pub(super) fn add_place(&self, name: &PlaceName, schema: Ident) -> Arc<KnownPlace> {
        let mut inner = self.lock();
        let entry = inner.places.entry(name.clone());
        Arc::clone(
            entry
                .or_insert_with(|| Arc::new(KnownPlace { schema, series: Mutex::default(), tables: Mutex::default() })),
        )
    }

    pub(super) fn forget(&self, name: &PlaceName) {
        self.lock().places.remove(name);
    }

    pub(super) fn set_default(&self, database: &str, policy: &str) {
        let mut inner = self.lock();
        if inner.defaults.get(database).is_none_or(|known| known != policy) {
            inner.defaults.insert(database.to_owned(), policy.to_owned());
        }
    }

    pub(super) fn default_of(&self, database: &str) -> Option<String> {
        self.lock().defaults.get(database).cloned()
    }
}

impl KnownPlace {
    pub(super) fn table(&self, measurement: &str) -> Option<Arc<Table>> {
        self.lock_tables().get(measurement).cloned()
    }

    pub(super) fn set_table(&self, measurement: &str, table: Table) -> Arc<Table> {
        let table = Arc::new(table);
        let mut tables = self.lock_tables();
        if tables.len() >= TABLES_MAX {
            tables.clear();
        }
        tables.insert(measurement.to_owned(), Arc::clone(&table));
        table
    }

    pub(super) fn forget_table(&self, measurement: &str) {
        self.lock_tables().remove(measurement);
    }

    /// Ids of series keys; `None` for those that are not known.
    pub(super) fn ids_of<'k>(&self, keys: impl Iterator<Item = &'k str>) -> Vec<Option<i32>> {
        let mut series = self.lock_series();
        keys.map(|key| series.get(key)).collect()
    }

    pub(super) fn add_ids(&self, ids: impl IntoIterator<Item = (String, i32)>) {
        let mut series = self.lock_series();
        ids.into_iter().for_each(|(key, id)| series.insert(key, id));
    }

    fn lock_tables(&self) -> MutexGuard<'_, HashMap<String, Arc<Table>>> {
        self.tables.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn lock_series(&self) -> MutexGuard<'_, SeriesIds> {
        self.series.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl SeriesIds {
    fn get(&mut self, key: &str) -> Option<i32> {
        if let Some(&id) = self.recent.get(key) {
            return Some(id);
        }
        let (key, id) = self.older.remove_entry(key)?;
        self.insert(key, id);
        Some(id)
    }

    fn insert(&mut self, key: String, id: i32) {
        if self.recent.len() >= SERIES_MAX {
            self.older = std::mem::take(&mut self.recent);
        }
        self.recent.insert(key, id);
    }
}

impl Table {
    /// Whether a time, in microseconds, can be stored.
    pub(super) fn has_partition(&self, time: i64) -> bool {
        self.is_hypertable || range_of(&self.partitions, time).is_some()
    }
}

/// The one of ascending ranges that holds `time`.
pub(super) fn range_of(ranges: &[Range<i64>], time: i64) -> Option<&Range<i64>> {
    let behind = ranges.partition_point(|range| range.start <= time);
    ranges.get(..behind)?.last().filter(|range| time < range.end)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn series_used_lately_stay_when_the_cache_is_full() {
        let mut ids = SeriesIds::default();
        for number in 0..SERIES_MAX + 10 {
            ids.insert(number.to_string(), number as i32);
            assert_eq!(ids.get("0"), Some(0));
        }
        assert_eq!(ids.get("1"), Some(1));
        for number in 0..SERIES_MAX {
            ids.insert(format!("x{number}"), 0);
            assert_eq!(ids.get("0"), Some(0));
        }
        assert_eq!(ids.get("2"), None);
        assert!(ids.recent.len() + ids.older.len() <= 2 * SERIES_MAX);
    }

    #[test]
    fn a_new_start_of_the_server_makes_everything_forgotten() {
        let known = Known::default();
        let name = PlaceName { database: "d".to_owned(), policy: "p".to_owned() };
        known.expect_incarnation("1");
        known.add_place(&name, Ident::known("d".to_owned()));
        known.expect_incarnation("1");
        assert!(known.place(&name).is_some());
        known.expect_incarnation("2");
        assert!(known.place(&name).is_none());
    }

    #[test]
    fn times_are_found_in_half_open_ranges() {
        let ranges = [0..10, 10..20, 30..40];
        let found = |time| range_of(&ranges, time).cloned();
        assert_eq!(found(-1), None);
        assert_eq!(found(0), Some(0..10));
        assert_eq!(found(10), Some(10..20));
        assert_eq!(found(20), None);
        assert_eq!(found(39), Some(30..40));
        assert_eq!(found(40), None);
    }
}
