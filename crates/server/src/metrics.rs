//! Counts of the HTTP server, kept by one relaxed atomic each and printed as Prometheus text. Labels are small closed sets.

use std::fmt::{self, Write};
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Duration;

use axum::http::StatusCode;

/// Routes that are counted together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Group {
    Write,
    Influxql,
    Query,
    Schema,
    Health,
    Admin,
    Pages,
    Other,
}

impl Group {
    const ALL: [Self; 8] =
        [Self::Write, Self::Influxql, Self::Query, Self::Schema, Self::Health, Self::Admin, Self::Pages, Self::Other];

    const fn name(self) -> &'static str {
        match self {
            Self::Write => "write",
            Self::Influxql => "influxql",
            Self::Query => "query",
            Self::Schema => "schema",
            Self::Health => "health",
            Self::Admin => "admin",
            Self::Pages => "pages",
            Self::Other => "other",
        }
    }
}

/// Counts of the HTTP server since its start.
#[derive(Debug, Default)]
pub struct HttpMetrics {
    write: GroupCounts,
    influxql: GroupCounts,
    query: GroupCounts,
    schema: GroupCounts,
    health: GroupCounts,
    admin: GroupCounts,
    pages: GroupCounts,
    other: GroupCounts,
    in_flight: AtomicU64,
    panics: AtomicU64,
    body_bytes: AtomicU64,
    connections: AtomicU64,
    connections_opened: AtomicU64,
    connections_cut: AtomicU64,
}

#[derive(Debug, Default)]
struct GroupCounts {
    informational_or_success: AtomicU64,
    redirection: AtomicU64,
    client_error: AtomicU64,
    server_error: AtomicU64,
    abandoned: AtomicU64,
    duration_ns: AtomicU64,
}

impl GroupCounts {
    fn class(&self, status: StatusCode) -> &AtomicU64 {
        match status.as_u16() {
            ..300 => &self.informational_or_success,
            300..400 => &self.redirection,
            400..500 => &self.client_error,
            _ => &self.server_error,
        }
    }

    fn classes(&self) -> [(&'static str, u64); 5] {
        [
            ("2xx", self.informational_or_success.load(Relaxed)),
            ("3xx", self.redirection.load(Relaxed)),
            ("4xx", self.client_error.load(Relaxed)),
            ("5xx", self.server_error.load(Relaxed)),
            ("abandoned", self.abandoned.load(Relaxed)),
        ]
    }
}

impl HttpMetrics {
    /// Requests being answered.
    pub fn in_flight(&self) -> u64 {
        self.in_flight.load(Relaxed)
    }

    /// Open connections.
    pub fn connections(&self) -> u64 {
        self.connections.load(Relaxed)
    }

    /// Handlers that panicked.
    pub fn panics(&self) -> u64 {
        self.panics.load(Relaxed)
    }

    /// Everything as Prometheus text, beside the bytes of the write budget that are free.
    pub(crate) fn to_prometheus(&self, write_memory_free: u64) -> String {
        let mut text = String::with_capacity(4096);
        // Writing to a `String` cannot fail, so the result carries nothing.
        self.write_prometheus(&mut text, write_memory_free).unwrap_or_default();
        text
    }

    fn write_prometheus(&self, out: &mut String, write_memory_free: u64) -> fmt::Result {
        self.write_requests(out)?;
        let name = "hissrv_http_write_memory_free_bytes";
        write_head(out, name, "gauge", "Bytes that bodies of writes may still take.")?;
        writeln!(out, "{name} {write_memory_free}")?;
        let gauge = |name, help| (name, "gauge", help);
        let counter = |name, help| (name, "counter", help);
        let singles = [
            (gauge("hissrv_http_requests_in_flight", "Requests being answered."), &self.in_flight),
            (gauge("hissrv_http_connections", "Open connections."), &self.connections),
            (counter("hissrv_http_connections_opened_total", "Connections accepted."), &self.connections_opened),
            (
                counter("hissrv_http_connections_cut_total", "Connections ended by an error or a timeout."),
                &self.connections_cut,
            ),
            (counter("hissrv_http_panics_total", "Handlers that panicked."), &self.panics),
            (counter("hissrv_http_body_bytes_total", "Bytes of request bodies as received."), &self.body_bytes),
        ];
        singles.into_iter().try_for_each(|((name, kind, help), value)| {
            write_head(out, name, kind, help)?;
            writeln!(out, "{name} {}", value.load(Relaxed))
        })
    }

