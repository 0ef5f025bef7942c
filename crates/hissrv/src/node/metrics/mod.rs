//! The state of a node as Prometheus text.

mod alerts;
mod archive;
mod cache;
mod rollups;
mod stores;

use std::fmt::Write;

use pipeline::{Origin, OriginCounts};

use super::Node;

/// Prometheus' kinds of numbers used here.
#[derive(Clone, Copy)]
enum Kind {
    Counter,
    Gauge,
    Histogram,
}

/// Text under construction.
#[derive(Default)]
struct Text(String);

impl Text {
    /// One metric with one value.
    fn one(&mut self, kind: Kind, name: &str, help: &str, value: impl std::fmt::Display) {
        self.head(kind, name, help);
        self.line(format_args!("hissrv_{name} {value}"));
    }

    fn head(&mut self, kind: Kind, name: &str, help: &str) {
        let kind = match kind {
            Kind::Counter => "counter",
            Kind::Gauge => "gauge",
            Kind::Histogram => "histogram",
        };
        self.line(format_args!("# HELP hissrv_{name} {help}"));
        self.line(format_args!("# TYPE hissrv_{name} {kind}"));
    }

    fn line(&mut self, line: std::fmt::Arguments<'_>) {
        let written = writeln!(self.0, "{line}");
        debug_assert!(written.is_ok(), "writing to a String does not fail");
    }
}

impl Node {
    /// Everything that is counted or measured here; the HTTP server adds its own.
    pub(crate) fn metrics(&self) -> String {
        let mut text = Text::default();
        self.intake_metrics(&mut text);
        self.accounting_metrics(&mut text);
        self.journal_metrics(&mut text);
        self.engine_metrics(&mut text);
        self.store_metrics(&mut text);
        self.rollup_metrics(&mut text);
        self.cache_metrics(&mut text);
        self.archive_metrics(&mut text);
        self.alert_metrics(&mut text);
        self.continuous_metrics(&mut text);
        self.source_metrics(&mut text);
        process_metrics(&mut text);
        text.one(Kind::Gauge, "uptime_seconds", "Time since the start.", self.started.elapsed().as_secs_f64());
        text.one(Kind::Gauge, "ready", "1 once requests are answered from all data.", u8::from(self.ready().is_ok()));
        text.0
    }

    fn intake_metrics(&self, text: &mut Text) {
        text.head(Kind::Counter, "ingest_values_total", "Values by origin and by what became of them.");
        for origin in Origin::ALL {
            let OriginCounts { received, journaled, rejected, dropped, .. } = self.intake.counters().read(origin);
            let results =
                [("received", received), ("journaled", journaled), ("rejected", rejected), ("dropped", dropped)];
            for (result, count) in results {
                let origin = origin.name();
                text.line(format_args!(
                    "hissrv_ingest_values_total{{origin=\"{origin}\",result=\"{result}\"}} {count}"
                ));
            }
        }
    }

    fn accounting_metrics(&self, text: &mut Text) {
        text.head(Kind::Gauge, "ingest_in_flight_values", "Values received that are neither durable nor refused yet.");
        for origin in Origin::ALL {
            let (name, count) = (origin.name(), self.intake.counters().read(origin).in_flight);
            text.line(format_args!("hissrv_ingest_in_flight_values{{origin=\"{name}\"}} {count}"));
        }
        text.one(
            Kind::Counter,
            "accounting_mismatches_total",
            "Times that received values were not all accounted for; must be 0.",
            self.accounting_mismatches(),
        );
    }

    fn journal_metrics(&self, text: &mut Text) {
        let s = self.journal.stats();
        text.one(Kind::Gauge, "journal_bytes", "Disk space of the journal.", s.disk.0);
        text.one(Kind::Gauge, "journal_max_bytes", "Disk space that it may take.", self.journal_max.0);
        text.one(Kind::Gauge, "journal_segments", "Segment files.", s.segments);
        text.one(Kind::Gauge, "journal_queue_bytes", "Memory of records that wait to be written.", s.queue.0);
        text.one(Kind::Counter, "journal_records_total", "Records written.", s.appended.records);
        text.one(Kind::Counter, "journal_values_total", "Values written.", s.appended.points);
        text.one(Kind::Counter, "journal_written_bytes_total", "Payload bytes written.", s.appended.bytes);
        text.one(Kind::Counter, "journal_fsync_total", "Syncs.", s.fsyncs);
        text.one(Kind::Counter, "journal_fsync_seconds_total", "Time spent in syncs.", s.fsync_sum.as_secs_f64());
        text.one(Kind::Gauge, "journal_fsync_seconds_max", "Longest sync.", s.fsync_max.as_secs_f64());
        text.one(
            Kind::Counter,
            "journal_dropped_values_total",
            "Values deleted unread by the disk budget.",
            s.dropped_points,
        );
        text.one(Kind::Counter, "journal_corrupt_records_total", "Damaged records passed over.", s.corrupt_records);
        text.one(
            Kind::Gauge,
            "journal_full",
            "1 while writes are refused because the disk budget is used.",
            u8::from(s.full),
        );
        text.one(
            Kind::Gauge,
            "journal_poisoned",
            "1 after a failed write; restart once the disk is well.",
            u8::from(s.poisoned),
        );
        text.head(Kind::Gauge, "journal_consumer_lag_values", "Values that a store does not have in files yet.");
        for consumer in &s.consumers {
            let (name, lag) = (&consumer.name, consumer.lag_points);
            text.line(format_args!("hissrv_journal_consumer_lag_values{{consumer=\"{name}\"}} {lag}"));
        }
    }

