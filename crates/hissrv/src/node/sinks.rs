//! Joins sources and pipeline: what a source pushes ends in a batch for the journal.

use model::BucketId;
use pipeline::{Intake, Origin, PointBatch};
use source::{PointRef, Sink, SinkError, SinkFactory};

/// Makes sinks that write to the default bucket.
pub(crate) struct NodeSinks {
    pub(crate) intake: Intake,
    pub(crate) bucket: BucketId,
    pub(crate) origin: Origin,
}

impl SinkFactory for NodeSinks {
    fn sink(&self, _source: &str) -> Box<dyn Sink> {
        Box::new(BatchSink(self.intake.batch(self.bucket, self.origin)))
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
