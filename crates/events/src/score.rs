//! How well events find anomalies that are known, such as those of generated data: recall per kind of anomaly, precision per source of events.
//!
//! What counts is WARNING and above from thresholds and anomalies. An anomaly is found when one of its node and metric is inside it, or up to
//! `slack` after its end (a change point takes some samples); an event is right when it is inside some anomaly of its node and metric.

use std::collections::{BTreeMap, HashMap};

use model::key::SeriesKey;
use model::{TimeRange, TimestampNs};

use crate::event::{Event, Level, Source};
use crate::rules::Rules;

/// An anomaly that is known.
#[derive(Debug, Clone, PartialEq)]
pub struct Label {
    node: Node,
    range: TimeRange,
    kind: String,
}

type Node = (String, String, String);

impl Label {
    /// An anomaly of a series' field in the samples of `range`; `None` when the rules do not watch that column, so that nothing can be found.
    pub fn new(rules: &Rules, series: &SeriesKey<'_>, field: &str, range: TimeRange, kind: &str) -> Option<Self> {
        let watch = rules.watch(series, field)?;
        let node = (watch.node_id().to_owned(), watch.node_type().to_owned(), watch.metric().to_owned());
        Some(Self { node, range, kind: kind.to_owned() })
    }
}

/// How well one kind of anomalies is found.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct KindScore {
    /// Anomalies of this kind.
    pub labels: u64,
    /// Those of them that some event found.
    pub found: u64,
    /// Those of them that a threshold found.
    pub found_by_threshold: u64,
    /// Those of them that the comparison with the window found.
    pub found_by_anomaly: u64,
}

impl KindScore {
    /// Part of the anomalies that was found, 0 to 1; none when there are no anomalies.
    pub fn recall(&self) -> Option<f64> {
        ratio(self.found, self.labels)
    }
}

/// How right one source of events is.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct SourceScore {
    /// Events of this source.
    pub events: u64,
    /// Those of them inside an anomaly.
    pub right: u64,
    /// Those of them inside an anomaly, by its kind; one inside several counts for each.
    pub right_by_kind: BTreeMap<String, u64>,
}

impl SourceScore {
    /// Part of the events that was right, 0 to 1; none when there are no events.
    pub fn precision(&self) -> Option<f64> {
        ratio(self.right, self.events)
    }
}

/// The outcome.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Score {
    /// By kind of anomaly.
    pub kinds: BTreeMap<String, KindScore>,
    /// By source of event: threshold and anomaly.
    pub sources: BTreeMap<Source, SourceScore>,
}

impl Score {
    /// Recall over all kinds; none without anomalies.
    pub fn recall(&self) -> Option<f64> {
        let sum = |part: fn(&KindScore) -> u64| self.kinds.values().map(part).sum();
        ratio(sum(|kind| kind.found), sum(|kind| kind.labels))
    }

    /// Precision over all sources; none without events.
    pub fn precision(&self) -> Option<f64> {
        let sum = |part: fn(&SourceScore) -> u64| self.sources.values().map(part).sum();
        ratio(sum(|source| source.right), sum(|source| source.events))
    }

    /// Precision and recall of one kind as if it were the only one: events outside any anomaly count against each kind, those inside another kind
    /// against none. The harmonic mean of the two is the usual F1.
    pub fn precision_of(&self, kind: &str) -> Option<f64> {
        let wrong: u64 = self.sources.values().map(|source| source.events - source.right).sum();
        let right = self.sources.values().filter_map(|source| source.right_by_kind.get(kind)).sum();
        ratio(right, right + wrong)
    }
}

fn ratio(part: u64, whole: u64) -> Option<f64> {
    (whole > 0).then(|| part as f64 / whole as f64)
}

/// The labels of one node and metric, by their start.
#[derive(Default)]
struct Labels<'a> {
    sorted: Vec<(TimeRange, &'a str)>,
    found: Vec<Found>,
    /// Length of the longest.
    longest_ns: i64,
}

#[derive(Debug, Clone, Copy, Default)]
struct Found {
    by_threshold: bool,
    by_anomaly: bool,
}

impl Labels<'_> {
    fn finish(&mut self) {
        self.sorted.sort_by_key(|(range, _)| range.start);
        self.found = vec![Found::default(); self.sorted.len()];
        let length = |(range, _): &(TimeRange, &str)| range.end.0.saturating_sub(range.start.0);
        self.longest_ns = self.sorted.iter().map(length).max().unwrap_or_default();
    }

    /// Indexes of those that hold a time.
    fn at(&self, time: TimestampNs) -> impl Iterator<Item = usize> + use<'_> {
        let earliest = time.saturating_add(self.longest_ns.saturating_neg());
        let from = self.sorted.partition_point(|(range, _)| range.start < earliest);
        let to = self.sorted.partition_point(|(range, _)| range.start <= time);
        (from..to).filter(move |&n| self.sorted.get(n).is_some_and(|(range, _)| range.contains(time)))
    }
}