    fn engine_metrics(&self, text: &mut Text) {
        let Some(applier) = self.applier.as_ref().map(|applier| applier.stats()) else { return };
        let s = self.engine.stats();
        let names = self.catalog.read();
        let (series, columns) = (names.series_count(), names.column_count());
        drop(names);
        text.one(Kind::Gauge, "engine_series", "Series known.", series);
        text.one(Kind::Gauge, "engine_columns", "Fields of series known.", columns);
        text.one(Kind::Gauge, "engine_head_values", "Values in memory (and in the journal).", s.head_values);
        text.one(Kind::Gauge, "engine_head_bytes", "Memory they take.", s.head_bytes);
        text.one(Kind::Gauge, "engine_file_values", "Values in block files.", s.file_values);
        text.one(Kind::Gauge, "engine_files", "Block files.", s.files);
        let damaged = self.engine.damaged_files().len();
        text.one(Kind::Gauge, "engine_damaged_files", "Block files left out because they are damaged.", damaged);
        text.one(Kind::Gauge, "engine_file_bytes", "Their length.", s.file_bytes);
        text.one(Kind::Gauge, "engine_index_bytes", "Memory for their indexes.", s.index_bytes);
        text.one(
            Kind::Gauge,
            "engine_chunk_bytes",
            "Memory for points of theirs that are kept decoded.",
            s.chunk_bytes,
        );
        text.one(Kind::Counter, "engine_flush_total", "Times that memory was written to files.", s.flushes);
        text.one(Kind::Counter, "engine_flush_failures_total", "Attempts at that which failed.", s.flush_failures);
        text.one(Kind::Counter, "engine_flush_seconds_total", "Time spent on it.", s.flush_time.as_secs_f64());
        text.one(Kind::Counter, "engine_merge_total", "Merges of files.", s.merges);
        text.one(Kind::Counter, "engine_merge_seconds_total", "Time spent on them.", s.merge_time.as_secs_f64());
        text.one(
            Kind::Counter,
            "engine_damaged_reads_total",
            "Damaged parts of files met by queries.",
            s.damaged_reads,
        );
        text.one(Kind::Counter, "engine_applied_values_total", "Values taken in from the journal.", applier.values);
        text.one(
            Kind::Counter,
            "engine_refused_values_total",
            "Values of unknown columns or other types.",
            applier.refused,
        );
        text.one(
            Kind::Counter,
            "engine_lost_values_total",
            "Values lost in the journal before they were taken in.",
            applier.lost_values,
        );
    }

    fn continuous_metrics(&self, text: &mut Text) {
        let counts = self.statements.continuous_counts();
        text.one(Kind::Counter, "continuous_query_runs_total", "Runs of continuous queries done.", counts.runs);
        text.one(Kind::Counter, "continuous_query_failures_total", "Runs that failed.", counts.failures);
    }

    fn source_metrics(&self, text: &mut Text) {
        let source = self.redis();
        let Some(s) = source.as_ref().map(source::redis::RedisSource::status) else { return };
        drop(source);
        let dropped: u64 = s.dropped.iter().map(|d| d.messages).sum();
        let malformed: u64 = s.malformed.iter().map(|m| m.count).sum();
        text.one(Kind::Gauge, "redis_connected", "1 while every connection is subscribed.", u8::from(s.connected));
        text.one(Kind::Counter, "redis_reconnects_total", "Connections made again.", s.reconnects);
        text.one(Kind::Counter, "redis_messages_total", "Pub/Sub messages received.", s.messages);
        text.one(Kind::Counter, "redis_received_bytes_total", "Bytes of them.", s.bytes);
        text.one(Kind::Counter, "redis_values_total", "Values decoded, from messages and polls.", s.points);
        text.one(Kind::Counter, "redis_dropped_messages_total", "Messages lost because the queue was full.", dropped);
        text.one(Kind::Counter, "redis_malformed_total", "Payloads that could not be read.", malformed);
        text.one(Kind::Counter, "redis_gaps_total", "Times without a subscription.", s.gap_count);
        text.one(Kind::Gauge, "redis_queue_bytes", "Bytes that wait to be decoded.", s.queue_bytes);
        text.one(Kind::Counter, "redis_polls_total", "Polls of hashes finished.", s.poll.polls);
        text.one(Kind::Counter, "redis_poll_changed_total", "Fields that polls found changed.", s.poll.changed);
        text.one(Kind::Gauge, "redis_poll_fields", "Fields watched by polling.", s.poll.fields);
        text.one(Kind::Gauge, "redis_poll_seconds", "Duration of the last poll.", s.poll.last_duration_s);
    }
}

/// Memory and processor time of this process, from `/proc`; left out where there is none.
fn process_metrics(text: &mut Text) {
    let Ok(status) = std::fs::read_to_string("/proc/self/status") else { return };
    let kib = |key: &str| {
        let line = status.lines().find_map(|l| l.strip_prefix(key))?;
        line.split_whitespace().next()?.parse::<u64>().ok()
    };
    if let Some(rss) = kib("VmRSS:") {
        text.one(Kind::Gauge, "process_resident_memory_bytes", "Memory in use.", rss * 1024);
    }
    if let Some(peak) = kib("VmHWM:") {
        text.one(Kind::Gauge, "process_resident_memory_max_bytes", "Most memory ever in use.", peak * 1024);
    }
}
