//! `hissrv import`: files of all kinds, into the data directory and into a running service; refused records; ends of all kinds.

use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::support::{Client, Finished, Folder, Rng, Service, Signal, hissrv, run_to_end};

/// Points a second for ever after.
const START_NS: i64 = 1_700_000_000_000_000_000;

fn lines(run: u64, numbers: std::ops::Range<u64>) -> String {
    let line =
        |n: u64| format!("imported,run={run},point={} value={n} {}\n", n % 50, START_NS + n as i64 * 1_000_000_000);
    numbers.map(line).collect()
}

/// A command that imports in the folder, with its configuration.
fn import(folder: &Folder, arguments: &[&str]) -> Command {
    let text = "data_dir: ./data\nredis: { enabled: false }\nserver: { listen: \"127.0.0.1:9\" }\n";
    let config = folder.write("import.yaml", text);
    let mut command = hissrv();
    command.current_dir(folder.path()).arg("import").args(arguments).arg("--config").arg(config);
    command
}

#[track_caller]
fn imported(folder: &Folder, arguments: &[&str]) -> Value {
    let finished = run_to_end(import(folder, arguments).arg("--json"));
    assert_eq!(finished.code, Some(0), "{finished:?}");
    serde_json::from_str(&finished.out).unwrap()
}

/// Number and sum of the points of a run.
fn count_and_sum(client: &mut Client, run: u64) -> (u64, f64) {
    let question = json!({
        "aggregate_type": "statistical", "measurement": "imported", "fields": ["value"], "filters": {"run": run.to_string()},
        "start": 0, "end": "2100-01-01",
    });
    let answer = client.post("/api/v1/query/aggregate", question.to_string()).ok().json();
    let (mut count, mut sum) = (0, 0.0);
    for series in answer["series"].as_array().unwrap() {
        let columns: Vec<&str> = series["columns"].as_array().unwrap().iter().map(|c| c.as_str().unwrap()).collect();
        let row = series["values"][0].as_array().unwrap();
        let cell = |name: &str| row[columns.iter().position(|c| *c == name).unwrap()].as_f64().unwrap();
        count += cell("count") as u64;
        sum += cell("mean") * cell("count");
    }
    (count, sum)
}

fn expected(count: u64) -> (u64, f64) {
    (count, (count * (count - 1) / 2) as f64)
}

#[track_caller]
fn check(client: &mut Client, run: u64, count: u64) {
    let (found, sum) = count_and_sum(client, run);
    let (wanted, wanted_sum) = expected(count);
    assert_eq!(found, wanted, "run {run}");
    assert!((sum - wanted_sum).abs() <= 1e-9 * wanted_sum, "run {run}: {sum} instead of {wanted_sum}");
}

#[test]
fn files_patterns_and_packed_files_are_imported_and_doing_it_twice_changes_nothing() {
    let folder = Folder::new();
    folder.write("a.lp", &lines(1, 0..1000));
    folder.write("b1.lp", &lines(1, 1000..3000));
    folder.write("b2.lp", &lines(1, 3000..3500));
    let packed = std::fs::File::create(folder.path().join("c.lp.gz")).unwrap();
    let mut packed = flate2::write::GzEncoder::new(packed, flate2::Compression::fast());
    std::io::Write::write_all(&mut packed, lines(1, 3500..4000).as_bytes()).unwrap();
    packed.finish().unwrap();
    for _ in 0..2 {
        let summary = imported(&folder, &["a.lp", "b?.lp", "c.lp.gz"]);
        assert_eq!(
            (&summary["points"], &summary["refused"], &summary["files"]["complete"]),
            (&json!(4000), &json!(0), &json!(4))
        );
    }
    let service = Service::start(&folder, "");
    check(&mut service.client(), 1, 4000);
    let left: Vec<_> = std::fs::read_dir(folder.path()).unwrap().map(|e| e.unwrap().file_name()).collect();
    assert!(!left.iter().any(|name| name.to_string_lossy().starts_with("hissrv-import")), "{left:?}");
}

