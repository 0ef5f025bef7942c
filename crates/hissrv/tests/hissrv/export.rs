//! `hissrv export`: what is exported and imported elsewhere is the same, in every format, from a service and from a data directory; queries;
//! bounded memory; no half files. And files of the archive as imports.

use std::collections::BTreeMap;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde_json::{Value, json};

use crate::support::{
    Client, Finished, Folder, Rng, Service, files_below, hissrv, output_of, rows_of, run_to_end, wait_for,
};

const DAY_NS: i64 = 86_400_000_000_000;
const START_NS: i64 = 1_700_000_000_000_000_000;

/// A command with the folder's data directory.
fn command(folder: &Folder, name: &str, arguments: &[&str]) -> Command {
    let text = "data_dir: ./data\nredis: { enabled: false }\nserver: { listen: \"127.0.0.1:9\" }\n";
    let config = folder.write("command.yaml", text);
    let mut command = hissrv();
    command.current_dir(folder.path()).arg(name).args(arguments).arg("--config").arg(config);
    command
}

/// Runs it; it must succeed, and its summary is JSON.
#[track_caller]
fn summary(folder: &Folder, name: &str, arguments: &[&str]) -> Value {
    let finished = run_to_end(command(folder, name, arguments).arg("--json"));
    assert_eq!(finished.code, Some(0), "{arguments:?}: {finished:?}");
    serde_json::from_str(&finished.out).unwrap()
}

/// What is exported to standard output.
#[track_caller]
fn exported(folder: &Folder, arguments: &[&str]) -> String {
    let finished = run_to_end(&mut command(folder, "export", arguments));
    assert_eq!(finished.code, Some(0), "{arguments:?}: {finished:?}");
    finished.out
}

fn influxql(client: &mut Client, statement: &str) {
    let encoded: String = statement.bytes().map(|byte| format!("%{byte:02X}")).collect();
    let answer = client.post(&format!("/query?db=telemetry&q={encoded}"), "").ok().json();
    assert!(answer["results"][0].get("error").is_none(), "{statement}: {answer}");
}

/// A service whose database has a second policy.
fn start(folder: &Folder) -> Service {
    let service = Service::start(folder, "");
    influxql(&mut service.client(), "CREATE RETENTION POLICY \"my week\" ON telemetry DURATION INF REPLICATION 1");
    service
}

/// Lines of every type, with names and texts that need care, extremes, and rows with gaps.
fn lines(rng: &mut Rng) -> String {
    let floats = [0.0, -0.0, 0.1, f64::MAX, f64::MIN_POSITIVE, 5e-324, -1e300, 123_456_789.0];
    let texts =
        ["", "a", "say \\\"hi\\\"", "two\nlines", "back\\\\slash", "好, 温度=1", " blank ", "#no comment", "NA", "5"];
    let keys =
        ["pcs,unit=1", "pcs,unit=2,sí\\ te=a\\=b", "pcs", "a\\ lot\\,\\ of\\ it,sí\\ te=x", "温度,单元=1\\ 号", "*"];
    let times = [i64::MIN + 2, -1, 0, 1, START_NS, START_NS + 1, i64::MAX - 1];
    let mut pick = |count: usize| rng.within(0..count as u64) as usize;
    let mut out = String::new();
    for at in 0..600 {
        let key = keys[pick(keys.len())];
        let time = if pick(4) == 0 { times[pick(times.len())] } else { START_NS + at * 1_000_000_007 };
        let mut fields = vec![
            format!("power={:?}", floats[pick(floats.len())]),
            format!("count={}i", [i64::MIN, i64::MAX, 0, 9_007_199_254_740_993][pick(4)]),
            format!("big={}u", [u64::MAX, 0, 7][pick(3)]),
            format!("on={}", pick(2) == 0),
            format!("some\\ text=\"{}\"", texts[pick(texts.len())]),
        ];
        let first = pick(fields.len());
        let some: Vec<_> = fields.drain(first..).filter(|_| pick(3) > 0).collect();
        if !some.is_empty() {
            out += &format!("{key} {} {time}\n", some.join(","));
        }
    }
    out
}

/// The files below a folder, by their paths in it.
fn tree(folder: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    files_below(folder).into_iter().map(|path| (path.clone(), std::fs::read(folder.join(path)).unwrap())).collect()
}

