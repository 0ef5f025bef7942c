//! What the threads of [`crate::Alerts`] share.

use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use model::TimestampNs;

use crate::Clock;
use crate::config::RetryConfig;
use crate::engine::{Rule, Sight};
use crate::ledger::Ledger;
use crate::notification::Notification;
use crate::outbox::Next;

/// Rules, and all that changes.
pub(crate) struct Shared {
    pub(crate) rules: Vec<Rule>,
    pub(crate) retry: RetryConfig,
    pub(crate) clock: Clock,
    state: Mutex<State>,
    /// Something waits, or it is time to stop.
    changed: Condvar,
}

/// What changes.
pub(crate) struct State {
    pub(crate) ledger: Ledger,
    pub(crate) looks: BTreeMap<String, LastLook>,
    pub(crate) channels: BTreeMap<String, Deliveries>,
    is_stopping: bool,
}

/// How a rule fared.
#[derive(Debug, Clone, Default)]
pub(crate) struct LastLook {
    pub(crate) at: Option<TimestampNs>,
    /// Why nothing could be seen the last time.
    pub(crate) error: Option<String>,
    /// Series without a place the last time.
    pub(crate) beyond_limit: usize,
}

/// How a channel fares, since the start.
#[derive(Debug, Clone, Default)]
pub(crate) struct Deliveries {
    pub(crate) delivered: u64,
    pub(crate) given_up: u64,
    pub(crate) failed_attempts: u64,
    /// Of the last attempt; `None` when it was taken.
    pub(crate) error: Option<String>,
    pub(crate) last_delivered: Option<TimestampNs>,
}

impl Shared {
    pub(crate) fn new(
        rules: Vec<Rule>,
        retry: RetryConfig,
        clock: Clock,
        ledger: Ledger,
        channels: Vec<String>,
    ) -> Self {
        let looks = rules.iter().map(|rule| (rule.name.clone(), LastLook::default())).collect();
        let channels = channels.into_iter().map(|name| (name, Deliveries::default())).collect();
        let state = State { ledger, looks, channels, is_stopping: false };
        Self { rules, retry, clock, state: Mutex::new(state), changed: Condvar::new() }
    }

    pub(crate) fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Looks at a rule, and wakes up channels that have something to say then.
    pub(crate) fn look(&self, rule: &Rule, sight: Result<Sight<'_>, String>) {
        let now = (self.clock)();
        let (sight, error) = match sight {
            Ok(sight) => (sight, None),
            Err(error) => (Sight::Failed, Some(error)),
        };
        let mut state = self.lock();
        let beyond_limit = state.ledger.look(rule, sight, now);
        if let Some(last) = state.looks.get_mut(&rule.name) {
            note(rule, last, beyond_limit, error.as_deref());
            *last = LastLook { at: Some(now), error, beyond_limit };
        }
        drop(state);
        self.changed.notify_all();
    }

    /// Waits for something to send over a channel, not before `not_before`; `None` when it is time to stop.
    pub(crate) fn wait_to_send(&self, channel: &str, not_before: Option<Instant>) -> Option<(u64, Notification)> {
        let mut state = self.lock();
        loop {
            if state.is_stopping {
                return None;
            }
            let now = Instant::now();
            let wake_up = match not_before.filter(|time| *time > now) {
                Some(time) => Some(time),
                None => match state.ledger.next(channel, now) {
                    Next::Send(seq, notification) => return Some((seq, *notification)),
                    Next::At(time) => Some(time),
                    Next::Nothing => None,
                },
            };
            state = self.wait(state, wake_up);
        }
    }

    /// Sleeps until a time; true when it is time to stop.
    pub(crate) fn sleep_until(&self, time: Instant) -> bool {
        let mut state = self.lock();
        while !state.is_stopping && Instant::now() < time {
            state = self.wait(state, Some(time));
        }
        state.is_stopping
    }

    fn wait<'s>(&self, state: MutexGuard<'s, State>, until: Option<Instant>) -> MutexGuard<'s, State> {
        match until {
            Some(time) => {
                let length = time.saturating_duration_since(Instant::now());
                self.changed.wait_timeout(state, length).unwrap_or_else(PoisonError::into_inner).0
            }
            None => self.changed.wait(state).unwrap_or_else(PoisonError::into_inner),
        }
    }

    pub(crate) fn stop(&self) {
        self.lock().is_stopping = true;
        self.changed.notify_all();
    }
}

/// Says what has changed since the last look at a rule.
fn note(rule: &Rule, last: &LastLook, beyond_limit: usize, error: Option<&str>) {
    let rule = &rule.name;
    match (&last.error, error) {
        (None, Some(error)) => {
            tracing::warn!(rule, error, "an alert rule cannot be looked at; its alerts stay as they are")
        }
        (Some(_), None) => tracing::info!(rule, "an alert rule is looked at again"),
        _ => {}
    }
    if beyond_limit > 0 && last.beyond_limit == 0 {
        tracing::warn!(
            rule,
            series = beyond_limit,
            "an alert rule has more alerts than alerts.max_alerts; the others are not watched"
        );
    }
}

/// Runs code of others; a panic in it is an error, since alerting must go on.
pub(crate) fn guarded<T>(what: impl FnOnce() -> T) -> Result<T, String> {
    catch_unwind(AssertUnwindSafe(what)).map_err(|panic| {
        let text = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
        let text = text.or_else(|| panic.downcast_ref::<String>().cloned());
        format!("panicked: {}", text.unwrap_or_default())
    })
}