#[test]
fn a_running_service_is_found_and_takes_the_points() {
    let folder = Folder::new();
    folder.write("a.lp", &lines(1, 0..20_000));
    let service = Service::start(&folder, "");
    let summary = imported(&folder, &["a.lp", "--url", &service.url()]);
    assert_eq!((&summary["points"], &summary["target"]), (&json!(20_000), &json!(service.url())));
    check(&mut service.client(), 1, 20_000);
    // Without an address the lock on the data directory tells that a service uses it; its address is that of the configuration.
    let finished = run_to_end(&mut import(&folder, &["a.lp", "--retries", "0"]));
    assert_eq!(finished.code, Some(1));
    assert!(finished.err.contains("127.0.0.1:9"), "{finished:?}");
}

#[test]
fn what_is_refused_is_named_with_its_place_and_too_much_of_it_ends_the_import() {
    let folder = Folder::new();
    let text = format!("{}no line\nimported,run=2 value=\"text\" 5\n{}", lines(2, 0..1000), lines(2, 1000..1500));
    folder.write("a.lp", &text);
    let service = Service::start(&folder, "");
    for target in [vec!["--url", &service.url()], vec![]] {
        let folder = if target.is_empty() { &Folder::new() } else { &folder };
        folder.write("a.lp", &text);
        let summary = imported(folder, &[&["a.lp", "--workers", "1"], target.as_slice()].concat());
        assert_eq!((&summary["points"], &summary["refused"]), (&json!(1500), &json!(2)), "{target:?}");
        let rejects = std::fs::read_to_string(folder.path().join(summary["rejects"].as_str().unwrap())).unwrap();
        let named: Vec<&str> = rejects.lines().filter(|line| line.starts_with('#')).collect();
        assert!(named[0].starts_with("# a.lp:1001: ") && named[1].starts_with("# a.lp:1002: "), "{rejects}");
        assert!(named[1].contains("type"), "{rejects}");
    }
    check(&mut service.client(), 2, 1500);
    folder.write("bad.lp", &"no line\n".repeat(50));
    let finished = run_to_end(&mut import(&folder, &["bad.lp", "--max-errors", "49", "--url", &service.url()]));
    assert_eq!(finished.code, Some(1));
    assert!(finished.err.contains("more than 49 records were refused"), "{finished:?}");
    assert!(finished.err.contains("bad.lp:50: "), "{finished:?}");
    let finished = run_to_end(&mut import(&folder, &["bad.lp", "--max-errors", "50", "--url", &service.url()]));
    assert_eq!(finished.code, Some(1));
    assert!(finished.err.contains("nothing was stored: all 50 records were refused"), "{finished:?}");
}

#[test]
fn a_table_is_shown_before_it_is_imported() {
    let folder = Folder::new();
    folder.write(
        "meter.csv",
        "Date;Time;kWh;U\n16/12/2006;17:24:00;4,216;234,8\n16/12/2006;17:25:00;?;233,1\nnever;x;1;2\n",
    );
    let table = [
        &["meter.csv", "--measurement", "meter", "--decimal", ",", "--time-zone", "Europe/Paris"][..],
        &["--time", "Date", "--time", "Time", "--time-format", "%d/%m/%Y %H:%M:%S"],
    ]
    .concat();
    let shown = run_to_end(import(&folder, &table).arg("--dry-run"));
    assert!(shown.out.contains("meter kWh=4.216,U=234.8 1166286240000000000"), "{shown:?}");
    assert_eq!(shown.code, Some(1), "a record would be refused: {shown:?}");
    assert!(!folder.data().exists());
    let summary = imported(&folder, &table);
    assert_eq!((&summary["points"], &summary["refused"]), (&json!(2), &json!(1)));
    let wrong = run_to_end(&mut import(&folder, &["meter.csv"]));
    assert!(wrong.code == Some(2) && wrong.err.contains("--measurement"), "{wrong:?}");
    // Nothing is stored of the files before one that cannot be read so.
    folder.write("a.lp", &lines(1, 0..10));
    let wrong = run_to_end(import(&folder, &["a.lp", "meter.csv"]).arg("--json"));
    assert!(wrong.code == Some(2) && wrong.out.is_empty(), "{wrong:?}");
}

