//! Looking after the store: whether it is there, and whether it has the databases and policies that it should have.

use std::collections::HashSet;
use std::time::{Duration, Instant};

use backend::{Probe, Step, Wanted, WriteError};

use super::Dispatcher;
use crate::breaker::Cause;
use crate::care::Errand;
use crate::positions::Verdict;

/// How often it is seen whether what is wanted has changed.
const STEP_EVERY: Duration = Duration::from_secs(60);
/// How often it is brought in step although nothing changed: somebody may have changed it there, and PostgreSQL has its expired
/// partitions dropped by that.
const STEP_ANYWAY: Duration = Duration::from_secs(600);
/// A store that gets nothing is looked at once in so many of the times between two looks that are allowed, which is every 10 s, so that
/// people hear that it is away before values wait for it.
const IDLE_LOOKS: u32 = 10;
/// Most wishes that cannot be fulfilled whose sentences are remembered, so that each is logged once.
const SAID_MAX: usize = 1_000;
/// Most reasons that are said while a store cannot be written to.
const REASONS_MAX: usize = 20;

/// What the dispatcher has in mind about its store.
pub(crate) struct Mind {
    /// What the store was last brought in step with.
    fulfilled: Option<Wanted>,
    /// What it is being brought in step with.
    asked: Option<Wanted>,
    step_at: Instant,
    stepped_at: Instant,
    /// Whether or not something changed.
    must_step: bool,
    looked_at: Instant,
    said: HashSet<String>,
    /// Reasons that were said why the store cannot be written to.
    said_gone: HashSet<String>,
}

impl Mind {
    pub(super) fn new(now: Instant) -> Self {
        Self {
            fulfilled: None,
            asked: None,
            step_at: now,
            stepped_at: now,
            must_step: false,
            looked_at: now,
            said: HashSet::new(),
            said_gone: HashSet::new(),
        }
    }

    /// A place is missing.
    pub(super) fn want_step(&mut self, now: Instant) {
        self.must_step = true;
        self.step_at = now;
    }

    /// The store can be written to.
    pub(super) fn works(&mut self) {
        self.said_gone.clear();
    }

    /// True when this sentence was not said before.
    fn is_news(&mut self, sentence: &str) -> bool {
        self.said.len() < SAID_MAX && self.said.insert(sentence.to_owned())
    }
}

impl Dispatcher {
    /// Has the store looked at or kept in step, when it is time.
    pub(super) fn mind(&mut self, now: Instant) {
        if self.care.is_busy() || self.control.stop_at().is_some() {
            return;
        }
        let is_paused = self.control.is_paused();
        let may_look = now.duration_since(self.state.mind.looked_at) >= self.keep_every();
        let is_due = !is_paused && self.state.breaker.look_due(now);
        if is_due || (may_look && self.state.positions.wants_look(now)) || (!is_paused && self.is_idle_look_due(now)) {
            self.state.mind.looked_at = now;
            self.care.send(Errand::Probe);
        } else if !is_paused && self.is_writing() && now >= self.state.mind.step_at {
            self.step(now);
        }
    }

    fn is_idle_look_due(&self, now: Instant) -> bool {
        let since = now.duration_since(self.state.mind.looked_at);
        self.is_writing() && self.is_idle() && since >= self.keep_every() * IDLE_LOOKS
    }

    fn step(&mut self, now: Instant) {
        self.state.mind.step_at = now + STEP_EVERY;
        let wanted = (self.wanted)();
        let mind = &mut self.state.mind;
        let is_same = mind.fulfilled.as_ref() == Some(&wanted) && now.duration_since(mind.stepped_at) < STEP_ANYWAY;
        if std::mem::take(&mut mind.must_step) || !is_same {
            mind.stepped_at = now;
            self.keep_in_step(wanted);
        }
    }

    fn keep_in_step(&mut self, wanted: Wanted) {
        self.state.mind.asked = Some(wanted.clone());
        self.care.send(Errand::KeepInStep(wanted));
    }

    pub(super) fn probed(&mut self, since: Instant, probe: Result<Probe, WriteError>, now: Instant) {
        self.care.reported();
        match probe {
            Ok(probe) => self.found(since, probe),
            Err(error) => self.missed(&error, now),
        }
    }

    fn found(&mut self, since: Instant, probe: Probe) {
        let verdict = self.state.positions.looked(probe.incarnation.as_deref());
        match verdict {
            Verdict::Same => self.commit_confirmed(since),
            Verdict::StartedAnew => self.plan_repair(),
        }
        self.state.show.probed(probe);
        if !self.is_writing() {
            let wanted = (self.wanted)();
            self.keep_in_step(wanted);
        }
    }

    fn missed(&mut self, error: &WriteError, now: Instant) {
        if matches!(error, WriteError::Away { .. }) {
            self.state.positions.failed();
        }
        // While writes succeed, a look that fails says little; the next one will tell.
        if !self.is_writing() || self.is_idle() {
            self.state.show.failed(error.to_string());
            self.state.breaker.missed(error, now);
            self.log_gone(error);
        }
    }

    pub(super) fn in_step(&mut self, outcome: Result<Vec<Step>, WriteError>, now: Instant) {
        self.care.reported();
        let asked = self.state.mind.asked.take();
        match outcome {
            Ok(steps) => {
                self.state.mind.fulfilled = asked;
                steps.iter().for_each(|step| self.log_step(step));
            }
            Err(error) if error.is_retryable() => return self.no_step(&error, now),
            Err(error) => self.log_no_step(&error),
        }
        if !self.is_writing() {
            self.state.breaker.found();
            self.state.plans.look_at_lag = true;
            if self.state.lanes.are_idle() {
                // Nothing waits that could show it.
                self.state.show.succeeded();
            }
        }
        self.hurry(now);
    }

    /// It could not be asked: nothing is known of the places that are missing.
    fn no_step(&mut self, error: &WriteError, now: Instant) {
        self.state.lanes.all_mut().flat_map(|lane| &mut lane.held).for_each(|task| task.asked_for_place = false);
        self.missed(error, now);
    }

    fn log_step(&mut self, step: &Step) {
        let store = self.bench.store.name();
        match step {
            Step::Done(what) => tracing::info!(store, what, "the store was brought in step"),
            Step::Impossible(what) if self.state.mind.is_news(what) => {
                tracing::warn!(store, what, "the store cannot be brought in step");
            }
            Step::Impossible(_) => {}
        }
    }

    /// Writing may be possible all the same: a token may be good for writing only.
    fn log_no_step(&mut self, error: &WriteError) {
        let what = error.to_string();
        if self.state.mind.is_news(&what) {
            let store = self.bench.store.name();
            tracing::warn!(store, what, "the store cannot be brought in step");
        }
    }

    /// Says why the store cannot be written to, once for each reason.
    pub(super) fn log_gone(&mut self, error: &WriteError) {
        let said = &mut self.state.mind.said_gone;
        if said.len() >= REASONS_MAX || !said.insert(error.to_string()) {
            return;
        }
        let store = self.bench.store.name();
        match Cause::of(error) {
            Cause::Denied => {
                tracing::error!(store, %error, "the store refuses values until its settings or ours are changed; they stay in the journal");
            }
            _ => {
                tracing::warn!(store, %error, "the store cannot be written to; values stay in the journal until it can")
            }
        }
    }
}
