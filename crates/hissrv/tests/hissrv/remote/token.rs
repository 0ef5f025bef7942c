//! A store that lets us not in: a clear error, no storm of attempts, nothing lost, and no secret anywhere.

use std::time::Duration;

use crate::support::{Folder, Service, output_of, wait_for};

const SECRET: &str = "hunter2-and-more";

/// An InfluxDB that wants a login, with one user.
fn guarded() -> rig::Server {
    let influxdb = rig::influxdb_with("auth-enabled = true\n");
    let create = rig::encode("CREATE USER boss WITH PASSWORD 'right' WITH ALL PRIVILEGES");
    let (status, text) = rig::http_post(&format!("{}/query?q={create}", influxdb.url()), "");
    assert_eq!(status, 200, "{text}");
    influxdb
}

fn sections(influxdb: &rig::Server, login: &str) -> String {
    format!("influxdb: {{url: \"{}\", {login}}}\n", influxdb.url())
}

fn count(influxdb: &rig::Server) -> u64 {
    let query = rig::encode("SELECT count(v) FROM m");
    let answer = rig::http_get(&format!("{}/query?db=telemetry&u=boss&p=right&q={query}", influxdb.url()));
    let answer: serde_json::Value = serde_json::from_str(&answer).unwrap();
    answer["results"][0]["series"][0]["values"][0][1].as_u64().unwrap_or(0)
}

#[test]
fn a_wrong_login_is_said_clearly_tried_rarely_and_costs_no_data() {
    let (folder, influxdb) = (Folder::new(), guarded());
    let wrong = sections(&influxdb, &format!("username: boss, password: {SECRET}"));
    let service = Service::start(&folder, &wrong);
    let mut client = service.client();
    (0..20).for_each(|n| client.write(&format!("m v={n} {n}")));
    wait_for("the refusal", || service.status()["stores"][0]["writer"]["state"] == "denied");
    std::thread::sleep(Duration::from_secs(3));
    let status = service.status();
    let writer = &status["stores"][0]["writer"];
    let error = writer["last_error"].as_str().unwrap();
    assert!(error.contains("401") || error.contains("authorization"), "{error}");
    assert!(writer["requests"].as_u64().unwrap() < 10, "a storm: {status}");
    assert_eq!(writer["dead"], 0, "{status}");
    let shown = [status.to_string(), client.get("/metrics").ok().text(), service.log()];
    assert!(shown.iter().all(|text| !text.contains(SECRET)), "the password is shown");
    let config = folder.write("shown.yaml", &format!("data_dir: x\n{wrong}"));
    let checked = output_of(&["check-config", config.to_str().unwrap()]);
    assert!(checked.code == Some(0) && !(checked.out + &checked.err).contains(SECRET));
    service.stop();

    let service = Service::start(&folder, &sections(&influxdb, "username: boss, password: right"));
    wait_for("the data that was kept", || count(&influxdb) == 20);
    assert_eq!(service.status()["stores"][0]["dead_letters"]["points"], 0);
    service.stop();
}