#[test]
fn times_that_a_zone_has_twice_are_those_asked_for() {
    let folder = Folder::new();
    folder.write("a.csv", "time,v\n2024-10-27 02:30,1\n");
    let time = |which: &str| {
        let arguments = ["a.csv", "--measurement", "m", "--time-zone", "Europe/Berlin", "--twice", which, "--dry-run"];
        run_to_end(&mut import(&folder, &arguments))
    };
    assert!(time("earlier").out.contains("m v=1 1729989000000000000"), "{:?}", time("earlier"));
    assert!(time("later").out.contains("m v=1 1729992600000000000"), "{:?}", time("later"));
    let refused = time("reject");
    assert!(refused.code == Some(1) && refused.err.contains("1 records would be refused"), "{refused:?}");
}

#[test]
fn an_import_writes_over_nothing_but_what_imports_wrote() {
    let folder = Folder::new();
    for name in ["a.lp", "b.lp"] {
        folder.write(name, "m v=1 1\nno line\n");
    }
    folder.write("notes.txt", "important\n");
    for (option, name) in
        [("--rejects", "a.lp"), ("--checkpoint", "./a.lp"), ("--rejects", "notes.txt"), ("--checkpoint", "notes.txt")]
    {
        let finished = run_to_end(&mut import(&folder, &["a.lp", option, name]));
        assert!(finished.code == Some(2) && finished.err.contains(name), "{finished:?}");
    }
    assert_eq!(std::fs::read_to_string(folder.path().join("a.lp")).unwrap(), "m v=1 1\nno line\n");
    assert_eq!(std::fs::read_to_string(folder.path().join("notes.txt")).unwrap(), "important\n");
    let rejects = |name: &str| folder.path().join(imported(&folder, &[name])["rejects"].as_str().unwrap());
    let (a, b) = (rejects("a.lp"), rejects("b.lp"));
    assert!(std::fs::read_to_string(&a).unwrap().starts_with("# a.lp:2: "));
    assert!(std::fs::read_to_string(&b).unwrap().starts_with("# b.lp:2: "));
    // What was mended is refused no more, and does not seem to be.
    folder.write("a.lp", "m v=1 1\nm v=2 2\n");
    assert_eq!(imported(&folder, &["a.lp"])["refused"], 0);
    assert!(!a.exists() && b.exists());
}

#[test]
fn a_file_that_was_changed_is_read_anew_also_where_its_length_is_the_same() {
    let folder = Folder::new();
    let text = |run: u64| format!("{}no line\n", lines(run, 100_000..160_000));
    folder.write("a.lp", &text(1));
    let failed = run_to_end(&mut import(&folder, &["a.lp", "--max-errors", "0", "--workers", "1"]));
    assert_eq!(failed.code, Some(1), "{failed:?}");
    folder.write("a.lp", &text(2));
    let summary = imported(&folder, &["a.lp", "--max-errors", "1", "--workers", "1", "--resume"]);
    assert_eq!((&summary["points"], &summary["files"]["skipped"]), (&json!(60_000), &json!(0)));
    assert_eq!(count_and_sum(&mut Service::start(&folder, "").client(), 2).0, 60_000);
}

#[test]
fn an_import_goes_on_only_where_it_began() {
    let folder = Folder::new();
    folder.write("a.lp", &format!("{}no line\n", lines(1, 0..10)));
    let failed = run_to_end(&mut import(&folder, &["a.lp", "--max-errors", "0"]));
    assert_eq!(failed.code, Some(1), "{failed:?}");
    let mut files = std::fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().path());
    let checkpoint = files.find(|path| path.extension().is_some_and(|e| e == "json")).unwrap();
    let checkpoint = checkpoint.file_name().unwrap().to_str().unwrap();
    let other = folder.write("other.yaml", "data_dir: ./other\nredis: { enabled: false }\n");
    let resumed = |arguments: &[&str]| {
        run_to_end(hissrv().current_dir(folder.path()).args(["import", "a.lp", "--resume"]).args(arguments))
    };
    let elsewhere = resumed(&["--config", other.to_str().unwrap(), "--checkpoint", checkpoint]);
    assert!(elsewhere.code == Some(2) && elsewhere.err.contains("is of another import"), "{elsewhere:?}");
    let here = folder.path().join("import.yaml");
    let here = resumed(&["--config", here.to_str().unwrap(), "--max-errors", "1"]);
    assert_eq!(here.code, Some(0), "{here:?}");
}

