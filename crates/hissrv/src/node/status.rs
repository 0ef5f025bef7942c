//! The state of a node as JSON, for people and scripts.

use journal::RecoveryReport;
use pipeline::Origin;
use serde_json::{Value, json};

use super::Node;

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
        })
    }

    fn intake_status(&self) -> Value {
        let by_origin = Origin::ALL.map(|origin| {
            let c = self.intake.counters().read(origin);
            let counts = json!({
                "received": c.received, "journaled": c.journaled, "rejected": c.rejected, "dropped": c.dropped,
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
            "segments": s.segments, "bytes": s.disk.0, "queue_bytes": s.queue.0,
            "first_seq": s.first_seq.0, "last_seq": s.last_seq.0, "durable_seq": s.durable_seq.0,
            "dropped_records": s.dropped_records, "dropped_points": s.dropped_points,
            "corrupt_records": s.corrupt_records, "full": s.full, "poisoned": s.poisoned,
            "consumers": consumers.collect::<Vec<_>>(),
        })
    }

    fn engine_status(&self) -> Value {
        let (s, applier) = (self.engine.stats(), self.applier.stats());
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
