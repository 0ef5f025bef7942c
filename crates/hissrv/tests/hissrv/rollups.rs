//! Rollups of the real binary: killed at any moment, and asked over HTTP with and without them.

use std::fmt::Write as _;
use std::time::Duration;

use serde_json::{Value, json};

use crate::support::{Client, Folder, Rng, Service, wait_for};

const HOUR_S: u64 = 3600;
const DAYS: u64 = 6;
/// Small files and an eager worker, so that both are at work when the process dies.
const SECTIONS: &str = "engine: {head_max: 1MiB, head_max_age: 1s}\n\
    retention: {policies: [{name: raw, duration: 60d}, {name: hourly, duration: 300d}, {name: daily, duration: 3000d}]}\n\
    downsampling:\n  delay: 0s\n  share: 1.0\n  tasks:\n\
    \x20   - {name: hours, source: raw, target: hourly, interval: 1h, aggregations: [{function: MEAN, alias: avg}]}\n\
    \x20   - {name: days, source: hourly, target: daily, interval: 1d, time_zone: Europe/Berlin, aggregations: [{function: SUM, alias: total}]}\n";
const FUNCTIONS: &str = "count(value), sum(value), min(value), max(value), first(value), last(value), mean(value)";

/// An hour that ended a while ago.
fn end_s() -> u64 {
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_secs();
    now / HOUR_S * HOUR_S - HOUR_S
}

fn ask(client: &mut Client, text: &str, rollups: bool) -> Value {
    let shortcuts = format!("rollups={rollups}&cacheable={rollups}");
    let path = format!("/query?db=telemetry&epoch=s&{shortcuts}&q={}", rig::encode(text));
    client.get(&path).ok().json()
}

fn assert_same(client: &mut Client, end_s: u64) {
    let (start, end) = (end_s - DAYS * 24 * HOUR_S + 100, end_s - 100);
    let range = format!("FROM m WHERE time >= {start}s AND time < {end}s");
    for windows in
        ["GROUP BY time(1h), *", "GROUP BY time(1d)", "GROUP BY time(1d), * tz('Europe/Berlin')", "GROUP BY s"]
    {
        let text = format!("SELECT {FUNCTIONS} {range} {windows}");
        assert_eq!(ask(client, &text, true), ask(client, &text, false), "{text}");
    }
}

fn settle(service: &Service, end_s: u64) {
    wait_for("the rollups to be made", || {
        let tasks = service.status()["downsampling"]["tasks"].as_array().unwrap().clone();
        // A day of Berlin that has not ended stays.
        let oldest = |task: &Value| {
            task["oldest_dirty"].as_i64().map_or(i64::MAX, |oldest| oldest / 1_000_000_000 + 26 * HOUR_S as i64)
        };
        tasks.iter().all(|task| oldest(task) >= end_s as i64)
    });
}

/// Values that sum exactly, of three series, anywhere in the days before.
fn lines(rng: &mut Rng, end_s: u64) -> String {
    let mut lines = String::new();
    for _ in 0..rng.within(10..400) {
        let time = end_s - rng.within(1..DAYS * 24 * HOUR_S);
        writeln!(lines, "m,s={} value={} {time}", rng.within(0..3), rng.within(0..200) as f64 / 4.0).unwrap();
    }
    lines
}

#[test]
fn no_window_is_forgotten_when_the_process_is_killed_at_any_moment() {
    let (mut rng, folder, end_s) = (Rng::new("kill9 of rollups"), Folder::new(), end_s());
    for round in 1..=12 {
        let service = Service::start(&folder, SECTIONS);
        let mut client = service.client();
        for _ in 0..rng.within(1..8) {
            let body = lines(&mut rng, end_s);
            assert_eq!(client.post("/write?db=telemetry&precision=s", body).status, 204);
            match rng.within(0..6) {
                0 => {
                    let (from, series) = (end_s - rng.within(HOUR_S..DAYS * 24 * HOUR_S), rng.within(0..3));
                    let text = format!(
                        "DELETE FROM m WHERE s = '{series}' AND time >= {from}s AND time < {}s",
                        from + 7 * HOUR_S
                    );
                    let path = format!("/query?db=telemetry&q={}", rig::encode(&text));
                    client.post(&path, "").ok();
                }
                1 => _ = client.post("/api/v1/admin/flush", "").ok(),
                2 => std::thread::sleep(Duration::from_millis(rng.within(1..900))),
                _ => {}
            }
            if rng.within(0..4) == 0 {
                assert_same(&mut client, end_s);
            }
        }
        service.kill9();
        if round % 3 == 0 {
            let service = Service::start(&folder, SECTIONS);
            let mut client = service.client();
            assert_same(&mut client, end_s);
            settle(&service, end_s);
            assert_same(&mut client, end_s);
            service.kill9();
        }
    }
    let service = Service::start(&folder, SECTIONS);
    settle(&service, end_s);
    let mut client = service.client();
    assert_same(&mut client, end_s);
    let question = json!({ "aggregate_type": "time_window", "measurement": "m", "interval": "1h", "start": (end_s - 48 * HOUR_S) * 1000, "end": end_s * 1000 });
    let answer = client.post("/api/v1/query/aggregate?epoch=ms", question.to_string()).ok().json();
    let tiers: Vec<&str> =
        answer["provenance"].as_array().unwrap().iter().map(|p| p["tier"].as_str().unwrap()).collect();
    assert!(tiers.contains(&"hours"), "{answer}");
    let path = "/query?db=telemetry&provenance=true&q=SELECT%20mean(value)%20FROM%20m%20WHERE%20time%20%3E%20now()%20-%2048h%20GROUP%20BY%20time(1h)";
    let answer = client.get(path).ok().json();
    let messages = answer["results"][0]["messages"].as_array().unwrap();
    assert!(messages.iter().all(|message| message["level"] == "info"), "{answer}");
    assert!(messages.iter().any(|message| message["text"].as_str().unwrap().starts_with("hours: ")), "{answer}");
    service.stop();
}
