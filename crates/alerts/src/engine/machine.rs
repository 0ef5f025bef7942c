//! The alerts of all rules, and what a look at a rule changes.

use std::collections::BTreeMap;

use model::TimestampNs;

use super::alert::{Alert, Reading};
use super::observation::{Event, Observation, Seen, Sight};
use super::phase::{Patience, Phase, Verdict};
use super::{Events, Expression, Rule};
use crate::Labels;
use crate::fingerprint::Fingerprint;
use crate::notification::{Notification, Transition};
use crate::silence::Silence;

/// All alerts. Neither clock nor files: the same calls give the same answers.
#[derive(Debug)]
pub struct Engine {
    alerts: BTreeMap<String, BTreeMap<Fingerprint, Alert>>,
    /// Since when rules are looked at.
    started: TimestampNs,
    /// Most alerts of a rule.
    max_alerts: usize,
}

/// What holds for a look besides what was seen.
#[derive(Debug, Clone, Copy)]
pub struct Circumstances<'a> {
    /// The time.
    pub now: TimestampNs,
    /// Which alerts are not told.
    pub silences: &'a [Silence],
    /// How many notifications that something fires can be taken.
    pub room: usize,
}

/// What a look changed.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Evaluation {
    /// Alerts as they are now, where a file has to know.
    pub changed: Vec<Alert>,
    /// Alerts that are forgotten.
    pub forgotten: Vec<Fingerprint>,
    /// What people have to be told.
    pub notices: Vec<Notice>,
    /// Series that would have an alert, but for the limit.
    pub beyond_limit: usize,
    /// Alerts that fire and were not told because there was no room.
    pub held_back: usize,
}

/// A notification and whom it is for.
#[derive(Debug, Clone, PartialEq)]
pub struct Notice {
    /// What to say.
    pub notification: Notification,
    /// Names of channels.
    pub channels: Vec<String>,
}

/// One series at one look.
struct Look {
    fingerprint: Fingerprint,
    series: Labels,
    verdict: Verdict,
    /// `None`: nothing new.
    reading: Option<Reading>,
    /// When the condition began, if it does.
    begin: TimestampNs,
}

impl Engine {
    /// No alerts; rules are looked at from `started` on, each with at most `max_alerts` alerts.
    pub fn new(started: TimestampNs, max_alerts: usize) -> Self {
        Self { alerts: BTreeMap::new(), started, max_alerts }
    }

    /// Puts an alert back, as it was.
    pub fn restore(&mut self, alert: Alert) {
        self.alerts.entry(alert.rule.clone()).or_default().insert(alert.fingerprint.clone(), alert);
    }

    /// Takes an alert away.
    pub fn forget(&mut self, fingerprint: &Fingerprint) {
        self.alerts.retain(|_, alerts| {
            alerts.remove(fingerprint);
            !alerts.is_empty()
        });
    }

    /// All alerts, rule by rule.
    pub fn alerts(&self) -> impl Iterator<Item = &Alert> {
        self.alerts.values().flat_map(BTreeMap::values)
    }

    /// Names of the rules that have alerts.
    pub fn rules(&self) -> impl Iterator<Item = &str> {
        self.alerts.keys().map(String::as_str)
    }

    /// Looks at a rule. Events are taken one after the other, oldest first; of other series the last observation counts.
    pub fn evaluate(&mut self, rule: &Rule, sight: Sight<'_>, at: &Circumstances<'_>) -> Evaluation {
        let mut result = Evaluation::default();
        if let Expression::Event(events) = &rule.expression {
            for (labels, event) in events_by_time(sight.all()) {
                if let Some(look) = self.look_at_event(rule, events, labels, event, at.now) {
                    self.step(rule, look, at, &mut result);
                }
            }
        }
        for look in self.looks(rule, sight, at.now) {
            self.step(rule, look, at, &mut result);
        }
        result
    }

    /// Ends all alerts of a rule that is not in the configuration any more.
    pub fn retire(&mut self, rule: &str, at: &Circumstances<'_>) -> Evaluation {
        let result = self.evaluate(&Rule::gone(rule), Sight::Seen(&[]), at);
        let left = self.alerts.remove(rule).unwrap_or_default();
        let forgotten = result.forgotten.into_iter().chain(left.into_keys()).collect();
        Evaluation { changed: Vec::new(), forgotten, ..result }
    }

    fn of(&self, rule: &Rule) -> impl Iterator<Item = &Alert> {
        self.alerts.get(&rule.name).into_iter().flat_map(BTreeMap::values)
    }

    fn find(&self, rule: &Rule, fingerprint: &Fingerprint) -> Option<&Alert> {
        self.alerts.get(&rule.name)?.get(fingerprint)
    }

    /// `None` when the event is none of the rule's, or came before.
    fn look_at_event(
        &self,
        rule: &Rule,
        events: &Events,
        labels: &Labels,
        event: &Event,
        now: TimestampNs,
    ) -> Option<Look> {
        if !events.are_about(labels) {
            return None;
        }
        let series = Events::series(labels);
        let fingerprint = Fingerprint::of(&rule.name, &series);
        if self.find(rule, &fingerprint).is_some_and(|alert| event.is_old(&alert.reading)) {
            return None;
        }
        let reading = event.reading(now);
        let verdict = events.judge_last(&series, &reading, now);
        Some(Look { fingerprint, series, verdict, reading: Some(reading), begin: event.time.min(now) })
    }