    fn write_requests(&self, out: &mut String) -> fmt::Result {
        let name = "hissrv_http_requests_total";
        write_head(out, name, "counter", "Requests by route and by class of the answer's status.")?;
        for group in Group::ALL {
            for (class, count) in self.group(group).classes() {
                writeln!(out, "{name}{{route=\"{}\",class=\"{class}\"}} {count}", group.name())?;
            }
        }
        let name = "hissrv_http_request_seconds";
        write_head(out, name, "summary", "Time from the end of a request's header to the start of its answer.")?;
        for group in Group::ALL {
            let counts = self.group(group);
            let seconds = Duration::from_nanos(counts.duration_ns.load(Relaxed)).as_secs_f64();
            let count: u64 = counts.classes().iter().map(|(_, count)| count).sum();
            writeln!(out, "{name}_sum{{route=\"{}\"}} {seconds}", group.name())?;
            writeln!(out, "{name}_count{{route=\"{}\"}} {count}", group.name())?;
        }
        Ok(())
    }

    fn group(&self, group: Group) -> &GroupCounts {
        match group {
            Group::Write => &self.write,
            Group::Influxql => &self.influxql,
            Group::Query => &self.query,
            Group::Schema => &self.schema,
            Group::Health => &self.health,
            Group::Admin => &self.admin,
            Group::Pages => &self.pages,
            Group::Other => &self.other,
        }
    }

    pub(crate) fn request_started(&self) {
        self.in_flight.fetch_add(1, Relaxed);
    }

    /// `status` is `None` when the client went away before its answer.
    pub(crate) fn request_ended(&self, group: Group, status: Option<StatusCode>, took: Duration) {
        let counts = self.group(group);
        self.in_flight.fetch_sub(1, Relaxed);
        status.map_or(&counts.abandoned, |status| counts.class(status)).fetch_add(1, Relaxed);
        counts.duration_ns.fetch_add(u64::try_from(took.as_nanos()).unwrap_or(u64::MAX), Relaxed);
    }

    pub(crate) fn panicked(&self) {
        self.panics.fetch_add(1, Relaxed);
    }

    pub(crate) fn body_received(&self, bytes: usize) {
        self.body_bytes.fetch_add(bytes as u64, Relaxed);
    }

    pub(crate) fn connection_opened(&self) {
        self.connections.fetch_add(1, Relaxed);
        self.connections_opened.fetch_add(1, Relaxed);
    }

    pub(crate) fn connection_closed(&self) {
        self.connections.fetch_sub(1, Relaxed);
    }

    pub(crate) fn connection_cut(&self) {
        self.connections_cut.fetch_add(1, Relaxed);
    }
}

fn write_head(out: &mut String, name: &str, kind: &str, help: &str) -> fmt::Result {
    writeln!(out, "# HELP {name} {help}\n# TYPE {name} {kind}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests_are_counted_by_route_and_class() {
        let metrics = HttpMetrics::default();
        metrics.request_started();
        metrics.request_started();
        metrics.request_ended(Group::Write, Some(StatusCode::NO_CONTENT), Duration::from_millis(250));
        let text = metrics.to_prometheus(7);
        assert!(text.contains("hissrv_http_requests_total{route=\"write\",class=\"2xx\"} 1\n"), "{text}");
        assert!(text.contains("hissrv_http_request_seconds_sum{route=\"write\"} 0.25\n"), "{text}");
        assert!(text.contains("hissrv_http_requests_in_flight 1\n"), "{text}");
        metrics.request_ended(Group::Query, None, Duration::ZERO);
        assert!(metrics.to_prometheus(7).contains("{route=\"query\",class=\"abandoned\"} 1\n"));
        assert!(metrics.to_prometheus(7).contains("hissrv_http_write_memory_free_bytes 7\n"));
        assert_eq!(metrics.in_flight(), 0);
    }
}
