//! `hissrv import --events` into a data directory whose lane is on: the lane passes over what is imported and goes on from what history says, also
//! where imports are killed.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::support::{Finished, Folder, Rng, Row, Service, hissrv, rows_of, run_to_end, wait_for};

const ON: &str = "events: {enabled: true}\n";
const START_NS: i64 = 1_700_000_000_000_000_000;
/// Little at once, so that much is under way.
const SLOWLY: [&str; 4] = ["--workers", "2", "--batch", "100"];

/// A value a minute of some nodes.
fn lines(nodes: std::ops::Range<u32>, minutes: std::ops::Range<i64>, value: impl Fn(i64) -> i64) -> String {
    let line = |minute: i64, node: u32| {
        let time = START_NS + minute * 60_000_000_000;
        format!("vm_metrics,metric=cpu_usage,node_id=vm-{node},node_type=VM value={} {time}\n", value(minute))
    };
    minutes.flat_map(|minute| nodes.clone().map(move |node| (minute, node))).map(|(m, n)| line(m, n)).collect()
}

/// Now and then too high for some minutes.
fn wavy(minute: i64) -> i64 {
    if minute % 97 < 5 { 99 } else { 40 + minute % 7 }
}

/// Values that come after they were too high stand at the end of a file: whoever takes samples as they come is wrong about when they were usual again.
fn disordered(nodes: std::ops::Range<u32>, minutes: std::ops::Range<i64>) -> String {
    let (late, early): (Vec<i64>, Vec<i64>) = minutes.partition(|minute| (5..12).contains(&(minute % 97)));
    [early, late].concat().into_iter().map(|minute| lines(nodes.clone(), minute..minute + 1, wavy)).collect()
}

fn import(folder: &Folder, sections: &str, arguments: &[&str]) -> Command {
    let text = format!("data_dir: {}\nredis: {{enabled: false}}\n{sections}", folder.data().display());
    let config = folder.write("import.yaml", &text);
    let mut command = hissrv();
    command.current_dir(folder.path()).args(["import", "a.lp", "--to", "embedded", "--events", "--json", "--quiet"]);
    command.args(arguments).arg("--config").arg(config);
    command
}

#[track_caller]
fn report(Finished { code, out, err }: Finished) -> Value {
    assert_eq!(code, Some(0), "{err}");
    let summary: Value = serde_json::from_str(&out).unwrap();
    summary["events"].clone()
}

/// Makes the events of everything; tells what that changed.
fn made_anew(service: &Service) -> [u64; 2] {
    let all = ["events", "generate", "--from", "2020-01-01", "--to", "2030-01-01", "--json", "--url", &service.url()];
    let finished = run_to_end(hissrv().args(all));
    let report: Value = serde_json::from_str(&finished.out).unwrap_or_else(|e| panic!("{e}: {finished:?}"));
    ["written", "removed"].map(|key| report[key].as_u64().unwrap())
}

/// Writes as sources do, and waits until the lane has seen it.
fn live(service: &Service, lines: &str) {
    service.client().post("/write?db=telemetry", lines).ok();
    wait_for("the lane of the events", || {
        let events = &service.status()["events"];
        events.is_null() || (events["lag_records"] == 0 && events["waiting"] == 0)
    });
    service.client().write("settled v=1 1");
}

fn events(service: &Service) -> BTreeSet<String> {
    let told = |row: Row| format!("{} {:?}", row.time, row.values);
    rows_of(&mut service.client(), "node_logs").into_iter().map(told).collect()
}

/// What is told of a node's state at a minute and later.
fn states_since(service: &Service, node: &str, minute: i64) -> Vec<(i64, Value)> {
    let since = (START_NS + minute * 60_000_000_000).to_string();
    let list = ["events", "list", "--node", node, "--source", "state", "--since", &since, "--json", "--url"];
    let finished = run_to_end(hissrv().args(list).arg(service.url()));
    let answer: Value = serde_json::from_str(&finished.out).unwrap_or_else(|e| panic!("{e}: {finished:?}"));
    let minute = |event: &Value| {
        let time: jiff::Timestamp = event["time"].as_str().unwrap().parse().unwrap();
        (time.as_nanosecond() as i64 - START_NS) / 60_000_000_000
    };
    answer["events"].as_array().unwrap().iter().map(|event| (minute(event), event["duration_s"].clone())).collect()
}

