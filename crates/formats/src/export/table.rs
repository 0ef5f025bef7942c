//! What a file of one measurement holds.

use model::FieldType;
use model::key::SeriesKey;

use crate::error::Error;

/// A measurement with all tags and fields that its file may hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Table {
    pub(super) measurement: String,
    pub(super) tags: Vec<String>,
    pub(super) fields: Vec<(String, FieldType)>,
}

impl Table {
    /// Tags and fields in any order; each stands once.
    pub fn new(measurement: String, mut tags: Vec<String>, mut fields: Vec<(String, FieldType)>) -> Self {
        tags.sort_unstable();
        tags.dedup();
        fields.sort_unstable();
        fields.dedup();
        Self { measurement, tags, fields }
    }

    /// The tags of a series: for each tag of the table its value.
    pub(super) fn tags_of(&self, key: SeriesKey<'_>) -> Result<Vec<Option<String>>, Error> {
        if key.measurement() != self.measurement {
            return Err(Error::Rows(format!("series {} is not of measurement {}", key.as_str(), self.measurement)));
        }
        let mut values = vec![None; self.tags.len()];
        for (tag, value) in key.tags() {
            let at = self.tags.binary_search_by(|known| known.as_str().cmp(&tag));
            match at.ok().and_then(|at| values.get_mut(at)) {
                Some(slot) => *slot = Some(value.into_owned()),
                None => return Err(Error::Rows(format!("the table has no tag `{tag}`"))),
            }
        }
        Ok(values)
    }
}
