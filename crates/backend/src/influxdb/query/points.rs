//! The points of a server that speaks InfluxQL, for plans that it cannot answer itself.

use influxql::ast::{Cast, Expr, Field, Measurement, Scope, Select, Show, Source};
use model::key::SeriesKey;
use model::{FieldType, FieldValue, TimeRange, TimestampNs};
use query::execute::Options;
use query::plan::NameOrPattern;
use query::store::{Place, Schema, TagCondition};
use query::{Cell, QueryError};

use super::answer::{self, Budget, Columns};
use super::render::{self, Said, checked, equals, measurement_name, tag_condition};
use super::schemas::{self, Schemas};
use super::{Ask, tables};
use crate::remote::{Column, RawPoints, Tags, Visit};

/// One query's way to the points.
pub(super) struct InfluxPoints<'a> {
    asker: &'a dyn Ask,
    schemas: &'a Schemas,
    options: Options<'a>,
}

impl<'a> InfluxPoints<'a> {
    pub(super) fn new(asker: &'a dyn Ask, schemas: &'a Schemas, options: &Options<'a>) -> Self {
        Self { asker, schemas, options: *options }
    }

    fn tag_keys(&self, place: &Place, measurement: &str) -> Result<Vec<String>, QueryError> {
        self.schemas.tags(self.asker, place, &NameOrPattern::Name(measurement.to_owned()))
    }

    fn fields(&self, place: &Place, measurement: &str) -> Result<Vec<(String, FieldType)>, QueryError> {
        self.schemas.fields(self.asker, place, &NameOrPattern::Name(measurement.to_owned()))
    }

    /// Asks for the points of a column and hands the rows to `visit`.
    fn rows(&self, column: &Column<'_>, select: &Select, visit: Visit<'_>) -> Result<(), QueryError> {
        let budget = Budget::new(self.options.limits, self.options.cancel);
        budget.check()?;
        let body = self.asker.ask(&column.place.database, column.place.policy.as_deref(), &select.to_string())?;
        let mut kinds = Columns::new(vec![Some(column.kind)]);
        let outcome = answer::read(body, &budget, &mut |part| {
            let [times, values] = &mut <[Vec<Cell>; 2]>::try_from(part.cells.0).map_err(|_| no_point())?;
            kinds.settle(std::slice::from_mut(values));
            for (time, cell) in tables::times(times)?.into_iter().zip(values) {
                if let Some(value) = value_of(cell)
                    && visit(time, value).is_break()
                {
                    return Err(QueryError::Enough);
                }
            }
            Ok(())
        });
        match outcome {
            Ok(_) | Err(QueryError::Enough) => Ok(()),
            Err(error) => Err(error),
        }
    }

    fn select(&self, column: &Column<'_>, range: TimeRange) -> Result<Select, QueryError> {
        let keys = self.tag_keys(column.place, column.measurement)?;
        said(column, range, &keys).map_err(|error| QueryError::invalid(error.to_string()))
    }
}

