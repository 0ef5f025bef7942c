//! Notifications to an HTTP server.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use alerts::{RedisPublisher, RedisServer, SendError, Tools, send_test};
use model::TimestampNs;
use serde_json::{Value, json};

use crate::http::Receiver;
use crate::support::{Desk, config, wait_for};

fn hook(receiver: &Receiver) -> Value {
    json!({"webhook": {"url": receiver.url(), "headers": {"Authorization": "Bearer geheimer"}}})
}

#[test]
fn while_the_receiver_is_down_nothing_is_lost_and_nothing_comes_twice() {
    let mut receiver = Receiver::up();
    let mut desk = Desk::new(config(hook(&receiver)));
    desk.see(&[("a", 11.0), ("b", 1.0)]);
    desk.wait_until_delivered();
    receiver.go_down();
    let hosts: Vec<String> = (0..20).map(|host| format!("host-{host}")).collect();
    for value in [11.0, 1.0, 12.0] {
        desk.see(&hosts.iter().map(|host| (host.as_str(), value)).collect::<Vec<_>>());
    }
    wait_for("an attempt fails", || desk.alerts.list().channels[0].failed_attempts > 0);
    assert_eq!(desk.alerts.totals().waiting, 60);
    desk.restart();
    desk.see(&[("a", 1.0)]);
    receiver.come_up();
    desk.wait_until_delivered();
    desk.restart();
    desk.see(&[("b", 1.0)]);
    let taken = receiver.taken();
    assert_eq!(taken.len(), 62);
    let of = |host: &str| -> Vec<String> {
        taken.iter().filter(|(_, of)| of == host).map(|(status, _)| status.clone()).collect()
    };
    assert_eq!(of("a"), ["firing", "resolved"]);
    hosts.iter().for_each(|host| assert_eq!(of(host), ["firing", "resolved", "firing"], "{host}"));
    let ids: BTreeSet<String> = receiver.requests().iter().map(|r| r.body["id"].to_string()).collect();
    assert_eq!(ids.len(), 62);
}

#[test]
fn a_receiver_gets_everything_in_one_object_and_the_id_as_a_header() {
    let receiver = Receiver::up();
    let desk = Desk::new(config(hook(&receiver)));
    desk.see(&[("a", 11.5)]);
    desk.see(&[("a", 1.0)]);
    desk.wait_until_delivered();
    let requests = receiver.requests();
    let (first, last) = (&requests[0], &requests[1]);
    assert_eq!(first.line, "POST /hook?key=geheim HTTP/1.1");
    assert_eq!(first.headers["content-type"], "application/json");
    assert_eq!(first.headers["authorization"], "Bearer geheimer");
    assert_eq!(Value::from(first.headers["idempotency-key"].as_str()), first.body["id"]);
    let fingerprint = first.body["fingerprint"].as_str().unwrap();
    assert_eq!(
        first.body,
        json!({
            "id": format!("{fingerprint}-1700000001000000000-firing"), "status": "firing", "repeat": 0, "rule": "hot",
            "severity": "warning", "labels": {"host": "a"}, "annotations": {"summary": "a has 11.5"}, "value": 11.5,
            "since": "2023-11-14T22:13:21Z", "until": null, "fingerprint": fingerprint,
            "text": "[FIRING] hot (warning): a has 11.5 (host=a)",
        })
    );
    assert_eq!(last.body["status"], "resolved");
    assert_eq!(last.body["until"], "2023-11-14T22:13:22Z");
    assert_eq!(last.body["fingerprint"], fingerprint);
}

#[test]
fn a_receiver_can_have_a_shape_of_its_own() {
    let receiver = Receiver::up();
    let body = json!({"msgtype": "text", "text": {"content": "{text}"}, "value": "{value}"});
    let channel = json!({"webhook": {"url": receiver.url(), "method": "PUT", "body": body, "language": "zh"}});
    let desk = Desk::new(config(channel));
    desk.see(&[("a", 11.5)]);
    desk.wait_until_delivered();
    let request = &receiver.requests()[0];
    assert!(request.line.starts_with("PUT "));
    let text = "[告警] hot（警告）：a 当前 11.5 (host=a)";
    assert_eq!(request.body, json!({"msgtype": "text", "text": {"content": text}, "value": 11.5}));
}

