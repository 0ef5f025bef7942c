//! Retention: what queries see, what an operator sees before and after files go, and where measurements are at home.

use std::time::{SystemTime, UNIX_EPOCH};

use serde_json::Value;

use crate::support::{Client, Folder, Service, output_of, rows_of};

/// Some time in 2023.
const OLD: i64 = 1_700_000_000_000_000_000;

fn now_ns() -> i64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_nanos() as i64
}

fn run_influxql(client: &mut Client, statement: &str) -> Value {
    let encoded: String = statement.bytes().map(|byte| format!("%{byte:02X}")).collect();
    let answer = client.post(&format!("/query?db=telemetry&q={encoded}"), "").ok().json();
    assert!(answer["results"][0].get("error").is_none(), "{statement}: {answer}");
    answer["results"][0]["series"].clone()
}

fn times(client: &mut Client, measurement: &str) -> Vec<i64> {
    rows_of(client, measurement).iter().map(|row| row.time).collect()
}

fn retention(more: &[&str]) -> (Option<i32>, String) {
    let finished = output_of(&[&["retention"], more].concat());
    (finished.code, finished.out + &finished.err)
}

#[test]
fn an_altered_policy_hides_old_values_at_once_and_the_command_removes_their_files() {
    let folder = Folder::new();
    let service = Service::start(&folder, "");
    let mut client = service.client();
    let (url, now) = (service.url(), now_ns());
    let (code, text) = retention(&["--dry-run", "--url", &url]);
    assert!(code == Some(0) && text.contains("everything is kept"), "{text}");

    client.write(&format!("m,a=1 value=1 {OLD}\nm,a=2 value=2 {}\nm,a=1 value=3 {now}", OLD + 1));
    client.post("/api/v1/admin/flush", "").ok();
    assert_eq!(times(&mut client, "m").len(), 3);
    run_influxql(&mut client, "ALTER RETENTION POLICY autogen ON telemetry DURATION 1d SHARD DURATION 1h");
    assert_eq!(times(&mut client, "m"), [now]);
    let count = run_influxql(&mut client, "SELECT count(value) FROM m");
    assert_eq!(count[0]["values"][0][1], 1, "{count}");

    let files = || service.status()["engine"]["files"].clone();
    let before = files();
    let (code, text) = retention(&["--dry-run", "--url", &url]);
    assert!(code == Some(0) && text.starts_with("would go\n") && text.contains("telemetry.autogen"), "{text}");
    let (code, json) = retention(&["--dry-run", "--force", "--json", "--url", &url]);
    let json: Value = serde_json::from_str(&json).unwrap();
    let goes = &json["buckets"][0]["goes"];
    assert_eq!((code, &goes["files"], &goes["series"], &goes["values"]), (Some(0), &1.into(), &2.into(), &2.into()));
    assert!(goes["bytes"].as_u64() > Some(0) && goes["first"] == "2023-11-14T22:13:20Z", "{json}");
    assert_eq!((files(), &json["forced"], &json["buckets"][0]["held"]), (before.clone(), &true.into(), &Value::Null));

    // The address may come from a configuration file.
    let text = format!("server: {{listen: \"{}\"}}\n", service.address());
    let (code, text) = retention(&["--config", folder.write("other.yaml", &text).to_str().unwrap()]);
    assert!(code == Some(0) && text.starts_with("removed\n"), "{text}");
    assert_eq!(files().as_u64(), before.as_u64().map(|n| n - 1));
    assert_eq!(times(&mut client, "m"), [now]);
    assert!(service.log().contains("values past their retention were removed"), "{}", service.log());
    service.stop();
    let (code, text) = retention(&["--dry-run", "--url", &url]);
    assert!(code == Some(1) && text.contains("is hissrv running there?"), "{text}");
}

/// Two policies, one of them with measurements of its own.
const HOMES: &str = "retention:
  policies:
    - { name: short, duration: 30d }
    - { name: long, duration: 365d, measurements: [signal, \"ctl*\"] }
";

/// Values of the first column behind the time, of the first series.
fn first_column(series: &Value) -> Vec<Value> {
    series[0]["values"].as_array().into_iter().flatten().map(|row| row[1].clone()).collect()
}

#[test]
fn measurements_of_a_policy_are_written_and_found_there_without_naming_it() {
    let folder = Folder::new();
    let service = Service::start(&folder, HOMES);
    let mut client = service.client();
    let (now, month) = (now_ns(), 30 * 86_400_000_000_000);
    // Old enough to be refused by `short`, were that the default policy, and `autogen` keeps everything.
    client.write(&format!("signal v=1 {}\nother v=2 {now}\nctl_a v=3 {now}\nsignal v=4 {now}", now - 2 * month));
    assert_eq!(client.post("/write?db=telemetry&rp=autogen", format!("signal v=9 {now}")).status, 204);
    let mut ask = |statement: &str| run_influxql(&mut client, statement);
    assert_eq!(first_column(&ask("SELECT v FROM signal")), [1.0, 4.0]);
    assert_eq!(first_column(&ask("SELECT v FROM long.signal")), [1.0, 4.0]);
    assert_eq!(first_column(&ask("SELECT v FROM autogen.signal")), [9.0]);
    assert_eq!(first_column(&ask("SELECT v FROM other")), [2.0]);
    assert_eq!(first_column(&ask("SELECT count(v) FROM /./ WHERE time > now() - 1h")), [1]);
    let all = ask("SELECT v FROM /./ WHERE time > now() - 1h");
    let names: Vec<&str> = all.as_array().unwrap().iter().map(|s| s["name"].as_str().unwrap()).collect();
    assert_eq!(names, ["ctl_a", "other", "signal"]);
    assert_eq!(first_column(&ask("SHOW FIELD KEYS FROM ctl_a")), ["float"]);
    // INTO goes home, too.
    ask("SELECT v * 2 AS v INTO ctl_b FROM signal WHERE time > now() - 1h");
    assert_eq!(first_column(&ask("SELECT v FROM long.ctl_b")), [8.0]);

    let found = client.get("/api/v1/measurements").ok().json();
    assert_eq!(found["measurements"], serde_json::json!(["ctl_a", "ctl_b", "other", "signal"]));
    let latest = client.get("/api/v1/latest?measurement=signal").ok().json();
    assert_eq!(first_column(&latest["series"]), [4.0], "{latest}");
    service.stop();

    let refused = Service::try_start(&folder, &HOMES.replace("30d }", "30d, measurements: [signal] }"));
    let refused = refused.map(Service::stop).unwrap_err();
    assert!(
        refused.code == Some(2) && refused.err.contains("`short`") && refused.err.contains("`long`"),
        "{refused:?}"
    );
}
