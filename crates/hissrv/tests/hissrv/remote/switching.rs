//! Feeding paused, resumed, skipped and given up; the embedded store switched off and on again; who answers queries.

use serde_json::{Value, json};

use super::peers::influxql;
use crate::support::{Folder, Service, output_of, rows_of, wait_for};

fn with_embedded(influxdb: &rig::Server) -> String {
    format!("influxdb: {{url: \"{}\"}}\nstorage: {{influxdb: {{enabled: true}}}}\n", influxdb.url())
}

fn only_influxdb(influxdb: &rig::Server) -> String {
    format!("influxdb: {{url: \"{}\"}}\n", influxdb.url())
}

fn count(influxdb: &rig::Server) -> u64 {
    influxql(influxdb, "SELECT count(v) FROM m").first().map_or(0, |row| row[1].as_u64().unwrap())
}

fn writer(service: &Service) -> Value {
    service.status()["stores"][0]["writer"].clone()
}

fn store(service: &Service, action: &str) {
    let finished = output_of(&["store", action, "influxdb", "--url", &service.url()]);
    assert_eq!(finished.code, Some(0), "{finished:?}");
}

#[test]
fn a_paused_store_gets_nothing_and_all_of_it_once_it_is_resumed() {
    let (folder, influxdb) = (Folder::new(), rig::influxdb());
    let service = Service::start(&folder, &with_embedded(&influxdb));
    service.client().write("m v=1 1");
    wait_for("the first point", || count(&influxdb) == 1);
    store(&service, "pause");
    (2..50).for_each(|n| service.client().write(&format!("m v={n} {n}")));
    assert_eq!(writer(&service)["state"], "paused");
    assert_eq!(count(&influxdb), 1);
    assert_eq!(rows_of(&mut service.client(), "m").len(), 49, "the embedded store is not concerned");
    let list = output_of(&["store", "list", "--url", &service.url()]);
    assert!(list.out.contains("influxdb") && list.out.contains("paused") && list.out.contains("embedded"), "{list:?}");
    store(&service, "resume");
    wait_for("the rest", || count(&influxdb) == 49);
    store(&service, "pause");
    (50..60).for_each(|n| service.client().write(&format!("m v={n} {n}")));
    store(&service, "skip");
    store(&service, "resume");
    service.client().write("m v=60 60");
    wait_for("what came after the skip", || count(&influxdb) == 50);
    let after = writer(&service);
    let skipped = after["skipped"].as_u64().unwrap() + after["skipped_unread"].as_u64().unwrap();
    assert_eq!((skipped, &after["mismatches"]), (10, &json!(0)), "{after}");
    service.stop();
}

#[test]
fn a_restart_sends_nothing_again_that_was_stored() {
    let (folder, influxdb) = (Folder::new(), rig::influxdb());
    let service = Service::start(&folder, &with_embedded(&influxdb));
    (0..200).for_each(|n| service.client().write(&format!("m v={n} {n}")));
    wait_for("the points", || count(&influxdb) == 200);
    service.stop();
    let service = Service::start(&folder, &with_embedded(&influxdb));
    service.client().write("m v=200 200");
    wait_for("one more", || count(&influxdb) == 201 && writer(&service)["on_the_way"] == 0);
    let after = writer(&service);
    assert_eq!((&after["stored"], &after["resent"]), (&json!(1), &json!(0)), "{after}");
    service.stop();
}

#[test]
fn a_store_that_is_not_configured_any_more_keeps_its_place_until_it_is_forgotten() {
    let (folder, influxdb) = (Folder::new(), rig::influxdb());
    Service::start(&folder, &with_embedded(&influxdb)).stop();
    let service = Service::start(&folder, "");
    (0..5).for_each(|n| service.client().write(&format!("m v={n} {n}")));
    service.stop();
    let service = Service::start(&folder, "");
    assert!(service.log().contains("not configured any more"), "{}", service.log());
    store(&service, "forget");
    let consumers = service.status()["journal"]["consumers"].clone();
    assert_eq!(consumers.as_array().unwrap().len(), 1, "{consumers}");
    let again = output_of(&["store", "forget", "influxdb", "--url", &service.url()]);
    assert!(again.code == Some(1) && again.err.contains("influxdb"), "{again:?}");
    let fed = output_of(&["store", "forget", "embedded", "--url", &service.url()]);
    assert!(fed.code == Some(1) && fed.err.contains("configured"), "{fed:?}");
    service.stop();
}

#[test]
fn the_embedded_store_can_be_switched_off_and_on_again() {
    let (folder, influxdb) = (Folder::new(), rig::influxdb());
    let service = Service::start(&folder, "");
    service.client().write("m v=1 1");
    service.stop();
    let service = Service::start(&folder, &only_influxdb(&influxdb));
    service.client().write("m v=2 2");
    wait_for("the point", || count(&influxdb) >= 1);
    assert!(service.status()["engine"].is_null());
    let refused = service.client().post("/query?db=telemetry&q=DELETE%20FROM%20m", "").ok().text();
    assert!(refused.contains("embedded store, which is switched off"), "{refused}");
    let rows = rows_of(&mut service.client(), "m");
    assert!(rows.iter().any(|row| row.time == 2), "{rows:?}");
    service.stop();
    let service = Service::start(&folder, "");
    service.client().write("m v=3 3");
    let times: Vec<i64> = rows_of(&mut service.client(), "m").iter().map(|row| row.time).collect();
    assert!(times == [1, 3] || times == [1, 2, 3], "{times:?}");
    assert!(!service.log().contains("were lost"), "{}", service.log());
    service.stop();
}

#[test]
fn the_store_named_in_the_configuration_answers_queries() {
    let (folder, influxdb) = (Folder::new(), rig::influxdb());
    let sections = format!("{}query: {{backend: influxdb}}\n", with_embedded(&influxdb));
    let service = Service::start(&folder, &sections);
    service.client().write("m,host=a v=1 1");
    wait_for("the point", || count(&influxdb) == 1);
    rig::http_post(&format!("{}/write?db=telemetry", influxdb.url()), "m,host=b v=5 2");
    let answer = service.client().get("/query?db=telemetry&epoch=ns&q=SELECT%20sum(v)%20FROM%20m").ok().text();
    assert!(answer.contains("6]"), "{answer}");
    let hostile = rig::encode("SELECT v FROM m WHERE host = 'x\\' OR host = \\'a'");
    let answer = service.client().get(&format!("/query?db=telemetry&q={hostile}")).ok().json();
    assert!(answer["results"][0]["series"].is_null(), "{answer}");
    service.stop();
}
