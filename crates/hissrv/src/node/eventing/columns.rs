//! Which columns are watched: those of the database that sources write to, where values without a named policy go.

use std::collections::BTreeMap;
use std::sync::Arc;

use ::events::{Rules, Subject, Watch};
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

/// What a column is about.
pub(super) struct About {
    pub(super) subject: Subject,
    /// How it is watched, if it is.
    pub(super) watch: Option<Watch>,
}

impl Columns {
    pub(super) fn new(catalog: Arc<Catalog>, rules: Rules, database: &str) -> Self {
        Self { catalog, rules, database: database.into() }
    }

    /// How a column is watched. What is written to other policies, such as rows of rollups, is not.
    pub(super) fn watch(&self, column: ColumnId) -> Option<Watch> {
        self.about(column)?.watch
    }

    /// What a column is about, if rules could watch it.
    pub(super) fn about(&self, column: ColumnId) -> Option<About> {
        let names = self.catalog.read();
        let (about, bucket, measurement) = about(&names, &self.rules, column)?;
        drop(names);
        (self.bucket_of(&measurement) == Some(bucket)).then_some(about)
    }

    /// Whether a column still exists.
    pub(super) fn knows(&self, column: ColumnId) -> bool {
        self.catalog.read().column_info(column).is_some()
    }

    /// Where a measurement's values go.
    pub(super) fn bucket_of(&self, measurement: &str) -> Option<BucketId> {
        self.catalog.bucket_for(&self.database, None, measurement).ok()
    }

    /// Every column that rules could watch, by node.
    pub(super) fn by_node(&self) -> BTreeMap<Node, Vec<ColumnId>> {
        let mut found: BTreeMap<Node, Vec<ColumnId>> = BTreeMap::new();
        for bucket in self.catalog.buckets_for(&self.database, None).unwrap_or_default() {
            for column in self.columns_in(bucket) {
                if let Some(Subject { node_id, node_type, .. }) = self.about(column).map(|about| about.subject) {
                    found.entry((node_id, node_type)).or_default().push(column);
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

/// What a column is about, and where it is: its bucket and measurement.
fn about(names: &Names, rules: &Rules, column: ColumnId) -> Option<(About, BucketId, String)> {
    let info = names.column_info(column)?;
    if !matches!(info.kind, FieldType::Float | FieldType::Integer | FieldType::Unsigned) {
        return None;
    }
    let field = &names.fields(info.measurement).get(usize::from(info.field))?.name;
    let key = SeriesKey::parse(names.series_key(info.series)?).ok()?;
    let about = About { subject: Subject::of(&key, field)?, watch: rules.watch(&key, field) };
    Some((about, info.bucket, key.measurement().into_owned()))
}
