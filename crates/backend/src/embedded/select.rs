//! From a selection's names and conditions to series and columns.

use catalog::{DEFAULT_POLICY, Names, TagCondition, TagWanted};
use model::key::SeriesKey;
use model::{BucketId, MeasurementId, SeriesId};
use query::{FieldColumn, QueryError, Selection, SeriesColumns, TagMatch};

/// The series of a selection, sorted by their tags.
pub(super) fn columns(names: &Names, selection: &Selection) -> Result<Vec<SeriesColumns>, QueryError> {
    let bucket = bucket(names, selection)?;
    let Some(measurement) = names.measurement(bucket, &selection.measurement) else { return Ok(Vec::new()) };
    let accepts: Vec<Accepts<'_>> = selection.filter.iter().map(|p| accepting(&p.matches)).collect();
    let conditions: Vec<TagCondition<'_>> = selection
        .filter
        .iter()
        .zip(&accepts)
        .map(|(predicate, accepts)| TagCondition { key: &predicate.key, wanted: TagWanted::Test(&**accepts) })
        .collect();
    let mut found: Vec<SeriesColumns> = names
        .select(measurement, &conditions)
        .into_iter()
        .map(|series| SeriesColumns {
            series,
            tags: tags(names, series),
            columns: fields(names, measurement, series, selection),
        })
        .filter(|s| !s.columns.is_empty())
        .collect();
    found.sort_by(|a, b| a.tags.cmp(&b.tags));
    Ok(found)
}

fn bucket(names: &Names, selection: &Selection) -> Result<BucketId, QueryError> {
    let policy = selection.retention_policy.as_deref().unwrap_or(DEFAULT_POLICY);
    if let Some(bucket) = names.bucket(&selection.database, policy) {
        return Ok(bucket);
    }
    let has_database = names.buckets().any(|(_, database, _)| database == selection.database);
    let missing = if has_database { ("retention policy", policy) } else { ("database", selection.database.as_str()) };
    Err(QueryError::NotFound { what: missing.0, name: missing.1.to_owned() })
}

/// Whether a tag's value is one that is asked for.
type Accepts<'a> = Box<dyn Fn(&str) -> bool + 'a>;

fn accepting(matches: &TagMatch) -> Accepts<'_> {
    match matches {
        TagMatch::Is(wanted) => Box::new(move |value| value == wanted),
        TagMatch::IsNot(unwanted) => Box::new(move |value| value != unwanted),
        TagMatch::In(wanted) => Box::new(move |value| wanted.iter().any(|w| w == value)),
        TagMatch::Like(pattern) => Box::new(move |value| pattern.is_match(value)),
        TagMatch::NotLike(pattern) => Box::new(move |value| !pattern.is_match(value)),
    }
}

fn tags(names: &Names, series: SeriesId) -> Vec<(String, String)> {
    let key = names.series_key(series).and_then(|key| SeriesKey::parse(key).ok());
    key.into_iter().flat_map(SeriesKey::tags).map(|(k, v)| (k.into_owned(), v.into_owned())).collect()
}

/// Columns of the fields wanted, in the order wanted; without a wish all, sorted by name.
fn fields(names: &Names, measurement: MeasurementId, series: SeriesId, selection: &Selection) -> Vec<FieldColumn> {
    let known = names.fields(measurement);
    let mut columns: Vec<FieldColumn> = names
        .columns_of(series)
        .iter()
        .filter_map(|(index, id)| {
            let field = known.get(usize::from(*index))?;
            Some(FieldColumn { field: field.name.clone(), kind: field.kind, id: *id })
        })
        .collect();
    if selection.fields.is_empty() {
        columns.sort_by(|a, b| a.field.cmp(&b.field));
        return columns;
    }
    let wanted = selection.fields.iter();
    wanted.filter_map(|name| columns.iter().find(|c| c.field == *name).cloned()).collect()
}
