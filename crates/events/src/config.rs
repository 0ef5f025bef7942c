//! The configuration's section `events`. What is left out is as built in (`defaults`); `Rules::new` looks whether it makes sense.

use std::collections::BTreeMap;
use std::time::Duration;

use model::HumanDuration;
use serde::{Deserialize, Serialize};

const MAX_COLUMNS: u32 = 100_000;
const STATUS_INTERVAL: HumanDuration = HumanDuration(Duration::from_secs(3600));
/// One day of a value each 15 minutes, so that its daily course is inside and seems usual.
const WINDOW: usize = 96;
const SIGMA: f64 = 2.5;
const MIN_CHANGE: f64 = 0.05;
/// Half a day of the course above does not sum up to it.
const CHANGE_THRESHOLD: f64 = 40.0;
const QUIET: HumanDuration = HumanDuration(Duration::from_secs(300));
const DEMO_SEED: u64 = 1;
const DEMO_PER_DAY: f64 = 0.2;

/// Status logs derived from metrics.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// Whether events are made at all. Default false.
    pub enabled: bool,
    /// Language of messages: `en` or `zh`. Default `en`.
    pub language: Language,
    /// Columns (series with a field) that are watched at most; further ones are counted and not watched. Each takes some 200 bytes and
    /// 8 bytes a sample of `anomalies.window`, 16 if `robust`. Default 100000.
    pub max_columns: u32,
    /// Each watched column gives an INFO event at multiples of this since 1970 (UTC); `0` for none. Default 1h.
    pub status_interval: HumanDuration,
    /// Whether there is an event when a metric becomes abnormal, and one with the time it lasted when it is normal again. Default true.
    pub state_changes: bool,
    /// What counts as unusual for a metric, whatever its thresholds.
    pub anomalies: Anomalies,
    /// IT nodes: type of node, metric, rule. Whatever is given here replaces the built-in value; further types and metrics are added.
    /// Metrics that are neither built in nor given here are not watched. Default empty: the built-in rules of VM, HOST, NE, TRU, HOSTGROUP.
    pub node_types: BTreeMap<String, BTreeMap<String, Metric>>,
    /// EMS points.
    pub points: Points,
    /// Invented events of VMs and hosts, for demonstrations.
    pub random: Demo,
    /// Texts in place of the built-in ones: language, kind of message, metric (`default` for all others), text. Kinds are `info`, `warning`,
    /// `error`, `critical`, `anomaly`, `change_point`, `status`, `abnormal`, `normal`, `event`. A text may hold `{value}`, `{threshold}`, `{mean}`,
    /// `{sigmas}` (as number or, say, `{value:.1f}`), `{duration}`, `{unit}`, `{name}`, `{metric}`, `{node}`, `{type}`, `{level}`, `{side}`, `{bias}`,
    /// and `{{` and `}}` for braces. Default empty.
    pub templates: BTreeMap<Language, BTreeMap<String, BTreeMap<String, String>>>,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            enabled: false,
            language: Language::En,
            max_columns: MAX_COLUMNS,
            status_interval: STATUS_INTERVAL,
            state_changes: true,
            anomalies: Anomalies::default(),
            node_types: BTreeMap::new(),
            points: Points::default(),
            random: Demo::default(),
            templates: BTreeMap::new(),
        }
    }
}

/// Language of messages.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Language {
    /// English.
    #[default]
    En,
    /// Chinese.
    Zh,
}

/// How a metric is watched. Each key is optional; without any threshold only anomalies and status are told.
#[derive(Debug, Clone, PartialEq, Default, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct Metric {
    /// False leaves the metric out altogether. Default true.
    pub watch: Option<bool>,
    /// Name in messages. Default the built-in one in the language of messages, or the metric itself.
    pub name: Option<String>,
    /// Unit in messages. Default the built-in one, or none.
    pub unit: Option<String>,
    /// WARNING at this value and beyond; `.inf` (`-.inf` for inverse metrics) switches a built-in level off. Default the built-in value, or none.
    pub warning: Option<f64>,
    /// ERROR at this value and beyond. Default the built-in value, or none.
    pub error: Option<f64>,
    /// CRITICAL at this value and beyond. Default the built-in value, or none.
    pub critical: Option<f64>,
    /// A level once reached is left only past this value. Default the built-in value where that is before the first level, or the first level.
    pub recovery: Option<f64>,
    /// True when low values are the bad ones. Default the built-in value, or false.
    pub inverse: Option<bool>,
    /// A second set of levels for values that are too low, when too high ones are bad as well; not for inverse metrics. Default the built-in
    /// values, or none.
    pub low: Bounds,
    /// Whether anomalies are looked for. Default the built-in value, or true.
    pub anomalies: Option<bool>,
}