#[test]
fn what_is_imported_from_an_export_is_exported_the_same_in_every_format() {
    let mut rng = Rng::new("export");
    let folder = Folder::new();
    let service = start(&folder);
    for policy in ["autogen", "my%20week"] {
        for _ in 0..2 {
            let path = format!("/write?db=telemetry&rp={policy}");
            assert_eq!(service.client().post(&path, lines(&mut rng)).status, 204);
            // Some is in files, some in memory.
            service.client().post("/api/v1/admin/flush", "").ok();
        }
        service.client().post(&format!("/write?db=telemetry&rp={policy}"), lines(&mut rng));
    }
    let forms = [("lines", "none"), ("lines", "gzip"), ("csv", "none"), ("csv", "zstd"), ("parquet", "none")];
    let name = |(format, pack): (&str, &str)| format!("{format}-{pack}/");
    for form in forms {
        let output = name(form);
        let arguments = ["--format", form.0, "--pack", form.1, "--output", &output, "--url", &service.url()];
        let done = summary(&folder, "export", &arguments);
        assert_eq!(done["files"], if form.0 == "lines" { 2 } else { 8 }, "{done}");
    }
    service.stop();
    for form in forms {
        let served = tree(&folder.path().join(name(form)));
        // The data directory by itself gives the same. (Packed, the bytes depend on the portions that came.)
        summary(&folder, "export", &["--format", form.0, "--pack", form.1, "--output", "own/"]);
        let own = tree(&folder.path().join("own"));
        assert!(own.keys().eq(served.keys()), "{form:?}");
        assert!(form.1 != "none" || own == served, "{form:?}: from the data directory");
        std::fs::remove_dir_all(folder.path().join("own")).unwrap();
        let other = Folder::new();
        let service = start(&other);
        for path in served.keys() {
            let file = folder.path().join(name(form)).join(path);
            let policy = if path.to_str().unwrap().starts_with("autogen") { "autogen" } else { "my week" };
            let import = [file.to_str().unwrap(), "--policy", policy, "--url", &service.url()];
            assert_eq!(summary(&other, "import", &import)["refused"], 0, "{path:?}");
        }
        service.stop();
        summary(&other, "export", &["--format", form.0, "--pack", form.1, "--output", "again/"]);
        let again = tree(&other.path().join("again"));
        assert!(again.keys().eq(own.keys()), "{form:?}");
        for (path, bytes) in &again {
            assert!(bytes == &own[path], "{form:?}: {} differs", path.display());
        }
    }
}

#[test]
fn points_are_chosen_by_policy_measurement_tags_and_time() {
    let folder = Folder::new();
    let service = start(&folder);
    let mut client = service.client();
    client.write("pcs,unit=1 v=1 10\npcs,unit=2 v=2 20\npcs,unit=3 v=3 30\npcs2 v=4 40\nbms,unit=1 v=5 50");
    let url = service.url();
    let of = |arguments: &[&str]| exported(&folder, &[arguments, &["--url", &url]].concat());
    assert_eq!(of(&["--measurement", "pcs"]), "pcs,unit=1 v=1 10\npcs,unit=2 v=2 20\npcs,unit=3 v=3 30\n");
    assert_eq!(of(&["--measurement", "b*", "--measurement", "pcs2"]), "bms,unit=1 v=5 50\npcs2 v=4 40\n");
    assert_eq!(
        of(&["--tag", "unit=1", "--tag", "unit=3", "--measurement", "pcs"]),
        "pcs,unit=1 v=1 10\npcs,unit=3 v=3 30\n"
    );
    assert_eq!(
        of(&["--from", "1970-01-01T00:00:00.00000002Z", "--to", "1970-01-01T00:00:00.00000004Z"]).lines().count(),
        2
    );
    let csv = of(&["--measurement", "pcs", "--tag", "unit=2", "--format", "csv"]);
    assert!(csv.ends_with("time,unit,v\n1970-01-01T00:00:00.00000002Z,2,2\n"), "{csv}");

    assert_eq!(client.post("/write?db=telemetry&rp=my%20week", "pcs v=9 9").status, 204);
    assert_eq!(of(&["--policy", "my week"]), "pcs v=9 9\n");
    for (arguments, words) in [
        (&["--measurement", "pcs"][..], "autogen, my week"),
        (&["--policy", "autogen", "--format", "csv"], "--output DIR/"),
        (&["--policy", "nope"], "retention policy not found"),
        (&["--database", "nope"], "database not found"),
        (&["--from", "soon"], "--from is `soon`"),
        (&["--format", "json"], "--query"),
        (&["--output", "a.parquet.gz"], "packed by itself"),
        (&["--query", "DROP MEASUREMENT pcs"], "reads only"),
        (&["--query", "SELECT * INTO x FROM pcs"], "reads only"),
        (&["--query", "SELECT nope(v) FROM pcs"], "nope"),
    ] {
        let Finished { code, err, .. } = run_to_end(command(&folder, "export", arguments).args(["--url", &url]));
        assert!(code == Some(2) && err.contains(words), "{arguments:?}: {code:?} {err}");
    }
    let Finished { code, err, .. } =
        run_to_end(&mut command(&folder, "export", &["--measurement", "nope", "--url", &url]));
    assert!(code == Some(1) && err.contains("nothing to export"), "{err}");
    // What a policy does not keep any more is not there.
    influxql(&mut client, "ALTER RETENTION POLICY \"my week\" ON telemetry DURATION 1d SHARD DURATION 1h");
    assert_eq!(of(&["--policy", "my week"]), "");
    let list = client.get("/api/v1/export?format=list&measurement=p*").ok().json();
    assert_eq!(list[0], json!({"policy": "autogen", "measurement": "pcs"}));
    service.stop();
    let Finished { code, err, .. } = run_to_end(&mut command(&Folder::new(), "export", &[]));
    assert!(code == Some(2) && err.contains("no data directory"), "{err}");
}

