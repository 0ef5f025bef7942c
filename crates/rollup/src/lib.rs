//! Rollups: summaries of windows that can be put together again, kept beside the points they are made of and computed anew exactly
//! where these change.
//!
//! Every task ([`Task`]) reads a retention policy, or the rows of another task, and keeps one row a window and field in a bucket that nobody
//! sees; what users asked for (`avg`, `max`, ...) is written to the target policy besides. The [`ledger`] knows which windows have changed
//! since their row was made: it is told of every record before the record is acknowledged ([`pipeline::Observer`]), and is durable before
//! the journal forgets the record. [`Rollups`] has a thread that makes those rows anew. [`Tiered`] lets queries use them.
//! Not here: what configuration files look like, retention.

mod compute;
mod function;
pub mod ledger;
mod origins;
mod outlet;
mod pace;
mod part;
mod rewritings;
mod rollups;
mod row;
mod segments;
mod settings;
mod stats;
mod task;
mod tiered;
mod tiers;
mod worker;

pub use function::Function;
pub use ledger::Order;
pub use rollups::{OpenError, Rollups};
pub use settings::Settings;
pub use stats::{Stats, TaskStats};
pub use task::{Plan, Task, TaskError, TaskField};
pub use tiered::Tiered;
pub use tiers::Tiers;
