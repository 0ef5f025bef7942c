//! Events as Prometheus text.

use ::events::{Level, Source};

use super::{Kind, Text};
use crate::node::Node;
use crate::node::eventing::Snapshot;

/// A gauge or counter: name, help, value.
type Row = (Kind, &'static str, &'static str, fn(&Snapshot) -> u64);

const ROWS: [Row; 10] = [
    (Kind::Gauge, "events_columns", "Columns that are watched.", |s| s.columns as u64),
    (Kind::Counter, "events_refused_columns_total", "Columns not watched, since too many are.", |s| {
        s.samples.refused_columns
    }),
    (Kind::Counter, "events_samples_total", "Samples looked at.", |s| s.samples.samples),
    (Kind::Counter, "events_late_samples_total", "Samples left out, since later ones were seen before them.", |s| {
        s.samples.late
    }),
    (
        Kind::Counter,
        "events_future_samples_total",
        "Samples left out, since they alone are over an hour ahead of the clock.",
        |s| s.ahead,
    ),
    (Kind::Gauge, "events_waiting", "Events that wait to be written.", |s| s.waiting as u64),
    (Kind::Counter, "events_dropped_total", "Events given up: too many waited, or they were refused.", |s| s.dropped),
    (Kind::Counter, "events_retries_total", "Batches of events that had to be written again.", |s| s.retries),
    (Kind::Counter, "events_lost_records_total", "Records of the journal lost before events were made of them.", |s| {
        s.lost_records
    }),
    (Kind::Counter, "events_saves_total", "Times that the state was saved.", |s| s.saves),
];

impl Node {
    /// Nothing where events are switched off.
    pub(super) fn event_metrics(&self, text: &mut Text) {
        if !self.eventing.is_enabled() {
            return;
        }
        let counts = self.eventing.counts.read();
        text.head(Kind::Counter, "events_total", "Live events by level and source; after a crash some count again.");
        for level in Level::ALL {
            for source in Source::ALL {
                let count = counts.of(level, source);
                let labels = format_args!("hissrv_events_total{{level=\"{level}\",source=\"{source}\"}} {count}");
                text.line(labels);
            }
        }
        for (kind, name, help, value) in ROWS {
            text.one(kind, name, help, value(&counts));
        }
        let lag = self.eventing_lag();
        text.one(Kind::Gauge, "events_lag_records", "Records of the journal that were not looked at yet.", lag);
    }
}
