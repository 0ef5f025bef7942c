//! Files to a store: readers, converters, a bounded queue, writers that try again, and the account of it all.
//!
//! [`Import`] reads one file after the other and cuts it into pieces of whole records (`formats`); workers convert each piece to line
//! protocol and hand it to a [`Sink`] in batches. What is done is known as a frontier for each file: everything before it is stored, and is
//! what a [`Checkpoint`] says, so that an import can go on where it was cut off. Writing something twice changes nothing, so what was
//! behind the frontier is simply done again.
//!
//! Not here: what formats mean (`formats`), how stores are talked to (`backend`), the terminal (`hissrv`).

mod checkpoint;
mod counters;
mod deliver;
mod error;
mod file;
mod frontier;
mod guard;
mod inputs;
mod options;
mod pattern;
mod queue;
mod rejects;
mod run;
mod sink;
mod spares;
pub mod spread;
mod state;
mod worker;

#[cfg(test)]
mod tests;

pub use checkpoint::{Checkpoint, CheckpointError, Done, FileDone};
pub use counters::{Counters, Snapshot};
pub use error::ImportError;
pub use file::{FileFormat, Layout, check, describe};
pub use inputs::{Input, MadeLines, Part, find_inputs};
pub use options::Options;
pub use rejects::{Refused, Rejects};
pub use run::{Import, Outcome, Stopped, Watched};
pub use sink::{Forgetful, JournalSink, Nowhere, Sink, SinkSession, StoreSink, Taken};
