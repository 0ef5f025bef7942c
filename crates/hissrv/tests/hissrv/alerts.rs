//! Alerts of the whole program: points written over HTTP, a real store that dies, a real receiver of webhooks and a real mail server
//! that are told of it, also when they, or hissrv, were away meanwhile.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

#[path = "../../../alerts/tests/alerts/http.rs"]
#[expect(dead_code, reason = "the tests of the crate `alerts` need more of it")]
mod http;
#[path = "../../../alerts/tests/alerts/smtp.rs"]
mod smtp;

use crate::support::{Folder, Redis, Service, output_of, wait_for};
use http::Receiver;
use smtp::{Sink, python};

/// The built-in rule waits for 30 s; a writer looks every few seconds whether its store is back.
const OUTAGE: Duration = Duration::from_secs(60);

const HOT: &str = "{name: hot, every: 1s, channels: [ops], annotations: {summary: \"{host} has {value}\"}, \
    query: {database: telemetry, text: SELECT last(v) FROM room GROUP BY host, above: 30, clear: 25}}";

fn alerts(channels: &str, rules: &str) -> String {
    format!(
        "alerts:\n  channels: {{{channels}}}\n  rules: [{rules}]\n  retry: {{first: 50ms, longest: 200ms}}\n\
         writer: {{retry_attempts: 1, retry_delay: 100ms}}\n"
    )
}

fn webhook(receiver: &Receiver) -> String {
    format!("ops: {{webhook: {{url: \"{}\"}}}}", receiver.url())
}

fn email(port: u64) -> String {
    format!(
        "duty: {{email: {{server: \"localhost:{port}\", tls: none, from: hissrv@example.com, to: [ops@example.com]}}}}"
    )
}

/// A new value of each host.
fn heat(service: &Service, values: &[(&str, f64)]) {
    let lines: Vec<String> = values.iter().map(|(host, value)| format!("room,host={host} v={value}")).collect();
    service.client().post("/write?db=telemetry", lines.join("\n")).ok();
}

fn listing(service: &Service) -> Value {
    service.client().get("/api/v1/alerts").ok().json()
}

/// States of the alerts by their host.
fn states(service: &Service) -> BTreeMap<String, String> {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let all = listing(service)["alerts"].as_array().unwrap().clone();
    all.iter().map(|alert| (text(&alert["labels"]["host"]), text(&alert["state"]))).collect()
}

/// What was taken, status and host, sorted.
fn sorted(receiver: &Receiver) -> Vec<(String, String)> {
    let mut taken = receiver.taken();
    taken.sort();
    taken
}

fn pairs(all: &[(&str, &str)]) -> Vec<(String, String)> {
    all.iter().map(|(status, host)| ((*status).to_owned(), (*host).to_owned())).collect()
}

fn metric(service: &Service, line: &str) -> bool {
    service.client().get("/metrics").ok().text().lines().any(|found| found == line)
}

#[test]
fn a_value_beyond_its_threshold_is_told_once_and_once_more_when_it_is_back() {
    let (folder, receiver) = (Folder::new(), Receiver::up());
    let lost = "{name: lost, every: 1s, query: {database: nowhere, text: SELECT v FROM m, above: 1}}";
    let service = Service::start(&folder, &alerts(&webhook(&receiver), &format!("{HOT}, {lost}")));
    heat(&service, &[("a", 31.5), ("b", 20.0)]);
    wait_for("a notification", || receiver.taken() == pairs(&[("firing", "a")]));
    let body = receiver.requests()[0].body.clone();
    assert_eq!(
        (&body["text"], &body["value"], &body["labels"]),
        (&json!("[FIRING] hot (warning): a has 31.5 (host=a)"), &json!(31.5), &json!({"host": "a"}))
    );
    assert!(metric(&service, "hissrv_alerts_firing{rule=\"hot\",severity=\"warning\"} 1"));
    assert!(metric(&service, "hissrv_alert_notifications_total{channel=\"ops\",result=\"delivered\"} 1"));
    assert!(metric(&service, "hissrv_alert_rules_failing{rule=\"lost\"} 1"));
    assert_eq!(service.status()["alerts"]["firing"], 1);
    // Between the two limits it stays.
    heat(&service, &[("a", 27.0)]);
    wait_for("the value is seen", || listing(&service)["alerts"][0]["value"] == 27.0);
    assert_eq!(states(&service)["a"], "firing");
    let shown = output_of(&["alerts", "list", "--url", &service.url()]);
    for part in ["firing", "warning", "hot", "host=a", "27", "ops", "lost", "database not found: nowhere"] {
        assert!(shown.code == Some(0) && shown.out.contains(part), "{part}: {shown:?}");
    }
    heat(&service, &[("a", 20.0)]);
    wait_for("the end is told", || receiver.taken() == pairs(&[("firing", "a"), ("resolved", "a")]));
    let [first, last] = [0, 1].map(|n| receiver.requests()[n].body["fingerprint"].clone());
    assert_eq!(first, last);
    let listed = output_of(&["alerts", "list", "--json", "--url", &service.url()]);
    let listed: Value = serde_json::from_str(&listed.out).unwrap();
    assert_eq!(listed["alerts"][0]["state"], "resolved");
    service.stop();
}

