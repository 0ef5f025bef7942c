//! What makes settings impossible, found before anything starts.

use std::collections::BTreeSet;
use std::time::Duration;

use model::HumanDuration;

use super::{AbsenceConfig, Config, EventConfig, HealthConfig, QueryConfig, RuleConfig};
use crate::channel::{ChannelConfig, Wrong};
use crate::engine::{Absence, Events, Expression, Rule, SOURCES, Threshold};

/// Most rules, and most channels.
const MAX_NAMES: usize = 1_000;
/// Longest name of a rule or channel, in bytes.
const MAX_NAME: usize = 200;
/// Shortest interval between two looks.
const SHORTEST: Duration = Duration::from_secs(1);
/// Shortest interval of repeats.
const SHORTEST_REPEAT: Duration = Duration::from_secs(60);

/// Why settings cannot work.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("alerts.{key}: {reason}")]
pub struct ConfigError {
    /// The setting.
    pub key: String,
    /// What is wrong, and what to do.
    pub reason: String,
}

impl ConfigError {
    pub(crate) fn new(key: impl Into<String>, reason: impl ToString) -> Self {
        Self { key: key.into(), reason: reason.to_string() }
    }

    pub(crate) fn of_channel(name: &str, channel: &ChannelConfig, (key, reason): Wrong) -> Self {
        Self::new(format!("channels.{name}.{}.{key}", channel.kind()), reason)
    }
}

impl Config {
    /// Looks for what cannot work. `facts`: the names that rules about hissrv itself can use.
    ///
    /// # Errors
    /// [`ConfigError`] naming the first such setting.
    pub fn check(&self, facts: &[&str]) -> Result<(), ConfigError> {
        self.check_limits()?;
        let rules = self.rules()?;
        let mut names = BTreeSet::new();
        for (index, rule) in rules.iter().enumerate() {
            let wrong = |key: &str, reason: String| Err(ConfigError::new(format!("rules[{index}].{key}"), reason));
            if !names.insert(rule.name.as_str()) {
                return wrong("name", format!("another rule is called `{}`, too", rule.name));
            }
            if let Some(name) = rule.channels.iter().find(|name| !self.channels.contains_key(*name)) {
                return wrong("channels", format!("there is no channel `{name}` below alerts.channels"));
            }
            if let Expression::Health { fact, .. } = &rule.expression
                && !facts.contains(&fact.as_str())
            {
                return wrong("health.fact", format!("`{fact}` is none of {}", facts.join(", ")));
            }
        }
        for (name, channel) in &self.channels {
            check_name(name).map_err(|reason| ConfigError::new("channels", reason))?;
            channel.check().map_err(|wrong| ConfigError::of_channel(name, channel, wrong))?;
        }
        for (index, silence) in self.silences.iter().enumerate() {
            silence.check().map_err(|reason| ConfigError::new(format!("silences[{index}]"), reason))?;
        }
        Ok(())
    }

    fn check_limits(&self) -> Result<(), ConfigError> {
        let is_within = |count: usize| (1..=1_000_000).contains(&count);
        let wrong = |key: &str, reason: &str| Err(ConfigError::new(key, reason));
        if !is_within(self.max_alerts) {
            return wrong("max_alerts", "expected 1 to 1000000");
        }
        if !is_within(self.max_waiting) {
            return wrong("max_waiting", "expected 1 to 1000000");
        }
        if self.rules.len() > MAX_NAMES || self.channels.len() > MAX_NAMES || self.silences.len() > MAX_NAMES {
            return wrong("rules", "expected at most 1000 rules, 1000 channels and 1000 silences");
        }
        if self.retry.first.0.is_zero() || self.retry.first > self.retry.longest {
            return wrong("retry.first", "expected more than 0s, and no more than retry.longest");
        }
        Ok(())
    }
}

impl RuleConfig {
    /// The rule as the engine takes it.
    pub(super) fn compile(&self) -> Result<Rule, Wrong> {
        check_name(&self.name).map_err(|reason| ("name", reason))?;
        if self.every.0 < SHORTEST {
            return Err(("every", "expected at least 1s".to_owned()));
        }
        if self.repeat.0.is_some_and(|interval| interval < SHORTEST_REPEAT) {
            return Err(("repeat", "expected at least 1m, or never".to_owned()));
        }
        if let Some(text) = self.annotations.values().find(|text| text.en.len().max(text.zh.len()) > 10_000) {
            return Err(("annotations", format!("a text has {} bytes: expected 10000 at most", text.en.len())));
        }
        Ok(Rule {
            name: self.name.clone(),
            expression: self.expression()?,
            pending_ns: ns(self.pending),
            keep_firing_ns: ns(self.keep_firing_for),
            every: self.every.0,
            repeat_ns: self.repeat.0.map(|interval| ns(HumanDuration(interval))),
            on_missing: self.on_missing,
            severity: self.severity,
            labels: self.labels.clone(),
            annotations: self.annotations.clone(),
            channels: self.channels.clone(),
        })
    }

