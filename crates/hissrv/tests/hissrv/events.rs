//! Events: live and made of history they are the same, through restarts and deaths; listed, in both languages, made anew by other rules;
//! how well they find what is known to be wrong.

use std::collections::{BTreeSet, HashMap};
use std::fs;
use std::process::Command;
use std::time::Duration;

use ::events::{Anomalies, Config, Detector, Event, Rules, Source, score};
use generate::{AnomalyOptions, NodeOptions, Options, Order, Plan, Subject};
use model::key::SeriesKey;
use model::{TimeRange, TimestampNs};
use serde_json::Value;

use crate::support::{Client, Finished, Folder, Rng, Row, Service, hissrv, output_of, rows_of, run_to_end, wait_for};

const ON: &str = "events: {enabled: true}\n";
const DAY_NS: i64 = 86_400_000_000_000;
/// 2025-07-14, a Monday.
const MONDAY: i64 = 1_752_451_200_000_000_000;

/// Nodes of every type, a value each 15 minutes, with some anomalies.
fn plan(of_each: u32, days: i64) -> Plan {
    let nodes = NodeOptions { vm: of_each, host: of_each, ne: of_each, tru: of_each, hostgroup: of_each };
    let range = TimeRange::new(TimestampNs(MONDAY), TimestampNs(MONDAY + days * DAY_NS));
    let anomalies = AnomalyOptions { probability: 0.01, level_shifts: 0.002 };
    Plan::new(Options { anomalies, ..Options::new(Subject::Nodes(nodes), range) }).unwrap()
}

/// Points of a plan by time, as lines, in parts.
fn parts(plan: &Plan, points: u64) -> impl Iterator<Item = String> {
    let starts = (0..plan.len()).step_by(points as usize);
    starts.map(move |start| {
        let mut lines = Vec::new();
        plan.write_lines(Order::ByTime, start..(start + points).min(plan.len()), &mut lines);
        String::from_utf8(lines).unwrap()
    })
}

/// Waits until everything written is looked at and all events are durable.
fn wait_for_lane(service: &Service) {
    wait_for("the lane of the events", || {
        let events = &service.status()["events"];
        events["lag_records"] == 0 && events["waiting"] == 0
    });
    // An answered write can be read, and so can what was written before.
    service.client().write("settled v=1 1");
}

/// Everything that can be told of events.
fn events(client: &mut Client) -> BTreeSet<String> {
    let told = |row: Row| format!("{} {:?}", row.time, row.values);
    rows_of(client, "node_logs").into_iter().map(told).collect()
}

fn command(arguments: &[&str]) -> Command {
    let mut command = hissrv();
    command.arg("events").args(arguments);
    command
}

#[track_caller]
fn generated(arguments: &[&str]) -> Value {
    let all = [&["generate", "--from", "2025-07-01", "--to", "2025-12-31", "--json"], arguments].concat();
    let finished = run_to_end(&mut command(&all));
    assert_eq!(finished.code, Some(0), "{finished:?}");
    serde_json::from_str(&finished.out).unwrap()
}

/// Making all events of history says that they are there already, and no others.
#[track_caller]
fn is_what_history_gives(service: &Service, events: usize) {
    let report = generated(&["--dry-run", "--url", &service.url()]);
    let numbers = ["written", "removed", "unchanged"].map(|key| report[key].as_u64().unwrap());
    assert_eq!(numbers, [0, 0, events as u64], "{report}");
}

#[test]
fn live_events_are_those_of_history_and_metrics_and_status_tell_of_them() {
    let (folder, plan) = (Folder::new(), plan(5, 20));
    let service = Service::start(&folder, ON);
    let mut client = service.client();
    parts(&plan, 5_000).for_each(|lines| client.write(&lines));
    wait_for_lane(&service);
    let events = events(&mut client);
    println!("{} points, {} events", plan.len(), events.len());
    assert!(plan.len() > 180_000 && events.len() > 10_000, "{} events", events.len());
    is_what_history_gives(&service, events.len());
    let status = service.status();
    assert_eq!(status["events"]["events"], events.len(), "{}", status["events"]);
    assert_eq!((&status["events"]["columns"], &status["events"]["late_samples"]), (&(5 * 19).into(), &0.into()));
    let metrics = client.get("/metrics").ok().text();
    assert!(metrics.contains("hissrv_events_total{level=\"WARNING\",source=\"threshold\"} "), "{metrics}");
    assert!(metrics.contains("hissrv_events_lag_records 0\n"), "{metrics}");
    service.stop();
}

