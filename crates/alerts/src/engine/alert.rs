//! An alert: a rule's condition at one series.

use model::TimestampNs;
use serde::{Deserialize, Serialize};

use super::phase::{Phase, elapsed};
use super::{Expression, Rule};
use crate::Labels;
use crate::fingerprint::Fingerprint;
use crate::level::Level;
use crate::notification::Transition;
use crate::text::Text;

/// How long an alert that is over stays in the list.
const KEPT_NS: i64 = 3600 * 1_000_000_000;

/// A rule's condition at one series.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Alert {
    /// Name of the rule.
    pub rule: String,
    /// What it is known by.
    pub fingerprint: Fingerprint,
    /// Labels of the series.
    pub series: Labels,
    /// Where it stands.
    pub phase: Phase,
    /// What was seen last. In the file it may be older.
    pub reading: Reading,
    /// Who was told that it fires; `None`: nobody.
    pub told: Option<Told>,
}

/// What was seen of a series.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Reading {
    /// The value.
    pub value: Option<f64>,
    /// Time of the point or event.
    pub time_ns: Option<i64>,
    /// Level of the event.
    pub level: Option<Level>,
    /// Message of the event.
    pub message: Option<Text>,
}

/// Who was told, and when.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Told {
    /// The channels.
    pub channels: Vec<String>,
    /// The last time.
    pub last_ns: i64,
    /// How often after the first time.
    pub repeats: u32,
}

impl Alert {
    pub(super) fn new(rule: &str, fingerprint: Fingerprint, series: Labels) -> Self {
        Self {
            rule: rule.to_owned(),
            fingerprint,
            series,
            phase: Phase::Inactive,
            reading: Reading::default(),
            told: None,
        }
    }

    /// True when there is nothing to keep.
    pub(super) fn is_forgotten(&self, rule: &Rule, now: TimestampNs) -> bool {
        match self.phase {
            Phase::Inactive => !rule.remembers(),
            Phase::Resolved { until, .. } => elapsed(until, now) >= self.kept_ns(rule),
            Phase::Pending { .. } | Phase::Firing { .. } => false,
        }
    }

    /// True while people may want to see it: all but what ended some time ago and is kept for another reason.
    pub fn is_shown(&self, now: TimestampNs) -> bool {
        !matches!(self.phase, Phase::Resolved { until, .. } if elapsed(until, now) >= KEPT_NS)
    }

    /// An event that comes twice must meet the alert that it made, so that it does not make another.
    fn kept_ns(&self, rule: &Rule) -> i64 {
        match &rule.expression {
            Expression::Event(events) => events.hold_ns(&self.series).max(KEPT_NS),
            _ => KEPT_NS,
        }
    }

    /// What people have to be told; nothing while they must not be.
    pub(super) fn to_tell(&self, rule: &Rule, now: TimestampNs, is_muted: bool) -> Option<Transition> {
        match (self.phase, &self.told) {
            (Phase::Resolved { .. }, Some(_)) => Some(Transition::Resolved),
            (Phase::Firing { .. }, None) if !is_muted => Some(Transition::Firing),
            (Phase::Firing { .. }, Some(told)) if !is_muted && told.is_repeat_due(rule.repeat_ns, now) => {
                Some(Transition::Repeat(told.repeats.saturating_add(1)))
            }
            _ => None,
        }
    }

    /// Who was told, after that.
    pub(super) fn told_after(&self, transition: Transition, rule: &Rule, now: TimestampNs) -> Option<Told> {
        let repeats = match transition {
            Transition::Firing => 0,
            Transition::Repeat(count) => count,
            Transition::Resolved => return None,
        };
        // Those who were told the first time hear of the end, too, also when the rule has other channels by now.
        let mut channels = self.told.as_ref().map(|told| told.channels.clone()).unwrap_or_default();
        channels.extend(rule.channels.iter().filter(|name| !channels.contains(name)).cloned().collect::<Vec<_>>());
        Some(Told { channels, last_ns: now.0, repeats })
    }

    /// True when the file has to know; a value alone is not worth a write.
    pub(super) fn differs_from(&self, before: &Self, rule: &Rule) -> bool {
        let is_event = matches!(rule.expression, Expression::Event(_));
        self.phase != before.phase || self.told != before.told || (is_event && self.reading != before.reading)
    }
}

impl Told {
    fn is_repeat_due(&self, interval: Option<i64>, now: TimestampNs) -> bool {
        interval.is_some_and(|interval| elapsed(self.last_ns, now) >= interval)
    }
}