    fn expression(&self) -> Result<Expression, Wrong> {
        let all = [
            self.query.as_ref().map(QueryConfig::compile),
            self.absence.as_ref().map(AbsenceConfig::compile),
            self.event.as_ref().map(|event| event.compile(self.pending)),
            self.health.as_ref().map(HealthConfig::compile),
        ];
        let mut given = all.into_iter().flatten();
        match (given.next(), given.next()) {
            (Some(expression), None) => expression,
            _ => Err(("query", "expected exactly one of query, absence, event and health".to_owned())),
        }
    }
}

impl QueryConfig {
    fn compile(&self) -> Result<Expression, Wrong> {
        if self.database.is_empty() || self.text.trim().is_empty() {
            return Err(("query", "expected database and text".to_owned()));
        }
        let threshold = threshold(self.above, self.below, self.clear).map_err(|reason| ("query", reason))?;
        Ok(Expression::Query { database: self.database.clone(), text: self.text.clone(), threshold })
    }
}

impl HealthConfig {
    fn compile(&self) -> Result<Expression, Wrong> {
        let above = if self.below.is_none() { self.above.or(Some(0.0)) } else { self.above };
        let threshold = threshold(above, self.below, self.clear).map_err(|reason| ("health", reason))?;
        Ok(Expression::Health { fact: self.fact.clone(), threshold })
    }
}

fn threshold(above: Option<f64>, below: Option<f64>, clear: Option<f64>) -> Result<Threshold, String> {
    if [above, below, clear].iter().flatten().any(|number| !number.is_finite()) {
        return Err("expected finite numbers".to_owned());
    }
    match (above, below) {
        (Some(limit), None) if clear.unwrap_or(limit) <= limit => {
            Ok(Threshold::Above { limit, clear: clear.unwrap_or(limit) })
        }
        (None, Some(limit)) if clear.unwrap_or(limit) >= limit => {
            Ok(Threshold::Below { limit, clear: clear.unwrap_or(limit) })
        }
        (Some(_), Some(_)) | (None, None) => {
            Err("expected one of above and below; for both, make two rules".to_owned())
        }
        _ => Err("clear must be on the good side of the threshold: at most above, at least below".to_owned()),
    }
}

impl AbsenceConfig {
    fn compile(&self) -> Result<Expression, Wrong> {
        if self.database.is_empty() || self.measurement.is_empty() {
            return Err(("absence", "expected database and measurement".to_owned()));
        }
        if self.after.0 < SHORTEST || self.after >= self.look_back {
            return Err(("absence.after", "expected at least 1s, and less than look_back".to_owned()));
        }
        let text = self.select();
        Ok(Expression::Absence(Absence { database: self.database.clone(), text, after_ns: ns(self.after) }))
    }

    /// The newest row of each series.
    fn select(&self) -> String {
        let policy = self.policy.as_deref().map(|name| format!("{}.", quoted(name))).unwrap_or_default();
        let filter = self.filter.as_deref().map(|filter| format!(" AND ({filter})")).unwrap_or_default();
        let tags: Vec<String> = self.by.iter().map(|tag| quoted(tag)).collect();
        let tags = if tags.is_empty() { "*".to_owned() } else { tags.join(", ") };
        format!(
            "SELECT * FROM {policy}{} WHERE time > now() - {}{filter} GROUP BY {tags} ORDER BY time DESC LIMIT 1",
            quoted(&self.measurement),
            self.look_back,
        )
    }
}

impl EventConfig {
    fn compile(&self, pending: HumanDuration) -> Result<Expression, Wrong> {
        let events = Events {
            level: self.level,
            source: self.source.clone(),
            metric: self.metric.clone(),
            node: self.node.clone(),
            hold_ns: self.hold.map(ns),
        };
        match events.shortest_hold_ns() {
            None => Err(("event.source", format!("`{}` fits none of {}", self.source, SOURCES.join(", ")))),
            Some(hold_ns) if hold_ns <= ns(pending) => Err(("event.hold", "expected more than for".to_owned())),
            Some(_) => Ok(Expression::Event(events)),
        }
    }
}

/// A name in InfluxQL.
fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n"))
}

fn check_name(name: &str) -> Result<(), String> {
    if name.is_empty() || name.len() > MAX_NAME || name.chars().any(char::is_control) {
        return Err(format!("`{}` is no name: expected 1 to {MAX_NAME} bytes on one line", name.escape_debug()));
    }
    Ok(())
}

fn ns(duration: HumanDuration) -> i64 {
    i64::try_from(duration.0.as_nanos()).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests;
