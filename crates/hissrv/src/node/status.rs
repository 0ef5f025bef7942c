//! The state of a node as JSON, for people and scripts.

use std::collections::BTreeMap;

use journal::RecoveryReport;
use pipeline::Origin;
use query::cache::Bypass;
use serde_json::{Value, json};

use super::remotes::Remote;
use super::{Node, now};

impl Node {
    /// Sources, intake, journal, engine.
    pub(crate) fn status(&self) -> Value {
        let ready = self.ready();
        json!({
            "version": env!("CARGO_PKG_VERSION"),
            "uptime_s": self.started.elapsed().as_secs(),
            "ready": ready.is_ok(),
            "waiting_for": ready.err(),
            "sources": self.redis().iter().map(|s| json!({ "kind": "redis", "state": s.status() })).collect::<Vec<_>>(),
            "intake": self.intake_status(),
            "journal": self.journal_status(),
            "engine": self.engine_status(),
            "stores": self.stores_status(),
            "downsampling": self.downsampling_status(),
            "cache": self.cache_status(),
            "retention": self.retention.status(),
            "archive": self.archiver.as_ref().map(|archiver| archiver.status()),
            "alerts": self.alerting.alerts().totals(),
            "accounting_mismatches": self.accounting_mismatches(),
        })
    }

    fn intake_status(&self) -> Value {
        let by_origin = Origin::ALL.map(|origin| {
            let c = self.intake.counters().read(origin);
            let counts = json!({
                "received": c.received, "journaled": c.journaled, "rejected": c.rejected, "dropped": c.dropped,
                "in_flight": c.in_flight,
            });
            (origin.name().to_owned(), counts)
        });
        Value::Object(by_origin.into_iter().collect())
    }

    fn journal_status(&self) -> Value {
        let s = self.journal.stats();
        let consumers = s.consumers.iter().map(|c| {
            json!({
                "name": c.name, "committed_seq": c.committed_seq.0, "read_seq": c.read_seq.0,
                "lag_records": c.lag_records, "lag_points": c.lag_points, "lag_bytes": c.lag.0,
            })
        });
        json!({
            "segments": s.segments, "bytes": s.disk.0, "max_bytes": self.journal_max.0,
            "seconds_to_full": self.outlook.time_to(self.journal_max).map(|time| time.as_secs()), "queue_bytes": s.queue.0,
            "first_seq": s.first_seq.0, "last_seq": s.last_seq.0, "durable_seq": s.durable_seq.0,
            "dropped_records": s.dropped_records, "dropped_points": s.dropped_points,
            "corrupt_records": s.corrupt_records, "full": s.full, "poisoned": s.poisoned,
            "consumers": consumers.collect::<Vec<_>>(),
        })
    }

    /// Null where the embedded store is switched off.
    fn engine_status(&self) -> Value {
        let Some(applier) = self.applier.as_ref().map(|applier| applier.stats()) else { return Value::Null };
        let s = self.engine.stats();
        let names = self.catalog.read();
        json!({
            "series": names.series_count(), "columns": names.column_count(),
            "applied_seq": s.applied_seq.0, "flushed_seq": s.flushed_seq.0,
            "values": s.head_values + s.file_values,
            "head_values": s.head_values, "head_bytes": s.head_bytes,
            "file_values": s.file_values, "files": s.files, "file_bytes": s.file_bytes,
            "tombstones": s.tombstones, "damaged_reads": s.damaged_reads,
            "damaged_files": self.engine.damaged_files(),
            "refused_values": applier.refused, "lost_values": applier.lost_values,
            "lost_records": applier.lost_records, "errors": applier.errors,
        })
    }
}

impl Node {
    /// The rollups; null where the embedded store is switched off.
    fn downsampling_status(&self) -> Value {
        let Some(rollups) = &self.rollups else { return Value::Null };
        let stats = rollups.stats();
        let task = |task: &rollup::TaskStats| {
            json!({
                "name": task.name, "lag_s": task.lag(now()).as_secs(),
                "dirty_windows": task.dirty_windows, "dirty_rows": task.dirty_pairs, "dirty_stretches": task.dirty_stretches,
                "oldest_dirty": task.oldest.map(|time| time.0), "rows": task.totals.rows, "deleted_rows": task.totals.deleted,
                "kept_rows": task.totals.kept, "failures": task.totals.failures, "error": task.totals.complaint,
            })
        };
        json!({ "working": stats.is_working, "tasks": stats.tasks.iter().map(task).collect::<Vec<_>>() })
    }

    /// Results of earlier queries.
    fn cache_status(&self) -> Value {
        let s = self.results.cache.stats();
        let bypasses = Bypass::ALL.map(|why| why.name()).into_iter().zip(s.bypasses).collect::<BTreeMap<_, _>>();
        json!({
            "hits": s.hits, "partial_hits": s.partial_hits, "misses": s.misses, "bypasses": bypasses, "hit_ratio": s.hit_ratio(),
            "windows_served": s.windows_served, "windows_computed": s.windows_computed,
            "windows_invalidated": s.windows_invalidated, "evictions": s.evictions, "bytes": s.bytes, "entries": s.entries,
        })
    }

    /// The remote stores.
    fn stores_status(&self) -> Value {
        let state = |remote: &Remote| {
            let letters = remote.dead_letters.stats();
            json!({
                "name": remote.name, "answers_queries": remote.name == self.backend.name(),
                "writer": remote.writer.status(),
                "dead_letters": { "points": letters.letters, "bytes": letters.bytes.0, "lost": letters.lost },
            })
        };
        self.remotes.iter().map(state).collect()
    }

    /// Sums of values that did not fit, since the start, over sources and stores.
    pub(super) fn accounting_mismatches(&self) -> u64 {
        let of_writers: u64 = self.remotes.iter().map(|remote| remote.writer.status().mismatches).sum();
        self.accounts.mismatches() + of_writers
    }
}

/// Says in the log what opening the journal found.
pub(super) fn log_recovery(report: &RecoveryReport) {
    if let Some(torn) = &report.torn {
        tracing::warn!(
            ?torn,
            "the journal did not end with a whole record and was cut there: a write that a crash interrupted, or damage to the last one"
        );
    }
    for finding in &report.damage {
        let (path, offset, what) = (finding.path.display(), finding.offset, &finding.what);
        tracing::error!(%path, offset, what, "damage in the journal; its other records are taken in");
    }
    for consumer in &report.broken_cursors {
        tracing::error!(consumer, "the journal's cursor is damaged; it starts at the first record that is kept");
    }
    tracing::info!(segments = report.segments, records = report.records, points = report.points, "journal opened");
}