#[test]
fn answers_to_queries_are_exported_and_imported_as_points() {
    let folder = Folder::new();
    let service = start(&folder);
    let hour = 3_600_000_000_000;
    let lines: String = (0..240)
        .map(|n| {
            format!("pcs,unit={} power={}.5,state=\"s{n}\" {}\n", n % 2, n, START_NS / hour * hour + n * hour / 60)
        })
        .collect();
    service.client().write(&lines);
    let (url, select) =
        (service.url(), "SELECT mean(power), last(state) FROM pcs WHERE time < now() GROUP BY time(1h), * fill(none)");
    let of = |query: &str, format: &str| exported(&folder, &["--query", query, "--format", format, "--url", &url]);
    let csv = of(select, "csv");
    assert!(
        csv.starts_with("#hissrv csv 1\n#measurement,pcs\n#types,time,tag,string,float\ntime,unit,last,mean\n"),
        "{csv}"
    );
    assert_eq!(csv.lines().count(), 4 + 8);
    assert_eq!(exported(&folder, &["--query", select, "--url", &url]), csv);
    let as_lines = of(select, "lines");
    assert!(as_lines.starts_with("pcs,unit=0 mean=29.5,last=\"s58\" "), "{as_lines}");
    let first: Value = serde_json::from_str(of(select, "json").lines().next().unwrap()).unwrap();
    assert_eq!((&first["tags"]["unit"], &first["values"]["mean"]), (&json!("0"), &json!(29.5)));
    assert!(of("SHOW MEASUREMENTS", "json").contains("\"pcs\""));
    let refused = run_to_end(&mut command(&folder, "export", &["--query", "SHOW MEASUREMENTS", "--url", &url]));
    assert!(refused.code == Some(2) && refused.err.contains("without times"), "{refused:?}");

    let nothing = "SELECT * FROM pcs WHERE unit = 'none'";
    assert_eq!((of(nothing, "csv"), of(nothing, "lines"), of(nothing, "json")), Default::default());
    let refused = ["--query", nothing, "--output", "none.parquet", "--url", &url];
    let refused = run_to_end(&mut command(&folder, "export", &refused));
    assert!(refused.err.contains("no rows") && !folder.path().join("none.parquet").exists(), "{refused:?}");
    summary(&folder, "export", &["--query", select, "--output", "hours.parquet", "--url", &url]);
    // As it is stored, a query without functions gives everything.
    let all = of("SELECT * FROM pcs GROUP BY *", "lines");
    assert_eq!(all.lines().count(), 240);
    service.stop();
    assert_eq!(exported(&folder, &["--query", select]), csv, "from the data directory");
    let other = Folder::new();
    let parquet = folder.path().join("hours.parquet");
    summary(&other, "import", &[parquet.to_str().unwrap()]);
    assert_eq!(
        exported(&other, &["--query", "SELECT mean, last FROM pcs GROUP BY *", "--format", "json"]).lines().count(),
        8
    );
    assert_eq!(exported(&other, &["--format", "csv"]), csv);
}

