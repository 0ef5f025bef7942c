//! Joins sources and pipeline: what a source pushes ends in a batch for the journal.

use pipeline::{Intake, Origin, PointBatch, Target};
use source::{PointRef, Sink, SinkError, SinkFactory};

/// Makes sinks that write plainly: to the homes of measurements, else to the default policy.
pub(crate) struct NodeSinks {
    pub(crate) intake: Intake,
    pub(crate) target: Target,
    pub(crate) origin: Origin,
}

impl SinkFactory for NodeSinks {
    fn sink(&self, _source: &str) -> Box<dyn Sink> {
        Box::new(BatchSink(self.intake.batch(self.target.clone(), self.origin)))
    }
}

struct BatchSink(PointBatch);

impl Sink for BatchSink {
    fn push(&mut self, point: PointRef<'_>) {
        self.0.push(point.series, point.field, point.value, point.time);
    }

    fn pending(&self) -> usize {
        self.0.len()
    }

    fn flush(&mut self) -> Result<(), SinkError> {
        self.0.flush().map_err(|e| match e.is_retryable() {
            true => SinkError::Busy(e.to_string()),
            false => SinkError::Refused(e.to_string()),
        })
    }
}