#[test]
fn restarts_and_kill_9_neither_lose_nor_change_events() {
    let (folder, mut rng, plan) = (Folder::new(), Rng::new("events killed"), plan(4, 20));
    let mut service = Service::start(&folder, ON);
    let (mut kills, mut stops) = (0, 0);
    for lines in parts(&plan, 1_000) {
        service.client().write(&lines);
        match rng.within(0..8) {
            0 => {
                std::thread::sleep(Duration::from_millis(rng.within(0..100)));
                service.kill9();
                service = Service::start(&folder, ON);
                kills += 1;
            }
            1 => {
                service.stop();
                service = Service::start(&folder, ON);
                stops += 1;
            }
            _ => {}
        }
    }
    wait_for_lane(&service);
    let events = events(&mut service.client());
    println!("{} points, {} events, {kills} kills, {stops} stops", plan.len(), events.len());
    assert!(kills > 3 && stops > 3 && events.len() > 2_000);
    is_what_history_gives(&service, events.len());
    assert!(!service.log().contains("begin anew"), "{}", service.log());
    service.stop();
    let verified = output_of(&["verify", folder.data().to_str().unwrap()]);
    assert_eq!(verified.code, Some(0), "{verified:?}");
}

#[test]
fn events_made_by_other_rules_replace_the_ones_before_and_twice_changes_nothing() {
    let (folder, plan) = (Folder::new(), plan(2, 10));
    let service = Service::start(&folder, "");
    parts(&plan, 5_000).for_each(|lines| service.client().write(&lines));
    let all = generated(&["--url", &service.url()]);
    assert!(all["written"].as_u64() > Some(500) && all["unchanged"] == 0 && all["removed"] == 0, "{all}");
    is_what_history_gives(&service, all["written"].as_u64().unwrap() as usize);
    // Somebody else's log of a watched node stays.
    let foreign =
        "node_logs,level=INFO,metric=cpu_usage,node_id=vm-0001,node_type=VM,source=threshold message=\"by hand\"";
    service.client().write(&format!("{foreign} {}", MONDAY + DAY_NS + 1));
    let before = events(&mut service.client());
    service.stop();

    let other = "events: {status_interval: 0s, anomalies: {sigma: 4}, node_types: {VM: {cpu_usage: {warning: 60}}}}\n";
    let service = Service::start(&folder, other);
    let dry = generated(&["--dry-run", "--url", &service.url()]);
    assert_eq!(events(&mut service.client()), before);
    let one = generated(&["--match", "vm-*1", "--url", &service.url()]);
    assert!(one["nodes"].as_u64() < dry["nodes"].as_u64() && one["removed"].as_u64() > Some(10), "{one}");
    let rest = generated(&["--url", &service.url()]);
    for key in ["written", "removed"] {
        let numbers = [&one, &rest, &dry].map(|report| report[key].as_u64().unwrap());
        assert_eq!(numbers[0] + numbers[1], numbers[2], "{key}: {one} {rest} {dry}");
    }
    let after = events(&mut service.client());
    assert_eq!(after.len() as u64, dry["events"].as_u64().unwrap() + 1);
    assert!(
        !after.iter().any(|event| event.contains(", normal\"")) && after.iter().any(|event| event.contains("by hand"))
    );
    is_what_history_gives(&service, after.len() - 1);
    service.stop();

    // Without a service the data directory itself is used.
    let config = folder.path().join("hissrv.yaml");
    let report = generated(&["--config", config.to_str().unwrap()]);
    assert_eq!((&report["written"], &report["removed"]), (&0.into(), &0.into()), "{report}");
}

