//! Where what is made of a column goes: the columns of its parts in the hidden bucket, and the fields that everybody sees.

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};

use catalog::{Catalog, CatalogError, Names, Wanted};
use model::{BucketId, ColumnId, FieldType};

use crate::Function;
use crate::part::{PARTS, Part};
use crate::row::Row;
use crate::task::TaskField;

/// The field of a data point, whose rollups have the plain names.
const VALUE: &str = "value";

/// Source columns whose names are made in one durable step: each has some 20.
const DEFINED_AT_ONCE: usize = 1000;

/// Columns of the parts of one source column.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct PartColumns([ColumnId; PARTS]);

impl PartColumns {
    pub(crate) fn of(&self, part: Part) -> ColumnId {
        self.0.get(part as usize).copied().unwrap_or_default()
    }

    pub(crate) fn all(&self) -> &[ColumnId] {
        &self.0
    }

    /// The columns of a series for a field; `None` until all are defined.
    fn find(names: &Names, bucket: BucketId, field: &SourceField<'_>) -> Option<Self> {
        let series = names.series(bucket, field.key)?;
        let mut found = [ColumnId::default(); PARTS];
        for (slot, part) in found.iter_mut().zip(Part::ALL) {
            *slot = names.column(series, 0, &part.field_name(field.name, field.kind))?.0;
        }
        Some(Self(found))
    }
}

/// A source column by its names: of points, or the count of another rollup's rows.
#[derive(Debug, Clone, Copy)]
pub(crate) struct SourceField<'a> {
    pub(crate) key: &'a [u8],
    /// The field of the points.
    pub(crate) name: &'a str,
    /// Its type: a number.
    pub(crate) kind: FieldType,
}

impl<'a> SourceField<'a> {
    /// `None` for columns that nothing is made of: of other types, of other parts, dropped ones.
    pub(crate) fn of(names: &'a Names, column: ColumnId, is_of_rows: bool) -> Option<Self> {
        let info = names.column_info(column)?;
        let key = names.series_key(info.series)?;
        let field = names.fields(info.measurement).get(usize::from(info.field))?;
        if is_of_rows {
            let (name, kind) = Part::field_of_count(&field.name)?;
            return Some(Self { key, name, kind });
        }
        let is_number = matches!(info.kind, FieldType::Float | FieldType::Integer | FieldType::Unsigned);
        is_number.then_some(Self { key, name: &field.name, kind: info.kind })
    }
}

/// Where rows of one source column go.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Outlet {
    pub(crate) parts: PartColumns,
    /// Fields that everybody sees. One whose name stands for another type is left out.
    pub(crate) fields: Vec<(Function, ColumnId)>,
    /// Type of the points.
    pub(crate) kind: FieldType,
}

impl Outlet {
    /// Columns of the parts and of the fields.
    pub(crate) fn all_columns(&self) -> impl Iterator<Item = ColumnId> {
        self.parts.all().iter().copied().chain(self.fields.iter().map(|(_, column)| *column))
    }

    /// True when a row has a value for every column there is.
    pub(crate) fn is_complete(&self, row: &Row) -> bool {
        matches!(row, Row::Full(_)) && self.fields.iter().all(|(function, _)| function.of_row(row, self.kind).is_some())
    }
}

/// Buckets of one tier.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Buckets {
    /// Points, or the rows of the tier it is made of.
    pub(crate) source: BucketId,
    /// Rows.
    pub(crate) hidden: BucketId,
    /// Fields that everybody sees.
    pub(crate) target: BucketId,
}

/// Outlets known, by source column. A cache: names may be dropped at any time.
#[derive(Debug, Default)]
pub(crate) struct Outlets {
    known: RwLock<HashMap<ColumnId, Arc<Outlet>>>,
}

impl Outlets {
    /// Forgets all of them.
    pub(crate) fn clear(&self) {
        self.known.write().unwrap_or_else(PoisonError::into_inner).clear();
    }

