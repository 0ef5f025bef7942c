//! Events: which a rule is about, and what the last one means.

use model::TimestampNs;

use super::phase::{Verdict, elapsed};
use super::{Event, Events, Reading};
use crate::Labels;
use crate::glob;

/// Labels of an event that make a series.
const SERIES: [&str; 4] = ["source", "metric", "node_id", "node_type"];

impl Events {
    /// What tells one alert about events from another.
    pub(super) fn series(labels: &Labels) -> Labels {
        SERIES.iter().filter_map(|key| labels.get_key_value(*key)).map(|(k, v)| (k.clone(), v.clone())).collect()
    }

    /// True when the rule is about events with these labels, of whatever level: one of a lower level says that all is well again.
    pub(super) fn are_about(&self, labels: &Labels) -> bool {
        let fits = |key: &str, pattern: &str| glob::matches(pattern, labels.get(key).map_or("", String::as_str));
        fits("source", &self.source) && fits("metric", &self.metric) && fits("node_id", &self.node)
    }

    /// What the last event means now.
    pub(super) fn judge_last(&self, reading: &Reading, now: TimestampNs) -> Verdict {
        let is_bad = reading.level.is_some_and(|level| level >= self.level);
        let is_fresh = reading.time_ns.is_some_and(|time| elapsed(time, now) < self.hold_ns);
        if is_bad && is_fresh { Verdict::Beyond } else { Verdict::Clear }
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
