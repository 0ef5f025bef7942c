//! Where decoded values go. A source pushes values and flushes; the pipeline implements [`Sink`] with a batch that ends in
//! the journal. Not here: what becomes of a value afterwards, and which values the sink refuses.

use model::{FieldValue, TimestampNs};

/// Tells the time; injected so that tests decide what "now" is.
pub type Clock = fn() -> TimestampNs;

/// One field value of one series at one instant, borrowed from the message it was decoded from.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct PointRef<'a> {
    /// The series in its canonical form, as `model::key::SeriesKeyBuf` writes it.
    pub series: &'a [u8],
    /// Name of the field.
    pub field: &'a str,
    /// The value.
    pub value: FieldValue<'a>,
    /// When the value was taken.
    pub time: TimestampNs,
}

/// Takes values one at a time and hands them on in batches. Owned by one thread.
pub trait Sink: Send {
    /// Adds a value to the current batch. Never fails and never blocks for long; what the sink refuses it counts itself.
    fn push(&mut self, point: PointRef<'_>);

    /// Values pushed since the last successful [`Sink::flush`].
    fn pending(&self) -> usize;

    /// Hands the batch on; blocks until it is taken. An empty batch is fine.
    ///
    /// # Errors
    /// [`SinkError::Busy`]: the batch was kept, call again later. [`SinkError::Refused`]: it is gone and was counted.
    fn flush(&mut self) -> Result<(), SinkError>;
}

/// Why a batch was not handed on.
#[derive(Debug, thiserror::Error)]
pub enum SinkError {
    /// The batch was kept by the sink; flush again later.
    #[error("the batch cannot be taken now: {0}")]
    Busy(String),
    /// Never retry: the sink dropped the batch and counted it.
    #[error("the batch was refused: {0}")]
    Refused(String),
}

impl SinkError {
    /// True when flushing again may help.
    pub fn is_retryable(&self) -> bool {
        matches!(self, Self::Busy(_))
    }
}

/// Makes the sinks of a source: one for each of its threads that has values to push.
pub trait SinkFactory: Send + Sync {
    /// A sink for the source with this name (the name is for counters and logs).
    fn sink(&self, source: &str) -> Box<dyn Sink>;
}
