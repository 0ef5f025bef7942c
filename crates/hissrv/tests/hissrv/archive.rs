//! The archive: what was stored is in files, goes from the store, and comes back elsewhere; what is not in files yet stays.

use std::time::{SystemTime, UNIX_EPOCH};

use serde_json::Value;

use crate::support::{Client, Finished, Folder, Row, Service, output_of, rows_of, wait_for};

const DAY_NS: i64 = 86_400_000_000_000;

fn now_ns() -> i64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_nanos() as i64
}

/// Noon (UTC) of a past day.
fn days_ago(days: i64) -> i64 {
    now_ns().div_euclid(DAY_NS) * DAY_NS - days * DAY_NS + DAY_NS / 2
}

/// Sections of a configuration whose archive is a folder beside the data directory.
fn archive_section(folder: &Folder, more: &str) -> String {
    format!("storage: {{archive: {{target: {}/archive, {more}}}}}\n", folder.path().display())
}

#[track_caller]
fn archive(arguments: &[&str]) -> Finished {
    output_of(&[&["archive"], arguments].concat())
}

#[track_caller]
fn must(finished: Finished, words: &str) -> String {
    assert!(finished.code == Some(0) && finished.out.contains(words), "{words}: {finished:?}");
    finished.out
}

fn influxql(client: &mut Client, statement: &str) {
    let encoded: String = statement.bytes().map(|byte| format!("%{byte:02X}")).collect();
    let answer = client.post(&format!("/query?db=telemetry&q={encoded}"), "").ok().json();
    assert!(answer["results"][0].get("error").is_none(), "{statement}: {answer}");
}

/// The database's policy keeps two days only, and what is older is removed from the store.
fn forget_after_two_days(service: &Service) -> String {
    influxql(&mut service.client(), "ALTER RETENTION POLICY autogen ON telemetry DURATION 2d SHARD DURATION 1h");
    must(output_of(&["retention", "--url", &service.url()]), "telemetry.autogen")
}

fn everything(service: &Service) -> Vec<Vec<Row>> {
    let mut client = service.client();
    ["pcs", "a lot, of it"].map(|measurement| rows_of(&mut client, measurement)).into()
}

/// Values of every type on three past days, with names and texts that need care.
fn write_past_days(service: &Service) {
    let mut lines = String::new();
    for day in [5, 4, 3] {
        for n in 0..40 {
            let time = days_ago(day) + n * 1_000_000;
            lines += &format!("pcs,unit=1 power={}.5,count={n}i,on={} {time}\n", n - 20, n % 2 == 0);
            lines += &format!("a\\ lot\\,\\ of\\ it,sí\\ te=a\\=b text=\"say \\\"{n}\\\", 好\\\\\" {time}\n");
        }
        lines += &format!("pcs,unit=2 other=9007199254740993i {}\n", days_ago(day));
    }
    service.client().write(&lines);
    service.client().post("/api/v1/admin/flush", "").ok();
}

