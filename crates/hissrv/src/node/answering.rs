//! A remote store as the one that answers queries: names are made those that it knows.

use std::sync::Arc;

use backend::{Query, RemoteStore, StorageBackend};
use catalog::Catalog;
use query::execute::{Options, Sink};
use query::plan::Source;
use query::store::{Place, SeriesQuery};
use query::{Cancel, QueryError, QueryResult, Report, Select};

/// Stores know a database's default retention policy as the one that goes without saying, whatever its name.
pub(crate) struct Answering {
    pub(super) catalog: Arc<Catalog>,
    pub(super) store: Arc<dyn RemoteStore>,
}

impl Answering {
    fn policy(&self, database: &str, policy: Option<String>) -> Option<String> {
        let meta = self.catalog.meta();
        let default = meta.database(database).map(|d| d.default_policy.as_str());
        policy.filter(|name| Some(name.as_str()) != default)
    }

    fn adapt(&self, plan: &mut Select) {
        for source in &mut plan.sources {
            match source {
                Source::Measurement(m) => m.policy = self.policy(&m.database, m.policy.take()),
                Source::Subquery(inner) => self.adapt(inner),
            }
        }
    }
}

impl StorageBackend for Answering {
    fn name(&self) -> &'static str {
        self.store.name()
    }
}

impl Query for Answering {
    fn query(&self, plan: &Select, options: &Options<'_>, sink: Sink<'_>) -> Result<Report, QueryError> {
        let mut plan = plan.clone();
        self.adapt(&mut plan);
        self.store.query(&plan, options, sink)
    }

    fn latest(&self, place: &Place, query: SeriesQuery, cancel: &Cancel) -> Result<QueryResult, QueryError> {
        let policy = self.policy(&place.database, place.policy.clone());
        self.store.latest(&Place { database: place.database.clone(), policy }, query, cancel)
    }
}
