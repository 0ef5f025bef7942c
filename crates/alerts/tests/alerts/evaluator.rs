//! Rules that are looked at by themselves, events, silences, and the list.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::SeqCst};
use std::time::Duration;

use alerts::{Config, Event, Level, Observation, Seen, SilenceConfig, Text, Watched};
use model::TimestampNs;
use serde_json::json;

use crate::http::Receiver;
use crate::support::{Desk, S, row, wait_for};

/// Says that a store is away, or panics.
#[derive(Default)]
struct Plant {
    is_away: AtomicU64,
    asked: AtomicU64,
}

impl Watched for Plant {
    fn query(&self, database: &str, text: &str) -> Result<Vec<Observation>, String> {
        self.asked.fetch_add(1, SeqCst);
        match (database, text) {
            ("d", "panic") => panic!("a query that panics"),
            ("d", "wrong") => Err("no such database".to_owned()),
            _ => Ok(vec![row("a", 11.0)]),
        }
    }

    fn fact(&self, name: &str) -> Result<Vec<Observation>, String> {
        assert_eq!(name, "store_away");
        let labels = [("store".to_owned(), "influxdb".to_owned())].into();
        Ok(vec![Observation { labels, seen: Seen::Fact(self.is_away.load(SeqCst) as f64) }])
    }
}

fn config(receiver: &Receiver, rules: serde_json::Value) -> Config {
    let config = json!({"rules": rules, "channels": {"ops": {"webhook": {"url": receiver.url()}}}});
    serde_json::from_value(config).unwrap()
}

#[test]
fn rules_are_looked_at_in_their_intervals_whatever_others_do() {
    let receiver = Receiver::up();
    let query = |name: &str| json!({"name": name, "query": {"database": "d", "text": name, "above": 10}, "every": "1s", "channels": ["ops"]});
    let outage = json!({"name": "store_away", "health": {"fact": "store_away"}, "every": "1s", "channels": ["ops"]});
    let desk = Desk::new(config(&receiver, json!([query("panic"), query("wrong"), query("hot"), outage])));
    let plant = Arc::new(Plant::default());
    desk.alerts.start(plant.clone()).unwrap();
    wait_for("a first notification", || receiver.requests().len() == 1);
    plant.is_away.store(1, SeqCst);
    wait_for("the store is away", || receiver.requests().len() == 2);
    std::thread::sleep(Duration::from_millis(1100));
    plant.is_away.store(0, SeqCst);
    wait_for("the store is back", || receiver.requests().len() == 3);
    let said: Vec<_> = receiver.requests().iter().map(|r| (r.body["rule"].clone(), r.body["status"].clone())).collect();
    let expected = [("hot", "firing"), ("store_away", "firing"), ("store_away", "resolved")];
    assert_eq!(said, expected.map(|(rule, status)| (json!(rule), json!(status))));
    let listing = desk.alerts.list();
    let error = |name: &str| listing.rules.iter().find(|rule| rule.name == name).unwrap().error.clone();
    assert_eq!(error("panic").unwrap(), "panicked: a query that panics");
    assert_eq!(error("wrong").unwrap(), "no such database");
    assert_eq!(error("hot"), None);
    assert!(plant.asked.load(SeqCst) >= 6);
}

#[test]
fn events_make_alerts_at_once() {
    let receiver = Receiver::up();
    let rule = json!({"name": "events", "event": {"level": "error"}, "channels": ["ops"]});
    let desk = Desk::new(config(&receiver, json!([rule])));
    assert!(desk.alerts.wants_events());
    let event = |level, seconds: i64| Observation {
        labels: [("node_id", "vm-1"), ("metric", "cpu"), ("source", "threshold")]
            .map(|(key, value)| (key.to_owned(), value.to_owned()))
            .into(),
        seen: Seen::Event(Event {
            time: TimestampNs((1_700_000_000 + seconds) * S),
            level,
            value: Some(97.0),
            message: Text::new("CPU is busy", "CPU 繁忙"),
        }),
    };
    desk.pass(10);
    let all = [event(Level::Critical, 1), event(Level::Info, 2)];
    desk.alerts.events(&all);
    desk.alerts.events(&all);
    desk.wait_until_delivered();
    let texts: Vec<_> = receiver.requests().iter().map(|request| request.body["text"].clone()).collect();
    let labels = "(metric=cpu, node_id=vm-1, source=threshold)";
    assert_eq!(
        texts,
        [
            json!(format!("[FIRING] events (warning): CPU is busy {labels}")),
            json!(format!("[RESOLVED] events (warning): CPU is busy {labels}"))
        ]
    );
}

#[test]
fn the_list_shows_alerts_silences_rules_and_channels() {
    let receiver = Receiver::up();
    let rule = json!({"name": "hot", "query": {"database": "d", "text": "q", "above": 10}, "channels": ["ops"]});
    let desk = Desk::new(config(&receiver, json!([rule])));
    let silence = json!({"labels": {"host": "a"}, "until": "2030-01-01T00:00:00Z", "comment": "tests"});
    let id = desk.alerts.silence(serde_json::from_value::<SilenceConfig>(silence).unwrap()).unwrap();
    desk.see(&[("a", 11.0), ("b", 12.0), ("c", 1.0)]);
    desk.wait_until_delivered();
    let listing = serde_json::to_value(desk.alerts.list()).unwrap();
    let alert = |host: &str| {
        let all = listing["alerts"].as_array().unwrap();
        all.iter().find(|alert| alert["labels"]["host"] == host).unwrap()
    };
    assert_eq!(
        (&alert("a")["state"], &alert("a")["silenced_by"], &alert("a")["told"]),
        (&json!("firing"), &json!([id]), &json!([]))
    );
    assert_eq!((&alert("b")["value"], &alert("b")["told"]), (&json!(12.0), &json!(["ops"])));
    assert_eq!(listing["alerts"].as_array().unwrap().len(), 2);
    assert_eq!(listing["silences"][0]["comment"], "tests");
    assert_eq!(listing["silences"][0]["is_added"], true);
    assert_eq!(listing["rules"][0]["firing"], 2);
    assert_eq!((&listing["channels"][0]["name"], &listing["channels"][0]["delivered"]), (&json!("ops"), &json!(1)));
    assert_eq!(listing["totals"]["is_durable"], true);
    assert!(desk.alerts.unsilence(&id));
    desk.see(&[("a", 11.0), ("b", 12.0)]);
    desk.wait_until_delivered();
    assert_eq!(receiver.taken().len(), 2);
}
