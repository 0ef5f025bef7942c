//! The embedded engine as a store: plans are run over its columns. What is older than its retention policy keeps is not seen, to
//! the nanosecond, although its files go later and by whole partitions.

mod cutoffs;
mod latest;
mod store;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use catalog::Catalog;
use engine::Engine;
use model::TimestampNs;
use query::execute::{Options, Sink, execute};
use query::store::{Place, SeriesQuery};
use query::{Cancel, QueryError, QueryResult, Report, Select};

use crate::{Query, StorageBackend};
use cutoffs::Cutoffs;

/// The engine of this process with the names of its columns.
#[derive(Clone)]
pub struct Embedded {
    catalog: Arc<Catalog>,
    engine: Arc<Engine>,
    clock: fn() -> TimestampNs,
    /// What policies keep, where that was decided for a whole query.
    cutoffs: Option<Arc<Cutoffs>>,
}

impl Embedded {
    /// Joins engine and names; the age of values is told by `clock`.
    pub fn new(catalog: Arc<Catalog>, engine: Arc<Engine>, clock: fn() -> TimestampNs) -> Self {
        Self { catalog, engine, clock, cutoffs: None }
    }

    /// Names of what is stored.
    pub fn catalog(&self) -> &Catalog {
        &self.catalog
    }

    /// The store for one query that begins now: what retention policies keep does not change while it runs. Without this each
    /// reader looks at the clock when it is made.
    pub fn for_query(&self) -> Self {
        Self { cutoffs: Some(self.cutoffs()), ..self.clone() }
    }

    fn cutoffs(&self) -> Arc<Cutoffs> {
        let now = || Arc::new(Cutoffs::new(self.catalog.cutoffs((self.clock)())));
        self.cutoffs.clone().unwrap_or_else(now)
    }

    /// A sentence for each file that is missing from every answer.
    fn missing_files(&self) -> Vec<String> {
        let missing = self.engine.damaged_files().into_iter();
        missing.map(|f| format!("{f} is damaged and left out: values of its time may be missing")).collect()
    }
}

impl StorageBackend for Embedded {
    fn name(&self) -> &'static str {
        "embedded"
    }
}

impl Query for Embedded {
    fn query(&self, plan: &Select, options: &Options<'_>, sink: Sink<'_>) -> Result<Report, QueryError> {
        execute(plan, &self.for_query(), options, sink)
    }

    fn latest(&self, place: &Place, query: SeriesQuery, cancel: &Cancel) -> Result<QueryResult, QueryError> {
        let mut result = latest::latest(&self.for_query(), place, query, cancel)?;
        result.warnings.extend(self.missing_files());
        Ok(result)
    }
}
