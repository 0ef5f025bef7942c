//! Takes what the journal holds to a store in another process: batches whose size and number adapt to the store, retries, two
//! lanes after an outage, dead letters, and an account of every value.
//!
//! A store has one dispatcher, which reads the journal and decides, and workers, which talk to the store. Of two values for the
//! same series, field and time the one later in the journal arrives later. What the journal holds is sent at least once; the
//! cursor moves when the store has it for good.
//!
//! Not here: how a store is talked to (`backend`). Deletions are not forwarded in this version: they are counted, and logged once.

mod account;
mod config;
pub mod dead_letters;
mod meter;
mod status;

mod batch;
mod task;
mod values;

mod lane;
mod lanes;
mod routes;
mod rule;
mod seen;
mod slots;

mod bad_columns;
mod care;
mod crew;
mod report;
mod worker;

mod backoff;
mod breaker;
mod budget;
mod gate;
mod positions;
mod size;

mod control;
mod dispatcher;
mod writer;

pub use account::Fates;
pub use config::WriterConfig;
pub use meter::Histogram;
pub use status::{LanesStatus, State, WriterStatus};
pub use writer::{Parts, StoreWriter};
