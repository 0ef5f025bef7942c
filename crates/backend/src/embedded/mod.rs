//! The embedded engine as a store: plans are run over its columns.

mod latest;
mod select;
mod source;
mod store;

use std::sync::Arc;

use catalog::Catalog;
use engine::Engine;
use query::{Cancel, Limits, Plan, QueryError, QueryResult, Selection};

use crate::StorageBackend;
use source::EngineSource;

/// The engine of this process with the names of its columns.
#[derive(Clone)]
pub struct Embedded {
    catalog: Arc<Catalog>,
    engine: Arc<Engine>,
}

impl Embedded {
    /// Joins engine and names.
    pub fn new(catalog: Arc<Catalog>, engine: Arc<Engine>) -> Self {
        Self { catalog, engine }
    }

    /// The newest value of every column that a selection names, one result series a column.
    ///
    /// # Errors
    /// An unknown database or retention policy, or the query was cancelled.
    pub fn latest(&self, selection: &Selection, cancel: &Cancel) -> Result<QueryResult, QueryError> {
        let result = latest::latest(&EngineSource::new(&self.catalog, &self.engine), selection, cancel)?;
        Ok(self.with_damage(result))
    }

    /// The answer, saying which files are missing from it.
    fn with_damage(&self, mut result: QueryResult) -> QueryResult {
        result.warnings.append(&mut self.missing_files());
        result
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

    fn query(&self, plan: &Plan, limits: &Limits, cancel: &Cancel) -> Result<QueryResult, QueryError> {
        let result = query::run(plan, &EngineSource::new(&self.catalog, &self.engine), limits, cancel)?;
        Ok(self.with_damage(result))
    }
}