    /// The outlet of a source column, with its columns defined; `None` for a column that nothing is made of.
    ///
    /// # Errors
    /// When new names could not be made durable.
    pub(crate) fn ensure(
        &self,
        catalog: &Catalog,
        buckets: Buckets,
        is_of_rows: bool,
        fields: &[TaskField],
        columns: &[ColumnId],
    ) -> Result<Vec<Option<Arc<Outlet>>>, CatalogError> {
        let missing: Vec<ColumnId> = {
            let names = catalog.read();
            columns.iter().copied().filter(|column| self.valid(&names, *column).is_none()).collect()
        };
        for missing in missing.chunks(DEFINED_AT_ONCE) {
            define(catalog, buckets, is_of_rows, fields, missing)?;
            let names = catalog.read();
            let found = missing
                .iter()
                .filter_map(|&column| Some((column, outlet(&names, buckets, is_of_rows, fields, column)?)));
            let found: Vec<_> = found.map(|(column, outlet)| (column, Arc::new(outlet))).collect();
            self.known.write().unwrap_or_else(PoisonError::into_inner).extend(found);
        }
        let names = catalog.read();
        Ok(columns.iter().map(|column| self.valid(&names, *column)).collect())
    }

    /// What is known of a column, if its names still stand.
    fn valid(&self, names: &Names, column: ColumnId) -> Option<Arc<Outlet>> {
        let known = self.known.read().unwrap_or_else(PoisonError::into_inner);
        let outlet = known.get(&column)?;
        let stands = |column: &ColumnId| names.column_info(*column).is_some();
        let all_stand = outlet.parts.all().iter().all(stands) && outlet.fields.iter().all(|(_, column)| stands(column));
        (all_stand && stands(&column)).then(|| Arc::clone(outlet))
    }
}

/// The columns of the rows of a column of points, if there are any yet.
pub(crate) fn find_rows(names: &Names, hidden: BucketId, column: ColumnId) -> Option<PartColumns> {
    PartColumns::find(names, hidden, &SourceField::of(names, column, false)?)
}

/// The columns of the rows that a column of counts is of.
pub(crate) fn rows_of_counts(names: &Names, hidden: BucketId, counts: ColumnId) -> Option<PartColumns> {
    PartColumns::find(names, hidden, &SourceField::of(names, counts, true)?)
}

fn outlet(names: &Names, buckets: Buckets, is_of_rows: bool, fields: &[TaskField], column: ColumnId) -> Option<Outlet> {
    let source = SourceField::of(names, column, is_of_rows)?;
    let parts = PartColumns::find(names, buckets.hidden, &source)?;
    let series = names.series(buckets.target, source.key)?;
    let visible = fields.iter().filter_map(|field| {
        let (id, kind) = names.column(series, 0, &visible_name(source.name, &field.alias))?;
        (kind == field.function.kind(source.kind)).then_some((field.function, id))
    });
    Some(Outlet { parts, fields: visible.collect(), kind: source.kind })
}

/// Name of a visible field.
fn visible_name(field: &str, alias: &str) -> String {
    if field == VALUE { alias.to_owned() } else { format!("{field}_{alias}") }
}

/// Sees to it that the columns for these source columns exist.
fn define(
    catalog: &Catalog,
    buckets: Buckets,
    is_of_rows: bool,
    fields: &[TaskField],
    columns: &[ColumnId],
) -> Result<(), CatalogError> {
    let mut hidden: Vec<(Vec<u8>, String, FieldType)> = Vec::new();
    let mut visible: Vec<(Vec<u8>, String, FieldType)> = Vec::new();
    {
        let names = catalog.read();
        for source in columns.iter().filter_map(|&column| SourceField::of(&names, column, is_of_rows)) {
            let parts =
                Part::ALL.map(|part| (source.key.to_vec(), part.field_name(source.name, source.kind), part.kind()));
            hidden.extend(parts);
            let shown = |field: &TaskField| {
                (source.key.to_vec(), visible_name(source.name, &field.alias), field.function.kind(source.kind))
            };
            visible.extend(fields.iter().map(shown));
        }
    }
    for (bucket, wanted) in [(buckets.hidden, hidden), (buckets.target, visible)] {
        let wanted: Vec<Wanted<'_>> =
            wanted.iter().map(|(key, field, kind)| Wanted { key, field, kind: *kind }).collect();
        catalog.define(bucket, &wanted)?;
    }
    Ok(())
}
