//! Events on their way to the journal: batches, retries with growing pauses, a bound on what waits. Whoever wants live events gets them
//! once they are durable.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::{Duration, Instant};

use ::events::Event;
use pipeline::{Intake, IntakeError, Origin, PointBatch, Target};

use super::counts::Counts;
use super::hooks::Hooks;

/// Events of a batch.
const BATCH: usize = 2_000;
/// Events that wait at most: some 30 MB. The newest are given up past it.
const WAITING_MAX: usize = 100_000;
/// Pause after a failed batch; it doubles with each, up to the other.
const PAUSE: Duration = Duration::from_millis(100);
const PAUSE_MAX: Duration = Duration::from_secs(2);

/// A batch of events as points.
pub(super) struct Points {
    intake: Intake,
    batch: PointBatch,
}

impl Points {
    pub(super) fn new(intake: Intake, target: Target) -> Self {
        let batch = intake.batch(target, Origin::Events);
        Self { intake, batch }
    }

    pub(super) fn push(&mut self, event: &Event) {
        let id = event.id.to_string();
        let key = event.identity().series_key();
        for (field, value) in event.fields(&id) {
            self.batch.push(key.as_bytes(), field, value, event.time);
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.batch.is_empty()
    }

    /// Makes them durable. Waits for room in the journal's queue, not on its disk.
    pub(super) fn write(&mut self) -> Result<(), IntakeError> {
        self.batch.flush()?;
        self.intake.until_durable()
    }
}

/// Events that are not durable yet.
pub(super) struct Outbox {
    points: Points,
    /// The events in `points`, as long as that has any.
    sending: Vec<Event>,
    waiting: VecDeque<Event>,
    pause: Duration,
    try_at: Instant,
    hooks: Arc<Hooks>,
    counts: Arc<Counts>,
}

impl Outbox {
    pub(super) fn new(points: Points, hooks: Arc<Hooks>, counts: Arc<Counts>) -> Self {
        let (sending, waiting) = (Vec::new(), VecDeque::new());
        Self { points, sending, waiting, pause: PAUSE, try_at: Instant::now(), hooks, counts }
    }

    /// Takes events; those that there is no room for are given up and counted.
    pub(super) fn take(&mut self, events: &mut Vec<Event>) {
        let room = WAITING_MAX.saturating_sub(self.len());
        let given_up = events.len().saturating_sub(room) as u64;
        self.waiting.extend(events.drain(..).take(room));
        if given_up > 0 {
            self.counts.book(|counts| counts.dropped += given_up);
            tracing::warn!(events = given_up, "events were given up, since too many wait to be written");
        }
    }

    /// Events that wait.
    pub(super) fn len(&self) -> usize {
        self.sending.len() + self.waiting.len()
    }

    /// True when a batch is full.
    pub(super) fn is_full(&self) -> bool {
        self.len() >= BATCH
    }

    /// True while a batch failed and is to be tried again.
    pub(super) fn is_stuck(&self) -> bool {
        !self.sending.is_empty()
    }

    /// All that wait, the oldest first.
    pub(super) fn all(&self) -> Vec<Event> {
        self.sending.iter().chain(&self.waiting).cloned().collect()
    }

    /// Writes what waits, unless it is too early to try again.
    pub(super) fn deliver(&mut self) {
        while self.len() > 0 && Instant::now() >= self.try_at {
            if !self.deliver_batch() {
                return;
            }
        }
    }

    /// Waits until the journal's records so far survive a power cut.
    pub(super) fn until_durable(&self) -> Result<(), IntakeError> {
        self.points.intake.until_durable()
    }

    /// Lets the next try be soon: there may be room now.
    pub(super) fn hurry(&mut self) {
        self.try_at = self.try_at.min(Instant::now() + PAUSE);
    }

    /// Tries once more whatever the pause.
    pub(super) fn deliver_now(&mut self) {
        self.try_at = Instant::now();
        self.deliver();
    }

    fn deliver_batch(&mut self) -> bool {
        if self.sending.is_empty() {
            self.sending.extend(self.waiting.drain(..BATCH.min(self.waiting.len())));
        }
        if self.points.is_empty() {
            self.sending.iter().for_each(|event| self.points.push(event));
        }
        match self.points.write() {
            Ok(()) => {
                self.hooks.call(&self.sending);
                self.sending.clear();
                self.pause = PAUSE;
                true
            }
            Err(e) if is_passing(&e) => {
                self.try_at = Instant::now() + self.pause;
                if self.pause == PAUSE {
                    tracing::warn!(error = %e, waiting = self.len(), "events cannot be written; trying again");
                }
                self.pause = (self.pause * 2).min(PAUSE_MAX);
                self.counts.book(|counts| counts.retries += 1);
                false
            }
            Err(e) => {
                let count = self.sending.len();
                tracing::error!(error = %e, events = count, "events were refused and given up");
                self.counts.book(|counts| counts.dropped += count as u64);
                self.sending.clear();
                true
            }
        }
    }
}

/// Whether the same batch may be taken later, be it after a restart.
fn is_passing(e: &IntakeError) -> bool {
    use journal::AppendError::{Closed, Poisoned};
    e.is_retryable() || matches!(e, IntakeError::Behind | IntakeError::Journal(Closed | Poisoned))
}