impl RawPoints for InfluxPoints<'_> {
    fn measurements(&self, place: &Place) -> Result<Vec<String>, QueryError> {
        let mut names = Vec::new();
        let show = Show::Measurements { with: None, scope: Scope::default() };
        schemas::rows(self.asker, place, show, &mut |row| {
            if let [Cell::String(name)] = row {
                names.push(name.clone());
            }
        })?;
        Ok(names)
    }

    fn schema(&self, place: &Place, measurement: &str) -> Result<Schema, QueryError> {
        Ok(Schema { fields: self.fields(place, measurement)?, tags: self.tag_keys(place, measurement)? })
    }

    fn series(&self, place: &Place, measurement: &str, filter: &[TagCondition]) -> Result<Vec<Tags>, QueryError> {
        let fields = self.fields(place, measurement)?;
        // To this statement a name is a field first.
        let is_field = |key: &String| fields.iter().any(|(name, _)| name == key);
        let conditions = filter.iter().filter(|condition| !is_field(&condition.key));
        let conditions = conditions.filter_map(|condition| tag_condition(condition).ok()).map(without_cast).collect();
        let name = measurement_name(&NameOrPattern::Name(measurement.to_owned()));
        let name = name.map_err(|error| QueryError::invalid(error.to_string()))?;
        let sources = vec![Measurement { database: None, policy: None, name }];
        let show = Show::Series(Scope { sources, condition: render::all(conditions), ..Scope::default() });
        let mut series = Vec::new();
        schemas::rows(self.asker, place, show, &mut |row| {
            if let [Cell::String(key)] = row {
                series.push(key.clone());
            }
        })?;
        series.iter().map(|key| tags(key)).collect()
    }

    fn points(&self, column: &Column<'_>, range: TimeRange, visit: Visit<'_>) -> Result<(), QueryError> {
        self.rows(column, &self.select(column, range)?, visit)
    }

    fn newest(&self, column: &Column<'_>, range: TimeRange) -> Result<Option<(TimestampNs, Cell)>, QueryError> {
        let mut select = self.select(column, range)?;
        select.order = vec![influxql::ast::SortField { name: "time".to_owned(), ascending: false }];
        select.limit = 1;
        let mut newest = None;
        self.rows(column, &select, &mut |time, value| {
            newest = Some((time, Cell::from(value)));
            std::ops::ControlFlow::Break(())
        })?;
        Ok(newest)
    }
}

/// `SELECT field FROM measurement WHERE tags AND times`; the series has none of the other tags of the measurement.
fn said(column: &Column<'_>, range: TimeRange, tag_keys: &[String]) -> Said<Select> {
    let value = |key: &str| column.tags.iter().find(|(known, _)| known == key).map_or("", |(_, value)| value.as_str());
    let own = column.tags.iter().map(|(key, _)| key.as_str());
    let others = tag_keys.iter().map(String::as_str).filter(|key| column.tags.iter().all(|(own, _)| own != key));
    let mut conditions = own.chain(others).map(|key| equals(key, value(key))).collect::<Said<Vec<_>>>()?;
    conditions.extend(render::bounds(range, TimeRange::ALL));
    let field = Expr::Reference { name: checked(column.field)?, cast: Some(Cast::Field) };
    let name = measurement_name(&NameOrPattern::Name(column.measurement.to_owned()))?;
    Ok(Select {
        fields: vec![Field { expr: field, alias: None }],
        sources: vec![Source::Measurement(Measurement { database: None, policy: None, name })],
        condition: render::all(conditions),
        ..Select::default()
    })
}

/// `SHOW SERIES` does not know casts.
fn without_cast(condition: Expr) -> Expr {
    match condition {
        Expr::Binary { op, left, right } => match *left {
            Expr::Reference { name, .. } => {
                Expr::Binary { op, left: Box::new(Expr::Reference { name, cast: None }), right }
            }
            other => Expr::Binary { op, left: Box::new(other), right },
        },
        other => other,
    }
}

/// The tags in a series key such as `m,host=a`.
fn tags(key: &str) -> Result<Tags, QueryError> {
    let key = SeriesKey::parse(key.as_bytes()).map_err(|error| QueryError::Store(error.to_string()))?;
    Ok(key.tags().map(|(key, value)| (key.into_owned(), value.into_owned())).collect())
}

fn value_of(cell: &Cell) -> Option<FieldValue<'_>> {
    Some(match cell {
        Cell::Null => return None,
        Cell::Float(value) => FieldValue::Float(*value),
        Cell::Integer(value) => FieldValue::Integer(*value),
        Cell::Unsigned(value) => FieldValue::Unsigned(*value),
        Cell::Boolean(value) => FieldValue::Boolean(*value),
        Cell::String(value) => FieldValue::String(value),
    })
}

fn no_point() -> QueryError {
    QueryError::Store("its answer to a question for points has other columns".to_owned())
}
