//! Redis goes away in every way there is. Values published afterwards arrive, values that changed meanwhile are filled in from
//! the hashes, and the gap itself is stored and shown.

use std::time::Duration;

use serde_json::Value;

use crate::support::{Client, Folder, Redis, Row, Service, rows_of, wait_for};

/// Subscribes; hashes are read after a reconnect only.
fn start(folder: &Folder, redis: &Redis) -> Service {
    let sections = "  patterns: [\"comsrv:*\"]\n  snapshot: {enabled: false}\n";
    Service::start(folder, &format!("redis:\n  url: {}\n{sections}", redis.url()))
}

fn state(service: &Service) -> Value {
    service.status()["sources"][0]["state"].clone()
}

fn wait_connected(service: &Service, connected: bool) {
    wait_for(&format!("connected: {connected}"), || state(service)["connected"] == connected);
}

fn is_stored(client: &mut Client, value: f64) -> bool {
    rows_of(client, "measurement").iter().any(|row| row.float("value") == Some(value))
}

/// Changes a value to 2.5 that nothing is published about: only a read of the hash after a reconnect can bring it.
fn change_unnoticed(redis: &Redis, client: &mut Client) {
    redis.command(&["HSET", "comsrv:1:T", "1", "1.5"]);
    redis.command(&["PUBLISH", "comsrv:1:T", "1:1.5"]);
    wait_value(client, 1.5);
    std::thread::sleep(Duration::from_millis(300));
    redis.command(&["HSET", "comsrv:1:T", "1", "2.5"]);
    std::thread::sleep(Duration::from_millis(300));
    assert!(!is_stored(client, 2.5), "2.5 was read before the outage");
}

/// Waits until a value of the measurement `measurement` is stored.
fn wait_value(client: &mut Client, value: f64) {
    wait_for(&format!("the value {value}"), || is_stored(client, value));
}

/// The gap that was stored.
fn wait_gap(client: &mut Client) -> Row {
    wait_for("a stored gap", || !rows_of(client, "source_gap").is_empty());
    rows_of(client, "source_gap").remove(0)
}

#[test]
fn a_redis_that_is_away_at_the_start_is_found_once_it_comes() {
    let (folder, mut redis) = (Folder::new(), Redis::absent());
    let service = start(&folder, &redis);
    wait_for("a reported failure", || state(&service)["connections"][0]["last_error"].is_string());
    assert_eq!(state(&service)["connected"], false);
    assert_eq!(service.client().get("/health").status, 200, "history must be readable without Redis");
    redis.launch();
    wait_connected(&service, true);
    redis.command(&["PUBLISH", "comsrv:1:T", "2:8.5"]);
    let mut client = service.client();
    wait_value(&mut client, 8.5);
    service.stop();
}

#[test]
fn after_a_crash_of_redis_values_arrive_again_and_the_gap_is_filled_stored_and_shown() {
    let (folder, mut redis) = (Folder::new(), Redis::start());
    let service = start(&folder, &redis);
    wait_connected(&service, true);
    let mut client = service.client();
    change_unnoticed(&redis, &mut client);
    redis.command(&["SAVE"]);
    redis.kill();
    wait_connected(&service, false);
    redis.launch();
    wait_connected(&service, true);
    redis.command(&["PUBLISH", "comsrv:1:T", "1:3.5"]);
    wait_value(&mut client, 3.5);
    wait_value(&mut client, 2.5);
    let gap = wait_gap(&mut client);
    assert!(gap.float("duration_s") > Some(0.0) && gap.values["reason"].is_string(), "{gap:?}");
    let state = state(&service);
    assert_eq!(state["gap_count"], 1, "{state}");
    assert_eq!(state["gaps"][0]["start"].as_i64(), Some(gap.time), "{state}");
    assert!(state["reconnects"].as_u64() >= Some(1), "{state}");
    service.stop();
}

#[test]
fn a_redis_that_sleeps_longer_than_its_answers_are_waited_for_is_left_and_found_again() {
    let (folder, redis) = (Folder::new(), Redis::start());
    let service = start(&folder, &redis);
    wait_connected(&service, true);
    let mut client = service.client();
    change_unnoticed(&redis, &mut client);
    redis.command_in_background(&["DEBUG", "SLEEP", "13"]);
    wait_connected(&service, false);
    wait_connected(&service, true);
    redis.command(&["PUBLISH", "comsrv:1:T", "1:3.5"]);
    wait_value(&mut client, 3.5);
    wait_value(&mut client, 2.5);
    wait_gap(&mut client);
    assert!(state(&service)["gap_count"].as_u64() >= Some(1));
    service.stop();
}

#[test]
fn a_short_sleep_or_pause_of_redis_costs_nothing() {
    let (folder, redis) = (Folder::new(), Redis::start());
    let service = start(&folder, &redis);
    wait_connected(&service, true);
    let mut client = service.client();
    redis.command_in_background(&["DEBUG", "SLEEP", "1.5"]);
    std::thread::sleep(Duration::from_millis(100));
    redis.command(&["PUBLISH", "comsrv:1:T", "1:1.5"]);
    wait_value(&mut client, 1.5);
    redis.command(&["CLIENT", "PAUSE", "1500", "ALL"]);
    redis.command(&["PUBLISH", "comsrv:1:T", "1:2.5"]);
    wait_value(&mut client, 2.5);
    let state = state(&service);
    assert_eq!((&state["gap_count"], &state["reconnects"]), (&Value::from(0), &Value::from(0)), "{state}");
    service.stop();
}
