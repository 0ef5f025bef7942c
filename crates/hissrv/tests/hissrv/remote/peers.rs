//! The real servers, and what a test wants to know of them without hissrv between.

use std::process::Command;

use rig::Server;
use serde_json::Value;

/// A server that is fed, with the way to look into it.
pub(super) struct Peer {
    /// As hissrv names it.
    pub(super) name: &'static str,
    pub(super) server: Server,
    newest_ms: fn(&Server, &str) -> Option<i64>,
    census: fn(&Server, &str) -> Census,
}

/// What a measurement's field `value` holds.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub(super) struct Census {
    pub(super) count: u64,
    pub(super) sum: f64,
}

impl Peer {
    pub(super) fn influxdb() -> Self {
        Self { name: "influxdb", server: rig::influxdb(), newest_ms: influx_newest, census: influx_census }
    }

    pub(super) fn victoriametrics() -> Self {
        Self {
            name: "victoriametrics",
            server: rig::victoriametrics(),
            newest_ms: victoria_newest,
            census: victoria_census,
        }
    }

    pub(super) fn postgres() -> Self {
        Self { name: "postgres", server: rig::postgres(), newest_ms: postgres_newest, census: postgres_census }
    }

    /// Time of the newest point of a measurement.
    pub(super) fn newest_ms(&self, measurement: &str) -> Option<i64> {
        (self.newest_ms)(&self.server, measurement)
    }

    /// All its points, each stored one counted.
    pub(super) fn census(&self, measurement: &str) -> Census {
        (self.census)(&self.server, measurement)
    }
}

/// The rows of an InfluxQL query: of each series the lists of values.
pub(super) fn influxql(server: &Server, text: &str) -> Vec<Vec<Value>> {
    let answer = rig::http_get(&format!("{}/query?db=telemetry&epoch=ms&q={}", server.url(), rig::encode(text)));
    let answer: Value = serde_json::from_str(&answer).unwrap();
    let series = answer["results"][0]["series"].as_array().cloned().unwrap_or_default();
    let rows = series.iter().flat_map(|s| s["values"].as_array().cloned().unwrap_or_default());
    rows.map(|row| row.as_array().cloned().unwrap_or_default()).collect()
}

fn influx_newest(server: &Server, measurement: &str) -> Option<i64> {
    influxql(server, &format!("SELECT last(value) FROM \"{measurement}\"")).first()?.first()?.as_i64()
}

fn influx_census(server: &Server, measurement: &str) -> Census {
    let rows = influxql(server, &format!("SELECT count(value), sum(value) FROM \"{measurement}\""));
    let Some(row) = rows.first() else { return Census::default() };
    Census { count: row[1].as_u64().unwrap(), sum: row[2].as_f64().unwrap() }
}

/// Every stored sample, with duplicates where there are any; `since_ms` keeps the answer short.
fn victoria_samples(server: &Server, measurement: &str, since_ms: i64) -> Vec<(i64, f64)> {
    let query = format!("match[]={{__name__=\"{measurement}_value\"}}&start={}", since_ms / 1000);
    let text = rig::http_get(&format!("{}/api/v1/export?{query}", server.url()));
    let mut found = Vec::new();
    for line in text.lines() {
        let series: Value = serde_json::from_str(line).unwrap();
        let (times, values) = (series["timestamps"].as_array().unwrap(), series["values"].as_array().unwrap());
        found.extend(times.iter().zip(values).map(|(t, v)| (t.as_i64().unwrap(), v.as_f64().unwrap())));
    }
    found
}

fn victoria_newest(server: &Server, measurement: &str) -> Option<i64> {
    victoria_samples(server, measurement, super::outages::now_ms() - 20_000).into_iter().map(|(time, _)| time).max()
}

fn victoria_census(server: &Server, measurement: &str) -> Census {
    let samples = victoria_samples(server, measurement, 1_000);
    Census { count: samples.len() as u64, sum: samples.iter().map(|(_, value)| value).sum() }
}

/// The answer of `psql` to one statement, unaligned.
pub(super) fn psql(server: &Server, statement: &str) -> String {
    let url = server.url();
    let output = Command::new("psql").args([url.as_str(), "-Atqc", statement]).output();
    let output = output.expect("psql is needed: apt-get install postgresql-client");
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}

fn postgres_newest(server: &Server, measurement: &str) -> Option<i64> {
    let answer = psql(
        server,
        &format!("SELECT (extract(epoch FROM max(time)) * 1000)::bigint FROM telemetry.\"{measurement}\""),
    );
    answer.parse().ok()
}

fn postgres_census(server: &Server, measurement: &str) -> Census {
    let answer = psql(server, &format!("SELECT count(value), sum(value) FROM telemetry.\"{measurement}\""));
    let Some((count, sum)) = answer.split_once('|') else { return Census::default() };
    Census { count: count.parse().unwrap(), sum: sum.parse().unwrap_or(0.0) }
}
