//! The configuration that hissrv was asked for with, against the real InfluxDB.

use serde_json::json;

use super::peers::influxql;
use crate::support::{Folder, Redis, Series, Service, wait_for};

const SERVICE: &str = include_str!("../seed/service.yaml");
const DOWNSAMPLING: &str = include_str!("../seed/downsampling.yaml");

/// Both sample files in one, with the ports of this test and a folder for the data.
fn configuration(folder: &Folder, influxdb: &str, redis: &str) -> String {
    let seed = SERVICE.replace("http://localhost:8086", influxdb).replace("redis://localhost:6379", redis);
    let own = format!("data_dir: {}\nserver: {{listen: \"127.0.0.1:0\"}}\n", folder.data().display());
    folder.write("seed.yaml", &format!("{own}{seed}\n{DOWNSAMPLING}")).to_str().unwrap().to_owned()
}

#[test]
fn the_configuration_of_the_requirements_feeds_a_real_influxdb_and_answers_from_it() {
    let (folder, redis, influxdb) = (Folder::new(), Redis::start(), rig::influxdb());
    let config = configuration(&folder, &influxdb.url(), &redis.url());
    let service = Service::run(&folder, &["run", "--config", &config]);
    wait_for("the subscription", || service.log().contains("subscribed"));
    let now = super::outages::now_ms();
    for (n, value) in [25.123_456, 26.5].into_iter().enumerate() {
        let message = json!({ "channel_id": "1001", "point_type": "m", "point_id": "10001", "value": value, "timestamp": now + n as i64 });
        redis.command(&["PUBLISH", "point:update:1001:m:10001", &message.to_string()]);
    }
    wait_for("the points to be in InfluxDB", || {
        influxql(&influxdb, "SELECT value FROM telemetry.realtime.\"measurement\" WHERE channel = '1001' AND point = '10001' AND type = 'm'")
            .len() == 2
    });
    let rows = influxql(&influxdb, "SELECT * FROM telemetry.realtime.\"measurement\"");
    assert_eq!(rows[0], [json!(now), json!("1001"), json!("10001"), json!("m"), json!(25.123_456)]);

    let policies = influxql(&influxdb, "SHOW RETENTION POLICIES");
    let named = |name: &str| {
        policies.iter().find(|row| row[0] == name).cloned().unwrap_or_else(|| panic!("{name}: {policies:?}"))
    };
    for (name, duration, is_default) in
        [("realtime", "168h0m0s", true), ("hourly", "720h0m0s", false), ("daily", "8760h0m0s", false)]
    {
        let row = named(name);
        assert_eq!((&row[1], &row[3], &row[4]), (&json!(duration), &json!(1), &json!(is_default)), "{row:?}");
    }
    let queries = influxql(&influxdb, "SHOW CONTINUOUS QUERIES");
    let names: Vec<_> = queries.iter().map(|row| row[0].as_str().unwrap()).collect();
    assert_eq!(names, ["hourly_avg", "daily_summary"], "{queries:?}");

    // A point that hissrv has never seen is in its answer: the answer is InfluxDB's.
    let (status, text) = rig::http_post(
        &format!("{}/write?db=telemetry&rp=realtime&precision=ms", influxdb.url()),
        &format!("measurement,channel=1001,point=10001,type=m value=99 {}", now + 7),
    );
    assert_eq!(status, 204, "{text}");
    let question =
        json!({ "measurement": "measurement", "tags": { "channel": "1001" }, "start": "now-1h", "order": "asc" });
    let series = Series::read(&service.client().post("/api/v1/query/series?epoch=ms", question.to_string()).ok());
    let found: Vec<_> =
        series.iter().flat_map(|s| &s.rows).map(|row| (row.time - now, row.float("value").unwrap())).collect();
    assert_eq!(found, [(0, 25.123_456), (1, 26.5), (7, 99.0)]);
    let question = json!({ "aggregate_type": "time_window", "function": "MEAN", "measurement": "measurement", "interval": "1d", "start": "now-1h" });
    let series = Series::read(&service.client().post("/api/v1/query/aggregate?epoch=ms", question.to_string()).ok());
    let counted: i64 = series.iter().flat_map(|s| &s.rows).filter_map(|row| row.integer("count")).sum();
    assert_eq!(counted, 3);
    let latest = service.client().get("/api/v1/latest?measurement=measurement&tag.channel=1001&epoch=ms").ok();
    assert_eq!(Series::read(&latest)[0].rows[0].float("value"), Some(99.0), "{}", latest.text());
    service.stop();
}

#[test]
fn settings_changed_in_the_configuration_are_changed_in_influxdb() {
    let (folder, influxdb) = (Folder::new(), rig::influxdb());
    let sections = |duration: &str, interval: &str| {
        format!(
            "influxdb: {{url: \"{}\"}}\nretention: {{policies: [{{name: raw, duration: {duration}}}, {{name: h, duration: 60d}}]}}\n\
             downsampling: {{tasks: [{{name: t, source: raw, target: h, interval: {interval}, aggregations: [{{function: MEAN, alias: avg}}]}}]}}\n",
            influxdb.url()
        )
    };
    let has = |query: &str, text: &str| influxql(&influxdb, query).iter().any(|row| format!("{row:?}").contains(text));
    let service = Service::start(&folder, &sections("7d", "1h"));
    wait_for("the policy", || has("SHOW RETENTION POLICIES", "168h0m0s"));
    wait_for("the continuous query", || has("SHOW CONTINUOUS QUERIES", "time(1h)"));
    service.stop();
    let service = Service::start(&folder, &sections("14d", "30m"));
    wait_for("the policy to change", || has("SHOW RETENTION POLICIES", "336h0m0s"));
    wait_for("the continuous query to change", || has("SHOW CONTINUOUS QUERIES", "time(30m)"));
    assert!(!has("SHOW CONTINUOUS QUERIES", "time(1h)"));
    // One that is made while it runs gets there within a minute, with its values.
    service.client().post("/query?db=telemetry&q=CREATE%20RETENTION%20POLICY%20later%20ON%20telemetry%20DURATION%2030d%20REPLICATION%201", "").ok();
    service.client().post("/write?db=telemetry&rp=later", "m v=1").ok();
    wait_for("a value in the new policy", || influxql(&influxdb, "SELECT v FROM telemetry.later.m").len() == 1);
    service.stop();
}
