//! Events: which a rule is about, and what the last one means.
//!
//! Of thresholds and states the end is told by an event of its own, so that an alert about them lasts until that comes; what is told
//! once only, such as an anomaly, is over after a while.

use model::{TimestampNs, wildcard};

use super::phase::{Verdict, elapsed};
use super::{Event, Events, Reading};
use crate::Labels;

/// What events may come from.
pub(crate) const SOURCES: [&str; 5] = ["threshold", "anomaly", "info", "state", "event"];
/// Sources that tell the end, too.
const WITH_END: [&str; 2] = ["threshold", "state"];
/// How long the last event holds where the end is told: the node may be gone, or the metric not watched any more.
const HOLD_WITH_END_NS: i64 = 24 * 3600 * 1_000_000_000;
/// How long it holds elsewhere.
const HOLD_NS: i64 = 15 * 60 * 1_000_000_000;
/// Labels of an event that make a series.
const SERIES: [&str; 4] = ["source", "metric", "node_id", "node_type"];

impl Events {
    /// What tells one alert about events from another.
    pub(super) fn series(labels: &Labels) -> Labels {
        SERIES.iter().filter_map(|key| labels.get_key_value(*key)).map(|(k, v)| (k.clone(), v.clone())).collect()
    }

    /// True when the rule is about events with these labels, of whatever level: one of a lower level says that all is well again.
    pub(super) fn are_about(&self, labels: &Labels) -> bool {
        let fits = |key: &str, pattern: &str| wildcard::matches(pattern, labels.get(key).map_or("", String::as_str));
        fits("source", &self.source) && fits("metric", &self.metric) && fits("node_id", &self.node)
    }

    /// How long the last event of a series holds, in ns.
    pub(super) fn hold_ns(&self, series: &Labels) -> i64 {
        self.hold_ns_of(series.get("source").map_or("", String::as_str))
    }

    fn hold_ns_of(&self, source: &str) -> i64 {
        let usual = if WITH_END.contains(&source) { HOLD_WITH_END_NS } else { HOLD_NS };
        self.hold_ns.unwrap_or(usual)
    }

    /// The shortest of them; `None` when there are no events that the rule could be about.
    pub(crate) fn shortest_hold_ns(&self) -> Option<i64> {
        let fitting = SOURCES.into_iter().filter(|source| wildcard::matches(&self.source, source));
        fitting.map(|source| self.hold_ns_of(source)).min()
    }

    /// What the last event of a series means now. The rule may have been about others when it came.
    pub(super) fn judge_last(&self, series: &Labels, reading: &Reading, now: TimestampNs) -> Verdict {
        let is_bad = reading.level.is_some_and(|level| level >= self.level);
        let is_fresh = reading.time_ns.is_some_and(|time| elapsed(time, now) < self.hold_ns(series));
        if is_bad && is_fresh && self.are_about(series) { Verdict::Beyond } else { Verdict::Clear }
    }
}

impl Event {
    /// What is kept of it. An event of the future is one of now: otherwise it would hold for too long.
    pub(super) fn reading(&self, now: TimestampNs) -> Reading {
        Reading {
            value: self.value,
            time_ns: Some(self.time.min(now).0),
            level: Some(self.level),
            message: Some(self.message.clone()),
        }
    }

    /// True when something at least as new was seen: the event has come before, or too late.
    pub(super) fn is_old(&self, reading: &Reading) -> bool {
        reading.time_ns.is_some_and(|time| self.time.0 <= time)
    }
}