#[test]
fn a_series_without_new_points_is_told_until_one_comes() {
    let (folder, receiver) = (Folder::new(), Receiver::up());
    let rule = "{name: silent, every: 1s, channels: [ops], \
        absence: {database: telemetry, measurement: room, by: [host], after: 3s, look_back: 1h}}";
    let service = Service::start(&folder, &alerts(&webhook(&receiver), rule));
    heat(&service, &[("a", 1.0), ("b", 1.0)]);
    let start = Instant::now();
    wait_for("the silence of a", || {
        heat(&service, &[("b", 1.0)]);
        receiver.taken() == pairs(&[("firing", "a")])
    });
    assert!(start.elapsed() >= Duration::from_secs(3), "told after {:?}", start.elapsed());
    heat(&service, &[("a", 1.0)]);
    wait_for("the end is told", || {
        heat(&service, &[("b", 1.0)]);
        receiver.taken() == pairs(&[("firing", "a"), ("resolved", "a")])
    });
    service.stop();
}

#[test]
fn an_outage_of_a_store_raises_one_alert_and_one_when_it_is_over() {
    let (folder, receiver, mut influxdb) = (Folder::new(), Receiver::up(), rig::influxdb());
    let stores = format!("influxdb: {{url: \"{}\"}}\nstorage: {{influxdb: {{enabled: true}}}}\n", influxdb.url());
    let sections = alerts(&webhook(&receiver), "") + &stores;
    let mut service = Service::start(&folder, &sections);
    heat(&service, &[("a", 1.0)]);
    wait_for("the store has a value", || service.status()["stores"][0]["writer"]["stored"] == 1);
    influxdb.kill();
    heat(&service, &[("a", 2.0)]);
    let told = |count: usize| {
        let end = Instant::now() + OUTAGE;
        while receiver.requests().len() < count {
            assert!(Instant::now() < end, "waited {OUTAGE:?} for notification {count}");
            std::thread::sleep(Duration::from_millis(50));
        }
        receiver.requests()[count - 1].body.clone()
    };
    let first = told(1);
    assert_eq!(
        (&first["status"], &first["rule"], &first["severity"], &first["labels"]["store"]),
        (&json!("firing"), &json!("store_away"), &json!("critical"), &json!("influxdb"))
    );
    // Neither a restart nor a crash makes it two.
    service.stop();
    service = Service::start(&folder, &sections);
    service.kill9();
    service = Service::start(&folder, &sections);
    heat(&service, &[("a", 3.0)]);
    std::thread::sleep(Duration::from_secs(7));
    assert_eq!(receiver.requests().len(), 1, "{:?}", receiver.requests());
    influxdb.start_again();
    let last = told(2);
    assert_eq!((&last["status"], &last["fingerprint"]), (&json!("resolved"), &first["fingerprint"]));
    std::thread::sleep(Duration::from_secs(6));
    assert_eq!(receiver.requests().len(), 2, "{:?}", receiver.requests());
    service.stop();
}

