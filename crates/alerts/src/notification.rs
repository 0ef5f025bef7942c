//! What is said about an alert. The same text, id and times with every attempt.

use std::collections::BTreeMap;

use model::TimestampNs;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::Labels;
use crate::engine::{Alert, Rule};
use crate::fingerprint::Fingerprint;
use crate::level::Level;
use crate::moment::Moment;
use crate::text::{Language, Text};

/// What happened to an alert.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Transition {
    /// It fires.
    Firing,
    /// It still fires, told for the n-th time after the first.
    Repeat(u32),
    /// It is over.
    Resolved,
}

/// What a notification says of its alert.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Status {
    /// It fires.
    Firing,
    /// It is over.
    Resolved,
    /// There is no alert: somebody tries whether notifications arrive.
    Test,
}

/// What is said about an alert.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Notification {
    /// Made of fingerprint, begin and transition: the same with every attempt, and no other notification has it.
    pub id: String,
    /// What it says.
    pub status: Status,
    /// How often it was told before that the alert fires.
    pub repeat: u32,
    /// Name of the rule.
    pub rule: String,
    /// How bad it is.
    pub severity: Level,
    /// What the alert is known by.
    pub fingerprint: Fingerprint,
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
    /// When this was said first.
    pub made: Moment,
    /// All of it in a sentence.
    pub text: Text,
}

impl Notification {
    /// About an alert that went through a transition.
    pub(crate) fn new(rule: &Rule, alert: &Alert, transition: Transition, now: TimestampNs) -> Self {
        let since = alert.phase.since().unwrap_or(now);
        let (status, repeat, name) = match transition {
            Transition::Firing => (Status::Firing, 0, "firing".to_owned()),
            Transition::Repeat(count) => (Status::Firing, count, format!("repeat-{count}")),
            Transition::Resolved => (Status::Resolved, 0, "resolved".to_owned()),
        };
        let mut notification = Self {
            id: format!("{}-{}-{name}", alert.fingerprint, since.0),
            status,
            repeat,
            rule: rule.name.clone(),
            severity: rule.severity,
            fingerprint: alert.fingerprint.clone(),
            labels: rule.shown_labels(&alert.series),
            annotations: BTreeMap::new(),
            value: alert.reading.value.filter(|value| value.is_finite()),
            since: Moment(since),
            until: alert.phase.until().map(Moment),
            made: Moment(now),
            text: Text::default(),
        };
        let filled = rule.annotations.iter().map(|(name, text)| (name.clone(), notification.fill(text, alert)));
        notification.annotations = filled.collect();
        let summary = notification.annotations.get("summary").cloned();
        notification.text = notification.sentence(&summary.unwrap_or_else(|| rule.statement(&alert.reading)));
        notification
    }

    /// A notification about nothing, for somebody who tries a channel.
    pub(crate) fn test(now: TimestampNs) -> Self {
        let fingerprint = Fingerprint::of("test", &Labels::new());
        let mut notification = Self {
            id: format!("{fingerprint}-{}-test", now.0),
            status: Status::Test,
            repeat: 0,
            rule: "test".to_owned(),
            severity: Level::Info,
            fingerprint,
            labels: Labels::new(),
            annotations: BTreeMap::new(),
            value: None,
            since: Moment(now),
            until: None,
            made: Moment(now),
            text: Text::default(),
        };
        notification.text =
            notification.sentence(&Text::new("notifications of hissrv arrive here", "hissrv 的通知可以送达此处"));
        notification
    }

    /// True when it says that an alert fires.
    pub fn is_firing(&self) -> bool {
        self.status == Status::Firing
    }

    /// What stands in a place of a template: the names of [`Notification::body`], and every label and annotation.
    pub(crate) fn place(&self, name: &str, language: Language) -> Option<Value> {
        let annotation = || self.annotations.get(name).map(|text| json!(text.get(language)));
        let label = || self.labels.get(name).map(|value| json!(value));
        self.body(language).get(name).cloned().or_else(annotation).or_else(label)
    }

    /// What receivers get that say nothing else.
    pub(crate) fn body(&self, language: Language) -> Value {
        let texts = self.annotations.iter().map(|(name, text)| (name.clone(), json!(text.get(language))));
        json!({
            "id": self.id,
            "status": self.status,
            "repeat": self.repeat,
            "rule": self.rule,
            "severity": self.severity,
            "labels": self.labels,
            "annotations": Value::Object(texts.collect()),
            "value": self.value,
            "since": self.since,
            "until": self.until,
            "fingerprint": self.fingerprint,
            "text": self.text.get(language),
        })
    }

    fn fill(&self, text: &Text, alert: &Alert) -> Text {
        text.fill(|name, language| match name {
            "level" => alert.reading.level.map(|level| level_name(level, language).to_owned()),
            "message" => alert.reading.message.as_ref().map(|message| message.get(language).to_owned()),
            _ => self.place(name, language).map(|value| plain(&value)),
        })
    }

    /// `[FIRING] rule (critical): what (label=value)`
    fn sentence(&self, what: &Text) -> Text {
        let (en, zh) = match (self.status, self.repeat) {
            (Status::Firing, 0) => ("FIRING", "告警"),
            (Status::Firing, _) => ("STILL FIRING", "持续告警"),
            (Status::Resolved, _) => ("RESOLVED", "恢复"),
            (Status::Test, _) => ("TEST", "测试"),
        };
        let labels: Vec<String> = self.labels.iter().map(|(key, value)| format!("{key}={value}")).collect();
        let labels = if labels.is_empty() { String::new() } else { format!(" ({})", labels.join(", ")) };
        let (severity, rule) = (self.severity, &self.rule);
        Text::new(
            format!("[{en}] {rule} ({severity}): {}{labels}", what.en),
            format!("[{zh}] {rule}（{}）：{}{labels}", severity.chinese(), what.zh),
        )
    }
}

/// A value within a text: texts without quotes.
pub(crate) fn plain(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Null => String::new(),
        // Without the `.0` of JSON's whole numbers.
        Value::Number(number) if number.is_f64() => number.as_f64().unwrap_or_default().to_string(),
        other => other.to_string(),
    }
}

fn level_name(level: Level, language: Language) -> &'static str {
    match language {
        Language::En => level.text(),
        Language::Zh => level.chinese(),
    }
}