/// Fills the folder's data directory with so many values of few series, of which one has gaps.
fn fill(folder: &Folder, count: i64) {
    let line = |n: i64| {
        let more = if n % 3 == 0 { ",some=1i" } else { "" };
        format!("many,point={} value={n}.25,other={}i{more} {}\n", n % 2, n * 7, START_NS + n * 1_000_000)
    };
    // In parts, each of which is imported well before patience ends.
    for start in (0..count).step_by(50_000) {
        folder.write("many.lp", &(start..count.min(start + 50_000)).map(line).collect::<String>());
        summary(folder, "import", &["many.lp", "--quiet"]);
    }
}

/// Highest memory of a process so far, in KiB.
fn peak_kib(child: &Child) -> Option<u64> {
    let status = std::fs::read_to_string(format!("/proc/{}/status", child.id())).ok()?;
    status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?.trim().strip_suffix(" kB")?.parse().ok()
}

#[test]
fn memory_does_not_grow_with_what_is_exported() {
    const COUNT: i64 = 200_000;
    const MOST_KIB: u64 = 150 << 10;
    let folder = Folder::new();
    fill(&folder, COUNT);
    for format in ["lines", "csv", "parquet"] {
        let mut child = command(&folder, "export", &["--format", format])
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut out = child.stdout.take().unwrap();
        let (mut bytes, mut lines, mut peak, mut buffer) = (0, 0, 0, vec![0; 1 << 16]);
        loop {
            let read = out.read(&mut buffer).unwrap();
            if read == 0 {
                break;
            }
            bytes += read;
            lines += buffer[..read].iter().filter(|b| **b == b'\n').count();
            peak = peak.max(peak_kib(&child).unwrap_or(0));
        }
        let finished = child.wait_with_output().unwrap();
        assert!(finished.status.success(), "{}", String::from_utf8_lossy(&finished.stderr));
        println!("{format}: {bytes} bytes, peak memory {} MiB", peak >> 10);
        assert!(peak < MOST_KIB, "{format}: {peak} KiB");
        match format {
            "lines" => assert_eq!(lines as i64, COUNT),
            "csv" => assert_eq!(lines as i64, COUNT + 4),
            _ => {}
        }
    }
}

#[test]
fn an_export_that_is_stopped_or_cut_off_leaves_no_file() {
    let folder = Folder::new();
    fill(&folder, 200_000);
    let begun = |arguments: &[&str]| {
        let mut command = command(&folder, "export", arguments);
        let child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let temporary = folder.path().join("all.lp.tmp");
        wait_for("the first bytes", || std::fs::metadata(&temporary).is_ok_and(|file| file.len() > 0));
        child
    };
    let failed = |child: Child, words: &str| {
        let output = child.wait_with_output().unwrap();
        let err = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(output.status.code() == Some(1) && err.contains(words), "{err}");
        let left: Vec<_> = std::fs::read_dir(folder.path()).unwrap().map(|e| e.unwrap().file_name()).collect();
        assert!(!left.iter().any(|name| name.to_string_lossy().starts_with("all.lp")), "{left:?}");
    };
    let interrupt = |child: &Child| {
        assert!(Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap().success());
    };
    let child = begun(&["--output", "all.lp"]);
    interrupt(&child);
    failed(child, "stopped before the end");

    let service = Service::start(&folder, "");
    let url = service.url();
    let child = begun(&["--output", "all.lp", "--url", &url]);
    interrupt(&child);
    failed(child, "stopped before the end");
    let child = begun(&["--output", "all.lp", "--url", &url]);
    service.kill9();
    failed(child, "answer");
    let done = summary(&folder, "export", &["--output", "all.lp"]);
    assert_eq!(done["rows"], 200_000);
}

#[test]
fn a_service_streams_and_forgets_a_client_that_has_gone() {
    let folder = Folder::new();
    fill(&folder, 50_000);
    let service = Service::start(&folder, "");
    let mut stream = std::net::TcpStream::connect(service.address()).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    std::io::Write::write_all(&mut stream, b"GET /api/v1/export HTTP/1.1\r\nHost: x\r\n\r\n").unwrap();
    let mut first = [0; 1000];
    stream.read_exact(&mut first).unwrap();
    assert!(String::from_utf8_lossy(&first).contains("many,point=0 other=0i,some=1i,value=0.25 "), "{first:?}");
    drop(stream);
    // Its place among the queries is free again soon: all of them can be had at a time.
    let url = service.url();
    wait_for("an export from start to end", || {
        summary(&folder, "export", &["--url", &url, "--output", "all.csv"])["rows"] == 50_000
    });
    service.stop();
}

