//! What is sent to another hissrv, and what its answers mean; the answers are those of `server`.

use std::io::Read;
use std::time::Duration;

use jiff::Timestamp;
use model::{FieldValue, TimestampNs};

use super::*;
use crate::http::fake::{Answer, Asked, Fake};
use crate::influxdb::query::Ask;
use crate::{
    Database, Destination, Health, Manage, Point, PointList, Points, Policy, Rollup, Step, Wanted, Write, WriteError,
};

fn store(fake: &Fake) -> Hissrv {
    let token = Some("t0p".to_owned().into());
    Hissrv::new(&HissrvConfig { url: fake.url().parse().unwrap(), token, ..HissrvConfig::default() }).unwrap()
}

fn write(store: &Hissrv) -> Result<crate::Written, WriteError> {
    let place = Destination { database: "plant 7".to_owned(), policy: "autogen".to_owned(), is_default: true };
    let mut list = PointList::new(place);
    list.push(Point { series: b"m,t=a", field: "v", value: FieldValue::Unsigned(1), time: TimestampNs(7) });
    store.session().write(&list, 0..list.len())
}

#[test]
fn points_go_to_database_and_policy_as_one_bucket() {
    let fake = Fake::start(|_| Answer::status(204));
    write(&store(&fake)).unwrap();
    let asked = fake.asked().pop().unwrap();
    assert_eq!(asked.line(), "POST /api/v2/write?bucket=plant%207%2Fautogen&precision=ns");
    assert_eq!((asked.body.as_str(), asked.header("authorization")), ("m,t=a v=1u 7\n", Some("Token t0p")));
}

#[test]
fn each_error_of_a_write_means_something() {
    let error = |status: u16, body: &'static str| {
        write(&store(&Fake::start(move |_| Answer::json(status, body).with("Retry-After: 5")))).unwrap_err()
    };
    let partial = r#"{"code":"invalid","message":"partial write: points beyond retention policy dropped=1"}"#;
    assert!(matches!(error(400, partial), WriteError::Points { message, .. } if message.ends_with("dropped=1")));
    let full = r#"{"code":"unavailable","message":"the journal is full"}"#;
    let five = Some(Duration::from_secs(5));
    assert!(matches!(error(503, full), WriteError::Busy { retry_after, .. } if retry_after == five));
    let bucket = r#"{"code":"not found","message":"bucket \"plant 7\" not found"}"#;
    assert!(matches!(error(404, bucket), WriteError::NoPlace { .. }));
    let policy = r#"{"code":"not found","message":"retention policy not found: autogen"}"#;
    assert!(matches!(error(404, policy), WriteError::NoPlace { .. }));
    let route = r#"{"error":"there is nothing at /api/v2/write","code":"not_found","hint":""}"#;
    assert!(matches!(error(404, route), WriteError::Denied { .. }));
    assert!(matches!(error(413, "{}"), WriteError::TooLarge { .. }));
    assert!(matches!(error(408, "{}"), WriteError::Away { .. }));
    let internal = r#"{"code":"internal error","message":"internal error"}"#;
    assert!(matches!(error(500, internal), WriteError::Busy { .. }));
}

#[test]
fn databases_and_policies_are_kept_in_step_and_rollups_are_its_own_affair() {
    let fake = Fake::start(|asked: &Asked| {
        let answer = match asked.body.contains("SHOW") {
            true => r#"{"results":[{"statement_id":0,"error":"database not found: plant"}]}"#,
            false => r#"{"results":[{"statement_id":0}]}"#,
        };
        Answer::json(200, answer)
    });
    let policy = Policy { name: "p".to_owned(), duration: None, shard_duration: None, replication: 1 };
    let database = Database { name: "plant".to_owned(), default_policy: "p".to_owned(), policies: vec![policy] };
    let rollup = Rollup {
        name: "r".to_owned(),
        database: "plant".to_owned(),
        source: "p".to_owned(),
        target: "p".to_owned(),
        interval: Duration::from_secs(60),
        columns: Vec::new(),
    };
    let steps = store(&fake).keep_in_step(&Wanted { databases: vec![database], rollups: vec![rollup] }).unwrap();
    assert_eq!(steps[0], Step::Done("database \"plant\" created".to_owned()));
    assert!(matches!(&steps[2], Step::Impossible(reason) if reason.contains("makes its own")), "{steps:?}");
    assert!(fake.asked().iter().any(|asked| asked.body.contains("CREATE%20DATABASE%20plant%20WITH")));
}

/// A hissrv that has been up for so long.
fn up_for(seconds: u64) -> Fake {
    Fake::start(move |asked| match asked.target.as_str() {
        "/health" => Answer::json(200, r#"{"name":"hissrv","status":"pass","version":"0.1.0"}"#),
        _ => Answer::json(200, format!("{{\"version\":\"0.1.0\",\"uptime_s\":{seconds},\"ready\":true}}")),
    })
}

#[test]
fn a_probe_tells_version_and_start() {
    let fake = up_for(100);
    let probe = store(&fake).probe().unwrap();
    assert_eq!(probe.version, "hissrv 0.1.0");
    let started: Timestamp = probe.incarnation.unwrap().parse().unwrap();
    let ago = Timestamp::now().duration_since(started).as_secs();
    assert!((99..=103).contains(&ago), "{ago}");
}

#[test]
fn a_start_is_the_same_until_the_process_is_another() {
    let store = store(&up_for(0));
    let at = |second: i64| Timestamp::from_second(1_700_000_000 + second).unwrap();
    let started = |now, uptime| store.started(at(now), Duration::from_secs(uptime)).unwrap();
    assert_eq!(started(100, 100), at(0));
    assert_eq!(started(161, 160), at(0));
    assert_eq!(started(219, 220), at(0));
    assert_eq!(started(300, 5), at(295));
}

#[test]
fn something_else_at_the_address_needs_a_person() {
    let fake = Fake::start(|_| Answer::json(200, r#"{"name":"influxdb","status":"pass"}"#));
    let error = store(&fake).probe().unwrap_err();
    assert!(matches!(&error, WriteError::Denied { message } if message.contains("listens no hissrv")), "{error}");
    let fake = Fake::start(|_| Answer::Reply(200, Vec::new(), "<html>".to_owned()));
    assert!(matches!(store(&fake).probe(), Err(WriteError::Denied { .. })));
}

#[test]
fn it_is_asked_in_influxql() {
    let fake = Fake::start(|_| Answer::json(200, r#"{"results":[]}"#));
    let mut answer = String::new();
    store(&fake).ask("plant", Some("p"), "SELECT 1").unwrap().read_to_string(&mut answer).unwrap();
    assert_eq!(answer, r#"{"results":[]}"#);
    let asked = fake.asked().pop().unwrap();
    let body = "db=plant&rp=p&q=SELECT%201&epoch=ns&chunked=true";
    assert_eq!((asked.line().as_str(), asked.body.as_str()), ("POST /query", body));
}

#[test]
fn settings_hold_no_secret_when_shown() {
    let config: HissrvConfig =
        serde_json::from_str(r#"{"url": "https://u:s3cret@centre", "token": "s3cret"}"#).unwrap();
    assert!(!format!("{config:?}{}", serde_json::to_string(&config).unwrap()).contains("s3cret"));
    let wrong = HissrvConfig { timeout: model::HumanDuration(Duration::ZERO), ..config };
    assert!(Hissrv::new(&wrong).is_err());
}