#[test]
fn a_busy_receiver_is_left_alone_for_as_long_as_it_wants() {
    let receiver = Receiver::up();
    receiver.answer(&[(503, ""), (429, "retry-after: 1\r\n")]);
    let desk = Desk::new(config(hook(&receiver)));
    desk.see(&[("a", 11.0)]);
    desk.wait_until_delivered();
    let requests = receiver.requests();
    assert_eq!(requests.iter().map(|request| request.status).collect::<Vec<_>>(), [503, 429, 200]);
    assert!(requests[2].at - requests[1].at >= Duration::from_secs(1));
    assert!(requests.iter().all(|request| request.body["id"] == requests[0].body["id"]));
}

#[test]
fn what_is_refused_is_given_up_and_told_without_secrets() {
    let receiver = Receiver::up();
    receiver.answer(&[(400, "")]);
    let desk = Desk::new(config(hook(&receiver)));
    desk.see(&[("a", 11.0)]);
    desk.wait_until_delivered();
    let channel = &desk.alerts.list().channels[0];
    assert_eq!((channel.given_up, channel.delivered), (1, 0));
    let error = channel.last_error.clone().unwrap();
    assert!(error.contains("127.0.0.1: status 400: see ***") && !error.contains("geheim"), "{error}");
    desk.see(&[("a", 1.0)]);
    desk.wait_until_delivered();
    let channel = &desk.alerts.list().channels[0];
    assert_eq!((channel.given_up, channel.delivered, channel.last_error.clone()), (1, 1, None));
}

#[test]
fn one_that_a_receiver_does_not_take_does_not_hold_up_the_others() {
    let receiver = Receiver::up();
    receiver.answer(&[(500, "")]);
    let desk = Desk::new(config(hook(&receiver)));
    desk.see(&[("a", 11.0), ("b", 11.0)]);
    desk.wait_until_delivered();
    let bodies: Vec<Value> = receiver.requests().iter().map(|request| request.body["labels"]["host"].clone()).collect();
    assert_eq!((bodies.len(), &bodies[0], bodies[1] != bodies[0]), (3, &bodies[2], true));
}

#[test]
fn what_waits_for_too_long_is_given_up() {
    let receiver = Receiver::down();
    let desk = Desk::new(config(hook(&receiver)));
    desk.see(&[("a", 11.0)]);
    wait_for("an attempt fails", || desk.alerts.list().channels[0].failed_attempts > 1);
    assert_eq!(desk.alerts.totals().waiting, 1);
    desk.pass(24 * 3600);
    desk.wait_until_delivered();
    assert_eq!(desk.alerts.list().channels[0].given_up, 1);
}

#[test]
fn a_test_says_what_happened() {
    let mut receiver = Receiver::up();
    let config = config(hook(&receiver));
    let test = |name: &str| send_test(&config, name, &Tools::default(), TimestampNs(0)).map_err(|e| e.to_string());
    test("ops").unwrap();
    let body = &receiver.requests()[0].body;
    assert_eq!((&body["status"], &body["rule"]), (&json!("test"), &json!("test")));
    receiver.answer(&[(401, "")]);
    assert!(test("ops").unwrap_err().starts_with("127.0.0.1: status 401"));
    receiver.go_down();
    assert!(test("ops").unwrap_err().starts_with("127.0.0.1: "));
    assert_eq!(test("opps").unwrap_err(), "there is no channel `opps` below alerts.channels; there are: ops");
}

#[derive(Default)]
struct Bus(Mutex<Vec<(String, Value)>>);

impl RedisPublisher for Bus {
    fn publish(&self, server: &RedisServer, channel: &str, message: &[u8]) -> Result<(), SendError> {
        assert_eq!(server.url.reveal(), "redis://:geheim@localhost/1");
        let mut all = self.0.lock().unwrap();
        all.push((channel.to_owned(), serde_json::from_slice(message).unwrap()));
        if all.len() == 1 { Err(SendError::retryable("connection closed")) } else { Ok(()) }
    }
}

#[test]
fn redis_gets_the_same_object() {
    let bus = Arc::new(Bus::default());
    let channel = json!({"redis": {"url": "redis://:geheim@localhost/1"}});
    let desk = Desk::with_redis(config(channel), bus.clone());
    desk.see(&[("a", 11.5)]);
    desk.wait_until_delivered();
    let all = bus.0.lock().unwrap();
    assert_eq!((all.len(), &all[0]), (2, &all[1]));
    assert_eq!(
        (all[0].0.as_str(), &all[0].1["text"]),
        ("hissrv:alerts", &json!("[FIRING] hot (warning): a has 11.5 (host=a)"))
    );
}
