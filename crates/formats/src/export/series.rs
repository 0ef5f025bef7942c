//! The fields of a series as columns of a table, and values checked against them.

use model::{FieldType, FieldValue};

use super::{Column, Written, finite};
use crate::error::Error;

/// Which column of the caller has the values of a table's fields.
#[derive(Debug, Default)]
pub(super) struct Series {
    /// For each field of the table the position among the series' fields.
    places: Vec<Option<usize>>,
    kinds: Vec<FieldType>,
    /// Whether it had a row.
    has_rows: bool,
}

impl Series {
    /// A series of a table with these fields.
    pub(super) fn new(all: &[(String, FieldType)], fields: &[(&str, FieldType)]) -> Result<Self, Error> {
        let is_known = |(name, kind): &(&str, FieldType)| all.iter().any(|(n, k)| n == name && k == kind);
        if let Some((name, kind)) = fields.iter().find(|field| !is_known(field)) {
            return Err(Error::Rows(format!("the table has no field `{name}` of type {kind}")));
        }
        let place = |(name, kind): &(String, FieldType)| fields.iter().position(|(n, k)| n == name && k == kind);
        let places = all.iter().map(place).collect();
        Ok(Self { places, kinds: fields.iter().map(|(_, kind)| *kind).collect(), has_rows: false })
    }

    /// Number of the series' own fields.
    pub(super) fn len(&self) -> usize {
        self.kinds.len()
    }

    /// The values of a row, for each field of the table; how many there are.
    pub(super) fn row<'v>(
        &self,
        row: usize,
        columns: &[&'v dyn Column],
        out: &mut Vec<Option<FieldValue<'v>>>,
    ) -> Result<u64, Error> {
        out.clear();
        for place in &self.places {
            let value = place.and_then(|at| columns.get(at)).and_then(|column| column.get(row)).and_then(finite);
            let kind = place.and_then(|at| self.kinds.get(at)).copied();
            if let Some(value) = value.filter(|value| Some(value.field_type()) != kind) {
                return Err(wrong_type(value, kind));
            }
            out.push(value);
        }
        Ok(out.iter().flatten().count() as u64)
    }

    /// Counts a row with so many values.
    pub(super) fn count(&mut self, values: u64, written: &mut Written) {
        written.series += u64::from(!self.has_rows);
        written.rows += 1;
        written.values += values;
        self.has_rows = true;
    }
}

#[cold]
fn wrong_type(value: FieldValue<'_>, kind: Option<FieldType>) -> Error {
    let expected = kind.map_or_else(String::new, |kind| kind.to_string());
    Error::Rows(format!("a value of type {} stands in a column of type {expected}", value.field_type()))
}
