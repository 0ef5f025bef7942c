//! Where points go.

mod journal;
mod nowhere;
mod store;

use std::time::Duration;

use backend::WriteError;
use model::line::Run;

pub use journal::JournalSink;
pub use nowhere::Nowhere;
pub use store::StoreSink;

/// A place that takes line protocol with times in nanoseconds.
pub trait Sink: Send + Sync {
    /// A connection of its own for one worker.
    fn session(&self) -> Box<dyn SinkSession + '_>;

    /// Makes the place that points go to, where the store can and it is missing.
    ///
    /// # Errors
    /// As for [`SinkSession::write`].
    fn prepare(&self) -> Result<(), WriteError>;

    /// What it takes to be sure of a place that answers from memory; `None`: what it has taken is there for good.
    fn forgetful(&self) -> Option<&dyn Forgetful> {
        None
    }
}

/// A place that answers from memory: when its process ends, the last of what it was given is lost.
pub trait Forgetful: Sync {
    /// How long what it was given may be lost.
    fn durable_after(&self) -> Duration;

    /// What tells its process from the next one; `None`: it does not say.
    ///
    /// # Errors
    /// It cannot be asked.
    fn incarnation(&self) -> Result<Option<String>, WriteError>;

    /// Has it write to its disk what it was given before; false where that cannot be had.
    fn make_durable(&self) -> bool;
}

/// One worker's way into a sink.
pub trait SinkSession: Send {
    /// Stores lines; once this returns they are there, but for those that the answer names. Storing some twice changes nothing.
    ///
    /// # Errors
    /// [`WriteError`]; some of the points may be stored all the same. [`WriteError::Points`]: at least one of the lines can never be stored,
    /// and it is not known which.
    fn write(&mut self, lines: &[u8]) -> Result<Taken, WriteError>;

    /// Stores at most `most` lines at the start of a text of line protocol, and tells which, for a sink that checks every line itself; `None`:
    /// this one does not, or more is to be done with them.
    ///
    /// # Errors
    /// As for [`SinkSession::write`].
    fn write_unchecked(&mut self, _text: &[u8], _most: usize) -> Option<Result<(Run, Taken), WriteError>> {
        None
    }
}

/// What became of lines that were taken.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Taken {
    /// Values left out because the store has no type for them.
    pub filtered: u64,
    /// Lines that were refused while all others were stored: number among those written, from 0, and reason.
    pub refused: Vec<(usize, String)>,
}
