//! The embedded store as the one that answers: with rollups where they are right, and results of earlier queries.

use std::sync::Arc;

use backend::{Embedded, Query, StorageBackend};
use query::cache::Access;
use query::execute::{Options, Sink, execute};
use query::store::{Place, SeriesQuery};
use query::{Cancel, QueryError, QueryResult, Report, Select};
use rollup::{Rollups, Tiered};

use super::now;
use super::results::Results;

/// The embedded store and what was made of it.
pub(super) struct Local {
    embedded: Embedded,
    /// `None` where the store is not fed.
    rollups: Option<Arc<Rollups>>,
    results: Arc<Results>,
}

impl Local {
    pub(super) fn new(embedded: Embedded, rollups: Option<Arc<Rollups>>, results: Arc<Results>) -> Self {
        Self { embedded, rollups, results }
    }
}

impl StorageBackend for Local {
    fn name(&self) -> &'static str {
        self.embedded.name()
    }
}

impl Query for Local {
    fn query(&self, plan: &Select, options: &Options<'_>, sink: Sink<'_>) -> Result<Report, QueryError> {
        let store = self.embedded.for_query();
        let cache = Some(Access { cache: self.results.current(self.embedded.catalog()), now: now() });
        let options = &Options { cache, ..*options };
        match self.rollups.as_ref().filter(|_| options.shortcuts.rollups) {
            Some(rollups) => execute(plan, &Tiered::new(&store, rollups.tiers(), now()), options, sink),
            None => execute(plan, &store, options, sink),
        }
    }

    fn latest(&self, place: &Place, query: SeriesQuery, cancel: &Cancel) -> Result<QueryResult, QueryError> {
        self.embedded.latest(place, query, cancel)
    }
}