/// Compares events with the anomalies that are known. Times in nanoseconds.
pub fn score(labels: &[Label], events: &[Event], slack_ns: i64) -> Score {
    let mut by_node: HashMap<(&str, &str, &str), Labels<'_>> = HashMap::new();
    for label in labels {
        let range = TimeRange::new(label.range.start, label.range.end.saturating_add(slack_ns));
        let (id, node_type, metric) = &label.node;
        by_node.entry((id, node_type, metric)).or_default().sorted.push((range, &label.kind));
    }
    by_node.values_mut().for_each(Labels::finish);
    let mut score = Score::default();
    for event in events.iter().filter(|event| counts(event)) {
        let of_source = score.sources.entry(event.source).or_default();
        of_source.events += 1;
        let labels = by_node.get_mut(&(event.node_id.as_str(), event.node_type.as_str(), event.metric.as_str()));
        if let Some(labels) = labels {
            mark(labels, event, of_source);
        }
    }
    for labels in by_node.values() {
        count_found(labels, &mut score);
    }
    score
}

fn counts(event: &Event) -> bool {
    event.level >= Level::Warning && matches!(event.source, Source::Threshold | Source::Anomaly)
}

fn mark(labels: &mut Labels<'_>, event: &Event, of_source: &mut SourceScore) {
    let hit: Vec<usize> = labels.at(event.time).collect();
    of_source.right += u64::from(!hit.is_empty());
    for n in hit {
        if let Some((_, kind)) = labels.sorted.get(n) {
            *of_source.right_by_kind.entry((*kind).to_owned()).or_default() += 1;
        }
        if let Some(found) = labels.found.get_mut(n) {
            found.by_threshold |= event.source == Source::Threshold;
            found.by_anomaly |= event.source == Source::Anomaly;
        }
    }
}

fn count_found(labels: &Labels<'_>, score: &mut Score) {
    for ((_, kind), found) in labels.sorted.iter().zip(&labels.found) {
        let of_kind = score.kinds.entry((*kind).to_owned()).or_default();
        of_kind.labels += 1;
        of_kind.found += u64::from(found.by_threshold || found.by_anomaly);
        of_kind.found_by_threshold += u64::from(found.by_threshold);
        of_kind.found_by_anomaly += u64::from(found.by_anomaly);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Config;
    use crate::detector::Detector;

    const MINUTE: i64 = 60_000_000_000;

    fn label(rules: &Rules, from: i64, to: i64, kind: &str) -> Label {
        let key = b"vm_metrics,metric=cpu_usage,node_id=vm-1,node_type=VM";
        let range = TimeRange::new(TimestampNs(from * MINUTE), TimestampNs(to * MINUTE));
        Label::new(rules, &SeriesKey::parse(key).unwrap(), "value", range, kind).unwrap()
    }

    #[test]
    fn found_missed_and_invented_anomalies_are_told_apart() {
        let rules = Rules::new(&Config::default()).unwrap();
        let mut detector = Detector::new(&rules);
        let key = b"vm_metrics,metric=cpu_usage,node_id=vm-1,node_type=VM";
        detector.add(1, rules.watch(&SeriesKey::parse(key).unwrap(), "value").unwrap());
        // A threshold at 10, which is labelled; one at 30, which is not; nothing at 50, which is.
        let value = |n: i64| if n == 10 || n == 30 { 85.0 } else { 50.0 };
        let times: Vec<_> = (0..60).map(|n| TimestampNs(n * MINUTE)).collect();
        let values: Vec<_> = (0..60).map(value).collect();
        let mut events = Vec::new();
        detector.feed(1, &times, &values, &mut events);
        let labels = [label(&rules, 9, 11, "spike"), label(&rules, 50, 55, "spike"), label(&rules, 50, 55, "drop")];
        let score = score(&labels, &events, 0);
        let spikes = &score.kinds["spike"];
        assert_eq!((spikes.labels, spikes.found, spikes.found_by_threshold), (2, 1, 1));
        assert_eq!((spikes.recall(), score.kinds["drop"].recall()), (Some(0.5), Some(0.0)));
        let thresholds = &score.sources[&Source::Threshold];
        assert_eq!((thresholds.events, thresholds.right, thresholds.precision()), (2, 1, Some(0.5)));
        assert_eq!((score.recall(), score.precision()), (Some(1.0 / 3.0), Some(0.5)));
        assert_eq!((score.precision_of("spike"), score.precision_of("drop")), (Some(0.5), Some(0.0)));
    }

    #[test]
    fn slack_counts_what_is_found_a_little_late() {
        let rules = Rules::new(&Config::default()).unwrap();
        let labels = [label(&rules, 0, 10, "shift")];
        let mut labels_found = Labels { sorted: vec![(labels[0].range, "shift")], ..Labels::default() };
        labels_found.finish();
        assert_eq!(labels_found.at(TimestampNs(10 * MINUTE - 1)).count(), 1);
        assert_eq!(labels_found.at(TimestampNs(10 * MINUTE)).count(), 0);
        assert_eq!(score(&labels, &[], MINUTE).recall(), Some(0.0));
        assert_eq!(score(&[], &[], 0).recall(), None);
    }
}
