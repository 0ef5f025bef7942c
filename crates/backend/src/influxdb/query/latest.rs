//! The newest value of every field of some series: one question a field.

use influxql::ast::{Cast, Expr, Field, Measurement, Select, Source};
use model::FieldType;
use query::plan::NameOrPattern;
use query::result::ResultColumn;
use query::store::{Place, SeriesQuery, TagMatch};
use query::{Cancel, Limits, QueryError, QueryResult, ResultSeries};

use super::answer::{self, Budget, Columns, Part};
use super::render::{self, Said, checked, measurement_name, tag_condition};
use super::schemas::Schemas;
use super::{Ask, tables};

/// The newest values, as [`crate::Query::latest`] says.
///
/// # Errors
/// The server's; [`QueryError::Invalid`] for names that InfluxQL cannot say.
pub(crate) fn latest(
    asker: &dyn Ask,
    schemas: &Schemas,
    place: &Place,
    query: SeriesQuery,
    cancel: &Cancel,
) -> Result<QueryResult, QueryError> {
    // InfluxQL cannot say it.
    if query.filter.iter().any(|condition| matches!(&condition.matches, TagMatch::In(values) if values.is_empty())) {
        return Ok(QueryResult::default());
    }
    let limits = Limits::default();
    let budget = Budget::new(&limits, cancel);
    let name = NameOrPattern::Name(query.measurement.clone());
    let known = schemas.fields_with(asker, place, &name, &query.fields)?;
    let fields = if query.fields.is_empty() {
        known.iter().map(|(name, _)| name.clone()).collect()
    } else {
        query.fields.clone()
    };
    let mut found = Vec::new();
    let mut warnings = Vec::new();
    for (number, field) in fields.iter().enumerate() {
        let Some((_, kind)) = known.iter().find(|(name, _)| name == field) else { continue };
        budget.check()?;
        let select = last(&query, field).map_err(|error| QueryError::invalid(error.to_string()))?;
        let body = asker.ask(&place.database, place.policy.as_deref(), &select.to_string())?;
        let mut add = |part| {
            let series = series(part, field, *kind)?;
            budget.give_rows(1)?;
            found.push((series, number));
            Ok(())
        };
        warnings.extend(answer::read(body, &budget, &mut add)?);
    }
    // Fields of one series stand together.
    found.sort_by(|(a, number_a), (b, number_b)| a.tags.cmp(&b.tags).then(number_a.cmp(number_b)));
    Ok(QueryResult {
        series: found.into_iter().map(|(series, _)| series).collect(),
        warnings,
        ..QueryResult::default()
    })
}

/// `SELECT last(field) FROM measurement WHERE ... GROUP BY *`
fn last(query: &SeriesQuery, field: &str) -> Said<Select> {
    let of = Expr::Reference { name: checked(field)?, cast: Some(Cast::Field) };
    let conditions = query.filter.iter().map(tag_condition).collect::<Said<Vec<_>>>()?;
    let name = measurement_name(&NameOrPattern::Name(query.measurement.clone()))?;
    Ok(Select {
        fields: vec![Field { expr: Expr::Call { name: "last".to_owned(), args: vec![of] }, alias: None }],
        sources: vec![Source::Measurement(Measurement { database: None, policy: None, name })],
        condition: render::all(conditions),
        dimensions: vec![Expr::Wildcard(None)],
        ..Select::default()
    })
}

/// The one value of a series, with the tags that it has.
fn series(part: Part, field: &str, kind: FieldType) -> Result<ResultSeries, QueryError> {
    let Part { name, tags, mut cells, .. } = part;
    let columns = cells.0.get_mut(1..).unwrap_or_default();
    Columns::new(vec![Some(kind)]).settle(columns);
    let cells_of = columns.first_mut().map(std::mem::take).unwrap_or_default();
    let times = tables::times(cells.0.first().map(Vec::as_slice).unwrap_or_default())?;
    let column = ResultColumn { name: field.to_owned(), cells: cells_of };
    let tags = tags.into_iter().filter(|(_, value)| !value.is_empty()).collect();
    Ok(ResultSeries { name, tags, times, columns: vec![column] })
}
