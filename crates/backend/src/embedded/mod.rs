//! The embedded engine as a store: plans are run over its columns.

mod latest;
mod store;

use std::sync::Arc;

use catalog::Catalog;
use engine::Engine;
use query::execute::{Options, Sink, execute};
use query::store::{Place, SeriesQuery};
use query::{Cancel, QueryError, QueryResult, Report, Select};

use crate::{Query, StorageBackend};

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
        execute(plan, self, options, sink)
    }

    fn latest(&self, place: &Place, query: SeriesQuery, cancel: &Cancel) -> Result<QueryResult, QueryError> {
        let mut result = latest::latest(self, place, query, cancel)?;
        result.warnings.extend(self.missing_files());
        Ok(result)
    }
}
