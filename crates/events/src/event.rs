//! An event and its form as a point of `node_logs`.

use std::fmt;

use model::key::SeriesKeyBuf;
use model::line::print_line;
use model::{FieldValue, TimestampNs};

use crate::fnv::Fnv;

/// The measurement that events are points of.
pub const MEASUREMENT: &str = "node_logs";

/// How bad it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Level {
    /// Nothing to be done.
    Info,
    /// To be looked at.
    Warning,
    /// To be repaired.
    Error,
    /// To be repaired at once.
    Critical,
}

impl Level {
    /// Every level, the least bad one first.
    pub const ALL: [Self; 4] = [Self::Info, Self::Warning, Self::Error, Self::Critical];

    /// The value of the tag `level`: `INFO`, `WARNING`, `ERROR`, `CRITICAL`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Info => "INFO",
            Self::Warning => "WARNING",
            Self::Error => "ERROR",
            Self::Critical => "CRITICAL",
        }
    }
}

impl fmt::Display for Level {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// What an event comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Source {
    /// A metric's level changed.
    Threshold,
    /// A sample is unlike those before it, or the metric has moved to another level for good.
    Anomaly,
    /// Periodic status.
    Info,
    /// A metric became abnormal, or normal again.
    State,
    /// Something happened to the node (invented, for demonstrations).
    Event,
}

impl Source {
    /// Every source.
    pub const ALL: [Self; 5] = [Self::Threshold, Self::Anomaly, Self::Info, Self::State, Self::Event];

    /// The value of the tag `source`: `threshold`, `anomaly`, `info`, `state`, `event`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Threshold => "threshold",
            Self::Anomaly => "anomaly",
            Self::Info => "info",
            Self::State => "state",
            Self::Event => "event",
        }
    }
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A hash of an event's node, type of node, metric, source, level and time; 32 hexadecimal digits. Stays the same for ever.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct EventId(pub u128);

impl fmt::Display for EventId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:032x}", self.0)
    }
}

/// Something worth telling about a node's metric.
#[derive(Debug, Clone, PartialEq)]
pub struct Event {
    /// Stable identity; events of equal identity are one point.
    pub id: EventId,
    /// When: the time of the sample, of periodic status the multiple of its interval.
    pub time: TimestampNs,
    /// The node, such as `vm-0001`; of EMS points channel, type and data point: `1001:m:10001`.
    pub node_id: String,
    /// Type of the node; of EMS points `EMS`.
    pub node_type: String,
    /// The metric, of EMS points the kind; of invented events what happened.
    pub metric: String,
    /// How bad it is.
    pub level: Level,
    /// What it comes from.
    pub source: Source,
    /// For people, in the language of the configuration.
    pub message: String,
    /// The sample's value, in the metric's unit; none for invented events.
    pub value: Option<f64>,
    /// The threshold that was crossed, or the bound of what is usual.
    pub threshold: Option<f64>,
    /// Seconds that the abnormal state lasted, when it is over.
    pub duration: Option<f64>,
}

/// What makes two events the same one: their point's series and time.
#[derive(Debug, Clone, Copy)]
pub struct Identity<'a> {
    /// The node.
    pub node_id: &'a str,
    /// Its type.
    pub node_type: &'a str,
    /// The metric.
    pub metric: &'a str,
    /// What the event comes from.
    pub source: Source,
    /// How bad it is.
    pub level: Level,
    /// When.
    pub time: TimestampNs,
}

impl Identity<'_> {
    /// The identity as a number.
    pub fn id(&self) -> EventId {
        let texts = [self.node_id, self.node_type, self.metric, self.source.as_str(), self.level.as_str()];
        let hash = texts.into_iter().fold(Fnv::new(), Fnv::text);
        EventId(hash.integer(self.time.0).finish())
    }

    /// Key of the point's series, which the time is no part of.
    pub fn series_key(&self) -> SeriesKeyBuf {
        let mut key = SeriesKeyBuf::default();
        key.start(MEASUREMENT);
        key.tag("level", self.level.as_str());
        key.tag("metric", self.metric);
        key.tag("node_id", self.node_id);
        key.tag("node_type", self.node_type);
        key.tag("source", self.source.as_str());
        key
    }
}

impl Event {
    /// What makes it the same as another one.
    pub fn identity(&self) -> Identity<'_> {
        let Self { node_id, node_type, metric, source, level, time, .. } = self;
        Identity { node_id, node_type, metric, source: *source, level: *level, time: *time }
    }

    /// The fields of its point; `id` is its identity as text.
    pub fn fields<'a>(&'a self, id: &'a str) -> impl Iterator<Item = (&'a str, FieldValue<'a>)> {
        let number = |name, value: Option<f64>| value.map(|value| (name, FieldValue::Float(value)));
        let fields = [
            Some(("message", FieldValue::String(&self.message))),
            number("value", self.value),
            number("threshold", self.threshold),
            number("duration_s", self.duration),
            Some(("event_id", FieldValue::String(id))),
        ];
        fields.into_iter().flatten()
    }

    /// Appends the event as one line of line protocol: measurement `node_logs`, tags `level`, `metric`, `node_id`, `node_type`, `source`, fields
    /// `message`, `value`, `threshold`, `duration_s` (floats, left out where there is none) and `event_id` (text), time in nanoseconds.
    pub fn write_line(&self, out: &mut Vec<u8>) {
        let id = self.id.to_string();
        print_line(out, self.identity().series_key().as_bytes(), self.fields(&id), self.time);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event() -> Event {
        let identity = Identity {
            node_id: "vm 1",
            node_type: "VM",
            metric: "cpu_usage",
            source: Source::Threshold,
            level: Level::Warning,
            time: TimestampNs(1_700_000_000_000_000_000),
        };
        Event {
            id: identity.id(),
            time: identity.time,
            node_id: "vm 1".into(),
            node_type: "VM".into(),
            metric: "cpu_usage".into(),
            level: Level::Warning,
            source: Source::Threshold,
            message: "CPU \"high\"".into(),
            value: Some(85.5),
            threshold: Some(80.0),
            duration: None,
        }
    }

    #[test]
    fn an_event_is_a_point_of_node_logs() {
        let mut line = Vec::new();
        event().write_line(&mut line);
        assert_eq!(
            String::from_utf8(line).unwrap(),
            "node_logs,level=WARNING,metric=cpu_usage,node_id=vm\\ 1,node_type=VM,source=threshold \
             message=\"CPU \\\"high\\\"\",value=85.5,threshold=80,event_id=\"IDENTITY\" 1700000000000000000\n"
                .replace("IDENTITY", &event().id.to_string())
        );
    }

    #[test]
    fn an_id_is_the_same_for_ever_and_differs_with_each_part() {
        // NOTE: a change here makes every event of the past another one when it is generated again.
        assert_eq!(event().id.to_string(), "ad59bad55dce2b41b02f2c81a2ca3958");
        let base = Identity {
            node_id: "a",
            node_type: "VM",
            metric: "m",
            source: Source::State,
            level: Level::Info,
            time: TimestampNs(1),
        };
        let others = [
            Identity { node_id: "b", ..base },
            Identity { node_type: "HOST", ..base },
            Identity { metric: "n", ..base },
            Identity { source: Source::Info, ..base },
            Identity { level: Level::Error, ..base },
            Identity { time: TimestampNs(2), ..base },
        ];
        assert!(others.iter().all(|other| other.id() != base.id()));
    }
}
