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
    let answer = client.post(&format!("/query?db=telemetry&q={}", statement.replace(' ', "%20")), "").ok().json();
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
