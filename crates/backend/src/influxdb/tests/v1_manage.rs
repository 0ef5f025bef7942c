//! Databases, policies and continuous queries of the real InfluxDB 1.x.

use super::*;
use crate::Manage;

fn query(url: &str, text: &str) -> String {
    let (status, body) = rig::http_post(&format!("{url}/query?q={}", rig::encode(text)), "");
    assert_eq!(status, 200, "{body}");
    body
}

#[test]
fn what_is_missing_is_made_and_the_second_time_nothing_is_done() {
    let server = rig::influxdb();
    let store = store(&server.url());
    let wanted = Wanted { rollups: vec![rollup(&[("mean", "avg"), ("max", "max")])], ..wanted() };
    let steps = store.keep_in_step(&wanted).unwrap();
    let expected = [
        "database \"telemetry\" created",
        "retention policy \"hourly\" of \"telemetry\" created",
        "continuous query \"hourly_avg\" of \"telemetry\" created",
    ];
    assert_eq!(steps, expected.map(done));
    assert_eq!(store.keep_in_step(&wanted).unwrap(), []);
    let policies = query(&server.url(), "SHOW RETENTION POLICIES ON telemetry");
    assert!(
        policies.contains(r#"[["realtime","168h0m0s","24h0m0s",1,true],["hourly","0s","168h0m0s",1,false]]"#),
        "{policies}"
    );
}

#[test]
fn what_differs_is_changed_and_nothing_else() {
    let server = rig::influxdb();
    let store = store(&server.url());
    query(&server.url(), "CREATE DATABASE telemetry");
    query(&server.url(), "CREATE RETENTION POLICY realtime ON telemetry DURATION 90d REPLICATION 2 SHARD DURATION 7d");
    query(&server.url(), "CREATE RETENTION POLICY mine ON telemetry DURATION 3d REPLICATION 1");
    let mut wanted = wanted();
    let daily = Policy { shard_duration: Some(Duration::from_secs(60)), ..policy("daily", Some(days(365))) };
    wanted.databases[0].policies = vec![policy("realtime", Some(days(2))), daily];
    let steps = store.keep_in_step(&wanted).unwrap();
    let changed =
        "retention policy \"realtime\" of \"telemetry\" changed: DURATION 2d REPLICATION 1 SHARD DURATION 0s DEFAULT";
    assert_eq!(steps, [done(changed), done("retention policy \"daily\" of \"telemetry\" created")]);
    assert_eq!(store.keep_in_step(&wanted).unwrap(), []);
    let policies = query(&server.url(), "SHOW RETENTION POLICIES ON telemetry");
    for policy in [r#"["autogen","0s""#, r#"["mine","72h0m0s""#, r#"["realtime","48h0m0s","24h0m0s",1,true]"#] {
        assert!(policies.contains(policy), "{policies}");
    }
    assert!(policies.contains(r#"["daily","8760h0m0s","1h0m0s",1,false]"#), "{policies}");
}

#[test]
fn a_policy_that_the_server_refuses_is_impossible_and_the_others_are_made() {
    let server = rig::influxdb();
    let store = store(&server.url());
    let mut wanted = wanted();
    wanted.databases[0].policies.insert(1, policy("short", Some(Duration::from_secs(60))));
    let steps = store.keep_in_step(&wanted).unwrap();
    let refused = "retention policy \"short\" of \"telemetry\": retention policy duration must be at least 1h0m0s";
    assert!(steps.contains(&Step::Impossible(refused.to_owned())), "{steps:?}");
    assert!(steps.contains(&done("retention policy \"hourly\" of \"telemetry\" created")));
}

#[test]
fn a_rollup_that_differs_is_made_anew() {
    let server = rig::influxdb();
    let store = store(&server.url());
    let wanted = |columns: &[(&str, &str)]| Wanted { rollups: vec![rollup(columns)], ..wanted() };
    store.keep_in_step(&wanted(&[("mean", "avg")])).unwrap();
    let steps = store.keep_in_step(&wanted(&[("mean", "avg"), ("count", "group")])).unwrap();
    assert_eq!(steps, [done("continuous query \"hourly_avg\" of \"telemetry\" made anew")]);
    let queries = query(&server.url(), "SHOW CONTINUOUS QUERIES");
    assert!(queries.contains(r#"count(value) AS \"group\" INTO telemetry.hourly.:MEASUREMENT FROM telemetry.realtime./.*/ GROUP BY time(1h), *"#), "{queries}");
    let steps = store.keep_in_step(&wanted(&[("no_such_function", "x")])).unwrap();
    assert!(
        matches!(&steps[..], [Step::Impossible(reason)] if reason.ends_with("InfluxDB has no function like no_such_function")),
        "{steps:?}"
    );
}

#[test]
fn no_name_can_be_read_as_anything_but_a_name() {
    let server = rig::influxdb();
    let store = store(&server.url());
    let odd = "a\"; DROP DATABASE telemetry; -- 'b";
    let mut wanted = wanted();
    let policies = vec![policy(odd, None), policy("select", Some(days(1)))];
    wanted.databases.push(Database { name: odd.to_owned(), default_policy: odd.to_owned(), policies });
    let odd_rollup = Rollup {
        name: odd.to_owned(),
        database: odd.to_owned(),
        source: odd.to_owned(),
        target: "select".to_owned(),
        ..rollup(&[("mean", odd)])
    };
    wanted.rollups.push(odd_rollup);
    assert_eq!(store.keep_in_step(&wanted).unwrap().len(), 5);
    assert_eq!(store.keep_in_step(&wanted).unwrap(), []);
    let list = points_for(place(odd, odd, true), &[("m", "v", FieldValue::Float(1.0), 1)]);
    write(&store, &list).unwrap();
    assert!(query(&server.url(), "SHOW DATABASES").contains(r#"["telemetry"]"#));
}

#[test]
fn a_continuous_query_rolls_up_every_measurement() {
    let server = rig::influxdb_with("[continuous_queries]\nrun-interval = \"1s\"");
    let store = store(&server.url());
    let wanted = Wanted {
        rollups: vec![Rollup { interval: Duration::from_secs(2), ..rollup(&[("mean", "avg"), ("count", "n")]) }],
        ..wanted()
    };
    store.keep_in_step(&wanted).unwrap();
    let deadline = std::time::Instant::now() + Duration::from_secs(20);
    loop {
        let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_nanos() as i64;
        let values = [("a,place=1", "value", FieldValue::Float(2.0), now), ("b", "value", FieldValue::Integer(3), now)];
        write(&store, &points(&values)).unwrap();
        let rolled = query(&server.url(), "SELECT avg, n, place FROM telemetry.hourly./.*/");
        if rolled.contains(r#""name":"a""#) && rolled.contains(r#""name":"b""#) {
            assert!(rolled.contains("\"1\"]"), "{rolled}");
            return;
        }
        assert!(std::time::Instant::now() < deadline, "{rolled}");
        std::thread::sleep(Duration::from_millis(200));
    }
}
