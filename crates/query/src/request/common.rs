//! Keys that both requests have.

use std::collections::BTreeMap;

use model::{TimeRange, TimestampNs};
use serde::Deserialize;
use serde_json::Value;

use super::{RequestContext, TimeReader};
use crate::QueryError;
use crate::plan::expr::{Cast, Reference};
use crate::plan::{Dimension, MeasurementRef, NameOrPattern, Order, Source};

/// One text or a list of them.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(untagged, expecting = "a string or a list of strings")]
pub enum OneOrMany {
    /// `"a"`
    One(String),
    /// `["a", "b"]`
    Many(Vec<String>),
}

impl OneOrMany {
    pub(super) fn into_vec(self) -> Vec<String> {
        match self {
            Self::One(one) => vec![one],
            Self::Many(many) => many,
        }
    }
}

/// What a switch is that a request does not mention.
pub(super) const fn on() -> bool {
    true
}

/// Name of the column of times.
pub(super) const TIME: &str = "time";

/// Conditions on tags by their keys.
pub(super) type TagFilter = BTreeMap<String, OneOrMany>;

/// Names of what is asked about.
pub(super) struct Place {
    pub(super) database: Option<String>,
    pub(super) retention_policy: Option<String>,
    pub(super) measurement: String,
}

impl Place {
    pub(super) fn into_source(self, context: &RequestContext) -> Result<Source, QueryError> {
        if self.measurement.is_empty() {
            return Err(QueryError::invalid("`measurement` is empty: expected the name of a measurement"));
        }
        Ok(Source::Measurement(MeasurementRef {
            database: self.database.unwrap_or_else(|| context.database.clone()),
            policy: self.retention_policy,
            name: NameOrPattern::Name(self.measurement),
        }))
    }
}

/// The field of this name, be there a tag of the same name or not.
pub(super) fn field(name: String) -> Reference {
    Reference { name, cast: Some(Cast::Field) }
}

/// `["*"]` is all tags, `[]` everything in one series.
pub(super) fn group_by(keys: OneOrMany) -> Result<Vec<Dimension>, QueryError> {
    let keys = keys.into_vec();
    match keys.as_slice() {
        [all] if all == "*" => Ok(vec![Dimension::All]),
        keys if keys.iter().any(|key| key == "*") => {
            Err(QueryError::invalid("`group_by` has `*` beside other tags: expected `*` alone, or names of tags"))
        }
        _ => Ok(keys.into_iter().map(Dimension::Tag).collect()),
    }
}

/// Order as requests spell it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum OrderWord {
    /// Oldest first.
    Asc,
    /// Newest first.
    Desc,
}

impl From<OrderWord> for Order {
    fn from(word: OrderWord) -> Self {
        match word {
            OrderWord::Asc => Self::Ascending,
            OrderWord::Desc => Self::Descending,
        }
    }
}

/// A limit must let something through.
pub(super) fn limit(limit: Option<usize>) -> Result<Option<usize>, QueryError> {
    match limit {
        Some(0) => Err(QueryError::invalid_with_hint("`limit` is 0: expected at least 1", "leave it out for no limit")),
        limit => Ok(limit),
    }
}

/// The range from `start` to `end`, both inside.
pub(super) fn range(reader: &TimeReader, start: Option<&Value>, end: Option<&Value>) -> Result<TimeRange, QueryError> {
    let start = start.map(|value| reader.json("start", value)).transpose()?.unwrap_or(TimestampNs::MIN);
    let end = end.map(|value| reader.json("end", value)).transpose()?;
    if let Some(end) = end.filter(|&end| end < start) {
        return Err(QueryError::invalid(format!("`end` ({} ns) is before `start` ({} ns)", end.0, start.0)));
    }
    Ok(TimeRange::new(start, end.map_or(TimestampNs::MAX, |end| end.saturating_add(1))))
}