#[test]
fn what_is_archived_and_gone_from_the_store_comes_back_in_another_hissrv() {
    let folder = Folder::new();
    let service = Service::start(&folder, &archive_section(&folder, "schedule: every 1000d"));
    let (url, config) = (service.url(), folder.path().join("hissrv.yaml"));
    let config = ["--config", config.to_str().unwrap()];
    let with_config = |arguments: &[&str]| archive(&[arguments, &config].concat());
    // The first look at what is due, which finds nothing.
    wait_for("a run by schedule", || service.status()["archive"]["runs"] == 1);
    write_past_days(&service);
    let before = everything(&service);
    assert_eq!(before.iter().map(Vec::len).collect::<Vec<_>>(), [123, 120]);

    must(archive(&["run", "--url", &url]), "6 files written: 243 rows, 483 values");
    let again: Value = serde_json::from_str(&must(archive(&["run", "--json", "--url", &url]), "")).unwrap();
    assert_eq!(again["files"], 0, "{again}");
    assert_eq!(service.status()["archive"]["files"], 6);
    let metrics = service.client().get("/metrics").text();
    assert!(metrics.contains("\nhissrv_archive_values_total 483\n"), "{metrics}");
    assert_eq!(must(with_config(&["list"]), "a lot, of it").lines().count(), 7);
    let manifests = must(with_config(&["list", "--measurement", "pcs", "--json"]), "sha256");
    let first: Value = serde_json::from_str(manifests.lines().next().unwrap()).unwrap();
    assert_eq!((manifests.lines().count(), &first["values"]), (3, &Value::from(121)));
    must(with_config(&["verify"]), "6 files are as they were written");

    assert!(forget_after_two_days(&service).starts_with("removed\n"));
    assert_eq!(everything(&service), [[], []]);
    let refused = with_config(&["restore", "--url", &url]);
    assert!(refused.code == Some(1) && refused.err.contains("--into-policy"), "{refused:?}");

    let elsewhere = Folder::new();
    let other = Service::start(&elsewhere, "");
    let to_other = ["restore", "--url", &other.url()];
    let restore = |more: &[&str]| with_config(&[&to_other, more].concat());
    must(restore(&["--dry-run"]), "would restore 483 values in 243 rows of 6 files");
    let day = first["day"].as_str().unwrap();
    let some = must(restore(&["--dry-run", "--json", "--from", day, "--to", day, "--policy", "autogen"]), "files");
    let some: Value = serde_json::from_str(&some).unwrap();
    assert_eq!((&some["files"], &some["values"]), (&Value::from(2), &Value::from(161)));
    assert!(everything(&other).iter().all(Vec::is_empty), "a dry run writes nothing");
    must(restore(&[]), "restored 483 values in 243 rows of 6 files");
    assert_eq!(everything(&other), before);

    // One file by itself, into a policy that keeps it.
    influxql(&mut service.client(), "CREATE RETENTION POLICY restored ON telemetry DURATION INF REPLICATION 1");
    let file = folder.path().join(format!("archive/telemetry/autogen/pcs/{day}.parquet"));
    let into = ["restore", file.to_str().unwrap(), "--into-policy", "restored", "--url", &url];
    must(archive(&into), "restored 121 values in 41 rows of 1 files");
    influxql(&mut service.client(), "ALTER RETENTION POLICY restored ON telemetry DEFAULT");
    assert_eq!(rows_of(&mut service.client(), "pcs").len(), 41);
    let missing = archive(&["restore", file.to_str().unwrap(), "--into-database", "nowhere", "--url", &url]);
    assert!(missing.code == Some(1) && missing.err.contains("create it first"), "{missing:?}");

    // A file that is cut short is found.
    let text = std::fs::read(&file).unwrap();
    std::fs::write(&file, &text[..text.len() - 1]).unwrap();
    let wrong = with_config(&["verify"]);
    assert!(wrong.code == Some(1) && wrong.out.contains(day) && wrong.out.contains("5 files are"), "{wrong:?}");
    service.stop();
    other.stop();
}

#[test]
fn values_stay_past_their_policy_until_they_are_archived() {
    let folder = Folder::new();
    let section = archive_section(&folder, "schedule: never, before_deletion: true");
    let service = Service::start(&folder, &section);
    let url = service.url();
    // A file where the folder is to be: nothing can be written there, not even by root.
    let place = folder.write("archive", "");
    let times = [days_ago(5), days_ago(4), now_ns()];
    service.client().write(&times.map(|time| format!("m value=1 {time}")).join("\n"));
    service.client().post("/api/v1/admin/flush", "").ok();
    let files = || service.status()["engine"]["files"].as_u64().unwrap();
    let all = files();

    let text = forget_after_two_days(&service);
    assert!(
        text.contains("held back of telemetry.autogen") && text.contains("not all of it is archived yet"),
        "{text}"
    );
    assert_eq!(files(), all);
    // Retention has asked for it, and it has failed.
    wait_for("a failure", || service.status()["archive"]["failures"].as_u64() >= Some(2));
    assert!(service.log().contains("a day could not be archived; it stays due"), "{}", service.log());
    let told = must(output_of(&["status", "--url", &url]), "never: 0 files");
    assert!(told.contains("failures; last error: "), "{told}");
    let failed = archive(&["run", "--url", &url]);
    assert!(failed.code == Some(1) && failed.out.contains("not archived: "), "{failed:?}");
    must(output_of(&["retention", "--url", &url]), "held back of telemetry.autogen");
    assert_eq!(files(), all);

    std::fs::remove_file(place).unwrap();
    must(archive(&["run", "--url", &url]), "2 files written: 2 rows, 2 values");
    let text = must(output_of(&["retention", "--url", &url]), "removed");
    assert!(!text.contains("held back"), "{text}");
    assert_eq!(files(), all - 2);
    service.stop();

    // Without the section nobody takes note of what is written, so the list of days is forgotten.
    let due = folder.data().join("archive/due");
    assert!(due.exists());
    let service = Service::start(&folder, "");
    assert!(!due.exists());
    assert_eq!(service.status()["archive"], Value::Null);
    let none = archive(&["run", "--url", &service.url()]);
    assert!(none.code == Some(1) && none.err.contains("no section storage.archive"), "{none:?}");
    let none = archive(&["list", "--config", folder.path().join("hissrv.yaml").to_str().unwrap()]);
    assert!(none.code == Some(2) && none.err.contains("no section storage.archive"), "{none:?}");
    service.stop();
}
