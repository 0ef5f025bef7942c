//! Keys that both requests have.

use std::collections::BTreeMap;

use model::{TimeRange, TimestampNs};
use serde::Deserialize;
use serde_json::Value;

use super::{RequestContext, TimeReader};
use crate::{GroupBy, Order, QueryError, Selection, TagMatch, TagPredicate};

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

/// Conditions on tags by their keys.
pub(super) type TagFilter = BTreeMap<String, OneOrMany>;

/// What a selection is made of.
pub(super) struct Parts {
    pub(super) database: Option<String>,
    pub(super) retention_policy: Option<String>,
    pub(super) measurement: String,
    pub(super) fields: Vec<String>,
    pub(super) tags: TagFilter,
    pub(super) range: TimeRange,
    pub(super) group_by: GroupBy,
}

impl Parts {
    pub(super) fn into_selection(self, context: &RequestContext) -> Result<Selection, QueryError> {
        if self.measurement.is_empty() {
            return Err(QueryError::invalid("`measurement` is empty: expected the name of a measurement"));
        }
        Ok(Selection {
            database: self.database.unwrap_or_else(|| context.database.clone()),
            retention_policy: self.retention_policy,
            measurement: self.measurement,
            fields: self.fields,
            filter: self.tags.into_iter().map(predicate).collect::<Result<_, _>>()?,
            range: self.range,
            group_by: self.group_by,
        })
    }
}

fn predicate((key, values): (String, OneOrMany)) -> Result<TagPredicate, QueryError> {
    let matches = match values {
        OneOrMany::One(value) => TagMatch::Is(value),
        OneOrMany::Many(values) if values.is_empty() => {
            return Err(QueryError::invalid(format!(
                "the list of values of tag `{key}` is empty: expected at least one"
            )));
        }
        OneOrMany::Many(values) => TagMatch::In(values),
    };
    Ok(TagPredicate { key, matches })
}

/// Fields wanted; the list may also hold `*` alone, for all.
pub(super) fn fields(fields: Option<OneOrMany>) -> Vec<String> {
    let fields = fields.map(OneOrMany::into_vec).unwrap_or_default();
    if matches!(fields.as_slice(), [all] if all == "*") { Vec::new() } else { fields }
}

/// `["*"]` is all tags, `[]` everything in one series.
pub(super) fn group_by(keys: OneOrMany) -> Result<GroupBy, QueryError> {
    let keys = keys.into_vec();
    match keys.as_slice() {
        [] => Ok(GroupBy::Nothing),
        [all] if all == "*" => Ok(GroupBy::All),
        keys if keys.iter().any(|key| key == "*") => {
            Err(QueryError::invalid("`group_by` has `*` beside other tags: expected `*` alone, or names of tags"))
        }
        _ => Ok(GroupBy::Tags(keys)),
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
