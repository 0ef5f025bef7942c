//! A sink with its flush policy: a batch is handed on when it is large or old, and never given up while the sink is busy.

use std::sync::Arc;
use std::time::{Duration, Instant};

use model::key::SeriesKeyBuf;
use model::{FieldValue, TimestampNs};

use super::status::{Gap, Shared, add};
use super::stop::Stop;
use crate::sink::{PointRef, Sink};

/// A batch of this many values is handed on at once.
const BATCH_VALUES: usize = 5_000;
/// No value waits longer than this for its batch to fill: it becomes durable, or a group commit is missed, so soon.
const BATCH_AGE: Duration = Duration::from_millis(50);
/// Pauses between attempts while the sink is busy.
const BUSY_FIRST: Duration = Duration::from_millis(5);
const BUSY_LONGEST: Duration = Duration::from_secs(1);

/// A sink, its batch's age, and whom to tell about failures.
pub(crate) struct Outlet {
    pub(crate) sink: Box<dyn Sink>,
    shared: Arc<Shared>,
    give_up: Arc<Stop>,
    oldest: Option<Instant>,
}

impl Outlet {
    pub(crate) fn new(sink: Box<dyn Sink>, shared: Arc<Shared>, give_up: Arc<Stop>) -> Self {
        Self { sink, shared, give_up, oldest: None }
    }

    /// Hands the batch on if it is due.
    pub(crate) fn flush_if_due(&mut self) {
        let pending = self.sink.pending();
        if pending == 0 {
            self.oldest = None;
        } else if pending >= BATCH_VALUES || self.oldest.get_or_insert_with(Instant::now).elapsed() >= BATCH_AGE {
            self.flush();
        }
    }

    /// How long the batch may still wait.
    pub(crate) fn patience(&self) -> Duration {
        self.oldest.map_or(BATCH_AGE, |oldest| BATCH_AGE.saturating_sub(oldest.elapsed()))
    }

    /// Hands the batch on, however long the sink is busy, until giving up is asked for; what it did not take is then still
    /// with the sink.
    pub(crate) fn flush(&mut self) {
        self.oldest = None;
        let mut pause = BUSY_FIRST;
        while let Err(error) = self.sink.flush() {
            if !error.is_retryable() {
                add(&self.shared.flush_refused, 1);
                tracing::error!(source = %self.shared.name, %error, "batch lost");
                return;
            }
            add(&self.shared.flush_failures, 1);
            tracing::debug!(source = %self.shared.name, %error, "sink busy");
            if self.give_up.sleep(pause) {
                return;
            }
            pause = (pause * 2).min(BUSY_LONGEST);
        }
    }

    /// Stores the gaps that became known.
    pub(crate) fn push_gaps(&mut self) {
        for gap in self.shared.take_gaps() {
            self.push_gap(&gap);
        }
    }

    fn push_gap(&mut self, gap: &Gap) {
        let mut key = SeriesKeyBuf::default();
        key.start("source_gap");
        key.tag("source", &self.shared.name);
        let (series, time) = (key.as_bytes(), TimestampNs(gap.start));
        self.sink.push(PointRef { series, field: "duration_s", value: FieldValue::Float(gap.duration_s), time });
        self.sink.push(PointRef { series, field: "reason", value: FieldValue::String(&gap.reason), time });
    }
}
