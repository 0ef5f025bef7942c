use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

use model::TimestampNs;
use vfs::FaultFs;

use super::*;
use crate::Labels;
use crate::engine::{Observation, Seen};

const S: i64 = 1_000_000_000;
const DIR: &str = "/alerts";

fn config(channels: &[&str]) -> Config {
    let channels: Vec<String> = channels.iter().map(|name| format!(r#""{name}":{{"log":{{}}}}"#)).collect();
    let rule = r#"{"name":"hot","query":{"database":"d","text":"q","above":10},"repeat":"1m","for":"5s","channels":["x","y"]}"#;
    let json = format!(r#"{{"rules":[{rule}],"store_outage":false,"channels":{{{}}}}}"#, channels.join(","));
    serde_json::from_str(&json).unwrap()
}

fn open(fs: &FaultFs, config: &Config, now_s: i64) -> Ledger {
    let rules = config.rules().unwrap();
    Ledger::open(Arc::new(fs.clone()), Path::new(DIR), config, &rules, TimestampNs(now_s * S)).unwrap()
}

fn row(host: &str, value: f64) -> Observation {
    let labels: Labels = [("host".to_owned(), host.to_owned())].into();
    Observation { labels, seen: Seen::Row { time: TimestampNs(0), value: Some(value) } }
}

/// Seconds, and the values of two hosts then.
const SCRIPT: [(i64, f64, f64); 8] = [
    (0, 11.0, 1.0),
    (5, 11.0, 11.0),
    (10, 11.0, 11.0),
    (70, 11.0, 1.0),
    (80, 1.0, 11.0),
    (90, 1.0, 11.0),
    (100, 1.0, 1.0),
    (110, 1.0, 1.0),
];

/// What receivers got, and how often.
type Received = BTreeMap<(String, String), usize>;

/// Plays the script from `step` on until the disk fails; returns the step at which it did. As the threads do, but one after the other,
/// and a channel fails now and then.
fn play(ledger: &mut Ledger, rule: &Rule, step: &mut usize, received: &mut Received) -> Result<(), ()> {
    while let Some((at, a, b)) = SCRIPT.get(*step) {
        ledger.look(rule, Sight::Seen(&[row("a", *a), row("b", *b)]), TimestampNs(at * S));
        if !ledger.is_durable() {
            return Err(());
        }
        // Channel y is down until the end.
        deliver(ledger, "x", received)?;
        *step += 1;
    }
    deliver(ledger, "x", received)?;
    deliver(ledger, "y", received)
}

fn deliver(ledger: &mut Ledger, channel: &str, received: &mut Received) -> Result<(), ()> {
    while let Next::Send(seq, notification) = ledger.next(channel, Instant::now()) {
        *received.entry((channel.to_owned(), notification.id)).or_default() += 1;
        ledger.done(seq, channel);
        if !ledger.is_durable() {
            return Err(());
        }
    }
    Ok(())
}

#[test]
fn killed_at_any_file_operation_nothing_is_lost_and_nothing_comes_twice_but_what_was_not_recorded() {
    let config = config(&["x", "y"]);
    let rule = config.rules().unwrap().remove(0);
    let fs = FaultFs::new();
    let mut expected = Received::new();
    play(&mut open(&fs, &config, 0), &rule, &mut 0, &mut expected).unwrap();
    assert!(expected.values().all(|count| *count == 1));
    // Two alerts of a, b twice; each fires and ends for both channels; x hears of a's repeat, which y does not when it is back.
    assert_eq!(expected.len(), 2 * 6 + 1, "{expected:?}");
    let operations = fs.operations();
    assert!(operations > 30);
    for stop in 0..operations {
        for seed in 0..4 {
            let fs = FaultFs::new();
            fs.stop_after_operations(stop);
            let (mut received, mut step) = (Received::new(), 0);
            let rules = config.rules().unwrap();
            let opened = Ledger::open(Arc::new(fs.clone()), Path::new(DIR), &config, &rules, TimestampNs(0));
            if let Ok(mut ledger) = opened
                && ledger.is_durable()
            {
                play(&mut ledger, &rule, &mut step, &mut received).unwrap_err();
            }
            let fs = fs.crash(seed);
            let mut ledger = open(&fs, &config, SCRIPT[step.min(SCRIPT.len() - 1)].0);
            play(&mut ledger, &rule, &mut step, &mut received).unwrap();
            let missing: Vec<_> = expected.keys().filter(|key| !received.contains_key(*key)).collect();
            assert!(missing.is_empty(), "operation {stop}, seed {seed}: lost {missing:?}");
            let further: Vec<_> = received.keys().filter(|key| !expected.contains_key(*key)).collect();
            assert!(further.is_empty(), "operation {stop}, seed {seed}: not to be said {further:?}");
            let repeated = received.values().map(|count| count - 1).sum::<usize>();
            assert!(repeated <= 1, "operation {stop}, seed {seed}: {received:?}");
        }
    }
}

#[test]
fn while_the_disk_fails_notifications_go_out_and_what_was_missed_is_written_later() {
    let (fs, config) = (FaultFs::new(), config(&["x", "y"]));
    let rule = config.rules().unwrap().remove(0);
    let mut ledger = open(&fs, &config, 0);
    ledger.look(&rule, Sight::Seen(&[row("a", 11.0)]), TimestampNs(0));
    fs.limit_space(0);
    ledger.look(&rule, Sight::Seen(&[row("a", 11.0)]), TimestampNs(5 * S));
    assert!(!ledger.is_durable());
    assert!(matches!(ledger.next("x", Instant::now()), Next::Send(..)));
    fs.limit_space(u64::MAX);
    ledger.look(&rule, Sight::Seen(&[row("a", 11.0)]), TimestampNs(6 * S));
    assert!(ledger.is_durable());
    let ledger = open(&fs.crash(0), &config, 7);
    assert_eq!(ledger.outbox().len(), 1);
    assert!(ledger.engine().alerts().all(|alert| alert.phase.is_firing() && alert.told.is_some()));
}

#[test]
fn without_a_rule_its_alerts_end_and_without_a_channel_nothing_waits_for_it() {
    let (fs, both) = (FaultFs::new(), config(&["x", "y"]));
    let rule = both.rules().unwrap().remove(0);
    let mut ledger = open(&fs, &both, 0);
    ledger.look(&rule, Sight::Seen(&[row("a", 11.0)]), TimestampNs(0));
    ledger.look(&rule, Sight::Seen(&[row("a", 11.0)]), TimestampNs(5 * S));
    drop(ledger);
    let changed = Config { rules: Vec::new(), ..config(&["x"]) };
    for _ in 0..2 {
        let ledger = open(&fs, &changed, 10);
        let waiting: Vec<_> = ledger.outbox().entries().map(|e| (e.notification.status, e.channels.len())).collect();
        use crate::notification::Status;
        assert_eq!(waiting, [(Status::Firing, 1), (Status::Resolved, 1)]);
        assert_eq!(ledger.engine().alerts().count(), 0);
    }
}

#[test]
fn silences_of_people_survive_a_restart_and_go_when_they_are_over() {
    let (fs, config) = (FaultFs::new(), config(&["x", "y"]));
    let rule = config.rules().unwrap().remove(0);
    let mut ledger = open(&fs, &config, 0);
    let silence = |json: &str| serde_json::from_str::<SilenceConfig>(json).unwrap();
    assert_eq!(ledger.silence(silence(r#"{"labels":{"rule":"*"}}"#)), Err(SilenceError::Endless));
    let id = ledger.silence(silence(r#"{"labels":{"host":"a"},"until":"1970-01-01T00:00:20Z"}"#)).unwrap();
    let other = ledger.silence(silence(r#"{"labels":{"host":"b"},"until":"1970-01-01T00:00:20Z"}"#)).unwrap();
    assert!(ledger.unsilence(&other) && !ledger.unsilence(&other));
    let mut ledger = open(&fs.crash(0), &config, 1);
    assert_eq!(ledger.silences().iter().map(|silence| &silence.id).collect::<Vec<_>>(), [&id]);
    for at in [1, 6, 19] {
        ledger.look(&rule, Sight::Seen(&[row("a", 11.0)]), TimestampNs(at * S));
    }
    assert_eq!(ledger.outbox().len(), 0);
    ledger.look(&rule, Sight::Seen(&[row("a", 11.0)]), TimestampNs(20 * S));
    assert_eq!((ledger.outbox().len(), ledger.silences().len()), (1, 0));
}

#[test]
fn what_waited_in_vain_is_given_up() {
    let (fs, config) = (FaultFs::new(), config(&["x", "y"]));
    let rule = config.rules().unwrap().remove(0);
    let mut ledger = open(&fs, &config, 0);
    for at in [0, 5] {
        ledger.look(&rule, Sight::Seen(&[row("a", 11.0)]), TimestampNs(at * S));
    }
    assert!(ledger.give_up("x", TimestampNs(4 * S)).is_empty());
    assert_eq!(ledger.give_up("x", TimestampNs(5 * S)).len(), 1);
    let ledger = open(&fs.crash(0), &config, 7);
    assert_eq!(ledger.outbox().waiting("x").0, 0);
    assert_eq!(ledger.outbox().waiting("y").0, 1);
}