#[test]
fn a_reader_that_has_seen_enough_is_no_failure() {
    let folder = Folder::new();
    fill(&folder, 40_000);
    let mut child = command(&folder, "export", &[]).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut first = [0; 100];
    child.stdout.take().unwrap().read_exact(&mut first).unwrap();
    let finished = child.wait_with_output().unwrap();
    assert!(finished.status.success() && finished.stderr.is_empty(), "{finished:?}");
}

#[test]
fn what_is_damaged_is_named_and_the_rest_is_exported() {
    let folder = Folder::new();
    fill(&folder, 100_000);
    let engine = folder.data().join("engine/blocks");
    let blocks = files_below(&engine).into_iter().map(|path| engine.join(path));
    let largest = blocks.max_by_key(|path| std::fs::metadata(path).unwrap().len()).unwrap();
    let mut bytes = std::fs::read(&largest).unwrap();
    // Where values are: the index is at the end.
    let place = bytes.len() / 10;
    bytes[place] ^= 1;
    std::fs::write(&largest, bytes).unwrap();
    let name = largest.file_name().unwrap().to_str().unwrap();
    let finished = run_to_end(&mut command(&folder, "export", &["--output", "all.lp"]));
    assert!(finished.code == Some(1) && finished.err.contains(name), "{finished:?}");
    assert!(finished.err.contains("missing in the export"), "{finished:?}");
    let lines = std::fs::read_to_string(folder.path().join("all.lp")).unwrap().lines().count();
    assert!((10_000..=100_000).contains(&lines), "{lines}");
}

fn days_ago(days: i64) -> i64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_nanos() as i64;
    now.div_euclid(DAY_NS) * DAY_NS - days * DAY_NS + DAY_NS / 2
}

#[test]
fn files_of_the_archive_are_imported_as_what_they_hold() {
    let folder = Folder::new();
    let archive =
        format!("storage: {{archive: {{target: {}/archive, schedule: every 1000d}}}}\n", folder.path().display());
    let service = Service::start(&folder, &archive);
    // The first look at what is due, which finds nothing.
    wait_for("a run by schedule", || service.status()["archive"]["runs"] == 1);
    let mut text = String::new();
    for day in [5, 4, 3] {
        for n in 0..40 {
            let time = days_ago(day) + n * 1_000_000;
            text += &format!("pcs,unit=1 power={}.5,count={n}i,big={n}u,on={} {time}\n", n - 20, n % 2 == 0);
            text += &format!("a\\ lot\\,\\ of\\ it,sí\\ te=a\\=b text=\"say \\\"{n}\\\", 好\\\\\" {time}\n");
        }
        text += &format!("pcs,unit=2 other=9007199254740993i,text=\"\" {}\n", days_ago(day));
    }
    service.client().write(&text);
    let ran = output_of(&["archive", "run", "--url", &service.url()]);
    assert!(ran.code == Some(0) && ran.out.contains("6 files written"), "{ran:?}");
    let of_service = |service: &Service| ["pcs", "a lot, of it"].map(|name| rows_of(&mut service.client(), name));
    let before = of_service(&service);
    assert_eq!(before.each_ref().map(Vec::len), [123, 120]);
    let lines = exported(&folder, &["--url", &service.url()]);
    service.stop();

    // Into a data directory, and into a service.
    let archive = folder.path().join("archive/telemetry/autogen");
    let files = files_below(&archive).into_iter().map(|path| archive.join(path).to_str().unwrap().to_owned());
    let files: Vec<String> = files.filter(|path| path.ends_with(".parquet")).collect();
    let files: Vec<&str> = files.iter().map(String::as_str).collect();
    let other = Folder::new();
    let done = summary(&other, "import", &files);
    assert_eq!((&done["points"], &done["refused"]), (&json!(243), &json!(0)));
    assert_eq!(exported(&other, &[]), lines);
    let third = Folder::new();
    let service = Service::start(&third, "");
    let folders = std::fs::read_dir(&archive).unwrap().map(|entry| entry.unwrap().path().to_str().unwrap().to_owned());
    let mut import: Vec<String> = folders.collect();
    import.extend(["--url".to_owned(), service.url()]);
    summary(&third, "import", &import.iter().map(String::as_str).collect::<Vec<_>>());
    assert_eq!(of_service(&service), before);
    service.stop();
}
