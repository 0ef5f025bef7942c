//! The series of a measurement that have values in a range: as large as their keys, whatever the number of values.

use std::collections::BTreeSet;

use catalog::{Catalog, Names, TagCondition};
use engine::{Engine, ScanCache};
use formats::Table;
use model::key::SeriesKey;
use model::{ColumnId, FieldType, MeasurementId, SeriesId, TimeRange};
use query::Cancel;
use server::ApiError;

/// Series looked up at a time, so that writers do not wait for long.
const SERIES_AT_ONCE: usize = 1024;

/// What is read of a measurement.
pub(super) struct Plan {
    measurement: String,
    pub(super) range: TimeRange,
    tags: BTreeSet<String>,
    fields: BTreeSet<(String, FieldType)>,
    /// By the bytes of their keys.
    pub(super) series: Vec<Planned>,
}

/// A series with values in the range.
pub(super) struct Planned {
    pub(super) key: Box<[u8]>,
    id: SeriesId,
}

/// A column of a series.
pub(super) struct Column {
    pub(super) name: String,
    pub(super) kind: FieldType,
    pub(super) id: ColumnId,
}

impl Plan {
    /// Looks for what has values in `range`; nothing is decoded where the indexes tell.
    pub(super) fn new(
        catalog: &Catalog,
        engine: &Engine,
        measurement: (MeasurementId, &str),
        range: TimeRange,
        tags: &[TagCondition<'_>],
        cancel: &Cancel,
    ) -> Result<Self, ApiError> {
        let (id, name) = measurement;
        let (tag_names, fields) = (BTreeSet::new(), BTreeSet::new());
        let mut plan = Self { measurement: name.to_owned(), range, tags: tag_names, fields, series: Vec::new() };
        let mut cache = ScanCache::default();
        let all = catalog.read().select(id, tags);
        for some in all.chunks(SERIES_AT_ONCE) {
            cancel.check()?;
            let known: Vec<_> = {
                let names = catalog.read();
                some.iter()
                    .filter_map(|id| Some((names.series_key(*id)?.into(), *id, columns_of(&names, *id))))
                    .collect()
            };
            for (key, id, columns) in known {
                plan.take(Planned { key, id }, &columns, &mut |column| engine.has_values(column, range, &mut cache));
            }
        }
        plan.series.sort_unstable_by(|a, b| a.key.cmp(&b.key));
        Ok(plan)
    }

    /// Takes a series that has values. Columns of known fields need not be looked at once there is one.
    fn take(&mut self, series: Planned, columns: &[Column], has_values: &mut dyn FnMut(ColumnId) -> bool) {
        let mut is_meant = false;
        for column in columns {
            let field = (column.name.clone(), column.kind);
            if (is_meant && self.fields.contains(&field)) || !has_values(column.id) {
                continue;
            }
            is_meant = true;
            self.fields.insert(field);
        }
        let Some(key) = SeriesKey::parse(&series.key).ok().filter(|_| is_meant) else { return };
        for (tag, _) in key.tags() {
            if !self.tags.contains(tag.as_ref()) {
                self.tags.insert(tag.into_owned());
            }
        }
        self.series.push(series);
    }

    /// The measurement as a table.
    pub(super) fn table(&self) -> Table {
        let (tags, fields) = (self.tags.iter().cloned().collect(), self.fields.iter().cloned().collect());
        Table::new(self.measurement.clone(), tags, fields)
    }

    /// The columns of a series that are read, by their names. One that came after the plan was made is not.
    pub(super) fn columns(&self, catalog: &Catalog, series: &Planned) -> Vec<Column> {
        let mut columns = columns_of(&catalog.read(), series.id);
        columns.retain(|column| self.fields.contains(&(column.name.clone(), column.kind)));
        columns.sort_unstable_by(|a, b| a.name.cmp(&b.name));
        columns
    }
}

/// Fields whose definitions were lost have no name.
fn columns_of(names: &Names, series: SeriesId) -> Vec<Column> {
    let columns = names.columns_of(series).iter().filter_map(|(_, id)| {
        let info = names.column_info(*id)?;
        let name = &names.fields(info.measurement).get(usize::from(info.field))?.name;
        (!name.is_empty()).then(|| Column { name: name.clone(), kind: info.kind, id: *id })
    });
    columns.collect()
}
