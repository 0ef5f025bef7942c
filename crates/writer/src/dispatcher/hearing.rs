//! What a report of the threads means.

use std::time::{Duration, Instant};

use backend::WriteError;

use super::Dispatcher;
use crate::breaker::retry_after;
use crate::report::{Held, Outcome, Report};
use crate::size::SLOW;
use crate::task::Task;

/// After so many failures a task goes on with smaller requests: it may be too much for the store's patience, or ours.
const HALVE_EVERY: u32 = 3;
/// How often the same thing is said.
const SAY_EVERY: Duration = Duration::from_secs(10);
/// Wait before points are put into the dead letters again after that failed.
const LETTERS_PAUSE: Duration = Duration::from_secs(1);

/// When something was said.
#[derive(Debug, Default)]
pub(super) struct Said {
    at: Option<Instant>,
}

impl Said {
    /// True when it may be said again, which it is then.
    fn is_due(&mut self, now: Instant) -> bool {
        let is_due = self.at.is_none_or(|at| now.duration_since(at) >= SAY_EVERY);
        if is_due {
            self.at = Some(now);
        }
        is_due
    }
}

impl Dispatcher {
    pub(super) fn apply(&mut self, report: Report, now: Instant) {
        match report {
            Report::Task { worker, task, outcome } => {
                self.crew.returned(worker);
                self.adapt(&task, now);
                match outcome {
                    Outcome::Done => self.done(*task, now),
                    Outcome::Held(held) => self.hold(*task, held, now),
                }
            }
            Report::Probed { since, probe } => self.probed(since, probe, now),
            Report::InStep(outcome) => self.in_step(outcome, now),
        }
    }

    /// Later requests become smaller when this one had too many values.
    fn adapt(&mut self, task: &Task, now: Instant) {
        if let Some(values) = task.too_large {
            self.state.size.too_large(values, now);
        }
    }

    fn done(&mut self, task: Task, now: Instant) {
        debug_assert_eq!(task.fates.sum(), task.first_time);
        let slots = &mut self.state.lanes.lane(task.lane).slots;
        slots.release(&task.slots);
        slots.recycle(task.batch.values);
        self.state.account.fates += task.fates;
        self.state.account.resent += task.resent;
        self.note_dead(task.fates.dead + task.fates.lost_dead, now);
        if task.latency.is_zero() {
            // Nothing was left to be written: that says nothing about the store.
            return;
        }
        self.state.size.note(task.latency, now);
        self.state.gate.succeeded(task.latency, now);
        // It was given up too early: others may have failed for their own reasons.
        self.state.plans.look_at_lag |= !self.is_writing();
        self.state.breaker.succeeded();
        self.state.show.succeeded();
        self.state.mind.works();
    }

    /// Says now and then how many points were refused.
    pub(super) fn note_dead(&mut self, points: u64, now: Instant) {
        self.state.dead_unsaid += points;
        if self.state.dead_unsaid == 0 || !self.state.dead_said.is_due(now) {
            return;
        }
        let (store, points) = (self.bench.store.name(), std::mem::take(&mut self.state.dead_unsaid));
        tracing::warn!(store, points, "the store refuses points for good; they are in the dead letters");
    }

    /// Keeps a task for later.
    fn hold(&mut self, mut task: Task, held: Held, now: Instant) {
        match held {
            Held::Letters(message) => {
                task.not_before = now + LETTERS_PAUSE;
                self.note_letters_fail(&message, now);
                self.state.show.failed(message);
            }
            Held::Store(error) => self.hold_for_store(&mut task, &error, now),
        }
        self.state.lanes.lane(task.lane).held.push(task);
    }

    fn note_letters_fail(&mut self, error: &str, now: Instant) {
        if self.state.letters_said.is_due(now) {
            let store = self.bench.store.name();
            tracing::error!(store, error, "refused points cannot be put into the dead letters; trying again");
        }
    }

    fn hold_for_store(&mut self, task: &mut Task, error: &WriteError, now: Instant) {
        self.state.show.failed(error.to_string());
        if matches!(error, WriteError::Away { .. }) {
            self.state.positions.failed();
        }
        if task.advanced {
            self.state.breaker.succeeded();
        }
        if matches!(error, WriteError::NoPlace { .. }) && !task.asked_for_place {
            task.asked_for_place = true;
            task.not_before = now + self.config.retry_delay.0;
            self.state.mind.want_step(now);
            return;
        }
        task.failures += 1;
        if error.is_retryable() {
            self.hold_for_retry(task, retry_after(error), now);
        } else {
            // The next place is asked for once more: a person may have changed the rights meanwhile.
            task.asked_for_place = false;
            task.not_before = now;
        }
        if self.state.breaker.failed(error, now) {
            self.log_gone(error);
        }
    }

    fn hold_for_retry(&mut self, task: &mut Task, at_least: Option<Duration>, now: Instant) {
        self.state.gate.failed(now);
        task.not_before = now + self.state.backoff.retry(task.failures, at_least);
        // What it asks of one request it means for all.
        self.state.quiet_until = self.state.quiet_until.max(now + at_least.unwrap_or_default());
        if task.latency > SLOW {
            self.state.size.note(task.latency, now);
        }
        if task.failures.is_multiple_of(HALVE_EVERY) {
            task.halve();
        }
    }

    /// Tasks need not wait for their time when the store is back.
    pub(super) fn hurry(&mut self, now: Instant) {
        self.state.lanes.all_mut().flat_map(|lane| &mut lane.held).for_each(|task| task.not_before = now);
    }
}
