//! What the writer shows of itself.

use std::collections::VecDeque;
use std::sync::atomic::Ordering::Relaxed;
use std::time::{Duration, Instant};

use backend::Probe;
use model::{Seq, TimestampNs};

use super::Dispatcher;
use crate::breaker::{Cause, Stage};
use crate::status::{LanesStatus, State, WriterStatus};

/// How often.
const EVERY: Duration = Duration::from_millis(100);
/// Time between the samples that rates and lags are computed from.
const SAMPLE_EVERY: Duration = Duration::from_secs(1);
/// Samples kept: rates are those of the last 10 s.
const SAMPLES: usize = 11;

/// What is shown and not known elsewhere.
#[derive(Debug, Default)]
pub(crate) struct Show {
    last_error: Option<String>,
    version: Option<String>,
    advice: Vec<String>,
    state: State,
    state_since: TimestampNs,
    shown_at: Option<Instant>,
    samples: VecDeque<Sample>,
    /// The journal's end at a time; not reached yet by the store.
    mark: Option<(TimestampNs, Seq)>,
    lag: u64,
    backlog: u64,
}

#[derive(Debug, Clone, Copy)]
struct Sample {
    at: Instant,
    stored: u64,
    appended: u64,
}

impl Show {
    pub(super) fn failed(&mut self, message: String) {
        self.last_error = Some(message);
    }

    pub(super) fn succeeded(&mut self) {
        self.last_error = None;
    }

    pub(super) fn probed(&mut self, probe: Probe) {
        self.version = Some(probe.version);
        self.advice = probe.advice;
    }

    /// Values a second, out of the journal and into it.
    fn rates(&self) -> (f64, f64) {
        let (Some(first), Some(last)) = (self.samples.front(), self.samples.back()) else { return (0.0, 0.0) };
        let seconds = last.at.duration_since(first.at).as_secs_f64();
        if seconds <= 0.0 {
            return (0.0, 0.0);
        }
        let rate = |from: u64, to: u64| to.saturating_sub(from) as f64 / seconds;
        (rate(first.stored, last.stored), rate(first.appended, last.appended))
    }
}

impl Dispatcher {
    pub(super) fn show(&mut self, now: Instant) {
        let is_due = self.state.show.shown_at.is_none_or(|at| now.duration_since(at) >= EVERY);
        let state = self.state_now();
        if !is_due && state == self.state.show.state {
            return;
        }
        self.state.show.shown_at = Some(now);
        self.sample(now);
        self.enter(state);
        let status = self.status();
        self.control.show(status);
    }

    pub(super) fn show_end(&mut self) {
        self.enter(State::Stopped);
        let status = self.status();
        self.control.show(status);
    }

    fn enter(&mut self, state: State) {
        let show = &mut self.state.show;
        if show.state == state && show.state_since != TimestampNs(0) {
            return;
        }
        let before = std::mem::replace(&mut show.state, state);
        show.state_since = (self.clock)();
        let was_away = matches!(before, State::Waiting | State::Denied | State::Starting);
        if was_away && matches!(state, State::Writing | State::Recovering) {
            let (store, version) = (self.bench.store.name(), show.version.as_deref().unwrap_or_default());
            tracing::info!(store, version, "values reach the store");
        }
    }

    fn state_now(&self) -> State {
        match self.state.breaker.stage() {
            _ if self.control.is_paused() => State::Paused,
            Stage::Gone(Cause::Starting) => State::Starting,
            Stage::Gone(Cause::Denied) => State::Denied,
            Stage::Gone(_) => State::Waiting,
            // Whether it works is not known before the first write, if there is one.
            Stage::Trial if !self.is_idle() && self.state.show.state != State::Starting => self.state.show.state,
            _ if self.state.lanes.split.is_some() => State::Recovering,
            Stage::Trial | Stage::Works => State::Writing,
        }
    }

    /// Nothing is under way or waits.
    pub(super) fn is_idle(&self) -> bool {
        self.crew.under_way() == 0 && self.state.lanes.are_idle()
    }

    /// Looks at the journal, once a second.
    fn sample(&mut self, now: Instant) {
        if self.state.show.samples.back().is_some_and(|last| now.duration_since(last.at) < SAMPLE_EVERY) {
            return;
        }
        let stats = self.journal.stats();
        let sample = Sample { at: now, stored: self.state.account.fates.stored, appended: stats.appended.points };
        self.state.show.backlog = self.backlog(&stats) + self.state.account.owed;
        self.state.show.lag = self.unread(&stats) + self.on_the_way() + self.state.account.owed;
        let done = self.state.lanes.position().seq;
        let reached = done >= stats.last_seq;
        let time = (self.clock)();
        let show = &mut self.state.show;
        let passed = show.mark.is_none_or(|(_, last)| done >= last);
        if reached {
            show.mark = None;
        } else if passed {
            show.mark = Some((time, stats.last_seq));
        }
        show.samples.push_back(sample);
        if show.samples.len() > SAMPLES {
            show.samples.pop_front();
        }
    }

    fn lanes_status(&self) -> Option<LanesStatus> {
        let lanes = &self.state.lanes;
        let split = lanes.split.as_ref()?;
        let (backlog_from, backlog_to) = split.backlog;
        let (fresh, backlog) = (split.follower.position(), lanes.consumer.position());
        Some(LanesStatus {
            fresh,
            backlog,
            backlog_from,
            backlog_to,
            backlog_values: self.state.show.backlog,
            since: split.rule.since(),
        })
    }

    fn status(&self) -> WriterStatus {
        let (state, show, account) = (&self.state, &self.state.show, &self.state.account);
        let meter = &self.bench.meter;
        let (out, into) = show.rates();
        let drains = out > into && show.lag > 0;
        WriterStatus {
            store: self.bench.store.name().to_owned(),
            state: show.state,
            state_since: show.state_since,
            last_error: show.last_error.clone(),
            version: show.version.clone(),
            advice: show.advice.clone(),
            committed_seq: state.lanes.consumer.committed_seq(),
            lanes: self.lanes_status(),
            batch_size: state.size.get(),
            concurrency: state.gate.limit(),
            in_flight: self.crew.under_way(),
            taken: account.taken,
            fates: account.fates,
            on_the_way: self.on_the_way() + account.owed,
            resent: account.resent,
            lost: account.lost,
            skipped_unread: account.unread,
            deletes: state.deletes,
            mismatches: account.mismatches,
            requests: meter.requests.load(Relaxed),
            failures: meter.failures.load(Relaxed),
            retries: meter.retries.load(Relaxed),
            bisections: meter.bisections.load(Relaxed),
            latencies: meter.latencies.read(),
            sizes: meter.sizes.read(),
            values_per_second: out,
            lag_values: show.lag,
            seconds_to_drained: drains.then(|| show.lag as f64 / (out - into)),
            unsent_since: show.mark.map(|(time, _)| time),
            memory: self.memory(),
        }
    }
}
