//! The feeding of remote stores as Prometheus text; the label `store` is one of the configured names.

use writer::{Histogram, State, WriterStatus};

use super::{Kind, Text};
use crate::node::{Node, Remote};

/// A gauge or counter that each store has: name, help, value.
type Row = (Kind, &'static str, &'static str, fn(&WriterStatus) -> f64);

const ROWS: [Row; 17] = [
    (Kind::Counter, "store_taken_values_total", "Values read from the journal for a store.", |w| w.taken as f64),
    (Kind::Gauge, "store_in_flight_values", "Values read from the journal that have no fate yet.", |w| {
        w.on_the_way as f64
    }),
    (Kind::Counter, "store_resent_values_total", "Values that had a fate and were sent once more.", |w| {
        w.resent as f64
    }),
    (Kind::Counter, "store_journal_lost_values_total", "Values that the journal lost before a store had them.", |w| {
        w.lost as f64
    }),
    (Kind::Counter, "store_deletions_total", "Deletions, which are not handed on.", |w| w.deletes as f64),
    (Kind::Gauge, "store_lag_values", "Values in the journal that a store does not have.", |w| w.lag_values as f64),
    (Kind::Gauge, "store_drained_seconds", "Time until a store has everything, -1 when that is not in sight.", |w| {
        w.seconds_to_drained.unwrap_or(-1.0)
    }),
    (Kind::Gauge, "store_values_per_second", "Values stored a second, over the last 10 s.", |w| w.values_per_second),
    (Kind::Gauge, "store_up", "1 while values reach a store.", |w| {
        f64::from(u8::from(matches!(w.state, State::Writing | State::Recovering)))
    }),
    (Kind::Counter, "store_requests_total", "Requests made.", |w| w.requests as f64),
    (Kind::Counter, "store_request_failures_total", "Requests that failed.", |w| w.failures as f64),
    (Kind::Counter, "store_retries_total", "Batches tried again.", |w| w.retries as f64),
    (Kind::Counter, "store_bisections_total", "Batches split to find a point that is refused.", |w| {
        w.bisections as f64
    }),
    (Kind::Gauge, "store_requests_in_flight", "Requests under way.", |w| w.in_flight as f64),
    (Kind::Gauge, "store_concurrency", "Requests that may be under way at once at the moment.", |w| {
        w.concurrency as f64
    }),
    (Kind::Gauge, "store_batch_size_values", "Most values of a request at the moment.", |w| w.batch_size as f64),
    (Kind::Gauge, "store_queue_bytes", "Memory of values on their way to a store.", |w| w.memory as f64),
];

impl Node {
    pub(super) fn store_metrics(&self, text: &mut Text) {
        let stores: Vec<(&Remote, WriterStatus)> = self.remotes.iter().map(|r| (r, r.writer.status())).collect();
        if stores.is_empty() {
            return;
        }
        for (kind, name, help, value) in ROWS {
            text.head(kind, name, help);
            for (remote, writer) in &stores {
                text.line(format_args!("hissrv_{name}{{store=\"{}\"}} {}", remote.name, value(writer)));
            }
        }
        fates(text, &stores);
        letters(text, &stores);
        let latency = "Time that requests took.";
        histograms(text, "store_request_seconds", latency, &stores, |w| &w.latencies);
        let size = "Values of requests.";
        histograms(text, "store_request_values", size, &stores, |w| &w.sizes);
    }
}

/// With what is in flight, their sum is what was taken.
fn fates(text: &mut Text, stores: &[(&Remote, WriterStatus)]) {
    text.head(Kind::Counter, "store_values_total", "Values by store and by what became of them.");
    for (remote, writer) in stores {
        let f = &writer.fates;
        let results = [
            ("stored", f.stored),
            ("filtered", f.filtered),
            ("expired", f.expired),
            ("dead_letter", f.dead),
            ("dead_letter_lost", f.lost_dead),
            ("skipped", f.skipped),
        ];
        for (result, count) in results {
            let store = remote.name;
            text.line(format_args!("hissrv_store_values_total{{store=\"{store}\",result=\"{result}\"}} {count}"));
        }
    }
}

fn letters(text: &mut Text, stores: &[(&Remote, WriterStatus)]) {
    text.head(Kind::Gauge, "store_dead_letters", "Points that a store refused and that are kept.");
    for (remote, _) in stores {
        let count = remote.dead_letters.stats().letters;
        text.line(format_args!("hissrv_store_dead_letters{{store=\"{}\"}} {count}", remote.name));
    }
}

fn histograms(
    text: &mut Text,
    name: &str,
    help: &str,
    stores: &[(&Remote, WriterStatus)],
    of: fn(&WriterStatus) -> &Histogram,
) {
    text.head(Kind::Histogram, name, help);
    for (remote, writer) in stores {
        let (store, h) = (remote.name, of(writer));
        let mut below = 0;
        for (bound, count) in h.bounds.iter().zip(&h.counts) {
            below += count;
            text.line(format_args!("hissrv_{name}_bucket{{store=\"{store}\",le=\"{bound}\"}} {below}"));
        }
        text.line(format_args!("hissrv_{name}_bucket{{store=\"{store}\",le=\"+Inf\"}} {}", h.count));
        text.line(format_args!("hissrv_{name}_sum{{store=\"{store}\"}} {}", h.sum));
        text.line(format_args!("hissrv_{name}_count{{store=\"{store}\"}} {}", h.count));
    }
}
