//! A sink with its flush policy: a batch is handed on when it is large or old, and never given up while the sink is busy.

use std::sync::Arc;
use std::time::{Duration, Instant};

use model::key::SeriesKeyBuf;
use model::{FieldValue, TimestampNs};

use super::status::{Gap, Shared, add};
use super::stop::Stop;
use crate::sink::{PointRef, Sink};

/// A batch of this many values is handed on at once, unless the options say otherwise.
pub const BATCH_VALUES: usize = 5_000;
/// No value waits longer than this for its batch to fill, so that it becomes durable and visible soon. The options can only
/// shorten it.
pub const BATCH_AGE: Duration = Duration::from_millis(50);
/// Pauses between attempts while the sink is busy.
const BUSY_FIRST: Duration = Duration::from_millis(5);
const BUSY_LONGEST: Duration = Duration::from_secs(1);

/// When a batch is handed on.
#[derive(Debug, Clone, Copy)]
pub(crate) struct BatchLimits {
    values: usize,
    age: Duration,
}

impl BatchLimits {
    /// Once it has so many values, or its oldest one has waited so long; [`BATCH_AGE`] is the longest.
    pub(crate) fn new(values: usize, age: Duration) -> Self {
        Self { values, age: age.min(BATCH_AGE) }
    }
}

/// A sink, its batch's age, and whom to tell about failures.
pub(crate) struct Outlet {
    pub(crate) sink: Box<dyn Sink>,
    limits: BatchLimits,
    shared: Arc<Shared>,
    give_up: Arc<Stop>,
    oldest: Option<Instant>,
}

impl Outlet {
    pub(crate) fn new(sink: Box<dyn Sink>, limits: BatchLimits, shared: Arc<Shared>, give_up: Arc<Stop>) -> Self {
        Self { sink, limits, shared, give_up, oldest: None }
    }

    /// Hands the batch on if it is due.
    pub(crate) fn flush_if_due(&mut self) {
        let pending = self.sink.pending();
        if pending == 0 {
            self.oldest = None;
            return;
        }
        let age = self.oldest.get_or_insert_with(Instant::now).elapsed();
        if pending >= self.limits.values || age >= self.limits.age {
            self.flush();
        }
    }

    /// How long the batch may still wait; while there is none, a pause that also suits the shortest age.
    pub(crate) fn patience(&self) -> Duration {
        self.oldest.map_or(BATCH_AGE, |oldest| self.limits.age.saturating_sub(oldest.elapsed()))
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::SinkError;
    use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};

    struct Counting {
        pending: usize,
        flushes: Arc<AtomicUsize>,
    }

    impl Sink for Counting {
        fn push(&mut self, _point: PointRef<'_>) {
            self.pending += 1;
        }

        fn pending(&self) -> usize {
            self.pending
        }

        fn flush(&mut self) -> Result<(), SinkError> {
            self.pending = 0;
            self.flushes.fetch_add(1, SeqCst);
            Ok(())
        }
    }

    fn outlet(values: usize, age: Duration) -> (Outlet, Arc<AtomicUsize>) {
        let flushes = Arc::new(AtomicUsize::new(0));
        let sink = Box::new(Counting { pending: 0, flushes: Arc::clone(&flushes) });
        let shared = Arc::new(Shared::new("test", || TimestampNs(0), 1));
        (Outlet::new(sink, BatchLimits::new(values, age), shared, Arc::default()), flushes)
    }

    fn push(outlet: &mut Outlet) {
        let value = FieldValue::Float(1.0);
        outlet.sink.push(PointRef { series: b"m", field: "f", value, time: TimestampNs(1) });
    }

    #[test]
    fn a_batch_is_handed_on_when_it_has_so_many_values() {
        // The age of 50 ms is held by moving its start into the future, not by being fast.
        let (mut outlet, flushes) = outlet(3, BATCH_AGE);
        outlet.oldest = Some(Instant::now() + Duration::from_secs(3600));
        for expected in [0, 0, 1] {
            push(&mut outlet);
            outlet.flush_if_due();
            assert_eq!(flushes.load(SeqCst), expected);
        }
    }

    #[test]
    fn the_longest_age_is_fifty_milliseconds_whatever_is_asked_for() {
        let (mut outlet, flushes) = outlet(1000, Duration::from_secs(3600));
        push(&mut outlet);
        outlet.oldest = Instant::now().checked_sub(BATCH_AGE);
        outlet.flush_if_due();
        assert_eq!(flushes.load(SeqCst), 1);
    }

    #[test]
    fn without_an_age_every_batch_is_handed_on_at_once_and_idle_pauses_stay() {
        let (mut outlet, flushes) = outlet(1000, Duration::ZERO);
        outlet.flush_if_due();
        assert_eq!((flushes.load(SeqCst), outlet.patience()), (0, BATCH_AGE));
        push(&mut outlet);
        outlet.flush_if_due();
        assert_eq!((flushes.load(SeqCst), outlet.patience()), (1, BATCH_AGE));
    }
}