#[test]
fn live_events_go_on_behind_an_import_as_if_all_of_it_had_come_live() {
    // Two nodes are known before, two are not; all are too high at the end of the import, and not any more when live samples go on.
    let file = disordered(0..4, 60..1600) + &lines(0..4, 1600..1603, |_| 99);
    let steps = |sections: &str| {
        let folder = Folder::new();
        let service = Service::start(&folder, sections);
        live(&service, &lines(0..2, 0..60, wavy));
        service.stop();
        folder.write("a.lp", &file);
        let report = report(run_to_end(&mut import(&folder, sections, &SLOWLY)));
        let service = Service::start(&folder, sections);
        live(&service, &lines(0..5, 1603..1700, wavy));
        (folder, service, report)
    };
    let ((_one, on, watched), (_other, off, unwatched)) = (steps(ON), steps("events: {enabled: false}\n"));
    assert_eq!(watched, unwatched);
    assert!(watched["written"].as_u64() > Some(100) && watched["removed"] == 0, "{watched}");
    for node in ["vm-0", "vm-3"] {
        let told = states_since(&on, node, 1600);
        assert_eq!(
            told.iter().map(|(minute, _)| *minute).collect::<Vec<_>>()[told.len() - 2..],
            [1603, 1600],
            "{told:?}"
        );
        assert_eq!(told[told.len() - 2].1, 180.0, "{told:?}");
    }
    assert_eq!(on.status()["events"]["late_samples"], 0);
    let live = events(&on);
    assert_eq!(made_anew(&on), [0, 0]);
    made_anew(&off);
    assert_eq!(live, events(&off));
    assert!(!on.log().contains("WARN"), "{}", on.log());
}

/// An import that will be killed.
struct Doomed(Child);

impl Doomed {
    fn start(folder: &Folder, sections: &str, arguments: &[&str]) -> Self {
        let mut command = import(folder, sections, arguments);
        Self(command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap())
    }

    /// Kills it after this time; gives what it has said if it was through before.
    fn kill_after(mut self, time: Duration) -> Option<Finished> {
        let deadline = Instant::now() + time;
        let mut ended = None;
        while ended.is_none() && Instant::now() < deadline {
            std::thread::sleep(Duration::from_millis(2));
            ended = self.0.try_wait().unwrap();
        }
        if ended.is_none() {
            self.0.kill().unwrap();
        }
        let output = self.0.wait_with_output().unwrap();
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
        ended.map(|ended| Finished { code: ended.code(), out: text(output.stdout), err: text(output.stderr) })
    }
}

/// Begins an import and kills it once it has passed over something.
fn killed(folder: &Folder) {
    folder.write("a.lp", &disordered(0..10, 0..4000));
    let import = Doomed::start(folder, ON, &SLOWLY);
    wait_for("a state that says what is owed", || folder.data().join("events/state").exists());
    wait_for("a checkpoint", || stored(folder).is_some());
    assert!(import.kill_after(Duration::ZERO).is_none(), "it was over too soon");
}

/// How many points an import has stored that left a checkpoint.
fn stored(folder: &Folder) -> Option<u64> {
    let mut paths = std::fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().path());
    let is_ours = |path: &PathBuf| path.extension().is_some_and(|ending| ending == "json");
    let text = std::fs::read_to_string(paths.find(is_ours)?).ok()?;
    serde_json::from_str::<Value>(&text).ok()?["points"].as_u64()
}

