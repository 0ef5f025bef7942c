//! Stores behind one trait. Today there is one, the embedded engine; a remote store will be a module beside it.
//! Not here: how data gets into a store (`pipeline`), what a query means (`query`).

mod embedded;

use query::execute::{Options, Sink};
use query::{QueryError, Select};

pub use embedded::Embedded;

/// A store that answers queries.
pub trait StorageBackend: Send + Sync {
    /// Its name in configuration, status and metrics.
    fn name(&self) -> &'static str;

    /// Runs a plan; the tables of the answer go to `sink` while the rest is still being computed. Returns warnings for the reader.
    /// Blocks; memory, time and rows are bounded by the limits in `options`.
    ///
    /// # Errors
    /// [`QueryError`]: what is wrong with the plan, which limit was reached, why the store failed, or what `sink` said.
    fn query(&self, plan: &Select, options: &Options<'_>, sink: Sink<'_>) -> Result<Vec<String>, QueryError>;
}
