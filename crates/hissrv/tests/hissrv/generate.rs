//! `hissrv generate`: the same points every time, in files, in stores, and through a real Redis into a running service; labels; errors.

use std::process::{Command, Stdio};
use std::time::Duration;

use serde_json::{Value, json};

use crate::support::{Client, Finished, Folder, Redis, Service, hissrv, run_to_end, wait_for};

/// Midnight, in seconds.
const START: u64 = 1_767_225_600;
const MEASUREMENTS: [&str; 4] = ["measurement", "signal", "control", "adjustment"];

/// A command that generates in the folder.
fn generate(folder: &Folder, arguments: &[&str]) -> Command {
    let text = "data_dir: ./data\nredis: { enabled: false }\nserver: { listen: \"127.0.0.1:9\" }\n";
    let config = folder.write("generate.yaml", text);
    let mut command = hissrv();
    command.current_dir(folder.path()).arg("generate").args(arguments).arg("--config").arg(config);
    command
}

#[track_caller]
fn generated(folder: &Folder, arguments: &[&str]) -> Value {
    let finished = run_to_end(generate(folder, arguments).arg("--json"));
    assert_eq!(finished.code, Some(0), "{arguments:?}: {finished:?}");
    serde_json::from_str(&finished.out).unwrap()
}

fn read(folder: &Folder, name: &str) -> String {
    std::fs::read_to_string(folder.path().join(name)).unwrap()
}

/// Number and sum of the values of a measurement from one second up to another one.
fn count_and_sum(client: &mut Client, measurement: &str, seconds: std::ops::Range<u64>) -> (u64, f64) {
    let question = json!({
        "aggregate_type": "statistical", "measurement": measurement, "fields": ["value"], "start": seconds.start,
        // The last time is part of it.
        "end": seconds.end - 1,
    });
    let answer = client.post("/api/v1/query/aggregate", question.to_string());
    if answer.status == 404 {
        return (0, 0.0);
    }
    let answer = answer.ok().json();
    let (mut count, mut sum) = (0, 0.0);
    for series in answer["series"].as_array().unwrap() {
        let columns: Vec<&str> = series["columns"].as_array().unwrap().iter().map(|c| c.as_str().unwrap()).collect();
        let row = series["values"][0].as_array().unwrap();
        let cell = |name: &str| row[columns.iter().position(|c| *c == name).unwrap()].as_f64().unwrap_or_default();
        count += cell("count") as u64;
        sum += cell("mean") * cell("count");
    }
    (count, sum)
}

/// Number of the values of a plant.
fn count(client: &mut Client, seconds: std::ops::Range<u64>) -> u64 {
    MEASUREMENTS.iter().map(|measurement| count_and_sum(client, measurement, seconds.clone()).0).sum()
}

const PLANT: [&str; 7] = ["ems", "--channels", "3", "--points", "20", "--step", "10m"];

#[test]
fn the_same_options_give_the_same_bytes_and_another_seed_gives_others() {
    let folder = Folder::new();
    let nodes = ["nodes", "--nodes", "10", "--start", "2026-01-01", "--days", "1"];
    for name in ["a.lp", "b.lp", "c.lp.gz"] {
        assert_eq!(generated(&folder, &[&nodes[..], &["--out", name]].concat())["points"], 40 * 96);
    }
    generated(&folder, &[&nodes[..], &["--out", "d.lp", "--seed", "2"]].concat());
    assert_eq!(read(&folder, "a.lp"), read(&folder, "b.lp"));
    assert_ne!(read(&folder, "a.lp"), read(&folder, "d.lp"));
    let mut unpacked = String::new();
    let packed = std::fs::File::open(folder.path().join("c.lp.gz")).unwrap();
    std::io::Read::read_to_string(&mut flate2::read::GzDecoder::new(packed), &mut unpacked).unwrap();
    assert_eq!(unpacked, read(&folder, "a.lp"));
    // A part of the time has the same points; on stdout nothing else is said.
    let part = run_to_end(&mut generate(
        &folder,
        &["nodes", "--nodes", "10", "--start", "2026-01-01T22:00:00Z", "--end", "2026-01-02", "--out", "-"],
    ));
    assert!(read(&folder, "a.lp").ends_with(&part.out) && part.out.lines().count() == 40 * 8);
    assert!(part.err.contains("320 of 40"), "{part:?}");
}

