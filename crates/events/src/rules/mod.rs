//! Rules: what a configuration and the built-in defaults give together, and which columns they watch.

mod check;
mod merge;
mod rule;
mod subject;
mod texts;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use model::key::SeriesKey;
use model::wildcard;

use crate::config::{Config, PointMatch};
use crate::defaults::{self, KINDS, NODE_TYPES, UNWATCHED};
use crate::demo;
use crate::error::ConfigError;
use crate::fnv::Fnv;

use merge::Merged;
pub use rule::Watch;
pub(crate) use rule::{Rule, Telling};
pub use subject::Subject;
use subject::{EMS, POINTS};

/// All rules. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Rules {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    /// Every rule, at its index.
    all: Vec<Arc<Rule>>,
    /// By type of node in upper case, then metric.
    nodes: BTreeMap<String, BTreeMap<String, Arc<Rule>>>,
    points: Vec<PointRule>,
    max_columns: usize,
    fingerprint: u64,
}

#[derive(Debug)]
struct PointRule {
    matches: PointMatch,
    /// None: these are not watched.
    rule: Option<Arc<Rule>>,
}

impl Rules {
    /// The rules of a configuration, whether `enabled` or not.
    ///
    /// # Errors
    /// The first thing that makes no sense, with its key and what to do.
    pub fn new(config: &Config) -> Result<Self, ConfigError> {
        check::numbers(config)?;
        texts::check(&config.templates)?;
        let mut rules = Builder { config, all: Vec::new(), metrics: BTreeSet::new() };
        let nodes = rules.nodes()?;
        let points = rules.points()?;
        texts::check_metrics(&config.templates, &rules.metrics)?;
        let fingerprint = fingerprint(&rules.all, &points);
        let max_columns = usize::try_from(config.max_columns).unwrap_or(usize::MAX);
        Ok(Self { inner: Arc::new(Inner { all: rules.all, nodes, points, max_columns, fingerprint }) })
    }

    /// Whether a column is watched, and how. To be asked once a column, not once a sample.
    ///
    /// Watched is the field `value` of IT metrics (measurement `*_metrics`, tags `node_id`, `metric`, `node_type` or else what stands before
    /// `_metrics`) and of EMS points (measurement `measurement`, `signal`, `control` or `adjustment`, tags `channel`, `point`, perhaps `type`).
    pub fn watch(&self, series: &SeriesKey<'_>, field: &str) -> Option<Watch> {
        let subject = Subject::of(series, field)?;
        match &subject.metric {
            Some(metric) => Some(Watch::new(self.inner.nodes.get(&subject.node_type)?.get(metric)?, &subject.node_id)),
            None => self.watch_point(series, &subject.node_id),
        }
    }

    fn watch_point(&self, series: &SeriesKey<'_>, node_id: &str) -> Option<Watch> {
        let (channel, point) = (series.tag("channel")?, series.tag("point")?);
        let measurement = series.measurement();
        let found = self.inner.points.iter().find(|p| is_match(&p.matches, &measurement, &channel, &point))?;
        Some(Watch::new(found.rule.as_ref()?, node_id))
    }

    /// A number that is another one when events would be other ones: a saved state of other rules is of no use. Language and texts do not count.
    pub fn fingerprint(&self) -> u64 {
        self.inner.fingerprint
    }

    /// Samples that a column's window holds at most.
    pub fn window(&self) -> usize {
        let windows = self.inner.all.iter().filter_map(|rule| rule.anomalies.map(|anomalies| anomalies.window));
        windows.max().unwrap_or_default()
    }

    /// Number of rules.
    pub fn len(&self) -> usize {
        self.inner.all.len()
    }

    /// True when nothing is watched.
    pub fn is_empty(&self) -> bool {
        self.inner.all.is_empty()
    }

    pub(crate) fn max_columns(&self) -> usize {
        self.inner.max_columns
    }

    /// What watches a node by the rule of this index.
    pub(crate) fn restore_watch(&self, rule: u32, node_id: &str) -> Option<Watch> {
        let rule = self.inner.all.get(usize::try_from(rule).ok()?)?;
        Some(Watch::new(rule, node_id))
    }
}

fn is_match(matches: &PointMatch, measurement: &str, channel: &str, point: &str) -> bool {
    wildcard::matches(&matches.measurement, measurement)
        && wildcard::matches(&matches.channel, channel)
        && wildcard::matches(&matches.point, point)
}

fn fingerprint(all: &[Arc<Rule>], points: &[PointRule]) -> u64 {
    let hash = all.iter().fold(Fnv::new(), |hash, rule| rule.hash(hash));
    let of_point = |hash: Fnv, p: &PointRule| {
        let m = &p.matches;
        hash.text(&m.measurement).text(&m.channel).text(&m.point).text(&m.kind)
    };
    points.iter().fold(hash, of_point).finish_mixed()
}

