//! Types of the columns that a plan selects, as far as they are known before the answer is there.

use std::collections::BTreeSet;

use model::FieldType;
use query::QueryError;
use query::compile::{column_names, expand};
use query::eval::check_types;
use query::plan::expr::{Cast, Expr, Kinds, Reference};
use query::plan::{Column, Dimension, MeasurementRef, Select, Source};
use query::store::{Place, Schema};

use super::Ask;
use super::schemas::{Schemas, add_field};

/// What is known of the columns of an answer.
#[derive(Debug, Default)]
pub(super) struct Shape {
    /// Types of the columns behind that of the time; `None` where there is none or it is not known.
    pub(super) kinds: Vec<Option<FieldType>>,
    /// Fields of all sources together.
    fields: Vec<(String, FieldType)>,
}

impl Shape {
    /// Types of the columns of these names, that of the time first. Should there be more or fewer of them than expected, because
    /// something was written meanwhile, only the names count.
    pub(super) fn kinds_of(&self, names: &[String]) -> Vec<Option<FieldType>> {
        let names = names.get(1..).unwrap_or_default();
        if names.len() == self.kinds.len() {
            return self.kinds.clone();
        }
        names.iter().map(|name| kind_of(&self.fields, name)).collect()
    }
}

/// The shape of a plan's answer.
///
/// # Errors
/// The server's, which is asked for fields and tags.
pub(super) fn of(plan: &Select, asker: &dyn Ask, schemas: &Schemas) -> Result<Shape, QueryError> {
    let schema = Sources { asker, schemas }.schema(plan)?;
    let kinds = columns(plan, &schema).into_iter().map(|(_, kind)| kind).collect();
    Ok(Shape { kinds, fields: schema.fields })
}

struct Sources<'a> {
    asker: &'a dyn Ask,
    schemas: &'a Schemas,
}

impl Sources<'_> {
    /// Fields and tags of all sources together. Tags are only asked for where a wildcard may stand for them.
    fn schema(&self, plan: &Select) -> Result<Schema, QueryError> {
        let mut fields = Vec::new();
        let mut tags = BTreeSet::new();
        for source in &plan.sources {
            let schema = match source {
                Source::Measurement(measurement) => self.of_measurement(plan, measurement)?,
                Source::Subquery(inner) => self.of_subquery(plan, inner)?,
            };
            schema.fields.iter().for_each(|(name, kind)| add_field(&mut fields, name, *kind));
            tags.extend(schema.tags);
        }
        Ok(Schema { fields, tags: tags.into_iter().collect() })
    }

    fn of_measurement(&self, plan: &Select, of: &MeasurementRef) -> Result<Schema, QueryError> {
        let place = Place { database: of.database.clone(), policy: of.policy.clone() };
        let fields = self.schemas.fields(self.asker, &place, &of.name)?;
        let tags = if shows_tags(plan) { self.schemas.tags(self.asker, &place, &of.name)? } else { Vec::new() };
        Ok(Schema { fields, tags })
    }

    /// To the query around it, the columns of a subquery are fields, and the tags that it groups by tags.
    fn of_subquery(&self, outer: &Select, inner: &Select) -> Result<Schema, QueryError> {
        let schema = self.schema(inner)?;
        let mut fields = Vec::new();
        for (name, kind) in columns(inner, &schema) {
            add_field(&mut fields, &name, kind.unwrap_or(FieldType::String));
        }
        let dimensions = inner.group_by.iter().chain(&outer.group_by);
        let named = dimensions.filter_map(|dimension| match dimension {
            Dimension::Tag(key) => Some(key.clone()),
            Dimension::Like(_) | Dimension::All => None,
        });
        Ok(Schema { fields, tags: named.collect() })
    }
}

fn shows_tags(plan: &Select) -> bool {
    let is_open = |column: &Column| matches!(column.expr, Expr::All(Kinds::Both | Kinds::Tags) | Expr::Like(_));
    plan.columns.iter().any(is_open)
}

/// Names and types of a plan's columns, wildcards replaced. A plan that makes no sense has none: its server says why.
fn columns(plan: &Select, schema: &Schema) -> Vec<(String, Option<FieldType>)> {
    let Ok(plan) = expand(plan, &schema.fields, &schema.tags) else { return Vec::new() };
    let names = column_names(&plan.time_name, &plan.columns, false);
    let type_of = |reference: &Reference| match reference.cast {
        Some(Cast::Type(kind)) => Some(kind),
        Some(Cast::Tag) => None,
        Some(Cast::Field) | None => kind_of(&schema.fields, &reference.name),
    };
    let mut kinds = Vec::with_capacity(names.len());
    for column in &plan.columns {
        kinds.push(check_types(&column.expr, &type_of).ok().flatten());
        if let Expr::Aggregate(call) = &column.expr {
            kinds.extend(call.keys.iter().map(type_of));
        }
    }
    names.into_iter().skip(1).zip(kinds).collect()
}

fn kind_of(fields: &[(String, FieldType)], name: &str) -> Option<FieldType> {
    let at = fields.binary_search_by(|(known, _)| known.as_str().cmp(name)).ok()?;
    fields.get(at).map(|(_, kind)| *kind)
}
