//! Which column is what, decided once for a file.

use crate::error::Error;
use crate::print::escaped_field_key;
use crate::time::TimeParser;

use super::cell::Nulls;
use super::number::Numbers;
use super::options::{Kind, Mapping};
use super::planner::Planner;
use super::sample::Sample;

/// All that is needed to make lines of rows.
#[derive(Debug, Clone)]
pub(crate) struct Plan {
    pub(crate) measurement: Name,
    pub(crate) time: TimePlan,
    /// In ascending order of their keys.
    pub(crate) tags: Vec<TagPlan>,
    pub(crate) layout: LayoutPlan,
    pub(crate) nulls: Nulls,
    pub(crate) numbers: Numbers,
}

#[derive(Debug, Clone)]
pub(crate) enum Name {
    Fixed(String),
    Column(usize),
}

#[derive(Debug, Clone)]
pub(crate) struct TimePlan {
    pub(crate) column: usize,
    /// Column of the time of day, where that is another one.
    pub(crate) clock: Option<usize>,
    pub(crate) parser: TimeParser,
}

#[derive(Debug, Clone)]
pub(crate) struct TagPlan {
    pub(crate) column: usize,
    pub(crate) key: String,
}

#[derive(Debug, Clone)]
pub(crate) enum LayoutPlan {
    /// Columns are fields.
    Fields(Vec<FieldPlan>),
    /// Columns are series.
    Series {
        /// Key of the tag with the column's name.
        tag: String,
        /// `value=`.
        field: Vec<u8>,
        columns: Vec<FieldPlan>,
    },
    /// One column names the field.
    Long { field: usize, value: FieldPlan },
}

#[derive(Debug, Clone)]
pub(crate) struct FieldPlan {
    pub(crate) column: usize,
    /// Field key, or value of the tag.
    pub(crate) name: String,
    /// The key as it stands in a line, with its `=`.
    pub(crate) key: Vec<u8>,
    pub(crate) kind: Kind,
}

impl FieldPlan {
    pub(crate) fn new(column: usize, name: String, kind: Kind) -> Self {
        let key = escaped_field_key(&name);
        Self { column, name, key, kind }
    }
}

impl Plan {
    /// Decides by what is said and what the first records show.
    ///
    /// # Errors
    /// [`Error::Columns`] where that does not fit, or is not enough.
    pub(crate) fn new(mapping: &Mapping, sample: &Sample) -> Result<Self, Error> {
        Planner::new(mapping, sample).and_then(Planner::plan).map_err(Error::Columns)
    }

    /// Whether rows are asked for a column.
    pub(crate) fn uses(&self, column: usize) -> bool {
        let fixed = [self.time.column].into_iter().chain(self.time.clock);
        let measurement = if let Name::Column(column) = &self.measurement { Some(*column) } else { None };
        let mut said = fixed.chain(measurement).chain(self.tags.iter().map(|tag| tag.column));
        said.any(|used| used == column)
            || match &self.layout {
                LayoutPlan::Fields(fields) | LayoutPlan::Series { columns: fields, .. } => {
                    fields.iter().any(|field| field.column == column)
                }
                LayoutPlan::Long { field, value } => *field == column || value.column == column,
            }
    }

    /// One sentence for each column that is used.
    pub(crate) fn describe(&self, names: &[String]) -> Vec<String> {
        let name = |column: usize| names.get(column).cloned().unwrap_or_default();
        let mut lines = Vec::new();
        match &self.measurement {
            Name::Fixed(measurement) => lines.push(format!("measurement: {measurement}")),
            Name::Column(column) => lines.push(format!("{}: measurement", name(*column))),
        }
        let format = self.time.parser.format();
        lines.push(format!("{}: time ({format})", name(self.time.column)));
        lines.extend(self.time.clock.map(|clock| format!("{}: time of day", name(clock))));
        lines.extend(self.tags.iter().map(|tag| format!("{}: tag {}", name(tag.column), tag.key)));
        match &self.layout {
            LayoutPlan::Fields(fields) => {
                lines.extend(fields.iter().map(|f| format!("{}: field {} ({})", name(f.column), f.name, f.kind)));
            }
            LayoutPlan::Series { tag, columns, .. } => {
                lines.extend(
                    columns.iter().map(|c| format!("{}: series {tag}={} ({})", name(c.column), c.name, c.kind)),
                );
            }
            LayoutPlan::Long { field, value } => {
                lines.push(format!("{}: field key", name(*field)));
                lines.push(format!("{}: field value ({})", name(value.column), value.kind));
            }
        }
        lines
    }
}