#[test]
fn labels_tell_of_anomalies_in_the_points_and_of_nothing_else() {
    let folder = Folder::new();
    let vm = ["nodes", "--vm", "3", "--start", "2026-01-01", "--days", "4"];
    let wrong = ["--anomalies", "0.1", "--level-shifts", "0.1", "--labels", "l.json", "--out", "wrong.lp"];
    let summary = generated(&folder, &[&vm[..], &wrong[..]].concat());
    generated(&folder, &[&vm[..], &["--anomalies", "0", "--out", "right.lp"]].concat());
    let labels: Vec<Value> = read(&folder, "l.json").lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(summary["labels"], labels.len());
    assert!(
        labels.iter().any(|label| label["kind"] == "spike")
            && labels.iter().any(|label| label["kind"] == "level_shift")
    );
    let (wrong, right) = (read(&folder, "wrong.lp"), read(&folder, "right.lp"));
    for (wrong, right) in wrong.lines().zip(right.lines()).filter(|(wrong, right)| wrong != right) {
        let (series, rest) = wrong.split_once(' ').unwrap();
        let time: i64 = rest.rsplit_once(' ').unwrap().1.parse().unwrap();
        let covers = |label: &Value| {
            label["series"] == series
                && (label["start_ns"].as_i64().unwrap()..label["end_ns"].as_i64().unwrap()).contains(&time)
        };
        assert!(labels.iter().any(covers), "{wrong} instead of {right} has no label");
    }
}

#[test]
fn files_of_every_format_are_imported_as_they_were_generated() {
    let (folder, mut sums) = (Folder::new(), Vec::new());
    for (name, start) in [("a.lp.zst", "2026-01-01"), ("b.csv.gz", "2026-01-02"), ("c.parquet", "2026-01-03")] {
        let plan = ["ems", "--types", "m", "--channels", "5", "--step", "10m", "--days", "1", "--start", start];
        let arguments = [&plan[..], &["--out", name]].concat();
        let written = &generated(&folder, &arguments)["points"];
        assert_eq!(written, 5 * 50 * 144);
        let mut import = hissrv();
        import.current_dir(folder.path()).args(["import", name, "--json", "--config", "generate.yaml"]);
        let imported: Value = serde_json::from_str(&run_to_end(&mut import).out).unwrap();
        assert_eq!((&imported["points"], &imported["refused"]), (written, &json!(0)), "{name}");
        // The same points without a file, over those that are there.
        let into = [&plan[..], &["--to", "embedded"]].concat();
        assert_eq!(&generated(&folder, &into)["points"], written);
        sums.push(written.as_u64().unwrap());
    }
    let service = Service::start(&folder, "");
    for (day, points) in sums.into_iter().enumerate() {
        let start = START + day as u64 * 86_400;
        assert_eq!(count(&mut service.client(), start..start + 86_400), points, "day {day}");
    }
}

#[test]
fn points_go_into_a_running_service_as_they_go_into_a_data_directory() {
    let (ours, theirs) = (Folder::new(), Folder::new());
    let service = Service::start(&theirs, "");
    let arguments = [&PLANT[..], &["--start", "2026-01-01", "--days", "2"]].concat();
    let summary = generated(&ours, &[&arguments[..], &["--url", &service.url()]].concat());
    assert_eq!((&summary["points"], &summary["target"]), (&json!(60 * 288), &json!(service.url())));
    assert_eq!(generated(&ours, &[&arguments[..], &["--to", "auto"]].concat())["points"], 60 * 288);
    let own = Service::start(&ours, "");
    for measurement in MEASUREMENTS {
        let days = START..START + 2 * 86_400;
        let (here, there) = (&mut own.client(), &mut service.client());
        assert_eq!(count_and_sum(here, measurement, days.clone()), count_and_sum(there, measurement, days));
    }
    assert_eq!(count(&mut own.client(), 0..START + 2 * 86_400), 60 * 288);
}

const SECTIONS: &str = "  patterns: [\"*\"]\n  snapshot: {interval: 200ms, scan_interval: 200ms}\n";

#[test]
fn what_is_published_to_redis_in_any_way_arrives_point_by_point() {
    let (folder, redis) = (Folder::new(), Redis::start());
    let service = Service::start(&folder, &format!("redis:\n  url: {}\n{SECTIONS}", redis.url()));
    wait_for("the subscription", || service.status()["sources"][0]["state"]["connected"] == true);
    // Keys hold one value a point, so that more than one time would be a race with the poll.
    let times = |format: &str| if format.starts_with("hash") || format.starts_with("string") { 1 } else { 40 };
    let formats = [
        "point-update-channel",
        "channel-type-point",
        "comsrv-point",
        "data",
        "comsrv-text-time",
        "comsrv-json",
        "modsrv-module",
        "hash-comsrv-ts",
        "hash-comsrv-raw",
        "hash-inst-time",
        "string-millis",
        "string-json",
        "string-processed",
        "list-archive",
    ];
    for (day, format) in formats.into_iter().enumerate() {
        redis.command(&["FLUSHALL"]);
        let (start, points) = (START + day as u64 * 86_400, times(format) * 60);
        let (from, to) = (start.to_string(), (start + times(format) * 600).to_string());
        let where_to = ["--redis", &redis.url(), "--format-of-redis", format, "--rate", "5000"];
        let summary = generated(&folder, &[&PLANT[..], &["--start", &from, "--end", &to], &where_to].concat());
        assert_eq!((&summary["points"], &summary["refused"]), (&json!(points), &json!(0)), "{format}: {summary}");
        let mut client = service.client();
        wait_for(&format!("all points of {format}"), || count(&mut client, start..start + 86_400) == points);
    }
    service.stop();
}