/// Levels of one side of a metric.
#[derive(Debug, Clone, Copy, PartialEq, Default, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct Bounds {
    /// WARNING at this value and beyond. Default none.
    pub warning: Option<f64>,
    /// ERROR at this value and beyond. Default none.
    pub error: Option<f64>,
    /// CRITICAL at this value and beyond. Default none.
    pub critical: Option<f64>,
    /// A level once reached is left only past this value. Default the first level.
    pub recovery: Option<f64>,
}

/// Which EMS points are watched, and as what.
#[derive(Debug, Clone, PartialEq, Default, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct Points {
    /// Kinds of quantities and their rules, over the built-in `voltage`, `current`, `power`, `soc`, `temperature`, `comms` and `analog` (anomalies
    /// only). Default empty.
    pub kinds: BTreeMap<String, Metric>,
    /// Which points are of which kind; the first that matches decides, and those given here come before the built-in ones, which go by names
    /// such as `*voltage*`. A point that none matches is not watched. Default empty.
    #[serde(rename = "match")]
    pub matches: Vec<PointMatch>,
}

/// A set of EMS points by patterns with `*` and `?`.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct PointMatch {
    /// Measurement: `measurement`, `signal`, `control` or `adjustment`. Default `*`.
    pub measurement: String,
    /// Channel, as in `10*`. Default `*`.
    pub channel: String,
    /// Data point, as in `1000?` or `*_soc`. Default `*`.
    pub point: String,
    /// One of the kinds, or `none` for points that are not watched. Must be given.
    pub kind: String,
}

impl Default for PointMatch {
    fn default() -> Self {
        Self { measurement: "*".into(), channel: "*".into(), point: "*".into(), kind: String::new() }
    }
}

/// What counts as unusual.
#[derive(Debug, Clone, Copy, PartialEq, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct Anomalies {
    /// Whether anomalies are looked for. Default true.
    pub enabled: bool,
    /// What a sample is compared with: `zscore` (mean and standard deviation, winsorised) or `robust` (median and MAD, for data with many
    /// outliers but without a daily course). Default `zscore`.
    pub method: Method,
    /// Samples in the window before the one that is looked at, 8 to 10000; a third of them must be there. The more of a metric's daily
    /// course is inside, the fewer false alarms. Default 96.
    pub window: usize,
    /// A sample further than this many deviations from the middle of the window is an anomaly; 1 to 100. Default 2.5.
    pub sigma: f64,
    /// Part of the window's middle that a sample must differ by at least, so that the trembling of a steady value is none; 0 to 10. Default 0.05.
    pub min_change: f64,
    /// Whether there is an event when a metric has moved to another level for good. Default true.
    pub change_points: bool,
    /// Sum of deviations past which a metric has moved for good. A jump by `sigma` is told after `change_threshold / (sigma - 0.5)` samples. 1 to 10000.
    /// Default 40.
    pub change_threshold: f64,
    /// No anomaly is told for so long after a threshold event of the same metric. Default 5m.
    pub quiet: HumanDuration,
}

impl Default for Anomalies {
    fn default() -> Self {
        Self {
            enabled: true,
            method: Method::Zscore,
            window: WINDOW,
            sigma: SIGMA,
            min_change: MIN_CHANGE,
            change_points: true,
            change_threshold: CHANGE_THRESHOLD,
            quiet: QUIET,
        }
    }
}

/// What a sample is compared with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Method {
    /// Mean and standard deviation of the window.
    #[default]
    Zscore,
    /// Median and median absolute deviation of the window.
    Robust,
}

/// Invented events: start, stop, restart and migration of VMs; start, stop, maintenance and upgrade of hosts.
#[derive(Debug, Clone, Copy, PartialEq, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct Demo {
    /// Whether there are any. Default false.
    pub enabled: bool,
    /// Another seed gives other events. Default 1.
    pub seed: u64,
    /// Events per node and day on average, 0 to 24. Default 0.2.
    pub per_day: f64,
}

impl Default for Demo {
    fn default() -> Self {
        Self { enabled: false, seed: DEMO_SEED, per_day: DEMO_PER_DAY }
    }
}