#[test]
fn bad_inputs_are_usage_errors() {
    let folder = Folder::new();
    folder.write("a.xyz", "");
    folder.write("seconds.lp", "m v=1 1700000000\n");
    for (arguments, word) in [
        (&["missing.lp"][..], "no such file"),
        (&["a.xyz"], "--format"),
        (&["-"], "--format"),
        (&["a.xyz", "--format", "lines", "--resume"], "--resume"),
        (&["-", "--format", "lines", "--resume"], "cannot be read again"),
        (&["seconds.lp"], "--precision s"),
        (&["*/*.lp"], "no file fits"),
        (&["a.xyz", "--format", "lines", "--to", "influxdb"], "influxdb"),
    ] {
        let Finished { code, err, .. } = run_to_end(&mut import(&folder, arguments));
        assert_eq!(code, Some(2), "{arguments:?}: {err}");
        assert!(err.contains(word), "{arguments:?}: {err}");
    }
}

/// An import in the background.
struct Running(Child);

impl Running {
    fn start(folder: &Folder, arguments: &[&str]) -> Self {
        let mut command = import(folder, arguments);
        Self(command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap())
    }

    /// Waits so long for the end; `None`: it goes on.
    fn ended_within(&mut self, time: Duration) -> Option<i32> {
        let deadline = Instant::now() + time;
        loop {
            if let Some(status) = self.0.try_wait().unwrap() {
                return Some(status.code().unwrap());
            }
            if Instant::now() >= deadline {
                return None;
            }
            std::thread::sleep(Duration::from_millis(2));
        }
    }

    fn finish(self) -> Finished {
        let output = self.0.wait_with_output().unwrap();
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
        Finished { code: output.status.code(), out: text(output.stdout), err: text(output.stderr) }
    }
}

/// Points of a file that takes some time.
const MANY: u64 = 120_000;
/// Small batches, so that much is under way.
const SLOWLY: [&str; 5] = ["--workers", "2", "--batch", "200", "--quiet"];

#[test]
fn ctrl_c_finishes_what_is_under_way_and_resume_goes_on() {
    let folder = Folder::new();
    folder.write("a.lp", &lines(3, 0..MANY));
    let mut first = Running::start(&folder, &[&["a.lp"], &SLOWLY[..]].concat());
    assert_eq!(first.ended_within(Duration::from_millis(300)), None, "it was over too soon");
    let sent = Command::new("kill").args(["-INT", &first.0.id().to_string()]).status().unwrap();
    assert!(sent.success());
    let first = first.finish();
    assert_eq!(first.code, Some(1), "{first:?}");
    assert!(first.err.contains("--resume"), "{first:?}");
    let summary = imported(&folder, &[&["a.lp", "--resume"], &SLOWLY[..]].concat());
    assert_eq!((&summary["complete"], &summary["points_in_all"]), (&json!(true), &json!(MANY)));
    check(&mut Service::start(&folder, "").client(), 3, MANY);
}

#[test]
fn killed_at_any_moment_every_point_is_there_once_after_resume() {
    let (folder, mut rng) = (Folder::new(), Rng::new("import killed"));
    let (mut kills, mut run) = (0, 0);
    while kills < 25 {
        run += 1;
        folder.write("a.lp", &lines(run, 0..MANY));
        kills += kill_until_done(&folder, &mut rng, &[]);
    }
    let service = Service::start(&folder, "");
    (1..=run).for_each(|run| check(&mut service.client(), run, MANY));
}

