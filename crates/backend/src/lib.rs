//! Stores behind one trait. Today there is one, the embedded engine; a remote store will be a module beside it.
//! Not here: how data gets into a store (`pipeline`), what a query means (`query`).

mod embedded;

use query::{Cancel, Limits, Plan, QueryError, QueryResult};

pub use embedded::Embedded;

/// A store that answers queries.
pub trait StorageBackend: Send + Sync {
    /// Its name in configuration, status and metrics.
    fn name(&self) -> &'static str;

    /// Runs a plan. Blocks; memory, time and rows are bounded by `limits`.
    ///
    /// # Errors
    /// [`QueryError`]: what is wrong with the plan, which limit was reached, or why the store failed.
    fn query(&self, plan: &Plan, limits: &Limits, cancel: &Cancel) -> Result<QueryResult, QueryError>;
}
