//! Writes to the real InfluxDB 1.x.

use std::io::Read;
use std::time::Instant;

use rig::Server;

use super::*;
use crate::http::fake::{Answer, Fake};
use crate::{Health, Manage, Probe};

/// A server with the place of [`points`].
fn with_place() -> (Server, InfluxDb) {
    on(rig::influxdb())
}

fn on(server: Server) -> (Server, InfluxDb) {
    let store = store(&server.url());
    let keep = Wanted {
        databases: vec![Database { policies: vec![policy("realtime", None)], ..wanted().databases.remove(0) }],
        rollups: Vec::new(),
    };
    store.keep_in_step(&keep).unwrap();
    (server, store)
}

fn answer(store: &InfluxDb, text: &str) -> String {
    let mut answer = String::new();
    store.ask("telemetry", None, text).unwrap().read_to_string(&mut answer).unwrap();
    answer
}

#[test]
fn every_type_is_stored_as_what_it_is() {
    let (_server, store) = with_place();
    let list = points(&[
        ("m,channel=PCS\\ 1", "f", FieldValue::Float(1.5), 1_700_000_000_000_000_001),
        ("m,channel=PCS\\ 1", "i", FieldValue::Integer(-7), 1_700_000_000_000_000_001),
        ("m,channel=PCS\\ 1", "u", FieldValue::Unsigned(7), 1_700_000_000_000_000_001),
        ("m,channel=PCS\\ 1", "b", FieldValue::Boolean(true), 1_700_000_000_000_000_001),
        ("m,channel=PCS\\ 1", "s", FieldValue::String("a \"b\" \\ c\nd"), 1_700_000_000_000_000_001),
        ("m,channel=PCS\\ 1", "big", FieldValue::Unsigned(u64::MAX), 1_700_000_000_000_000_001),
    ]);
    assert_eq!(write(&store, &list), Ok(Written { filtered: 1 }));
    let columns = r#"["time","b","channel","f","i","s","u"]"#;
    let row = r#"[1700000000000000001,true,"PCS 1",1.5,-7,"a \"b\" \\ c\nd",7]"#;
    let answer = answer(&store, "SELECT * FROM m");
    assert!(answer.contains(columns) && answer.contains(row), "{answer}");
}

#[test]
fn points_go_to_the_policy_of_their_place() {
    let (_server, store) = with_place();
    store.keep_in_step(&wanted()).unwrap();
    let list = points_for(place("telemetry", "hourly", false), &[("m", "v", FieldValue::Integer(1), 1)]);
    write(&store, &list).unwrap();
    assert!(!answer(&store, "SELECT v FROM m").contains("series"));
    assert!(answer(&store, "SELECT v FROM hourly.m").contains("[1,1]"));
    let mut of_hourly = String::new();
    store.ask("telemetry", Some("hourly"), "SELECT v FROM m").unwrap().read_to_string(&mut of_hourly).unwrap();
    assert!(of_hourly.contains("[1,1]"), "{of_hourly}");
}

#[test]
fn only_the_range_asked_for_is_written() {
    let (_server, store) = with_place();
    let values: Vec<_> = (0..10).map(|n| ("m", "v", FieldValue::Integer(n), n)).collect();
    let list = points(&values);
    store.session().write(&list, 3..5).unwrap();
    store.session().write(&list, 4..4).unwrap();
    assert!(answer(&store, "SELECT v FROM m").contains("[[3,3],[4,4]]"));
}

#[test]
fn a_conflict_of_types_is_the_points_fault_and_the_others_are_stored() {
    let (_server, store) = with_place();
    write(&store, &points(&[("m", "v", FieldValue::Float(1.0), 1)])).unwrap();
    let mixed = points(&[("m", "v", FieldValue::Float(2.0), 2), ("m", "v", FieldValue::String("x"), 3)]);
    let error = write(&store, &mixed).unwrap_err();
    assert!(matches!(&error, WriteError::Points { message, .. } if message.contains("field type conflict")), "{error}");
    assert!(answer(&store, "SELECT v FROM m").contains("[[1,1],[2,2]]"));
}

