//! The points of a server that speaks InfluxQL, for plans that it cannot answer itself.

use std::collections::{BTreeMap, HashMap};

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
use crate::remote::{Column, RawPoints, Tags, Visit, VisitOf};

/// One query's way to the points.
pub(super) struct InfluxPoints<'a> {
    asker: &'a dyn Ask,
    /// Those of this query alone: with a tag that came up a moment ago and is not known, series would be mistaken for each other.
    schemas: Schemas,
    options: Options<'a>,
}

impl<'a> InfluxPoints<'a> {
    pub(super) fn new(asker: &'a dyn Ask, options: &Options<'a>) -> Self {
        Self { asker, schemas: Schemas::default(), options: *options }
    }

    fn tag_keys(&self, place: &Place, measurement: &str) -> Result<Vec<String>, QueryError> {
        self.schemas.tags(self.asker, place, &NameOrPattern::Name(measurement.to_owned()))
    }

    fn fields(&self, place: &Place, measurement: &str) -> Result<Vec<(String, FieldType)>, QueryError> {
        self.schemas.fields(self.asker, place, &NameOrPattern::Name(measurement.to_owned()))
    }

    /// Asks for points and hands them to `visit`, with the number that `number_of` gives the series.
    fn rows(
        &self,
        column: &Column<'_>,
        select: &Select,
        number_of: &dyn Fn(&BTreeMap<String, String>) -> Option<usize>,
        visit: VisitOf<'_>,
    ) -> Result<(), QueryError> {
        let budget = Budget::new(self.options.limits, self.options.cancel);
        budget.check()?;
        let body = self.asker.ask(&column.place.database, column.place.policy.as_deref(), &select.to_string())?;
        let mut kinds = Columns::new(vec![Some(column.kind)]);
        let outcome = answer::read(body, &budget, &mut |part| {
            let number = number_of(&part.tags).ok_or_else(no_point)?;
            let [times, values] = &mut <[Vec<Cell>; 2]>::try_from(part.cells.0).map_err(|_| no_point())?;
            kinds.settle(std::slice::from_mut(values));
            for (time, cell) in tables::times(times)?.into_iter().zip(values) {
                if let Some(value) = value_of(cell)
                    && visit(number, time, value).is_break()
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

    /// The question for the points of columns of one field.
    fn select(&self, columns: &[Column<'_>], range: TimeRange) -> Result<Select, QueryError> {
        let Some(first) = columns.first() else { return Err(no_point()) };
        let keys = self.tag_keys(first.place, first.measurement)?;
        said(first, columns, range, &keys).map_err(|error| QueryError::invalid(error.to_string()))
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
        let select = self.select(&[*column], range)?;
        self.rows(column, &select, &|_| Some(0), &mut |_, time, value| visit(time, value))
    }

    fn points_of(&self, columns: &[Column<'_>], range: TimeRange, visit: VisitOf<'_>) -> Result<(), QueryError> {
        let Some(first) = columns.first() else { return Ok(()) };
        let mut select = self.select(columns, range)?;
        select.dimensions = vec![Expr::Wildcard(None)];
        let numbers: HashMap<&[(String, String)], usize> =
            (0..).zip(columns).map(|(n, column)| (column.tags, n)).collect();
        let number_of = |tags: &BTreeMap<String, String>| {
            let own: Tags =
                tags.iter().filter(|(_, value)| !value.is_empty()).map(|(k, v)| (k.clone(), v.clone())).collect();
            numbers.get(own.as_slice()).copied()
        };
        self.rows(first, &select, &number_of, visit)
    }

    fn newest(&self, column: &Column<'_>, range: TimeRange) -> Result<Option<(TimestampNs, Cell)>, QueryError> {
        let mut select = self.select(&[*column], range)?;
        select.order = vec![influxql::ast::SortField { name: "time".to_owned(), ascending: false }];
        select.limit = 1;
        let mut newest = None;
        self.rows(column, &select, &|_| Some(0), &mut |_, time, value| {
            newest = Some((time, Cell::from(value)));
            std::ops::ControlFlow::Break(())
        })?;
        Ok(newest)
    }
}

/// `SELECT field FROM measurement WHERE series AND times`
fn said(first: &Column<'_>, columns: &[Column<'_>], range: TimeRange, tag_keys: &[String]) -> Said<Select> {
    let series = columns.iter().map(|column| Ok(render::all(series(column, tag_keys)?)));
    let series: Vec<Expr> = series.collect::<Said<Vec<_>>>()?.into_iter().flatten().collect();
    let mut conditions: Vec<Expr> = render::any(series).into_iter().collect();
    conditions.extend(render::bounds(range, TimeRange::ALL));
    let field = Expr::Reference { name: checked(first.field)?, cast: Some(Cast::Field) };
    let name = measurement_name(&NameOrPattern::Name(first.measurement.to_owned()))?;
    Ok(Select {
        fields: vec![Field { expr: field, alias: None }],
        sources: vec![Source::Measurement(Measurement { database: None, policy: None, name })],
        condition: render::all(conditions),
        ..Select::default()
    })
}

/// What holds for one series alone: it has these tags, and none of the others of the measurement.
fn series(column: &Column<'_>, tag_keys: &[String]) -> Said<Vec<Expr>> {
    let own = column.tags.iter().map(|(key, value)| equals(key, value));
    let is_other = |key: &&String| column.tags.iter().all(|(own, _)| own != *key);
    own.chain(tag_keys.iter().filter(is_other).map(|key| equals(key, ""))).collect()
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
