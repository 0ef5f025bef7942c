//! What people are shown: alerts, silences, and how rules and channels fare. All of it can be serialised.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::Labels;
use crate::engine::{Alert, Phase, Rule};
use crate::fingerprint::Fingerprint;
use crate::ledger::Ledger;
use crate::level::Level;
use crate::moment::Moment;
use crate::notification::{Notification, Transition};
use crate::shared::{Shared, State as Changing};
use crate::silence::SilenceConfig;
use crate::text::Text;
use model::TimestampNs;

/// Everything at a glance.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Listing {
    /// Alerts that are pending, that fire, and that ended within the last hour.
    pub alerts: Vec<AlertView>,
    /// Silences in force or to come.
    pub silences: Vec<SilenceView>,
    /// How each rule fares.
    pub rules: Vec<RuleStatus>,
    /// How each channel fares.
    pub channels: Vec<ChannelStatus>,
    /// Sums.
    pub totals: Totals,
}

/// Where an alert stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum State {
    /// The condition holds, but not for long enough.
    Pending,
    /// It fires.
    Firing,
    /// It is over.
    Resolved,
}

/// An alert.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct AlertView {
    /// What it is known by.
    pub fingerprint: Fingerprint,
    /// Name of the rule.
    pub rule: String,
    /// Where it stands.
    pub state: State,
    /// How bad it is.
    pub severity: Level,
    /// Labels of series and rule.
    pub labels: Labels,
    /// The rule's texts, filled.
    pub annotations: BTreeMap<String, Text>,
    /// The value seen last.
    pub value: Option<f64>,
    /// Since when the condition holds or held.
    pub since: Moment,
    /// Until when.
    pub until: Option<Moment>,
    /// All of it in a sentence.
    pub text: Text,
    /// Ids of the silences that hold for it now.
    pub silenced_by: Vec<String>,
    /// Channels that were told that it fires. Told means: durable, and delivered or waiting.
    pub told: Vec<String>,
}

/// A silence.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct SilenceView {
    /// Names it.
    pub id: String,
    /// False: of the configuration, and not to be removed.
    pub is_added: bool,
    /// As it was written.
    #[serde(flatten)]
    pub silence: SilenceConfig,
}

/// How a rule fares.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct RuleStatus {
    /// Its name.
    pub name: String,
    /// How bad its alerts are.
    pub severity: Level,
    /// When it was looked at the last time.
    pub looked_at: Option<Moment>,
    /// Why nothing could be seen then.
    pub error: Option<String>,
    /// Alerts that are pending.
    pub pending: usize,
    /// Alerts that fire.
    pub firing: usize,
    /// Series that are not watched because there are too many.
    pub beyond_limit: usize,
}

/// How a channel fares, since the start.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ChannelStatus {
    /// Its name.
    pub name: String,
    /// Notifications that wait for it.
    pub waiting: usize,
    /// When the oldest of them was made.
    pub waiting_since: Option<Moment>,
    /// Notifications that it took.
    pub delivered: u64,
    /// When it took the last one.
    pub last_delivered: Option<Moment>,
    /// Notifications that were refused, or waited for too long.
    pub given_up: u64,
    /// Attempts that failed.
    pub failed_attempts: u64,
    /// Why the last attempt failed; `None` when it did not.
    pub last_error: Option<String>,
}

/// Sums.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Totals {
    /// Alerts that are pending.
    pub pending: usize,
    /// Alerts that fire.
    pub firing: usize,
    /// Notifications that wait for a channel.
    pub waiting: usize,
    /// Since the start: repeats that were dropped, since others had become due or there was no room.
    pub dropped_repeats: u64,
    /// Since the start: looks at which an alert was not told, since too much waits; it is told when there is room.
    pub held_back: u64,
    /// False while the file cannot be written: a crash would repeat notifications, or forget what is pending.
    pub is_durable: bool,
}