#[test]
fn the_service_may_die_under_an_import() {
    let (folder, mut rng) = (Folder::new(), Rng::new("import into a dying service"));
    let listen = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let start = || {
        let text = format!("data_dir: ./data\nredis: {{ enabled: false }}\nserver: {{ listen: \"{listen}\" }}\n");
        let text = text.replace("./data", folder.data().to_str().unwrap());
        Service::run(&folder, &["run", "--config", folder.write("service.yaml", &text).to_str().unwrap()])
    };
    let (mut service, mut kills, mut run) = (start(), 0, 0);
    let url = service.url();
    while kills < 25 {
        run += 1;
        folder.write("a.lp", &lines(run, 0..MANY));
        let mut import = Running::start(&folder, &[&["a.lp", "--url", &url, "--retries", "50"], &SLOWLY[..]].concat());
        let code = loop {
            if let Some(code) = import.ended_within(Duration::from_millis(rng.within(20..400))) {
                break code;
            }
            kills += 1;
            service.kill9();
            service = start();
        };
        assert_eq!(code, 0, "{:?}", import.finish());
    }
    (1..=run).for_each(|run| check(&mut service.client(), run, MANY));
    service.signal(Signal::Terminate);
}

/// Kills an import again and again, and lets it go on, until it is done. Gives the number of kills.
fn kill_until_done(folder: &Folder, rng: &mut Rng, more: &[&str]) -> u32 {
    let mut kills = 0;
    loop {
        let left_off = std::fs::read_dir(folder.path()).unwrap().any(|entry| {
            let name = entry.unwrap().file_name().to_string_lossy().into_owned();
            name.starts_with("hissrv-import-") && name.ends_with(".json")
        });
        let resume: &[&str] = if left_off { &["--resume"] } else { &[] };
        let mut import = Running::start(folder, &[&["a.lp"], &SLOWLY[..], resume, more].concat());
        // Each start reads the journal that the earlier ones left, which takes longer and longer: so do the lives.
        match import.ended_within(Duration::from_millis(rng.within(50..1500 + 500 * u64::from(kills)))) {
            None => {
                import.0.kill().unwrap();
                kills += 1;
                import.finish();
            }
            Some(code) => {
                assert_eq!(code, 0, "{:?}", import.finish());
                return kills;
            }
        }
    }
}

/// Small windows that are over at once.
const TASK: &str = "retention: {policies: [{name: raw, duration: 3000d}, {name: hourly, duration: 6000d}]}\n\
    downsampling:\n  delay: 0s\n  share: 1.0\n  tasks:\n\
    \x20   - {name: hours, source: raw, target: hourly, interval: 1h, aggregations: [{function: MEAN, alias: avg}]}\n";

/// Rows made so far, once nothing is left to be made and nothing more comes.
#[track_caller]
fn settled(service: &Service) -> u64 {
    let look = || {
        let task = service.status()["downsampling"]["tasks"][0].clone();
        (task["rows"].as_u64().unwrap(), task["dirty_rows"] == 0 && task["dirty_stretches"] == 0)
    };
    let mut last = (0, false);
    crate::support::wait_for("the rollups to be made", || {
        std::thread::sleep(Duration::from_millis(300));
        let before = std::mem::replace(&mut last, look());
        last.1 && before == last
    });
    last.0
}

#[test]
fn an_import_makes_the_rows_of_exactly_the_windows_that_it_touches() {
    let folder = Folder::new();
    // Two days of a value a minute of two series.
    let minute = |n: u64, value: u64| {
        format!(
            "power,meter={} value={value} {}\n",
            n % 2,
            START_NS / 3_600_000_000_000 * 3_600_000_000_000 + (n / 2) as i64 * 60_000_000_000
        )
    };
    folder.write("first.lp", &(0..2 * 2880).map(|n| minute(n, n)).collect::<String>());
    // Some points of the hours 5, 6 and 40 of one series.
    let late = [5 * 60 + 7, 6 * 60, 6 * 60 + 1, 40 * 60 + 59].map(|n| minute(2 * n, 1_000_000));
    folder.write("late.lp", &late.concat());
    let service = Service::start(&folder, TASK);
    imported(&folder, &["first.lp", "--url", &service.url()]);
    let before = settled(&service);
    assert_eq!(before, 2 * 48, "an hour is made once");
    imported(&folder, &["late.lp", "--url", &service.url()]);
    assert_eq!(
        settled(&service) - before,
        3,
        "rows of windows that nobody touched were made anew, or some were forgotten"
    );
    let ask = |rollups: bool| {
        let text = "SELECT count(value), sum(value), max(value) FROM power WHERE time > 0 GROUP BY time(1d), *";
        let path = format!("/query?db=telemetry&epoch=s&rollups={rollups}&cacheable={rollups}&q={}", rig::encode(text));
        service.client().get(&path).ok().json()
    };
    assert_eq!(ask(true), ask(false));
}