/// The events of a finished import are those of history, and live ones go on behind them.
fn check(folder: &Folder) {
    let service = Service::start(folder, ON);
    assert!(events(&service).len() > 1000);
    assert_eq!(made_anew(&service), [0, 0]);
    live(&service, &lines(0..10, 4000..4100, wavy));
    assert_eq!(made_anew(&service), [0, 0]);
    assert_eq!(service.status()["events"]["late_samples"], 0);
    assert!(!service.log().contains("WARN"), "{}", service.log());
}

#[test]
fn killed_at_any_moment_the_events_of_an_import_are_there_after_resume() {
    let (folder, mut rng) = (Folder::new(), Rng::new("import with events killed"));
    killed(&folder);
    // Between its points and the last of its events: all that is named anew are these.
    let names = || std::fs::metadata(folder.data().join("catalog/catalog.1")).unwrap().len();
    let before = names();
    let doomed = Doomed::start(&folder, ON, &[&SLOWLY[..], &["--resume"]].concat());
    wait_for("names of events", || names() > before);
    let (mut ended, mut kills) = (doomed.kill_after(Duration::ZERO), 2);
    while ended.is_none() {
        let resume: &[&str] = if stored(&folder).is_some() { &["--resume"] } else { &[] };
        let life = Duration::from_millis(rng.within(100..600 + 100 * kills));
        ended = Doomed::start(&folder, ON, &[&SLOWLY, resume].concat()).kill_after(life);
        kills += u64::from(ended.is_none());
    }
    let last = report(ended.unwrap());
    // None of them was made of samples as they came.
    println!("{kills} kills, {last}");
    assert_eq!(last["removed"], 0, "{last}");
    check(&folder);
}

#[test]
fn a_service_looks_at_what_a_killed_import_left_and_the_next_import_makes_the_events_of_all() {
    let folder = Folder::new();
    killed(&folder);
    // Another import must not make the debt forgotten.
    folder.write("a.lp", &lines(20..21, 0..10, wavy));
    let other = report(run_to_end(&mut import(&folder, ON, &[])));
    assert!(other["nodes"].as_u64() > Some(10) && other["removed"] == 0, "{other}");
    let service = Service::start(&folder, ON);
    assert_eq!((made_anew(&service), service.log().contains("WARN")), ([0, 0], false), "{}", service.log());
    service.stop();

    let folder = Folder::new();
    killed(&folder);
    let service = Service::start(&folder, ON);
    assert!(service.log().contains("an import ended before its events were made"), "{}", service.log());
    live(&service, "other v=1 1");
    let looked_at = events(&service).len();
    assert!(looked_at > 0);
    service.stop();
    report(run_to_end(&mut import(&folder, ON, &[])));
    check(&folder);
}

#[test]
fn where_the_journal_has_little_room_a_killed_import_is_lost_to_a_service_and_not_to_the_next_import() {
    let sections = format!("{ON}engine: {{head_max: 1MiB}}\njournal: {{max_disk: 2MB}}\n");
    let folder = Folder::new();
    folder.write("a.lp", &disordered(0..20, 0..8000));
    let doomed = Doomed::start(&folder, &sections, &["--workers", "2", "--batch", "1000"]);
    let first = folder.data().join("journal/00000000000000000001.seg");
    wait_for("the journal to make room", || stored(&folder) > Some(10_000) && !first.exists());
    assert!(doomed.kill_after(Duration::ZERO).is_none(), "it was over too soon");
    let service = Service::start(&folder, &sections);
    let log = service.log();
    assert!(log.contains("ended before its events") && log.contains("were lost before events were made"), "{log}");
    service.stop();
    let last = report(run_to_end(&mut import(&folder, &sections, &["--resume", "--workers", "2", "--batch", "1000"])));
    assert_eq!(last["samples"], 160_000, "{last}");
    let service = Service::start(&folder, &sections);
    assert!(events(&service).len() > 5000);
    assert_eq!((made_anew(&service), service.log().contains("WARN")), ([0, 0], false), "{}", service.log());
}