/// Ends the service in some way while notifications wait for receivers that are away.
fn nothing_is_lost_or_twice_when(end: impl FnOnce(Service)) {
    let Some(python) = python() else { return };
    let (folder, mut receiver) = (Folder::new(), Receiver::up());
    let sink = Sink::start(&python, &json!({}));
    let port = sink.port;
    let rule = HOT.replace("channels: [ops]", "channels: [ops, duty]");
    let sections = alerts(&format!("{}, {}", webhook(&receiver), email(port)), &rule);
    let service = Service::start(&folder, &sections);
    heat(&service, &[("a", 31.0)]);
    wait_for("both are told", || receiver.taken().len() == 1 && sink.mails().len() == 1);
    receiver.go_down();
    drop(sink);
    heat(&service, &[("a", 1.0), ("b", 32.0), ("c", 33.0)]);
    let waiting = |service: &Service| service.status()["alerts"]["waiting"].as_u64().unwrap();
    wait_for("three notifications wait", || waiting(&service) == 3);
    let attempts = |service: &Service, n: usize| listing(service)["channels"][n]["failed_attempts"].as_u64().unwrap();
    wait_for("attempts fail", || attempts(&service, 0) > 0 && attempts(&service, 1) > 0);
    end(service);
    let service = Service::start(&folder, &sections);
    assert_eq!(waiting(&service), 3);
    heat(&service, &[("b", 1.0)]);
    wait_for("one more waits", || waiting(&service) == 4);
    receiver.come_up();
    let sink = Sink::start(&python, &json!({"port": port}));
    wait_for("all is delivered", || waiting(&service) == 0);
    wait_for("the mails are here", || sink.mails().len() >= 4);
    let all = [("firing", "a"), ("firing", "b"), ("firing", "c"), ("resolved", "a"), ("resolved", "b")];
    assert_eq!(sorted(&receiver), pairs(&all));
    let mut ids: Vec<String> = sink.mails().iter().map(|mail| mail["id"].to_string()).collect();
    ids.sort();
    ids.dedup();
    assert_eq!((sink.mails().len(), ids.len()), (4, 4));
    service.stop();
}

#[test]
fn receivers_that_were_down_get_everything_once_after_a_restart() {
    nothing_is_lost_or_twice_when(Service::stop);
}

#[test]
fn receivers_that_were_down_get_everything_once_after_kill_9() {
    nothing_is_lost_or_twice_when(Service::kill9);
}

/// A node's processor load, at this moment or another one.
fn load(service: &Service, node: &str, value: f64, time: &str) {
    let line = format!("vm_metrics,metric=cpu_usage,node_id={node},node_type=VM value={value} {time}");
    service.client().post("/write?db=telemetry", line).ok();
}

/// Status and node of what was taken.
fn told_of_nodes(receiver: &Receiver) -> Vec<(String, String)> {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let taken = receiver.requests().into_iter().filter(|request| request.status == 200);
    taken.map(|request| (text(&request.body["status"]), text(&request.body["labels"]["node_id"]))).collect()
}

#[test]
fn a_sample_over_its_threshold_is_told_once_and_its_end_once_whoever_dies_meanwhile() {
    let (folder, mut receiver) = (Folder::new(), Receiver::up());
    let rule = "{name: nodes, every: 1s, channels: [ops], event: {level: error, source: threshold}}";
    let sections = alerts(&webhook(&receiver), rule) + "events: {enabled: true}\n";
    let service = Service::start(&folder, &sections);
    load(&service, "vm-1", 85.0, "");
    load(&service, "vm-1", 99.0, "");
    wait_for("vm-1 is told", || receiver.requests().len() == 1);
    let body = receiver.requests()[0].body.clone();
    assert!(body["text"].as_str().unwrap().contains("CPU usage critical: 99.0%, above the critical threshold 98%"));
    let labels = json!({"metric": "cpu_usage", "node_id": "vm-1", "node_type": "VM", "source": "threshold"});
    assert_eq!((&body["labels"], &body["value"]), (&labels, &json!(99.0)));
    // The receiver is down, then hissrv dies: right after the alerts know, and right after the samples are stored.
    receiver.go_down();
    load(&service, "vm-1", 50.0, "");
    load(&service, "vm-2", 95.0, "");
    wait_for("two wait", || service.status()["alerts"]["waiting"] == 2);
    service.kill9();
    let service = Service::start(&folder, &sections);
    load(&service, "vm-3", 99.0, "");
    service.kill9();
    receiver.come_up();
    let service = Service::start(&folder, &sections);
    let mut all = pairs(&[("firing", "vm-1"), ("firing", "vm-2"), ("firing", "vm-3"), ("resolved", "vm-1")]);
    let told = || {
        let mut told = told_of_nodes(&receiver);
        told.sort();
        told
    };
    wait_for("all are told", || told().len() == all.len());
    // What is long over, as in an import of history, is an event and nothing to be told.
    load(&service, "vm-4", 99.0, "1700000000000000000");
    let events = "/api/v1/events?node=vm-4&since=2020-01-01";
    wait_for("the event", || service.client().get(events).ok().json()["events"] != json!([]));
    load(&service, "vm-3", 20.0, "");
    all.push(("resolved".to_owned(), "vm-3".to_owned()));
    wait_for("the end of vm-3 is told", || told().len() == all.len());
    std::thread::sleep(Duration::from_millis(1_500));
    assert_eq!(told(), all);
    service.stop();
}