    /// What a look means for every series that is seen or known.
    fn looks(&self, rule: &Rule, sight: Sight<'_>, now: TimestampNs) -> Vec<Look> {
        let is_event = matches!(rule.expression, Expression::Event(_));
        let observed = if is_event { &[] } else { sight.all() };
        let mut looks: BTreeMap<Fingerprint, Look> = BTreeMap::new();
        for observation in observed {
            let look = Look::seen(rule, observation, self.started, now);
            looks.insert(look.fingerprint.clone(), look);
        }
        let is_failed = matches!(sight, Sight::Failed);
        let bare = Fingerprint::of(&rule.name, &Labels::new());
        let nothing = if looks.is_empty() && !is_failed { rule.judge_nothing(self.started, now) } else { None };
        let missing: Vec<Look> = self
            .of(rule)
            .filter(|alert| !looks.contains_key(&alert.fingerprint))
            .map(|alert| {
                let verdict = match nothing {
                    _ if is_failed && !is_event => Verdict::Unknown,
                    // The alert that there is no series at all ends with the first one.
                    _ if alert.fingerprint == bare && !looks.is_empty() => Verdict::Clear,
                    Some(verdict) if alert.fingerprint == bare => verdict,
                    _ => rule.judge_missing(&alert.series, &alert.reading, now),
                };
                Look::missing(alert, verdict, now)
            })
            .collect();
        if let Some(verdict) = nothing
            && missing.is_empty()
        {
            let (series, reading) = (Labels::new(), None);
            return vec![Look { fingerprint: bare, series, verdict, reading, begin: now }];
        }
        looks.into_values().chain(missing).collect()
    }

    /// Moves one alert on.
    fn step(&mut self, rule: &Rule, look: Look, at: &Circumstances<'_>, result: &mut Evaluation) {
        let known = self.find(rule, &look.fingerprint).cloned();
        let before = known.clone().unwrap_or_else(|| Alert::new(&rule.name, look.fingerprint.clone(), look.series));
        let mut alert = before.clone();
        alert.reading = look.reading.unwrap_or(alert.reading);
        let patience = Patience { pending_ns: rule.pending_ns, keep_firing_ns: rule.keep_firing_ns };
        alert.phase = before.phase.after(look.verdict, patience, look.begin, at.now);
        if known.is_none() && alert.is_forgotten(rule, at.now) {
            return;
        }
        if known.is_none() && !self.make_place(rule, result) {
            result.beyond_limit += 1;
            return;
        }
        tell(rule, &mut alert, at, result);
        if alert.is_forgotten(rule, at.now) {
            self.forget(&alert.fingerprint);
            result.forgotten.push(alert.fingerprint);
            return;
        }
        if known.is_none() || alert.differs_from(&before, rule) {
            result.changed.push(alert.clone());
        }
        self.restore(alert);
    }

    /// True when one more alert of the rule can be kept, if need be instead of one that is over.
    fn make_place(&mut self, rule: &Rule, result: &mut Evaluation) -> bool {
        let count = self.alerts.get(&rule.name).map_or(0, BTreeMap::len);
        if count < self.max_alerts {
            return true;
        }
        let over = self.of(rule).filter_map(|alert| Some((alert.phase.until()?, alert.fingerprint.clone()))).min();
        let Some((_, fingerprint)) = over else { return false };
        self.forget(&fingerprint);
        result.changed.retain(|alert| alert.fingerprint != fingerprint);
        result.forgotten.push(fingerprint);
        true
    }
}

/// Notes what people have to be told, and that they are.
fn tell(rule: &Rule, alert: &mut Alert, at: &Circumstances<'_>, result: &mut Evaluation) {
    if matches!(alert.phase, Phase::Pending { .. } | Phase::Inactive) {
        alert.told = None;
        return;
    }
    let told_now = result.notices.iter().filter(|notice| notice.notification.is_firing()).count();
    let has_room = told_now < at.room;
    let labels = rule.all_labels(&alert.series);
    let is_silenced = rule.channels.is_empty() || at.silences.iter().any(|silence| silence.holds(&labels, at.now));
    let Some(transition) = alert.to_tell(rule, at.now, is_silenced) else { return };
    if transition != Transition::Resolved && !has_room {
        result.held_back += 1;
        return;
    }
    let channels = match (transition, &alert.told) {
        (Transition::Resolved, Some(told)) => told.channels.clone(),
        _ => rule.channels.clone(),
    };
    result.notices.push(Notice { notification: Notification::new(rule, alert, transition, at.now), channels });
    alert.told = alert.told_after(transition, rule, at.now);
}

impl Look {
    fn seen(rule: &Rule, observation: &Observation, started: TimestampNs, now: TimestampNs) -> Self {
        let (value, time) = match &observation.seen {
            Seen::Row { time, value } => (*value, Some(time.0)),
            Seen::Fact(value) => (Some(*value), None),
            Seen::Event(event) => (event.value, Some(event.time.0)),
        };
        Self {
            fingerprint: Fingerprint::of(&rule.name, &observation.labels),
            series: observation.labels.clone(),
            verdict: rule.judge(&observation.seen, started, now),
            reading: Some(Reading { value, time_ns: time, ..Reading::default() }),
            begin: now,
        }
    }

    fn missing(alert: &Alert, verdict: Verdict, now: TimestampNs) -> Self {
        let (fingerprint, series) = (alert.fingerprint.clone(), alert.series.clone());
        Self { fingerprint, series, verdict, reading: None, begin: now }
    }
}

fn events_by_time(observations: &[Observation]) -> Vec<(&Labels, &Event)> {
    let mut events: Vec<(&Labels, &Event)> = observations
        .iter()
        .filter_map(|observation| match &observation.seen {
            Seen::Event(event) => Some((&observation.labels, event)),
            Seen::Row { .. } | Seen::Fact(_) => None,
        })
        .collect();
    events.sort_by_key(|(_, event)| event.time);
    events
}