#[test]
fn a_point_older_than_its_policy_is_the_points_fault() {
    let (_server, store) = with_place();
    store.keep_in_step(&wanted()).unwrap();
    let error = write(&store, &points(&[("m", "v", FieldValue::Float(1.0), 1)])).unwrap_err();
    let reason = "partial write: points beyond retention policy dropped=1";
    assert!(matches!(&error, WriteError::Points { message, .. } if message.ends_with(reason)), "{error}");
}

#[test]
fn a_text_that_sounds_like_another_error_is_still_the_points_fault() {
    let (_server, store) = with_place();
    let line = "m v=\"database not found timeout\" x";
    let error =
        store.client.http(Generation::V1).post("/write?db=telemetry", "text/plain", line.as_bytes()).unwrap_err();
    assert!(matches!(super::super::v1::write_error(error), WriteError::Points { .. }));
}

#[test]
fn a_missing_database_or_policy_is_no_place() {
    let (server, _) = with_place();
    let store = store(&server.url());
    let to = |place| write(&store, &points_for(place, &[("m", "v", FieldValue::Float(1.0), 1)])).unwrap_err();
    let error = to(place("nosuch", "realtime", true));
    assert!(matches!(&error, WriteError::NoPlace { message } if message.contains("database not found")), "{error}");
    let error = to(place("telemetry", "nosuch", false));
    assert!(
        matches!(&error, WriteError::NoPlace { message } if message.contains("retention policy not found")),
        "{error}"
    );
}

#[test]
fn a_body_that_is_too_large_is_told_apart() {
    let (_server, store) = on(rig::influxdb_with("max-body-size = 1000000"));
    let text = "x".repeat(3000);
    let values: Vec<_> = (0..1000).map(|n| ("m", "v", FieldValue::String(&text), n)).collect();
    let list = points(&values);
    let error = write(&store, &list).unwrap_err();
    assert!(matches!(error, WriteError::TooLarge { .. }), "{error}");
    store.session().write(&list, 0..100).unwrap();
}

#[test]
fn a_server_that_is_gone_is_away_and_works_again_when_it_is_back() {
    let (mut server, store) = with_place();
    let mut session = store.session();
    let list = points(&[("m", "v", FieldValue::Float(1.0), 1)]);
    session.write(&list, 0..1).unwrap();
    let before = store.probe().unwrap().incarnation.unwrap();
    server.kill();
    assert!(matches!(session.write(&list, 0..1), Err(WriteError::Away { .. })));
    assert!(matches!(store.probe(), Err(WriteError::Away { .. })));
    server.start_again();
    session.write(&list, 0..1).unwrap();
    assert_ne!(store.probe().unwrap().incarnation.unwrap(), before);
}

#[test]
fn a_server_that_does_not_answer_is_away_after_the_timeout() {
    let (server, _) = with_place();
    let timeout = HumanDuration(Duration::from_millis(500));
    let store = InfluxDb::new(&InfluxdbConfig { timeout, ..config(&server.url()) }).unwrap();
    let list = points(&[("m", "v", FieldValue::Float(1.0), 1)]);
    write(&store, &list).unwrap();
    server.pause();
    let started = Instant::now();
    let error = write(&store, &list).unwrap_err();
    assert!(
        matches!(&error, WriteError::Away { message } if message.contains("did not answer within 500ms")),
        "{error}"
    );
    assert!(started.elapsed() < Duration::from_secs(5));
    server.resume();
    write(&store, &list).unwrap();
}

#[test]
fn a_probe_tells_version_and_process_and_gives_advice() {
    let server = rig::influxdb_with("[continuous_queries]\nenabled = false\n[retention]\nenabled = false");
    let store = store(&server.url());
    let Probe { version, incarnation, advice } = store.probe().unwrap();
    assert!(version.starts_with("InfluxDB 1."), "{version}");
    assert!(incarnation.unwrap().starts_with(&format!("{}@2", server.pid())));
    assert_eq!(advice.len(), 2);
    assert!(advice[0].contains("[continuous_queries]") && advice[1].contains("[retention]"));
}