#[test]
fn a_rule_can_be_about_every_fact_and_its_value_is_that_of_the_status() {
    let folder = Folder::new();
    // The message of a wrong one names all there are.
    let wrong = folder.write("wrong.yaml", &alerts("", "{name: r, health: {fact: none}}"));
    let refused = output_of(&["check-config", wrong.to_str().unwrap()]).err;
    let (_, names) = refused.trim().split_once("is none of ").unwrap();
    let names: Vec<&str> = names.split(", ").collect();
    let rule = |name: &&str| format!("{{name: {name}, every: 1s, health: {{fact: {name}, above: -1}}}}");
    let rules: Vec<String> = names.iter().map(rule).collect();
    let service = Service::start(&folder, &alerts("", &rules.join(", ")));
    let of_one_value = names.iter().filter(|name| !name.starts_with("store_lag"));
    let of_one_value: Vec<_> = of_one_value
        .filter(|name| !["dead_letters", "redis_away", "downsampling_lag_seconds"].contains(name))
        .collect();
    wait_for("all facts are seen", || listing(&service)["alerts"].as_array().unwrap().len() == of_one_value.len());
    let listed = listing(&service);
    assert!(listed["rules"].as_array().unwrap().iter().all(|rule| rule["error"].is_null()), "{listed}");
    let value = |name: &str| {
        let all = listed["alerts"].as_array().unwrap();
        all.iter().find(|alert| alert["rule"] == name).unwrap()["value"].clone()
    };
    assert!(value("disk_free_bytes").as_f64().unwrap() > 1e6, "{listed}");
    assert!((0.0..0.5).contains(&value("journal_used").as_f64().unwrap()), "{listed}");
    let zero = ["store_away", "journal_full", "journal_failed", "damaged_files", "accounting_mismatches"];
    zero.iter().for_each(|name| assert_eq!(value(name), 0.0, "{name}"));
    service.stop();
}

#[test]
fn a_silenced_alert_is_told_once_the_silence_is_taken_back() {
    let (folder, receiver) = (Folder::new(), Receiver::up());
    let sections = alerts(&webhook(&receiver), HOT);
    let service = Service::start(&folder, &sections);
    let url = service.url();
    let added = output_of(&[
        "alerts",
        "silence",
        "--match",
        "rule=hot",
        "--match",
        "host=a*",
        "--for",
        "1h",
        "--comment",
        "works",
        "--url",
        &url,
    ]);
    assert_eq!(added.code, Some(0), "{added:?}");
    let id = added.out.split(' ').next().unwrap().to_owned();
    heat(&service, &[("a1", 31.0), ("b", 31.0)]);
    wait_for("only b is told", || states(&service).len() == 2 && receiver.taken() == pairs(&[("firing", "b")]));
    service.kill9();
    let service = Service::start(&folder, &sections);
    let url = service.url();
    let listed = listing(&service);
    assert_eq!((&listed["silences"][0]["id"], &listed["silences"][0]["comment"]), (&json!(id), &json!("works")));
    let shown = output_of(&["alerts", "list", "--url", &url]);
    assert!(shown.out.contains("firing (silenced)") && shown.out.contains(&id), "{shown:?}");
    let removed = output_of(&["alerts", "unsilence", &id, "--url", &url]);
    assert_eq!(removed.code, Some(0), "{removed:?}");
    wait_for("a1 is told, too", || sorted(&receiver) == pairs(&[("firing", "a1"), ("firing", "b")]));
    let again = output_of(&["alerts", "unsilence", &id, "--url", &url]);
    assert!(again.code == Some(1) && again.err.contains(&id), "{again:?}");
    let endless = service.client().post("/api/v1/admin/silence", json!({"labels": {"rule": "hot"}}).to_string());
    assert!(endless.status == 400 && endless.text().contains("must have an end"), "{}", endless.text());
    let misspelt = service.client().post("/api/v1/admin/silence", json!({"label": {"rule": "hot"}}).to_string());
    assert_eq!(misspelt.status, 400);
    service.stop();
}