#[test]
fn the_rate_is_kept_times_are_those_of_the_sending_and_ctrl_c_ends_with_a_summary() {
    let (folder, redis) = (Folder::new(), Redis::start());
    let service = Service::start(&folder, &format!("redis:\n  url: {}\n{SECTIONS}", redis.url()));
    wait_for("the subscription", || service.status()["sources"][0]["state"]["connected"] == true);
    let mut command = generate(&folder, &[&PLANT[..], &["--redis", &redis.url(), "--rate", "500", "--json"]].concat());
    let child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    std::thread::sleep(Duration::from_secs(2));
    assert!(Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap().success());
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    let summary: Value = serde_json::from_slice(&output.stdout).unwrap();
    let sent = summary["points"].as_u64().unwrap();
    let rate = summary["points_per_second"].as_f64().unwrap();
    assert!(sent >= 500 && (400.0..=505.0).contains(&rate), "{summary}");
    assert_eq!((&summary["redis"]["unheard"], &summary["redis"]["rate_asked_for"]), (&json!(0), &json!(500.0)));
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_secs();
    let mut client = service.client();
    wait_for("all points", || count(&mut client, now - 60..now + 60) == sent);
    service.stop();
}

#[test]
fn lists_and_streams_are_trimmed_and_what_redis_refuses_is_counted() {
    let (folder, redis) = (Folder::new(), Redis::start());
    let into = |format: &str| {
        let to = ["--start", "2026-01-01", "--days", "1", "--redis", &redis.url(), "--rate", "100000", "--keep", "300"];
        let mut command = generate(&folder, &[&PLANT[..], &to, &["--format-of-redis", format, "--json"]].concat());
        run_to_end(&mut command)
    };
    assert_eq!(into("list-archive").code, Some(0));
    assert_eq!(redis.command(&["LLEN", "archive:pending"]), "300");
    assert_eq!(into("stream-flat").code, Some(0));
    let length: u64 = redis.command(&["XLEN", "plant:points"]).parse().unwrap();
    // Redis trims whole nodes of 100 entries.
    assert!((300..500).contains(&length), "{length}");
    redis.command(&["SET", "comsrv:1002:T", "no hash"]);
    let Finished { code, out, err } = into("hash-comsrv");
    let summary: Value = serde_json::from_str(&out).unwrap();
    let refused = summary["refused"].as_u64().unwrap();
    assert!(code == Some(1) && refused > 0 && summary["points"] == 60 * 144 - refused, "{summary}");
    assert!(err.contains("refused") && summary["reason"].as_str().unwrap().contains("WRONGTYPE"), "{err}");
}

#[test]
fn what_makes_no_sense_is_refused_before_anything_is_written() {
    let folder = Folder::new();
    let absent = Redis::absent().url();
    for (arguments, code, word) in [
        (&["nodes"][..], 2, "--out"),
        (&["nodes", "--out", "a.lp", "--to", "auto"], 2, "--to"),
        (&["nodes", "--out", "a.lp", "--rate", "5"], 2, "--rate"),
        (&["nodes", "--out", "a.lp", "--channels", "5"], 2, "`ems`"),
        (&["ems", "--out", "a.lp", "--vm", "5"], 2, "`nodes`"),
        (&["ems", "--out", "a.lp", "--types", "x"], 2, "m, s, c or a"),
        (&["ems", "--out", "a.csv"], 2, "one measurement"),
        (&["ems", "--out", "a.lp", "--anomalies", "0.9"], 2, "0 to 0.3"),
        (&["ems", "--out", "a.lp", "--start", "soon"], 2, "--start"),
        (&["ems", "--out", "a.lp", "--start", "2026-01-02", "--end", "2026-01-01"], 2, "not after their start"),
        (&["ems", "--out", "a.lp", "--start", "2026-01-02", "--end", "2026-01-03", "--days", "1"], 2, "two of them"),
        (&["ems", "--out", "missing/a.lp"], 1, "missing/a.lp"),
        (&["ems", "--out", "a.lp", "--labels", "./a.lp"], 2, "name another one with --labels"),
        (&["ems", "--out", "a.lp", "--labels", "missing/l.json"], 1, "missing/l.json"),
        (&["ems", "--redis", &absent, "--format-of-redis", "morse"], 2, "comsrv-text-time"),
        (&["ems", "--redis", &absent, "--labels", "l.json"], 2, "--times plan"),
        (&["ems", "--redis", &absent], 1, "Redis"),
        (&["ems", "--to", "influxdb"], 2, "influxdb"),
    ] {
        let finished = run_to_end(&mut generate(&folder, arguments));
        assert_eq!(finished.code, Some(code), "{arguments:?}: {finished:?}");
        assert!(finished.err.contains(word), "{arguments:?}: {finished:?}");
    }
    assert!(!folder.path().join("a.lp").exists() && !folder.path().join("a.csv").exists());
}