/// Makes rules one after another.
struct Builder<'c> {
    config: &'c Config,
    all: Vec<Arc<Rule>>,
    /// Names of all metrics, also of those that are not watched.
    metrics: BTreeSet<String>,
}

type ByName = BTreeMap<String, Arc<Rule>>;

impl Builder<'_> {
    fn nodes(&mut self) -> Result<BTreeMap<String, ByName>, ConfigError> {
        let mut given = BTreeMap::new();
        for (name, metrics) in &self.config.node_types {
            check::name("events.node_types", name)?;
            if given.insert(name.to_uppercase(), (name, metrics)).is_some() {
                return Err(ConfigError::Twice { key: format!("events.node_types.{name}") });
            }
        }
        let built_in = NODE_TYPES.iter().map(|(name, metrics)| ((*name).to_owned(), *metrics));
        let mut nodes: BTreeMap<String, &[defaults::Builtin]> = built_in.collect();
        for name in given.keys() {
            nodes.entry(name.clone()).or_default();
        }
        let none = BTreeMap::new();
        let rules_of = |(node_type, built_in): (String, &[defaults::Builtin])| {
            let (spelled, given) =
                given.get(&node_type).map_or((&node_type, &none), |&(spelled, given)| (spelled, given));
            let merged = merge::all(&format!("events.node_types.{spelled}"), built_in, given, self.config.language)?;
            let rules = self.rules(&node_type, merged)?;
            Ok((node_type, rules))
        };
        nodes.into_iter().map(rules_of).collect()
    }

    fn points(&mut self) -> Result<Vec<PointRule>, ConfigError> {
        let merged = merge::all("events.points.kinds", KINDS, &self.config.points.kinds, self.config.language)?;
        let known: Vec<String> = merged.iter().map(|m| m.metric.clone()).chain([UNWATCHED.to_owned()]).collect();
        let kinds = self.rules(EMS, merged)?;
        for (at, given) in self.config.points.matches.iter().enumerate() {
            let key = format!("events.points.match[{at}].kind");
            if given.kind.is_empty() {
                return Err(ConfigError::Empty { key });
            }
            check::one_of(key, &given.kind, known.iter().map(String::as_str))?;
            if !POINTS.iter().any(|(name, _)| wildcard::matches(&given.measurement, name)) {
                let key = format!("events.points.match[{at}].measurement");
                check::one_of(key, &given.measurement, POINTS.iter().map(|(name, _)| *name))?;
            }
        }
        let matches = self.config.points.matches.iter().cloned().chain(defaults::matches());
        let point_rule = |matches: PointMatch| PointRule { rule: kinds.get(&matches.kind).cloned(), matches };
        Ok(matches.map(point_rule).collect())
    }

    /// Rules of all metrics of one type; those that are not watched are left out.
    fn rules(&mut self, node_type: &str, merged: Vec<Merged>) -> Result<ByName, ConfigError> {
        let mut rules = BTreeMap::new();
        self.metrics.extend(merged.iter().map(|m| m.metric.clone()).chain(demo::words(node_type).map(str::to_owned)));
        // Invented events come with one metric of a node, or they would come once for each.
        let mut has_demo = self.config.random.enabled && demo::words(node_type).next().is_some();
        for merged in merged.into_iter().filter(|m| m.is_watched) {
            let rule = Arc::new(self.rule(node_type, merged, std::mem::take(&mut has_demo))?);
            rules.insert(rule.metric.clone(), Arc::clone(&rule));
            self.all.push(rule);
        }
        Ok(rules)
    }

    fn rule(&self, node_type: &str, merged: Merged, has_demo: bool) -> Result<Rule, ConfigError> {
        let config = self.config;
        Ok(Rule {
            index: u32::try_from(self.all.len()).unwrap_or(u32::MAX),
            templates: texts::of_metric(&config.templates, config.language, &merged.metric)?,
            event_templates: texts::of_events(&config.templates, config.language, node_type)?,
            node_type: node_type.to_owned(),
            metric: merged.metric,
            name: merged.name,
            unit: merged.unit,
            thresholds: merged.thresholds,
            anomalies: (config.anomalies.enabled && merged.has_anomalies).then_some(config.anomalies),
            quiet_ns: check::nanoseconds(config.anomalies.quiet),
            status: model::WindowNs::new(check::nanoseconds(config.status_interval)),
            state_changes: config.state_changes,
            demo: has_demo.then_some(config.random),
            language: config.language,
        })
    }
}

#[cfg(test)]
mod tests;
