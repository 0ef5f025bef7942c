//! From received values to durable, visible ones.
//!
//! [`Intake`] turns line protocol and decoded points into batches of identifiers and appends them to the journal; [`Applier`]
//! takes the journal's records into the embedded engine. A sender is told "done" when its batch is durable in the journal
//! and visible to queries. Not here: sockets, decoding of payloads, stores other than the embedded one.

mod applied;
mod applier;
mod columns;
mod counters;
mod deletions;
mod drops;
mod intake;
mod lines;
mod observer;
mod points;
mod retention;
mod target;

pub use applied::{Applied, Visible};
pub use applier::{Applier, ApplierStats};
pub use columns::ColumnValue;
pub use counters::{Counters, Origin, OriginCounts};
pub use deletions::{Deletion, Undeleted};
pub use drops::{drop_database, drop_policy};
pub use intake::{Intake, IntakeError, LineWrite, Needed, Outcome, Rejected};
pub use observer::{Observer, Observers};
pub use points::PointBatch;
pub use retention::{Due, Held, Hold, Old, Retention, enforce_retention};
pub use target::Target;
