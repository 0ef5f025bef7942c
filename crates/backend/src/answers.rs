//! Asking a store.

use query::execute::{Options, Sink};
use query::{Cancel, QueryError, QueryResult, Report, Select};

use query::store::{Place, SeriesQuery};

/// A store that answers queries.
pub trait Query: Send + Sync {
    /// Runs a plan; the tables of the answer go to `sink` while the rest is still being computed. Returns what the reader should know besides.
    /// Blocks; memory, time and rows are bounded by the limits in `options`.
    ///
    /// # Errors
    /// [`QueryError`]: what is wrong with the plan, which limit was reached, why the store failed, or what `sink` said.
    fn query(&self, plan: &Select, options: &Options<'_>, sink: Sink<'_>) -> Result<Report, QueryError>;

    /// The newest value of every field of the series wanted, one result series each, with all tags. `query.fields` names the
    /// fields; without any, all that the store knows.
    ///
    /// # Errors
    /// As [`Query::query`].
    fn latest(&self, place: &Place, query: SeriesQuery, cancel: &Cancel) -> Result<QueryResult, QueryError>;
}
