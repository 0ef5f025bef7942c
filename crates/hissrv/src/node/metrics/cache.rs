//! The cache of results as Prometheus text.

use query::cache::{Bypass, Stats};

use super::{Kind, Text};
use crate::node::Node;

/// A gauge or counter: name, help, value.
type Row = (Kind, &'static str, &'static str, fn(&Stats) -> f64);

const ROWS: [Row; 7] = [
    (
        Kind::Gauge,
        "query_cache_hit_ratio",
        "Queries answered from the cache, wholly or in part, of those that asked it.",
        |s| s.hit_ratio(),
    ),
    (Kind::Counter, "query_cache_windows_served_total", "Windows with points that were known.", |s| {
        s.windows_served as f64
    }),
    (Kind::Counter, "query_cache_windows_computed_total", "Windows with points that were computed.", |s| {
        s.windows_computed as f64
    }),
    (
        Kind::Counter,
        "query_cache_windows_invalidated_total",
        "Known windows that a write or deletion made unknown.",
        |s| s.windows_invalidated as f64,
    ),
    (Kind::Counter, "query_cache_evictions_total", "Entries given up for want of memory.", |s| s.evictions as f64),
    (Kind::Gauge, "query_cache_bytes", "Memory of what is known.", |s| s.bytes as f64),
    (Kind::Gauge, "query_cache_entries", "Series of answers of which something is known.", |s| s.entries as f64),
];

impl Node {
    pub(super) fn cache_metrics(&self, text: &mut Text) {
        let stats = self.results.cache.stats();
        for (kind, name, help, value) in ROWS {
            text.one(kind, name, help, value(&stats));
        }
        text.head(Kind::Counter, "query_cache_queries_total", "Queries by what the cache did for them.");
        for (result, count) in [("hit", stats.hits), ("partial", stats.partial_hits), ("miss", stats.misses)] {
            text.line(format_args!("hissrv_query_cache_queries_total{{result=\"{result}\"}} {count}"));
        }
        text.head(Kind::Counter, "query_cache_bypasses_total", "Queries that went past the cache, by reason.");
        for (reason, count) in Bypass::ALL.into_iter().zip(stats.bypasses) {
            text.line(format_args!("hissrv_query_cache_bypasses_total{{reason=\"{}\"}} {count}", reason.name()));
        }
    }
}