#[test]
fn logins_are_checked_and_rights_are_respected() {
    let server = rig::influxdb_with("auth-enabled = true");
    let query = |login: &str, text: &str| {
        let (status, body) = rig::http_post(&format!("{}/query?{login}&q={}", server.url(), rig::encode(text)), "");
        assert_eq!(status, 200, "{body}");
    };
    query("x", "CREATE USER root WITH PASSWORD 'r00t' WITH ALL PRIVILEGES");
    let root = "u=root&p=r00t";
    query(root, "CREATE DATABASE telemetry WITH NAME realtime");
    query(root, "CREATE USER writer WITH PASSWORD 'wr1te'");
    query(root, "GRANT WRITE ON telemetry TO writer");
    let as_user = |user: &str, password: &str| {
        let (username, password) = (Some(user.to_owned()), Some(password.to_owned().into()));
        InfluxDb::new(&InfluxdbConfig { username, password, ..config(&server.url()) }).unwrap()
    };
    let list = points(&[("m", "v", FieldValue::Float(1.0), 1)]);

    let (wrong, nobody) = (as_user("writer", "wr0ng"), store(&server.url()));
    for store in [&wrong, &nobody] {
        let error = write(store, &list).unwrap_err();
        assert!(matches!(&error, WriteError::Denied { message } if !message.contains("wr0ng")), "{error}");
        assert!(matches!(store.probe(), Err(WriteError::Denied { .. })));
    }
    let writer = as_user("writer", "wr1te");
    write(&writer, &list).unwrap();
    assert_eq!(writer.probe().unwrap().incarnation, None);
    assert!(matches!(writer.keep_in_step(&wanted()), Err(WriteError::Denied { .. })));
    let other = points_for(place("other", "p", true), &[("m", "v", FieldValue::Float(1.0), 1)]);
    assert!(matches!(write(&writer, &other), Err(WriteError::Denied { .. } | WriteError::NoPlace { .. })));
    let root = as_user("root", "r00t");
    assert!(root.probe().unwrap().incarnation.is_some());
    root.keep_in_step(&wanted()).unwrap();
}

#[test]
fn errors_that_pass_by_themselves_are_busy() {
    for (status, text) in [
        (500, "engine: cache-max-memory-size exceeded: (1073741900/1073741824)"),
        (500, "timeout"),
        (400, "hinted handoff queue not empty"),
        (500, "write failed: timeout"),
        (503, "Service Unavailable"),
    ] {
        let body = format!("{{\"error\":\"{text}\"}}");
        let fake = Fake::start(move |_| Answer::json(status, body.clone()).with("X-Influxdb-Version: 1.8.10"));
        let version = Version::Known(Generation::V1);
        let store = InfluxDb::new(&InfluxdbConfig { version, ..config(&fake.url()) }).unwrap();
        let error = write(&store, &points(&[("m", "v", FieldValue::Float(1.0), 1)])).unwrap_err();
        assert!(matches!(error, WriteError::Busy { .. }), "{error}");
    }
}

#[test]
fn what_a_server_is_gets_asked_once_and_again_after_it_was_gone() {
    let answer = |asked: &crate::http::fake::Asked| match asked.method.as_str() {
        "GET" => Answer::status(204).with("X-Influxdb-Version: 1.6.7"),
        _ if asked.body.contains("cut") => Answer::Cut,
        _ => Answer::status(204),
    };
    let fake = Fake::start(answer);
    let store = store(&fake.url());
    let list = points(&[("m", "v", FieldValue::Float(1.0), 1)]);
    for _ in 0..3 {
        write(&store, &list).unwrap();
    }
    write(&store, &points(&[("cut", "v", FieldValue::Float(1.0), 1)])).unwrap_err();
    write(&store, &list).unwrap();
    let pings = fake.lines().iter().filter(|line| *line == "GET /ping").count();
    assert_eq!((pings, fake.lines().len()), (2, 7));
}

#[test]
fn a_server_that_does_not_say_what_it_is_must_be_configured() {
    let fake = Fake::start(|_| Answer::status(204));
    let error = write(&store(&fake.url()), &points(&[("m", "v", FieldValue::Float(1.0), 1)])).unwrap_err();
    let hint = "set influxdb.version to 1, 2 or 3";
    assert!(matches!(&error, WriteError::Denied { message } if message.ends_with(hint)), "{error}");
    let fake = Fake::start(|_| Answer::status(404));
    let error = store(&fake.url()).probe().unwrap_err();
    assert!(matches!(&error, WriteError::Denied { message } if message.contains("is it this store?")), "{error}");
}
