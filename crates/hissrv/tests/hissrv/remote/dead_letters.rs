//! What a store refuses for good is kept aside with the reason; everything else gets there.

use serde_json::Value;

use super::peers::influxql;
use crate::support::{Folder, Service, output_of, wait_for};

/// The field `bad` is a text in InfluxDB and a number for hissrv. A type there holds for a shard, hence the two times.
fn poisoned(influxdb: &rig::Server) {
    rig::http_post(&format!("{}/query?q=CREATE%20DATABASE%20telemetry", influxdb.url()), "");
    let (status, text) = rig::http_post(
        &format!("{}/write?db=telemetry", influxdb.url()),
        "batch bad=\"text\" 1\nbatch bad=\"text\" 1700000000000000000",
    );
    assert_eq!(status, 204, "{text}");
}

fn batch() -> String {
    let good = (0..4_999_u64).map(|n| format!("batch,s={} value={n} {}\n", n % 50, 1_700_000_000_000 + n));
    let mut lines: Vec<String> = good.collect();
    lines.insert(2_345, "batch,s=poison bad=1.5 1700000000000\n".to_owned());
    lines.concat()
}

fn count(influxdb: &rig::Server) -> u64 {
    influxql(influxdb, "SELECT count(value) FROM batch").first().map_or(0, |row| row[1].as_u64().unwrap())
}

#[test]
fn a_poison_point_in_a_batch_costs_that_point_only_and_never_stops_the_line() {
    let (folder, influxdb) = (Folder::new(), rig::influxdb());
    poisoned(&influxdb);
    let sections = format!("influxdb: {{url: \"{}\"}}\nstorage: {{influxdb: {{enabled: true}}}}\n", influxdb.url());
    let service = Service::start(&folder, &sections);
    let mut client = service.client();
    client.post("/write?db=telemetry&precision=ms", batch()).ok();
    wait_for("the good points", || count(&influxdb) == 4_999);
    client.post("/write?db=telemetry&precision=ms", "batch,s=later value=1 1800000000000").ok();
    wait_for("a later point", || count(&influxdb) == 5_000);
    wait_for("one dead letter", || service.status()["stores"][0]["dead_letters"]["points"] == 1);
    wait_for("the answers", || service.status()["stores"][0]["writer"]["on_the_way"] == 0);
    let status = service.status();
    let writer = &status["stores"][0]["writer"];
    assert_eq!(
        (&writer["dead"], &writer["stored"], &writer["mismatches"]),
        (&1.into(), &5_000.into(), &0.into()),
        "{status}"
    );

    let listed = client.get("/api/v1/dead-letters?store=influxdb").ok().json();
    let letter = &listed["dead_letters"][0];
    assert!(letter["reason"].as_str().unwrap().contains("field type conflict"), "{listed}");
    assert_eq!(letter["line"], "batch,s=poison bad=1.5 1700000000000000000");
    assert_eq!(
        (&letter["database"], &letter["policy"], &letter["store"]),
        (&"telemetry".into(), &"autogen".into(), &"influxdb".into())
    );

    // The commands see the same, also while the service runs.
    let data = folder.data();
    let data = data.to_str().unwrap();
    let list = output_of(&["dead-letter", "list", "--data-dir", data]);
    assert!(
        list.code == Some(0) && list.out.contains("influxdb") && list.out.contains("field type conflict"),
        "{list:?}"
    );
    let show = output_of(&["dead-letter", "show", "--data-dir", data]);
    assert!(show.code == Some(0) && show.out.contains("batch,s=poison bad=1.5 1700000000000000000"), "{show:?}");
    let export = output_of(&["dead-letter", "export", "--data-dir", data, "--format", "json"]);
    let exported: Value = serde_json::from_str(export.out.lines().next().unwrap()).unwrap();
    assert_eq!(exported["line"], letter["line"], "{export:?}");

    // Refused once more, it stays; once InfluxDB takes it, it is gone from here.
    let url = service.url();
    let retry = output_of(&["dead-letter", "retry", "--url", &url]);
    assert!(retry.code == Some(0) && retry.out.contains("0 stored") && retry.out.contains("1 refused"), "{retry:?}");
    rig::http_post(&format!("{}/query?db=telemetry&q=DROP%20MEASUREMENT%20batch", influxdb.url()), "");
    let retry = output_of(&["dead-letter", "retry", "--url", &url]);
    assert!(retry.code == Some(0) && retry.out.contains("1 stored"), "{retry:?}");
    assert_eq!(
        influxql(&influxdb, "SELECT bad FROM batch"),
        [[1_700_000_000_000_u64.into(), 1.5.into()] as [Value; 2]]
    );
    let purge = output_of(&["dead-letter", "purge", "--url", &url]);
    assert!(purge.code == Some(0) && purge.out.contains("0 removed"), "{purge:?}");
    service.stop();
}

#[test]
fn refused_points_survive_a_restart_and_can_be_removed() {
    let (folder, influxdb) = (Folder::new(), rig::influxdb());
    poisoned(&influxdb);
    let sections = format!("influxdb: {{url: \"{}\"}}\n", influxdb.url());
    let service = Service::start(&folder, &sections);
    service.client().post("/write?db=telemetry", "batch bad=1 1\nbatch bad=2 2\nbatch bad=3 3").ok();
    wait_for("three dead letters", || service.status()["stores"][0]["dead_letters"]["points"] == 3);
    service.kill9();
    let service = Service::start(&folder, &sections);
    assert_eq!(service.status()["stores"][0]["dead_letters"]["points"], 3);
    let purge = output_of(&["dead-letter", "purge", "--url", &service.url()]);
    assert!(purge.code == Some(0) && purge.out.contains("3 removed"), "{purge:?}");
    assert_eq!(service.status()["stores"][0]["dead_letters"]["points"], 0);
    let wrong = output_of(&["dead-letter", "retry", "--url", &service.url(), "--store", "nowhere"]);
    assert!(wrong.code == Some(1) && wrong.err.contains("nowhere"), "{wrong:?}");
    service.stop();
}
