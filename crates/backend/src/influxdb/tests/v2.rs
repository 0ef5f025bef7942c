//! InfluxDB 2.x as its documentation says: the requests are checked word by word and answered with what it shows.

use serde_json::{Value, json};

use super::*;
use crate::http::fake::{Answer, Asked, Fake};
use crate::{Health, Manage};

const TOKEN: &str = "Token t0p";

fn store(fake: &Fake) -> InfluxDb {
    let (token, org) = (Some("t0p".to_owned().into()), Some("voltage ems".to_owned()));
    InfluxDb::new(&InfluxdbConfig { token, org, ..config(&fake.url()) }).unwrap()
}

/// What is asked before anything else: which server, and the number of the organisation.
fn begin(asked: &Asked) -> Option<Answer> {
    assert_eq!(asked.header("authorization"), Some(TOKEN));
    match asked.line().as_str() {
        "GET /ping" => Some(Answer::status(204).with("X-Influxdb-Version: v2.7.1").with("X-Influxdb-Build: OSS")),
        "GET /api/v2/orgs?org=voltage%20ems" => {
            Some(Answer::json(200, r#"{"orgs":[{"id":"0a","name":"voltage ems"}]}"#))
        }
        _ => None,
    }
}

fn answering(answer: impl Fn(&Asked) -> Answer + Send + 'static) -> Fake {
    Fake::start(move |asked| begin(asked).unwrap_or_else(|| answer(asked)))
}

fn changes(fake: &Fake) -> Vec<(String, Value)> {
    let changes = fake.asked().into_iter().filter(|asked| asked.method != "GET");
    changes.map(|asked| (asked.line(), serde_json::from_str(&asked.body).unwrap())).collect()
}

fn one_point() -> PointList {
    points(&[("m,t=a", "v", FieldValue::Unsigned(1), 7)])
}

#[test]
fn points_go_to_the_bucket_of_their_policy() {
    let fake = answering(|_| Answer::status(204));
    let store = store(&fake);
    write(&store, &one_point()).unwrap();
    let hourly = points_for(place("telemetry", "hourly", false), &[("m", "v", FieldValue::Float(1.5), 7)]);
    write(&store, &hourly).unwrap();
    let asked = &fake.asked()[1..];
    let base = "POST /api/v2/write?org=voltage%20ems&bucket=telemetry";
    assert_eq!(asked[0].line(), format!("{base}&precision=ns"));
    assert_eq!(asked[1].line(), format!("{base}%2Fhourly&precision=ns"));
    assert_eq!((asked[0].body.as_str(), asked[1].body.as_str()), ("m,t=a v=1u 7\n", "m v=1.5 7\n"));
}

#[test]
fn each_error_of_a_write_means_something() {
    let error = |status: u16, body: &'static str| {
        let fake = answering(move |_| Answer::json(status, body).with("Retry-After: 30"));
        write(&store(&fake), &one_point()).unwrap_err()
    };
    let parse = r#"{"code":"invalid","message":"unable to parse 'm v=+ 7': invalid number"}"#;
    assert!(matches!(error(400, parse), WriteError::Points { message, .. } if message.contains("invalid number")));
    let conflict = r#"{"code":"unprocessable entity","message":"failure writing points to database: partial write: field type conflict: input field \"v\" on measurement \"m\" is type float, already exists as type integer dropped=1"}"#;
    assert!(
        matches!(error(422, conflict), WriteError::Points { message, .. } if message.contains("field type conflict"))
    );
    let unauthorized = r#"{"code":"unauthorized","message":"unauthorized access"}"#;
    assert!(matches!(error(401, unauthorized), WriteError::Denied { .. }));
    let forbidden = r#"{"code":"forbidden","message":"insufficient permissions for write"}"#;
    assert!(matches!(error(403, forbidden), WriteError::Denied { .. }));
    let bucket = r#"{"code":"not found","message":"bucket \"telemetry\" not found"}"#;
    assert!(matches!(error(404, bucket), WriteError::NoPlace { .. }));
    let org = r#"{"code":"not found","message":"organization name \"voltage ems\" not found"}"#;
    assert!(matches!(error(404, org), WriteError::Denied { message } if message.contains("influxdb.org")));
    let large = r#"{"code":"request too large","message":"cannot read data: points batch is too large"}"#;
    assert!(matches!(error(413, large), WriteError::TooLarge { .. }));
    for status in [429, 503] {
        let wait = Some(Duration::from_secs(30));
        assert!(matches!(error(status, "{}"), WriteError::Busy { retry_after, .. } if retry_after == wait));
    }
    let internal = r#"{"code":"internal error","message":"unexpected error writing points to database: timeout"}"#;
    assert!(matches!(error(500, internal), WriteError::Busy { .. }));
}

/// A server that has nothing yet.
fn empty(asked: &Asked) -> Answer {
    match (asked.method.as_str(), asked.target.split('?').next().unwrap()) {
        ("GET", "/api/v2/buckets") => Answer::json(200, r#"{"links":{},"buckets":[]}"#),
        ("GET", "/api/v2/dbrps") => Answer::json(200, r#"{"content":[]}"#),
        ("GET", "/api/v2/tasks") => Answer::json(200, r#"{"links":{},"tasks":[]}"#),
        ("POST", "/api/v2/buckets") => {
            let name = serde_json::from_str::<Value>(&asked.body).unwrap()["name"].clone();
            Answer::json(201, json!({ "id": format!("b-{}", name.as_str().unwrap()), "name": name }).to_string())
        }
        ("POST", "/api/v2/dbrps" | "/api/v2/tasks") => Answer::json(201, r#"{"id":"1"}"#),
        _ => Answer::status(404),
    }
}

#[test]
fn buckets_mappings_and_tasks_are_made() {
    let fake = answering(empty);
    let wanted = Wanted { rollups: vec![rollup(&[("mean", "avg")])], ..wanted() };
    let steps = store(&fake).keep_in_step(&wanted).unwrap();
    let expected = [
        "bucket \"telemetry\" created",
        "bucket \"telemetry/hourly\" created",
        "mapping of database \"telemetry\" and policy \"realtime\" to bucket \"telemetry\" made",
        "mapping of database \"telemetry\" and policy \"hourly\" to bucket \"telemetry/hourly\" made",
        "task \"hissrv telemetry/hourly_avg\" created",
    ];
    assert_eq!(steps, expected.map(done));
    let made = changes(&fake);
    let week = json!([{ "type": "expire", "everySeconds": 604_800 }]);
    let bucket = json!({ "orgID": "0a", "name": "telemetry", "retentionRules": week });
    assert_eq!(made[0], ("POST /api/v2/buckets".to_owned(), bucket));
    let bucket = json!({ "orgID": "0a", "name": "telemetry/hourly", "retentionRules": [] });
    assert_eq!(made[1], ("POST /api/v2/buckets".to_owned(), bucket));
    let mapping = json!({ "orgID": "0a", "bucketID": "b-telemetry", "database": "telemetry", "retention_policy": "realtime", "default": true });
    assert_eq!(made[2], ("POST /api/v2/dbrps".to_owned(), mapping));
    assert_eq!((&made[3].1["bucketID"], &made[3].1["default"]), (&json!("b-telemetry/hourly"), &json!(false)));
    let (line, task) = &made[4];
    assert_eq!(
        (line.as_str(), &task["orgID"], &task["status"]),
        ("POST /api/v2/tasks", &json!("0a"), &json!("active"))
    );
    let script = task["flux"].as_str().unwrap();
    assert!(script.contains(r#"from(bucket: "telemetry")"#), "{script}");
    assert!(script.contains(r#"to(bucket: "telemetry/hourly", org: "voltage ems")"#), "{script}");
    let lists: Vec<_> =
        fake.lines().into_iter().filter(|line| line.contains("GET /api/v2/") && !line.contains("orgs")).collect();
    let expected = [
        "GET /api/v2/buckets?orgID=0a&name=telemetry",
        "GET /api/v2/buckets?orgID=0a&name=telemetry%2Fhourly",
        "GET /api/v2/dbrps?orgID=0a&db=telemetry",
        "GET /api/v2/tasks?orgID=0a&name=hissrv%20telemetry%2Fhourly_avg",
    ];
    assert_eq!(lists, expected);
}

/// A server that has all that [`wanted`] wants, with this retention of the first bucket and this script.
fn full(every: u64, script: &str) -> impl Fn(&Asked) -> Answer + Send + use<> {
    let script = script.to_owned();
    move |asked: &Asked| {
        match asked.line().as_str() {
        "GET /api/v2/buckets?orgID=0a&name=telemetry" => {
            let rules = json!([{ "type": "expire", "everySeconds": every, "shardGroupDurationSeconds": 86_400 }]);
            Answer::json(200, json!({ "buckets": [{ "id": "b1", "name": "telemetry", "retentionRules": rules }] }).to_string())
        }
        "GET /api/v2/buckets?orgID=0a&name=telemetry%2Fhourly" => {
            let rules = json!([{ "type": "expire", "everySeconds": 0, "shardGroupDurationSeconds": 604_800 }]);
            Answer::json(200, json!({ "buckets": [{ "id": "b2", "name": "telemetry/hourly", "retentionRules": rules }] }).to_string())
        }
        "GET /api/v2/dbrps?orgID=0a&db=telemetry" => Answer::json(200, json!({ "content": [
            { "id": "d0", "database": "telemetry", "retention_policy": "autogen", "default": false, "orgID": "0a", "bucketID": "b1", "virtual": true },
            { "id": "d1", "database": "telemetry", "retention_policy": "realtime", "default": true, "orgID": "0a", "bucketID": "b1" },
            { "id": "d2", "database": "telemetry", "retention_policy": "hourly", "default": false, "orgID": "0a", "bucketID": "b2", "virtual": true },
        ] }).to_string()),
        line if line.starts_with("GET /api/v2/tasks?") => {
            let task = json!({ "id": "t1", "name": "hissrv telemetry/hourly_avg", "flux": script, "status": "inactive" });
            Answer::json(200, json!({ "tasks": [task] }).to_string())
        }
        line if line.starts_with("PATCH ") => Answer::json(200, "{}"),
        _ => Answer::status(404),
    }
    }
}

#[test]
fn what_fits_is_left_and_what_differs_is_changed() {
    let wanted = Wanted { rollups: vec![rollup(&[("mean", "avg")])], ..wanted() };
    let fake = answering(empty);
    store(&fake).keep_in_step(&wanted).unwrap();
    let script = changes(&fake)[4].1["flux"].as_str().unwrap().to_owned();

    let fake = answering(full(604_800, &format!("\n{script}  ")));
    assert_eq!(store(&fake).keep_in_step(&wanted).unwrap(), []);

    let fake = answering(full(86_400, "option task = {name: \"hissrv telemetry/hourly_avg\", every: 1h}"));
    let steps = store(&fake).keep_in_step(&wanted).unwrap();
    let expected = ["bucket \"telemetry\" changed: kept for 1w", "task \"hissrv telemetry/hourly_avg\" changed"];
    assert_eq!(steps, expected.map(done));
    let rules = json!({ "retentionRules": [{ "type": "expire", "everySeconds": 604_800, "shardGroupDurationSeconds": 86_400 }] });
    let changed = changes(&fake);
    assert_eq!(changed[0], ("PATCH /api/v2/buckets/b1".to_owned(), rules));
    assert_eq!(changed[1], ("PATCH /api/v2/tasks/t1".to_owned(), json!({ "flux": script })));
}

#[test]
fn a_mapping_that_is_taken_and_one_that_is_no_default_are_told_apart() {
    let fake = answering(|asked| {
        match asked.line().as_str() {
        "GET /api/v2/dbrps?orgID=0a&db=telemetry" => Answer::json(200, json!({ "content": [
            { "id": "d1", "database": "telemetry", "retention_policy": "realtime", "default": false, "orgID": "0a", "bucketID": "b1" },
            { "id": "d2", "database": "telemetry", "retention_policy": "hourly", "default": true, "orgID": "0a", "bucketID": "other" },
        ] }).to_string()),
        _ => full(604_800, "")(asked),
    }
    });
    let steps = store(&fake).keep_in_step(&wanted()).unwrap();
    assert_eq!(
        steps[0],
        done("mapping of database \"telemetry\" and policy \"realtime\" to bucket \"telemetry\" made the default")
    );
    assert!(matches!(&steps[1], Step::Impossible(reason) if reason.contains("remove the mapping \"d2\"")), "{steps:?}");
    assert_eq!(changes(&fake), [("PATCH /api/v2/dbrps/d1?orgID=0a".to_owned(), json!({ "default": true }))]);
}

#[test]
fn what_the_server_refuses_is_impossible() {
    let fake = answering(|asked| match asked.method.as_str() {
        "POST" => Answer::json(422, r#"{"code":"unprocessable entity","message":"not so"}"#),
        _ => empty(asked),
    });
    let wanted = Wanted { rollups: vec![rollup(&[("mean", "avg")]), rollup(&[("percentile_of", "x")])], ..wanted() };
    let steps = store(&fake).keep_in_step(&wanted).unwrap();
    let impossible = |text: &str| Step::Impossible(text.to_owned());
    assert_eq!(steps[0], impossible("bucket \"telemetry\": not so"));
    assert_eq!(steps[2], impossible("task \"hissrv telemetry/hourly_avg\": not so"));
    assert_eq!(steps[3], impossible("task \"hissrv telemetry/hourly_avg\": Flux has no function like percentile_of"));
}

#[test]
fn an_unknown_organisation_or_none_needs_a_person() {
    let fake = Fake::start(|asked| match asked.target.as_str() {
        "/ping" => Answer::status(204).with("X-Influxdb-Version: 2.7.1"),
        _ => Answer::json(404, r#"{"code":"not found","message":"organization name \"voltage ems\" not found"}"#),
    });
    let error = store(&fake).keep_in_step(&wanted()).unwrap_err();
    assert!(matches!(&error, WriteError::Denied { message } if message.contains("look at influxdb.org")), "{error}");
    let error = super::store(&fake.url()).keep_in_step(&wanted()).unwrap_err();
    assert!(matches!(&error, WriteError::Denied { message } if message.contains("set influxdb.org")), "{error}");
}

#[test]
fn a_probe_tells_version_and_start_and_checks_the_token() {
    let fake =
        answering(|_| Answer::Reply(200, Vec::new(), "# HELP x\nprocess_start_time_seconds 1.7e+09\n".to_owned()));
    let probe = store(&fake).probe().unwrap();
    assert_eq!((probe.version.as_str(), probe.incarnation.as_deref()), ("InfluxDB 2.7.1", Some("1.7e+09")));
    let fake = Fake::start(|asked| match asked.target.as_str() {
        "/ping" => Answer::status(204),
        "/health" => Answer::json(200, r#"{"name":"influxdb","status":"pass","version":"v2.0.9"}"#),
        _ => Answer::json(401, r#"{"code":"unauthorized","message":"unauthorized access"}"#),
    });
    assert!(matches!(store(&fake).probe(), Err(WriteError::Denied { .. })));
    assert_eq!(store(&fake).client.look().unwrap().version, "2.0.9");
}

#[test]
fn influxql_is_asked_with_database_and_policy() {
    let fake = answering(|_| Answer::json(200, r#"{"results":[]}"#));
    store(&fake).ask("telemetry", Some("hourly"), "SELECT 1").unwrap();
    let asked = fake.asked().pop().unwrap();
    assert_eq!(asked.line(), "POST /query");
    assert_eq!(asked.body, "db=telemetry&rp=hourly&q=SELECT%201&epoch=ns&chunked=true");
}