/// Hours of two nodes' metrics, a value a minute, with some that are too high.
fn metrics(nodes: [&str; 2], hours: std::ops::Range<u64>) -> String {
    let line = |minute: u64, node: &str| {
        let value = if minute % 97 < 5 { 99 } else { 40 + minute % 7 };
        let time = START_NS + minute as i64 * 60_000_000_000;
        format!("vm_metrics,metric=cpu_usage,node_id={node},node_type=VM value={value} {time}\n")
    };
    (hours.start * 60..hours.end * 60).flat_map(|minute| nodes.map(|node| line(minute, node))).collect()
}

/// What making the events of everything says: nodes, events, and what it changed.
fn events_of_all(service: &Service) -> [u64; 4] {
    let url = service.url();
    let all = ["events", "generate", "--from", "2020-01-01", "--to", "2030-01-01", "--json", "--url", &url];
    let finished = run_to_end(hissrv().args(all));
    assert_eq!(finished.code, Some(0), "{finished:?}");
    let report: Value = serde_json::from_str(&finished.out).unwrap();
    ["nodes", "events", "written", "removed"].map(|key| report[key].as_u64().unwrap())
}

#[test]
fn an_import_makes_the_events_of_what_it_imports_and_of_nothing_else() {
    let folder = Folder::new();
    folder.write("history.lp", &metrics(["vm-1", "vm[2]&"], 0..48));
    // Without a service, into a data directory where events are switched off.
    let summary = imported(&folder, &["history.lp", "--events"]);
    let made = &summary["events"];
    assert_eq!((&made["nodes"], &made["removed"], &made["samples"]), (&json!(2), &json!(0), &json!(5760)), "{summary}");
    assert!(made["written"].as_u64() > Some(300) && made["written"] == made["events"], "{summary}");
    let again = imported(&folder, &["history.lp", "--events"]);
    assert_eq!((&again["events"]["written"], &again["events"]["unchanged"]), (&json!(0), &made["events"]), "{again}");
    // Into a service whose lane watches: several connections bring samples late.
    let service = Service::start(&folder, "events: {enabled: true}\n");
    folder.write("more.lp", &metrics(["vm-3", "vm-4"], 0..48));
    let more = imported(&folder, &["more.lp", "--events", "--batch", "100", "--workers", "8", "--url", &service.url()]);
    assert_eq!((&more["events"]["nodes"], &more["events"]["samples"]), (&json!(2), &json!(5760)), "{more}");
    let [nodes, events, written, removed] = events_of_all(&service);
    assert_eq!((nodes, written, removed), (4, 0, 0));
    assert_eq!(events, 2 * made["events"].as_u64().unwrap());
    // The lane goes on from what is stored, not from the samples that it had seen in time.
    for hour in 48..51 {
        service.client().post("/write?db=telemetry", metrics(["vm-3", "vm-4"], hour..hour + 1)).ok();
    }
    let [_, more_events, written, removed] = events_of_all(&service);
    assert!(more_events > events + 10 && (written, removed) == (0, 0), "{more_events} {written} {removed}");
    let unwatched = folder.write("rooms.lp", "room,host=a v=1 10\n");
    let finished =
        run_to_end(&mut import(&folder, &[unwatched.to_str().unwrap(), "--events", "--url", &service.url()]));
    assert!(
        finished.code == Some(0) && finished.out.contains("nothing was imported that could be watched"),
        "{finished:?}"
    );
    service.stop();
    for (wrong, word) in [
        (["--to", "influxdb"], "--to must be auto, embedded or service"),
        (["--policy", "long"], "leave --policy out"),
        (["--database", "other"], "the database telemetry"),
        (["--coordinator", "redis://127.0.0.1:9"], "cannot be used with"),
    ] {
        let finished = run_to_end(import(&folder, &["more.lp", "--events"]).args(wrong));
        assert!(finished.code == Some(2) && finished.err.contains(word), "{word}: {finished:?}");
    }
}