impl Listing {
    pub(crate) fn new(shared: &Shared) -> Self {
        let now = (shared.clock)();
        let state = shared.lock();
        let alerts = state.ledger.engine().alerts().filter(|alert| alert.is_shown(now));
        let alerts = alerts.filter_map(|alert| {
            let rule = shared.rules.iter().find(|rule| rule.name == alert.rule)?;
            AlertView::new(rule, alert, &state.ledger, now)
        });
        let silences = state.ledger.silences().iter().map(|silence| SilenceView {
            id: silence.id.clone(),
            is_added: state.ledger.is_added(&silence.id),
            silence: silence.config.clone(),
        });
        Self {
            alerts: alerts.collect(),
            silences: silences.collect(),
            rules: shared.rules.iter().map(|rule| RuleStatus::new(rule, &state)).collect(),
            channels: state.channels.keys().map(|name| ChannelStatus::new(name, &state)).collect(),
            totals: Totals::new(&state.ledger),
        }
    }
}

impl AlertView {
    /// `None` for a series that is well.
    fn new(rule: &Rule, alert: &Alert, ledger: &Ledger, now: TimestampNs) -> Option<Self> {
        let (state, transition) = match alert.phase {
            Phase::Inactive => return None,
            Phase::Pending { .. } => (State::Pending, Transition::Firing),
            Phase::Firing { .. } => (State::Firing, Transition::Firing),
            Phase::Resolved { .. } => (State::Resolved, Transition::Resolved),
        };
        let said = Notification::new(rule, alert, transition, now);
        let labels = rule.all_labels(&alert.series);
        let holding = ledger.silences().iter().filter(|silence| silence.holds(&labels, now));
        Some(Self {
            fingerprint: said.fingerprint,
            rule: said.rule,
            state,
            severity: said.severity,
            labels: said.labels,
            annotations: said.annotations,
            value: said.value,
            since: said.since,
            until: said.until,
            text: said.text,
            silenced_by: holding.map(|silence| silence.id.clone()).collect(),
            told: alert.told.as_ref().map(|told| told.channels.clone()).unwrap_or_default(),
        })
    }
}

impl RuleStatus {
    fn new(rule: &Rule, state: &Changing) -> Self {
        let last = state.looks.get(&rule.name).cloned().unwrap_or_default();
        let of_rule = || state.ledger.engine().alerts().filter(|alert| alert.rule == rule.name);
        Self {
            name: rule.name.clone(),
            severity: rule.severity,
            looked_at: last.at.map(Moment),
            error: last.error,
            pending: of_rule().filter(|alert| matches!(alert.phase, Phase::Pending { .. })).count(),
            firing: of_rule().filter(|alert| alert.phase.is_firing()).count(),
            beyond_limit: last.beyond_limit,
        }
    }
}

impl ChannelStatus {
    fn new(name: &str, state: &Changing) -> Self {
        let deliveries = state.channels.get(name).cloned().unwrap_or_default();
        let (waiting, since) = state.ledger.outbox().waiting(name);
        Self {
            name: name.to_owned(),
            waiting,
            waiting_since: since.map(Moment),
            delivered: deliveries.delivered,
            last_delivered: deliveries.last_delivered.map(Moment),
            given_up: deliveries.given_up,
            failed_attempts: deliveries.failed_attempts,
            last_error: deliveries.error,
        }
    }
}

impl Totals {
    pub(crate) fn new(ledger: &Ledger) -> Self {
        let alerts = || ledger.engine().alerts();
        let counts = ledger.counts();
        Self {
            pending: alerts().filter(|alert| matches!(alert.phase, Phase::Pending { .. })).count(),
            firing: alerts().filter(|alert| alert.phase.is_firing()).count(),
            waiting: ledger.outbox().len(),
            dropped_repeats: counts.dropped_repeats,
            held_back: counts.held_back,
            is_durable: ledger.is_durable(),
        }
    }
}
