//! One rule as it is written.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use model::HumanDuration;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use crate::level::Level;
use crate::text::Text;

/// Default of [`RuleConfig::every`].
const EVERY: HumanDuration = HumanDuration(Duration::from_secs(30));
/// Default of [`RuleConfig::repeat`].
const REPEAT: Duration = Duration::from_secs(4 * 3600);
/// Default of [`AbsenceConfig::look_back`].
const LOOK_BACK: HumanDuration = HumanDuration(Duration::from_secs(24 * 3600));

/// A rule: one of `query`, `absence`, `event` and `health`, and what is to be done. Each series makes an alert of its own.
#[derive(Debug, Clone, PartialEq, Default, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct RuleConfig {
    /// Names the alert, and must be different from that of other rules. An alert that fires is not known any more by another name.
    pub name: String,
    /// Values of a query compared with a threshold.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub query: Option<QueryConfig>,
    /// Series that have no new point.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub absence: Option<AbsenceConfig>,
    /// Events.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub event: Option<EventConfig>,
    /// A fact about hissrv itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub health: Option<HealthConfig>,
    /// How long the condition must hold without a break before the alert fires; the alert is pending meanwhile. Default 0s.
    #[serde(default, rename = "for")]
    pub pending: HumanDuration,
    /// How long the condition must be over without a break before the alert is. Default 0s.
    #[serde(default)]
    pub keep_firing_for: HumanDuration,
    /// How often the rule is looked at. At least 1s. Default 30s.
    #[serde(default = "every")]
    pub every: HumanDuration,
    /// An alert that still fires is told again after so long, or `never`. At least 1m. Default 4h.
    #[serde(default)]
    pub repeat: Repeat,
    /// What becomes of the alert of a series that is not in the answer any more: `keep` leaves it as it is, `resolve` ends it, `fire`
    /// counts it as beyond the threshold (and series that are well are remembered). Default keep.
    #[serde(default)]
    pub on_missing: Missing,
    /// `info`, `warning`, `error` or `critical`. Default warning.
    #[serde(default)]
    pub severity: Level,
    /// Labels of its alerts besides those of their series; on a clash these are shown. Default none.
    #[serde(default)]
    pub labels: BTreeMap<String, String>,
    /// Texts with places, each one text or `{en: .., zh: ..}`: `{value}`, `{rule}`, `{severity}`, `{level}` and `{message}` of an event,
    /// and every label. `summary` is the first sentence of a notification; without it hissrv makes one. Default none.
    #[serde(default)]
    pub annotations: BTreeMap<String, Text>,
    /// Names of the channels to tell. Default none: the alert is listed only.
    #[serde(default)]
    pub channels: Vec<String>,
}

fn every() -> HumanDuration {
    EVERY
}

/// The newest row of each series of a query is compared. One of `above` and `below` must be set.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct QueryConfig {
    /// Database to ask.
    pub database: String,
    /// A SELECT in InfluxQL; its last row's first value counts, per series of `GROUP BY`. True is 1, false 0; texts are no values.
    pub text: String,
    /// The condition holds above this value. Default: not compared.
    #[serde(default)]
    pub above: Option<f64>,
    /// The condition holds below this value. Default: not compared.
    #[serde(default)]
    pub below: Option<f64>,
    /// An alert that fires ends only when the value is back at this one: hysteresis. Default: at the threshold.
    #[serde(default)]
    pub clear: Option<f64>,
}

/// Series without a new point. Time before the start of hissrv does not count.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct AbsenceConfig {
    /// Database to ask.
    pub database: String,
    /// Retention policy. Default: the database's own.
    #[serde(default)]
    pub policy: Option<String>,
    /// Measurement.
    pub measurement: String,
    /// Further condition in InfluxQL, as in `site = 'north'`. Default: every series.
    #[serde(default, rename = "where")]
    pub filter: Option<String>,
    /// Tags whose values make a series: one alert each. Default: all tags.
    #[serde(default)]
    pub by: Vec<String>,
    /// The condition holds when the newest point is older. At least 1s.
    pub after: HumanDuration,
    /// How far back points are looked for: a series without one since then is not found, and its alert follows `on_missing`. Longer
    /// than `after`. Default 1d.
    #[serde(default = "look_back")]
    pub look_back: HumanDuration,
}

fn look_back() -> HumanDuration {
    LOOK_BACK
}

/// Events of at least a level. An alert belongs to node, metric and source of the event; it ends when an event of the same of a lower
/// level comes, or none for as long as `hold` says. In patterns `*` stands for any text and `?` for one character.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct EventConfig {
    /// Lowest level. Default warning.
    pub level: Level,
    /// Pattern of the source: `threshold`, `anomaly`, `info`, `state`, `event`. Default `*`.
    pub source: String,
    /// Pattern of the metric. Default `*`.
    pub metric: String,
    /// Pattern of the node. Default `*`.
    pub node: String,
    /// How long after the last event the alert ends by itself. Longer than `for`. Default 1d for `threshold` and `state`, whose end is
    /// told by an event of its own, and 15m for the others.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hold: Option<HumanDuration>,
}

impl Default for EventConfig {
    fn default() -> Self {
        let any = || "*".to_owned();
        Self { level: Level::Warning, source: any(), metric: any(), node: any(), hold: None }
    }
}

/// A fact about hissrv itself; facts of yes and no are 1 and 0. Without `above` and `below` the condition holds above 0.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct HealthConfig {
    /// Name of the fact.
    pub fact: String,
    /// As of a query.
    #[serde(default)]
    pub above: Option<f64>,
    /// As of a query.
    #[serde(default)]
    pub below: Option<f64>,
    /// As of a query.
    #[serde(default)]
    pub clear: Option<f64>,
}

/// What a series means that is not in the answer any more.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Missing {
    /// Nothing: alerts stay as they are.
    #[default]
    Keep,
    /// The condition is over.
    Resolve,
    /// The condition holds.
    Fire,
}

/// How often an alert that still fires is told; `None` is never.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Repeat(pub Option<Duration>);

impl Default for Repeat {
    fn default() -> Self {
        Self(Some(REPEAT))
    }
}

impl fmt::Display for Repeat {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Some(interval) => HumanDuration(interval).fmt(f),
            None => f.write_str("never"),
        }
    }
}

impl Serialize for Repeat {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Repeat {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        if text == "never" {
            return Ok(Self(None));
        }
        HumanDuration::from_str(&text).map(|interval| Self(Some(interval.0))).map_err(de::Error::custom)
    }
}
