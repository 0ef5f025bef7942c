//! The lane as JSON, for people and scripts.

use ::events::{Level, Source};
use serde_json::{Map, Value, json};

use super::CONSUMER;
use crate::node::Node;

impl Node {
    /// Events; null where they are switched off.
    pub(in crate::node) fn eventing_status(&self) -> Value {
        if !self.eventing.is_enabled() {
            return Value::Null;
        }
        let counts = self.eventing.counts.read();
        let of_level = |level: Level| {
            let by_source = Source::ALL.map(|source| (source.to_string(), json!(counts.of(level, source))));
            (level.to_string(), Value::Object(by_source.into_iter().collect()))
        };
        let by_level: Map<String, Value> = Level::ALL.map(of_level).into_iter().collect();
        json!({
            "running": !self.eventing.has_ended(), "rules": self.eventing.rules.len(), "columns": counts.columns,
            "refused_columns": counts.samples.refused_columns, "samples": counts.samples.samples,
            "late_samples": counts.samples.late, "future_samples": counts.ahead, "events": counts.total(), "by_level": by_level,
            "waiting": counts.waiting, "dropped": counts.dropped, "retries": counts.retries,
            "lost_records": counts.lost_records, "saves": counts.saves, "lag_records": self.eventing_lag(),
        })
    }

    /// Records of the journal that the lane has not read.
    pub(in crate::node) fn eventing_lag(&self) -> u64 {
        let stats = self.journal.stats();
        let lane = stats.consumers.iter().find(|consumer| consumer.name == CONSUMER);
        lane.map_or(0, |lane| stats.last_seq.0.saturating_sub(lane.read_seq.0))
    }
}
