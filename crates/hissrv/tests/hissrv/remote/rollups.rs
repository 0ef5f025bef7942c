//! The seed's two downsampling tasks: as continuous queries on a real InfluxDB, and as rollups here.

use std::fmt::Write as _;

use rig::Server;
use serde_json::Value;

use super::outages::now_ms;
use super::peers::influxql;
use crate::support::{Client, Folder, Service, wait_for};

const DOWNSAMPLING: &str = include_str!("../seed/downsampling.yaml");
const RETENTION: &str = "retention: {policies: [{name: realtime, duration: 7d}, {name: hourly, duration: 30d}, {name: daily, duration: 365d}]}";
const HOUR_S: i64 = 3600;
const DAY_S: i64 = 86_400;

/// Each field of the tasks with its policy and measurement.
const FIELDS: [(&str, &str, &str); 7] = [
    ("hourly", "dense", "avg"),
    ("hourly", "dense", "max"),
    ("hourly", "dense", "min"),
    ("daily", "dense", "avg"),
    ("hourly", "sparse", "avg"),
    ("daily", "sparse", "avg"),
    ("daily", "sparse", "total"),
];

/// A value a minute of `dense`, one an hour of `sparse`, of two series.
fn lines(start_s: i64, end_s: i64) -> String {
    let mut lines = String::new();
    for time in (start_s..end_s).step_by(60) {
        let value = (time / 60 * 7919 % 1000) as f64 / 8.0;
        writeln!(lines, "dense,point=1 value={value} {time}\ndense,point=2 value={} {time}", value - 50.0).unwrap();
        if time % HOUR_S == 0 {
            writeln!(lines, "sparse,point=1 value={value} {time}").unwrap();
        }
    }
    lines
}

/// Runs the seed's continuous queries over a range, as they run by themselves window by window.
fn run_continuous_queries(influxdb: &Server, start_s: i64, end_s: i64) {
    for row in influxql(influxdb, "SHOW CONTINUOUS QUERIES") {
        let text = row[1].as_str().unwrap();
        let select = text.split(" BEGIN ").nth(1).unwrap().trim_end_matches(" END");
        let (from, group_by) = select.split_once(" GROUP BY ").unwrap();
        let over = format!("{from} WHERE time >= {start_s}s AND time < {end_s}s GROUP BY {group_by}");
        let url = format!("{}/query?db=telemetry&q={}", influxdb.url(), rig::encode(&over));
        let (status, answer) = rig::http_post(&url, "");
        assert!(status == 200 && !answer.contains("error"), "{over}: {answer}");
    }
}

fn question(policy: &str, measurement: &str, field: &str, before_s: i64) -> String {
    format!("SELECT {field} FROM telemetry.{policy}.{measurement} WHERE time < {before_s}s AND point = '1'")
}

fn here(client: &mut Client, text: &str) -> Vec<Vec<Value>> {
    let answer = client.get(&format!("/query?db=telemetry&epoch=ms&q={}", rig::encode(text))).ok().json();
    let series = answer["results"][0]["series"].as_array().cloned().unwrap_or_default();
    let rows = series.iter().flat_map(|s| s["values"].as_array().cloned().unwrap_or_default());
    rows.map(|row| row.as_array().cloned().unwrap_or_default()).collect()
}

fn assert_same(ours: &[Vec<Value>], theirs: &[Vec<Value>], what: &str) {
    assert!(!theirs.is_empty(), "{what}: InfluxDB has nothing");
    assert_eq!(ours.len(), theirs.len(), "{what}: {ours:?} {theirs:?}");
    for (a, b) in ours.iter().zip(theirs) {
        let (x, y) = (a[1].as_f64().unwrap(), b[1].as_f64().unwrap());
        assert!(a[0] == b[0] && (x - y).abs() <= 1e-9 * y.abs().max(1.0), "{what}: {a:?} here, {b:?} there");
    }
}

fn settle(service: &Service, since_s: i64) {
    wait_for("the rollups to be made", || {
        let status = service.client().get("/api/v1/status").ok().json();
        let tasks = status["downsampling"]["tasks"].as_array().unwrap().clone();
        tasks.iter().all(|task| task["oldest_dirty"].as_i64().is_none_or(|oldest| oldest >= since_s * 1_000_000_000))
    });
}

#[test]
fn the_tasks_of_the_requirements_give_here_what_they_give_as_continuous_queries_in_influxdb() {
    let (folder, influxdb) = (Folder::new(), rig::influxdb());
    let makes_queries = Service::start(
        &Folder::new(),
        &format!("influxdb: {{url: \"{}\"}}\n{RETENTION}\n{DOWNSAMPLING}", influxdb.url()),
    );
    wait_for("the continuous queries", || influxql(&influxdb, "SHOW CONTINUOUS QUERIES").len() == 2);
    makes_queries.stop();

    let now_s = now_ms() / 1000;
    let (today_s, end_s) = (now_s / DAY_S * DAY_S, now_s / HOUR_S * HOUR_S);
    let start_s = today_s - 3 * DAY_S;
    let service = Service::start(
        &folder,
        &format!("{RETENTION}\n{DOWNSAMPLING}\n").replace("tasks:", "delay: 0s\n  share: 1.0\n  tasks:"),
    );
    let mut client = service.client();
    let mut write = |lines: &str| {
        let (status, text) =
            rig::http_post(&format!("{}/write?db=telemetry&rp=realtime&precision=s", influxdb.url()), lines);
        assert_eq!(status, 204, "{text}");
        assert_eq!(client.post("/write?db=telemetry&rp=realtime&precision=s", lines).status, 204);
    };
    write(&lines(start_s, end_s));
    run_continuous_queries(&influxdb, start_s, end_s);
    settle(&service, today_s);
    let mut client = service.client();
    for (policy, measurement, field) in FIELDS {
        let text = question(policy, measurement, field, today_s);
        assert_same(&here(&mut client, &text), &influxql(&influxdb, &text), &text);
    }

    // Late values: InfluxDB's queries would never see them; ours equal what a recomputation there gives.
    let late = format!(
        "dense,point=1 value=5000 {}\nsparse,point=1 value=77 {}\n",
        start_s + 90_001,
        start_s + 2 * DAY_S + HOUR_S
    );
    let mut client_of_both = service.client();
    rig::http_post(&format!("{}/write?db=telemetry&rp=realtime&precision=s", influxdb.url()), &late);
    assert_eq!(client_of_both.post("/write?db=telemetry&rp=realtime&precision=s", late).status, 204);
    run_continuous_queries(&influxdb, start_s, end_s);
    settle(&service, today_s);
    for (policy, measurement, field) in
        FIELDS.into_iter().filter(|(policy, measurement, _)| *policy == "hourly" || *measurement == "sparse")
    {
        let text = question(policy, measurement, field, today_s);
        assert_same(&here(&mut client, &text), &influxql(&influxdb, &text), &text);
    }
    // A day of means of hours with unequal numbers of values is where both differ, and ours is the mean of the points.
    let text = question("daily", "dense", "avg", today_s);
    let points = "SELECT mean(value) FROM telemetry.realtime.dense WHERE point = '1' AND time >= {from}s AND time < {to}s GROUP BY time(1d)";
    let points = points.replace("{from}", &start_s.to_string()).replace("{to}", &today_s.to_string());
    assert_same(&here(&mut client, &text), &influxql(&influxdb, &points), "means of days");
    let sums = points.replace("mean(value)", "sum(value)");
    assert_same(
        &here(&mut client, &question("daily", "dense", "total", today_s)),
        &influxql(&influxdb, &sums),
        "sums of days",
    );
    service.stop();
}
