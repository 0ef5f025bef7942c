//! Which columns are watched: those of the database that sources write to, where values without a named policy go.

use std::collections::BTreeMap;
use std::sync::Arc;

use ::events::{Rules, Watch};
use catalog::{Catalog, Names};
use model::key::SeriesKey;
use model::{BucketId, ColumnId, FieldType};

/// Columns of one database by the rules.
#[derive(Clone)]
pub(super) struct Columns {
    pub(super) catalog: Arc<Catalog>,
    pub(super) rules: Rules,
    pub(super) database: Arc<str>,
}

/// A node: its id and type.
pub(super) type Node = (String, String);

impl Columns {
    pub(super) fn new(catalog: Arc<Catalog>, rules: Rules, database: &str) -> Self {
        Self { catalog, rules, database: database.into() }
    }

    /// How a column is watched. What is written to other policies, such as rows of rollups, is not.
    pub(super) fn watch(&self, column: ColumnId) -> Option<Watch> {
        let names = self.catalog.read();
        let (watch, bucket, measurement) = watch(&names, &self.rules, column)?;
        drop(names);
        (self.bucket_of(&measurement) == Some(bucket)).then_some(watch)
    }

    /// Whether a column still exists.
    pub(super) fn knows(&self, column: ColumnId) -> bool {
        self.catalog.read().column_info(column).is_some()
    }

    /// Where a measurement's values go.
    pub(super) fn bucket_of(&self, measurement: &str) -> Option<BucketId> {
        self.catalog.bucket_for(&self.database, None, measurement).ok()
    }

    /// Every watched column, by node.
    pub(super) fn by_node(&self) -> BTreeMap<Node, Vec<ColumnId>> {
        let mut found: BTreeMap<Node, Vec<ColumnId>> = BTreeMap::new();
        for bucket in self.catalog.buckets_for(&self.database, None).unwrap_or_default() {
            for column in self.columns_in(bucket) {
                if let Some(watch) = self.watch(column) {
                    let node = (watch.node_id().to_owned(), watch.node_type().to_owned());
                    found.entry(node).or_default().push(column);
                }
            }
        }
        found
    }

    fn columns_in(&self, bucket: BucketId) -> Vec<ColumnId> {
        let names = self.catalog.read();
        let series = names.measurements(bucket).flat_map(|(measurement, _)| names.series_of(measurement));
        series.flat_map(|series| names.columns_of(*series)).map(|(_, column)| *column).collect()
    }
}

/// How a column is watched by the rules, and where it is: its bucket and measurement.
fn watch(names: &Names, rules: &Rules, column: ColumnId) -> Option<(Watch, BucketId, String)> {
    let info = names.column_info(column)?;
    if !matches!(info.kind, FieldType::Float | FieldType::Integer | FieldType::Unsigned) {
        return None;
    }
    let field = &names.fields(info.measurement).get(usize::from(info.field))?.name;
    let key = SeriesKey::parse(names.series_key(info.series)?).ok()?;
    Some((rules.watch(&key, field)?, info.bucket, key.measurement().into_owned()))
}