#[test]
fn events_of_what_is_not_watched_any_more_go_and_those_without_samples_stay() {
    let folder = Folder::new();
    let service = Service::start(&folder, "events: {status_interval: 0s}\n");
    let of_node = |metric: &str| format!("vm_metrics,metric={metric},node_id=vm-1,node_type=VM");
    let series =
        [of_node("cpu_usage"), of_node("disk_io"), "measurement,channel=7,point=bus_voltage,type=m".to_owned()];
    for (n, value) in [(0, 1e5), (1, 1.0), (2, 1e5)] {
        let line = |series: &String| format!("{series} value={value} {}\n", MONDAY + n * 60_000_000_000);
        service.client().write(&series.iter().map(line).collect::<String>());
    }
    generated(&["--url", &service.url()]);
    let of = |service: &Service, metric: &str| {
        events(&mut service.client()).into_iter().filter(|event| event.contains(metric)).count()
    };
    let before = ["CPU usage", "Disk I/O", "oltage"].map(|metric| of(&service, metric));
    assert!(before.iter().all(|count| *count > 3), "{before:?}");
    service.stop();

    let other = "events: {status_interval: 0s, node_types: {VM: {disk_io: {watch: false}}}, \
        points: {match: [{point: bus_voltage, kind: temperature}]}}\n";
    let service = Service::start(&folder, other);
    // Retention, or a person, has removed these samples.
    let dropped = "/query?db=telemetry&q=DELETE%20FROM%20vm_metrics%20WHERE%20metric%3D'cpu_usage'";
    service.client().post(dropped, "").ok();
    let report = generated(&["--url", &service.url()]);
    assert_eq!(report["nodes"], 1, "{report}");
    assert_eq!(["CPU usage", "Disk I/O", "oltage"].map(|metric| of(&service, metric)), [before[0], 0, 0]);
    assert!(of(&service, "emperature") > 0);
    let again = generated(&["--url", &service.url()]);
    assert_eq!((&again["written"], &again["removed"]), (&0.into(), &0.into()), "{again}");
    service.stop();
}

#[test]
fn a_part_of_history_has_the_same_events_alone_as_with_the_rest() {
    let (folder, plan) = (Folder::new(), plan(1, 20));
    let service = Service::start(&folder, ON);
    parts(&plan, 5_000).for_each(|lines| service.client().write(&lines));
    wait_for_lane(&service);
    let url = service.url();
    let part = ["generate", "--from", "2025-07-24T03:20:00Z", "--to", "2025-07-27T11:40:00Z", "--url", &url, "--json"];
    for lookback in ["20d", "1h"] {
        let finished = run_to_end(&mut command(&[&part[..], &["--dry-run", "--lookback", lookback]].concat()));
        let report: Value = serde_json::from_str(&finished.out).unwrap();
        assert!(report["unchanged"].as_u64() > Some(500), "{finished:?}");
        // Only what was abnormal for longer than the samples read before the start can be judged in another way.
        let differ = report["written"].as_u64().unwrap() + report["removed"].as_u64().unwrap();
        assert!(differ <= if lookback == "20d" { 0 } else { 20 }, "{lookback}: {report}");
    }
}

