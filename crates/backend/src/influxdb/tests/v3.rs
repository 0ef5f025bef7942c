//! InfluxDB 3.x as its documentation says: the requests are checked word by word and answered with what it shows.

use serde_json::{Value, json};

use super::*;
use crate::http::fake::{Answer, Asked, Fake};
use crate::{Health, Manage};

fn store(fake: &Fake) -> InfluxDb {
    InfluxDb::new(&InfluxdbConfig { token: Some("apiv3_t0p".to_owned().into()), ..config(&fake.url()) }).unwrap()
}

/// Even a ping needs the token, in its own form.
fn answering(answer: impl Fn(&Asked) -> Answer + Send + 'static) -> Fake {
    Fake::start(move |asked| match (asked.header("authorization"), asked.target.as_str()) {
        (Some("Bearer apiv3_t0p"), "/ping") => {
            let body = json!({ "version": "3.2.1", "revision": "abc", "process_id": "5f6c" });
            Answer::json(200, body.to_string()).with("X-Influxdb-Version: 3.2.1").with("X-Influxdb-Build: Core")
        }
        (Some("Bearer apiv3_t0p"), _) => answer(asked),
        _ => Answer::json(401, r#"{"error":"the request was not authenticated"}"#),
    })
}

fn one_point() -> PointList {
    points(&[("m,t=a", "v", FieldValue::Unsigned(1), 7)])
}

#[test]
fn points_go_to_the_database_of_their_policy() {
    let fake = answering(|_| Answer::status(204));
    let store = store(&fake);
    write(&store, &one_point()).unwrap();
    let hourly = points_for(place("telemetry", "hourly", false), &[("m", "v", FieldValue::Float(1.5), 7)]);
    write(&store, &hourly).unwrap();
    let writes: Vec<_> = fake.asked().into_iter().filter(|asked| asked.method == "POST").collect();
    assert_eq!(writes[0].line(), "POST /api/v3/write_lp?db=telemetry&precision=nanosecond");
    assert_eq!(writes[1].line(), "POST /api/v3/write_lp?db=telemetry%2Fhourly&precision=nanosecond");
    assert_eq!(writes[0].body, "m,t=a v=1u 7\n");
}

#[test]
fn each_error_of_a_write_means_something() {
    let error = |status: u16, body: &'static str| {
        let fake = answering(move |_| Answer::json(status, body));
        write(&store(&fake), &one_point()).unwrap_err()
    };
    let partial = r#"{"error":"partial write of line protocol occurred","data":[{"original_line":"m v=hi 7","line_number":2,"error_message":"invalid column type for column 'v'"}]}"#;
    let reason = "partial write of line protocol occurred: line 2: invalid column type for column 'v'";
    assert!(matches!(error(400, partial), WriteError::Points { message, .. } if message.ends_with(reason)));
    let whole = r#"{"error":"parsing failed for write_lp endpoint","data":{"original_line":"m","line_number":1,"error_message":"No fields were provided"}}"#;
    assert!(
        matches!(error(400, whole), WriteError::Points { message, .. } if message.ends_with("line 1: No fields were provided"))
    );
    let name = r#"{"error":"invalid character in database name: must be ASCII, containing only letters, numbers, underscores, or hyphens"}"#;
    assert!(matches!(error(400, name), WriteError::Denied { .. }));
    let limit = r#"{"error":"Adding a new database would exceed limit of 5 databases"}"#;
    assert!(matches!(error(422, limit), WriteError::Denied { .. }));
    assert!(matches!(error(404, r#"{"error":"database not found"}"#), WriteError::NoPlace { .. }));
    assert!(matches!(error(403, "{}"), WriteError::Denied { .. }));
    assert!(matches!(error(413, "{}"), WriteError::TooLarge { .. }));
    assert!(matches!(error(500, "{}"), WriteError::Busy { .. }));
}

fn with_databases(names: &[&str]) -> Fake {
    let list: Vec<Value> = names.iter().map(|name| json!({ "iox::database": name })).collect();
    let list = json!(list).to_string();
    answering(move |asked| match asked.line().as_str() {
        "GET /api/v3/configure/database?format=json" => Answer::json(200, list.clone()),
        "POST /api/v3/configure/database" => Answer::status(200),
        _ => Answer::status(404),
    })
}

#[test]
fn databases_are_made_with_their_retention_and_rollups_are_impossible() {
    let fake = with_databases(&["_internal"]);
    let store = store(&fake);
    let wanted = Wanted { rollups: vec![rollup(&[("mean", "avg")])], ..wanted() };
    let steps = store.keep_in_step(&wanted).unwrap();
    assert_eq!(steps[..2], [done("database \"telemetry\" created"), done("database \"telemetry/hourly\" created")]);
    assert!(matches!(&steps[2], Step::Impossible(reason) if reason.contains("hourly_avg")), "{steps:?}");
    let asked = fake.asked();
    let bodies: Vec<Value> = asked
        .iter()
        .filter(|asked| asked.method == "POST")
        .map(|asked| serde_json::from_str(&asked.body).unwrap())
        .collect();
    assert_eq!(
        bodies,
        [json!({ "db": "telemetry", "retention_period": "604800s" }), json!({ "db": "telemetry/hourly" })]
    );
    let fake = with_databases(&["telemetry", "telemetry/hourly"]);
    assert_eq!(super::v3::store(&fake).keep_in_step(&super::wanted()).unwrap(), []);
}

#[test]
fn a_probe_tells_version_and_process_and_checks_the_token() {
    let fake = with_databases(&[]);
    let probe = store(&fake).probe().unwrap();
    assert_eq!((probe.version.as_str(), probe.incarnation.as_deref()), ("InfluxDB 3.2.1", Some("5f6c")));
    let token = Some("apiv3_wr0ng".to_owned().into());
    let wrong = InfluxDb::new(&InfluxdbConfig { token, ..config(&fake.url()) }).unwrap();
    assert!(matches!(wrong.probe(), Err(WriteError::Denied { message }) if !message.contains("wr0ng")));
}

#[test]
fn influxql_is_asked_in_the_database_of_the_policy() {
    let fake = answering(|_| Answer::json(200, r#"{"results":[]}"#));
    let store = store(&fake);
    write(&store, &one_point()).unwrap();
    for policy in [None, Some("realtime"), Some("hourly")] {
        store.ask("telemetry", policy, "SELECT 1").unwrap();
    }
    let lines = fake.lines();
    let query = |db: &str| format!("GET /query?db={db}&q=SELECT%201&epoch=ns&chunked=true");
    let [.., a, b, c] = lines.as_slice() else { panic!("{lines:?}") };
    assert_eq!([a, b, c], [&query("telemetry"), &query("telemetry"), &query("telemetry%2Fhourly")]);
}