#[test]
fn a_channel_can_be_tried_without_a_service() {
    let (folder, mut receiver, redis) = (Folder::new(), Receiver::up(), Redis::start());
    let bus = format!("bus: {{redis: {{url: \"{}\"}}}}", redis.url());
    let channels = format!("{}, {bus}, record: {{log: {{}}}}", webhook(&receiver));
    let file = folder.write("hissrv.yaml", &alerts(&channels, ""));
    let test = |channel: &str| output_of(&["alerts", "test", channel, "--config", file.to_str().unwrap()]);
    let taken = test("ops");
    assert!(taken.code == Some(0) && taken.out.contains("ops"), "{taken:?}");
    assert_eq!(receiver.requests()[0].body["status"], "test");
    receiver.go_down();
    let failed = test("ops");
    assert!(failed.code == Some(1) && failed.err.contains("127.0.0.1") && !failed.err.contains("geheim"), "{failed:?}");
    let unknown = test("opps");
    assert!(unknown.code == Some(2) && unknown.err.contains("bus, ops, record"), "{unknown:?}");
    let logged = test("record");
    assert!(logged.code == Some(0) && logged.err.contains("a test of notifications"), "{logged:?}");

    let port = redis.url().rsplit(':').next().unwrap().to_owned();
    let mut listener = Command::new("redis-cli");
    listener.args(["-h", "127.0.0.1", "-p", &port, "SUBSCRIBE", "hissrv:alerts"]);
    let mut listener = listener.stdin(Stdio::null()).stdout(Stdio::piped()).spawn().unwrap();
    wait_for("somebody listens", || redis.command(&["PUBSUB", "NUMSUB", "hissrv:alerts"]).ends_with('1'));
    let published = test("bus");
    assert_eq!(published.code, Some(0), "{published:?}");
    let lines = BufReader::new(listener.stdout.take().unwrap()).lines().map_while(Result::ok);
    let message = lines.filter(|line| line.starts_with('{')).take(1).next();
    listener.kill().unwrap();
    listener.wait().unwrap();
    let message: Value = serde_json::from_str(&message.unwrap()).unwrap();
    assert_eq!((&message["status"], &message["rule"]), (&json!("test"), &json!("test")));
}

#[test]
fn wrong_rules_and_channels_are_refused_with_what_is_wrong() {
    let folder = Folder::new();
    let refused = |rule: &str, words: &[&str]| {
        let file = folder.write("wrong.yaml", &alerts("record: {log: {}}", rule));
        let checked = output_of(&["check-config", file.to_str().unwrap()]);
        assert_eq!(checked.code, Some(2), "{rule}: {checked:?}");
        words.iter().for_each(|word| assert!(checked.err.contains(word), "{word}: {checked:?}"));
    };
    refused("{name: r, health: {fact: journal_ful}}", &["alerts.rules[0].health.fact", "journal_full"]);
    refused("{name: r, query: {database: d, text: DROP DATABASE d, above: 1}}", &["rule `r`", "one SELECT"]);
    refused("{name: r, query: {database: d, text: SELECT v FORM m, above: 1}}", &["rule `r`", "error parsing query"]);
    refused("{name: r, query: {database: d, text: SELECT v FROM m}}", &["rules[0].query", "above"]);
    refused("{name: r, health: {fact: journal_full}, channels: [nobody]}", &["channels", "nobody"]);
    refused("{name: r, health: {fact: journal_full}, evry: 1s}", &["did you mean `every`?"]);
    let right = folder.write("right.yaml", &alerts("record: {log: {}}", HOT.replace("ops", "record").as_str()));
    let checked = output_of(&["check-config", right.to_str().unwrap()]);
    assert!(checked.code == Some(0) && checked.out.contains("1 rules, channels record"), "{checked:?}");
}
