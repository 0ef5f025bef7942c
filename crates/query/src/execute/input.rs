//! Where the points of a query come from: series of the store, or rows of a subquery, under the name of one measurement.

use std::collections::BTreeMap;
use std::sync::Arc;

use model::FieldType;

use super::job::Job;
use super::rows::Rows;
use super::subquery;
use crate::QueryError;
use crate::plan::{NameOrPattern, Select, Source};
use crate::store::{Place, Schema};

/// Everything of one name that a query reads.
pub(super) struct Input {
    /// Name of the measurement.
    pub(super) name: String,
    pub(super) schema: Schema,
    pub(super) content: Content,
}

/// Where the series of an input are.
pub(super) enum Content {
    /// In the store.
    Stored(Place),
    /// Already here.
    Memory(Vec<MemorySeries>),
}

/// Rows of one series of a subquery.
pub(super) struct MemorySeries {
    /// Tags that the subquery grouped by.
    pub(super) tags: Vec<(String, String)>,
    /// Its rows; columns in the order of the schema's fields.
    pub(super) rows: Arc<Rows>,
}

/// Most sources that a query may name; a pattern is one.
const MAX_SOURCES: usize = 1000;

/// The inputs of a plan, by name.
pub(super) fn open(job: &Job<'_>, plan: &Select) -> Result<BTreeMap<String, Vec<Input>>, QueryError> {
    if plan.sources.len() > MAX_SOURCES {
        let limit = format!("{MAX_SOURCES} sources");
        return Err(QueryError::TooMuch { limit, detail: format!("{} are named", plan.sources.len()) });
    }
    let mut inputs: BTreeMap<String, Vec<Input>> = BTreeMap::new();
    let mut add = |input: Input| inputs.entry(input.name.clone()).or_default().push(input);
    for source in &plan.sources {
        job.check()?;
        match source {
            Source::Subquery(inner) => subquery::run(job, plan, inner)?.into_iter().for_each(&mut add),
            Source::Measurement(wanted) => {
                let place = Place { database: wanted.database.clone(), policy: wanted.policy.clone() };
                for name in names(job, &place, &wanted.name)? {
                    let schema = job.store.schema(&place, &name)?;
                    add(Input { name, schema, content: Content::Stored(place.clone()) });
                }
            }
        }
    }
    Ok(inputs)
}

fn names(job: &Job<'_>, place: &Place, wanted: &NameOrPattern) -> Result<Vec<String>, QueryError> {
    match wanted {
        NameOrPattern::Name(name) => Ok(vec![name.clone()]),
        NameOrPattern::Pattern(pattern) => {
            let all = job.store.measurements(place)?;
            Ok(all.into_iter().filter(|name| pattern.is_match(name)).collect())
        }
    }
}

/// Fields and tags of all inputs together. A field that has several types counts as the one that numbers can be turned into.
pub(super) fn common_schema<'i>(inputs: impl Iterator<Item = &'i Input>) -> Schema {
    let mut fields: BTreeMap<&str, FieldType> = BTreeMap::new();
    let mut tags = std::collections::BTreeSet::new();
    for input in inputs {
        for (name, kind) in &input.schema.fields {
            let known = fields.entry(name).or_insert(*kind);
            if rank(*kind) < rank(*known) {
                *known = *kind;
            }
        }
        tags.extend(input.schema.tags.iter().cloned());
    }
    let fields = fields.into_iter().map(|(name, kind)| (name.to_owned(), kind)).collect();
    Schema { fields, tags: tags.into_iter().collect() }
}

/// Precedence of types where a name has several, as InfluxDB's.
const fn rank(kind: FieldType) -> u8 {
    match kind {
        FieldType::Float => 0,
        FieldType::Integer => 1,
        FieldType::Unsigned => 2,
        FieldType::String => 3,
        FieldType::Boolean => 4,
    }
}
