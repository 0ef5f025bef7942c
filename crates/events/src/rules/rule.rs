//! One rule, and one column watched by it.

use std::collections::BTreeMap;
use std::sync::Arc;

use model::{TimestampNs, WindowNs};

use crate::config::{Anomalies, Demo, Language, Method};
use crate::demo::{Invented, Inventor};
use crate::event::{Event, Identity, Level, Source};
use crate::fnv::Fnv;
use crate::messages::Kind;
use crate::template::{Facts, Template};
use crate::thresholds::Thresholds;

/// How a metric of a type of node is watched.
#[derive(Debug)]
pub(crate) struct Rule {
    /// Its place among all rules.
    pub(crate) index: u32,
    pub(crate) node_type: String,
    pub(crate) metric: String,
    pub(super) name: String,
    pub(super) unit: String,
    pub(crate) thresholds: Thresholds,
    pub(crate) anomalies: Option<Anomalies>,
    /// No anomaly is told for so long after a threshold event.
    pub(crate) quiet_ns: i64,
    /// Interval of periodic status.
    pub(crate) status: Option<WindowNs>,
    pub(crate) state_changes: bool,
    /// Invented events come with this metric.
    pub(crate) demo: Option<Demo>,
    pub(super) language: Language,
    /// In the order of [`Kind::ALL`].
    pub(super) templates: Vec<Template>,
    pub(super) event_templates: BTreeMap<&'static str, Template>,
}

impl Rule {
    /// Adds what decides about events, but not how they are worded.
    pub(super) fn hash(&self, hash: Fnv) -> Fnv {
        let hash = self.thresholds.hash(hash.text(&self.node_type).text(&self.metric));
        let hash = hash.integer(self.status.map_or(0, WindowNs::get)).integer(i64::from(self.state_changes));
        let hash = hash.integer(self.quiet_ns);
        let hash = match self.anomalies {
            None => hash.integer(0),
            Some(a) => {
                let method = if a.method == Method::Robust { 2 } else { 1 };
                let hash = hash.integer(method).integer(i64::from(a.change_points));
                hash.float(a.window as f64).float(a.sigma).float(a.min_change).float(a.change_threshold)
            }
        };
        match self.demo {
            None => hash.integer(0),
            Some(demo) => hash.integer(1).integer(demo.seed.cast_signed()).float(demo.per_day),
        }
    }
}

/// How one column is watched: a rule, and the node it is of. Made by [`super::Rules::watch`].
#[derive(Debug, Clone)]
pub struct Watch {
    rule: Arc<Rule>,
    node_id: Box<str>,
}

/// What an event says, apart from whom it is about.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Telling {
    pub(crate) kind: Kind,
    pub(crate) source: Source,
    pub(crate) level: Level,
    pub(crate) time: TimestampNs,
    pub(crate) value: f64,
    /// Level of the metric's state, for the text.
    pub(crate) state: Level,
    pub(crate) is_low: bool,
    pub(crate) threshold: Option<f64>,
    pub(crate) mean: Option<f64>,
    pub(crate) sigmas: Option<f64>,
    pub(crate) duration: Option<f64>,
}

impl Watch {
    pub(crate) fn new(rule: &Arc<Rule>, node_id: &str) -> Self {
        Self { rule: Arc::clone(rule), node_id: node_id.into() }
    }

    /// The node; of EMS points channel, type and data point, as in `1001:m:10001`.
    pub fn node_id(&self) -> &str {
        &self.node_id
    }

    /// Type of the node; of EMS points `EMS`.
    pub fn node_type(&self) -> &str {
        &self.rule.node_type
    }

    /// The metric; of EMS points the kind.
    pub fn metric(&self) -> &str {
        &self.rule.metric
    }

    #[inline]
    pub(crate) fn rule(&self) -> &Rule {
        &self.rule
    }

    pub(crate) fn inventor(&self, demo: Demo) -> Inventor<'_> {
        Inventor { demo, node_type: &self.rule.node_type, node_id: &self.node_id }
    }

    /// True when both are of the same node and metric.
    pub(crate) fn is_same(&self, other: &Self) -> bool {
        self.rule.index == other.rule.index && self.node_id == other.node_id
    }

    pub(crate) fn tell(&self, telling: &Telling) -> Event {
        let rule = &*self.rule;
        let facts = Facts {
            level: telling.state,
            is_low: telling.is_low,
            value: Some(telling.value),
            threshold: telling.threshold,
            mean: telling.mean,
            sigmas: telling.sigmas,
            duration: telling.duration,
            ..self.facts(&rule.metric, &rule.name)
        };
        let message = rule.templates.get(telling.kind as usize).map(|t| t.fill(&facts)).unwrap_or_default();
        Event {
            value: Some(telling.value),
            threshold: telling.threshold,
            duration: telling.duration,
            ..self.event(&rule.metric, telling.source, telling.level, telling.time, message)
        }
    }

    pub(crate) fn tell_invented(&self, invented: Invented) -> Event {
        let rule = &*self.rule;
        let facts = self.facts(invented.word, invented.name(rule.language));
        let message = rule.event_templates.get(invented.word).map(|t| t.fill(&facts)).unwrap_or_default();
        self.event(invented.word, Source::Event, Level::Info, invented.time, message)
    }

    fn facts<'a>(&'a self, metric: &'a str, name: &'a str) -> Facts<'a> {
        Facts {
            language: self.rule.language,
            node: &self.node_id,
            node_type: &self.rule.node_type,
            metric,
            name,
            unit: &self.rule.unit,
            level: Level::Info,
            is_low: false,
            value: None,
            threshold: None,
            mean: None,
            sigmas: None,
            duration: None,
        }
    }

    fn event(&self, metric: &str, source: Source, level: Level, time: TimestampNs, message: String) -> Event {
        let (node_id, node_type) = (&*self.node_id, &*self.rule.node_type);
        Event {
            id: Identity { node_id, node_type, metric, source, level, time }.id(),
            time,
            node_id: node_id.to_owned(),
            node_type: node_type.to_owned(),
            metric: metric.to_owned(),
            level,
            source,
            message,
            value: None,
            threshold: None,
            duration: None,
        }
    }
}