#[test]
fn events_are_listed_newest_first_by_level_node_and_source_in_chinese_too() {
    let folder = Folder::new();
    let service = Service::start(&folder, "events: {enabled: true, language: zh, status_interval: 0s}\n");
    let mut client = service.client();
    let line = |node: &str, value: f64, n: i64| {
        let time = MONDAY + n * 60_000_000_000;
        format!("vm_metrics,metric=cpu_usage,node_id={node},node_type=VM value={value},unit=\"%\" {time}\n")
    };
    client.write(&(line("vm-1", 50.0, 0) + &line("vm-1", 85.0, 1) + &line("vm-1", 99.0, 2) + &line("vm-1", 60.0, 3)));
    client.write(&(line("vm-2", 50.0, 0) + &line("vm-2", 91.0, 1)));
    wait_for("events", || events(&mut service.client()).len() == 7);
    let list = |more: &[&str]| {
        let url = service.url();
        run_to_end(&mut command(&[&["list", "--since", "2025-07-01", "--url", &url], more].concat()))
    };
    let Finished { code, out, err } = list(&[]);
    assert_eq!(code, Some(0), "{err}");
    let rows: Vec<&str> = out.lines().skip(1).collect();
    assert!(rows.len() == 7 && rows[0].contains("00:03:00Z") && rows[6].contains("00:01:00Z"), "{out}");
    assert!(out.contains("CPU使用率偏高: 85.0%, 超过警告阈值 80%") && out.contains("异常持续 2m"), "{out}");
    let json = |more: &[&str]| -> Vec<Value> {
        let finished = list(&[more, &["--json"]].concat());
        assert_eq!(finished.code, Some(0), "{finished:?}");
        let answer: Value = serde_json::from_str(&finished.out).unwrap();
        answer["events"].as_array().unwrap().clone()
    };
    let critical = json(&["--level", "critical", "--source", "threshold"]);
    assert_eq!(critical.len(), 1, "{critical:?}");
    assert_eq!((&critical[0]["node_id"], &critical[0]["value"]), (&"vm-1".into(), &99.0.into()));
    assert_eq!(json(&["--node", "vm-2"]).len(), 2);
    assert_eq!(json(&["--node", "*2", "--level", "error", "--source", "state"]).len(), 1);
    assert_eq!(json(&["--node", "*2", "--level", "critical"]).len(), 0);
    assert_eq!(json(&["--source", "state", "--limit", "2"]).len(), 2);
    let solved = json(&["--node", "vm-1", "--source", "state", "--limit", "1"]);
    assert_eq!(solved[0]["duration_s"], 120.0, "{solved:?}");
    let wrong = list(&["--level", "loud"]);
    assert!(wrong.code == Some(1) && wrong.err.contains("none of INFO"), "{wrong:?}");
}

#[test]
fn a_state_that_is_damaged_or_of_other_rules_begins_anew_and_one_switched_off_is_gone() {
    let (folder, plan) = (Folder::new(), plan(1, 3));
    let service = Service::start(&folder, ON);
    parts(&plan, 5_000).for_each(|lines| service.client().write(&lines));
    wait_for_lane(&service);
    service.stop();
    let file = folder.data().join("events/state");
    let right = fs::read(&file).unwrap();
    let mut wrong = right.clone();
    wrong[right.len() / 2] ^= 4;
    fs::write(&file, wrong).unwrap();
    let verified = output_of(&["verify", folder.data().to_str().unwrap()]);
    assert!(verified.code == Some(1) && verified.out.contains("events/state"), "{verified:?}");
    let service = Service::start(&folder, ON);
    assert!(service.log().contains("is damaged; they begin anew"), "{}", service.log());
    service.stop();
    let service = Service::start(&folder, "events: {enabled: true, status_interval: 2h}\n");
    assert!(service.log().contains("cannot be used; they begin anew"), "{}", service.log());
    let names = |service: &Service| service.status()["journal"]["consumers"].to_string();
    assert!(names(&service).contains("\"events\"") && !service.log().contains("not configured any more"));
    service.stop();
    let service = Service::start(&folder, "");
    assert!(!names(&service).contains("\"events\"") && !file.exists());
    assert_eq!(service.status()["events"], Value::Null);
}

#[test]
fn a_journal_with_little_room_is_not_held_up() {
    let (folder, plan) = (Folder::new(), plan(5, 20));
    let sections = format!("{ON}engine: {{head_max: 1MiB}}\njournal: {{max_disk: 2MB}}\n");
    let service = Service::start(&folder, &sections);
    let mut client = service.client();
    let mut refused = 0;
    for lines in parts(&plan, 5_000) {
        wait_for("room in the journal", || {
            let status = client.post("/write?db=telemetry", &lines).status;
            refused += u32::from(status == 503);
            status == 204
        });
    }
    wait_for_lane(&service);
    let events = events(&mut client);
    println!("{} points, {} events, {refused} writes refused", plan.len(), events.len());
    let status = service.status();
    assert_eq!((&status["events"]["dropped"], &status["journal"]["dropped_records"]), (&0.into(), &0.into()));
    assert!(status["events"]["saves"].as_u64() > Some(1), "{}", status["events"]);
    is_what_history_gives(&service, events.len());
}

#[test]
fn with_the_embedded_store_switched_off_events_go_to_the_others() {
    let (centre, edge, plan) = (Folder::new(), Folder::new(), plan(1, 3));
    let centre = Service::start(&centre, "");
    let storage = format!("storage: {{embedded: {{enabled: false}}, hissrv: {{url: \"{}\"}}}}\n", centre.url());
    let service = Service::start(&edge, &format!("{ON}{storage}"));
    parts(&plan, 5_000).for_each(|lines| service.client().write(&lines));
    wait_for_lane(&service);
    let made = service.status()["events"]["events"].as_u64().unwrap();
    wait_for("the events at the centre", || events(&mut centre.client()).len() as u64 == made);
    is_what_history_gives(&centre, made as usize);
    let refused = run_to_end(&mut command(&["generate", "--from", "2025-07-01", "--url", &service.url()]));
    assert!(refused.code == Some(1) && refused.err.contains("no history here"), "{refused:?}");
}

/// Scores the events of a plan, and prints it.
fn scored(plan: &Plan, rules: &Rules) -> score::Score {
    let (mut detector, mut found) = (Detector::new(rules), Vec::<Event>::new());
    for (column, series) in (0..).zip(plan.series()) {
        let key = SeriesKey::parse(series.key().as_bytes()).unwrap();
        detector.add(column, rules.watch(&key, "value").unwrap());
    }
    let columns: HashMap<&str, u32> = plan.series().iter().map(|series| series.key()).zip(0..).collect();
    for sample in plan.samples(Order::ByTime, 0..plan.len()) {
        detector.feed(columns[sample.series.key()], &[sample.time], &[sample.value], &mut found);
    }
    let label = |anomaly: generate::Anomaly| {
        let (range, kind) = (TimeRange::new(anomaly.start, anomaly.end), format!("{:?}", anomaly.kind));
        score::Label::new(rules, &SeriesKey::parse(anomaly.series.as_bytes()).unwrap(), "value", range, &kind)
    };
    let labels: Vec<_> = plan.anomalies(0..u64::MAX).filter_map(label).collect();
    // A change point takes some samples.
    let score = score::score(&labels, &found, 4 * 15 * 60_000_000_000);
    println!("kind         labels  recall  by threshold  by anomaly  precision");
    for (kind, of_kind) in &score.kinds {
        let (recall, precision) = (of_kind.recall().unwrap_or_default(), score.precision_of(kind).unwrap_or_default());
        let (labels, first, second) = (of_kind.labels, of_kind.found_by_threshold, of_kind.found_by_anomaly);
        println!("{kind:<12} {labels:>6}  {recall:>6.2}  {first:>12}  {second:>10}  {precision:>9.2}");
    }
    for (source, of_source) in &score.sources {
        let precision = of_source.precision().unwrap_or_default();
        println!("{source:<12} {:>6} events, precision {precision:.2}", of_source.events);
    }
    println!("all: recall {:.2}, precision {:.2}\n", score.recall().unwrap(), score.precision().unwrap());
    score
}

#[test]
fn known_anomalies_are_found_and_few_others() {
    let nodes = NodeOptions { vm: 10, host: 10, ne: 10, tru: 10, hostgroup: 10 };
    let range = TimeRange::new(TimestampNs(MONDAY), TimestampNs(MONDAY + 30 * DAY_NS));
    let anomalies = AnomalyOptions { level_shifts: 0.01, ..AnomalyOptions::default() };
    let plan = Plan::new(Options { anomalies, ..Options::new(Subject::Nodes(nodes), range) }).unwrap();
    let config = Config { status_interval: model::HumanDuration(Duration::ZERO), ..Config::default() };
    println!("as built in");
    let usual = scored(&plan, &Rules::new(&config).unwrap());
    assert_eq!(usual.kinds.keys().collect::<Vec<_>>(), ["Drop", "LevelShift", "Spike"]);
    assert!(usual.recall() > Some(0.6) && usual.precision() > Some(0.4), "{usual:?}");
    assert!(usual.sources[&Source::Threshold].precision() > Some(0.95));
    println!("sigma: 4, without change points");
    let strict = Anomalies { sigma: 4.0, change_points: false, ..Anomalies::default() };
    let strict = scored(&plan, &Rules::new(&Config { anomalies: strict, ..config }).unwrap());
    assert!(strict.precision() > usual.precision() && strict.recall() < usual.recall());
}
