//! Plots and what answers say of themselves: from a request to the points of a curve.

use std::fmt::Write as _;

use serde_json::{Value, json};

use crate::support::{Answer, Client, Folder, Service};

/// A day of a value every 10 seconds with one spike a night, from 2026-03-01T00:00:00Z, as line protocol in seconds.
const START_S: i64 = 1_772_323_200;
const POINTS: i64 = 8_640;
const SPIKE: i64 = 1_234;

fn lines() -> String {
    let mut lines = String::new();
    for i in 0..POINTS {
        let value = if i == SPIKE { 99.5 } else { ((i * 7) % 40) as f64 / 2.0 };
        let state = if i % 1000 == 0 { "on" } else { "off" };
        writeln!(lines, "m,a=1 value={value},state=\"{state}\" {}", START_S + 10 * i).unwrap();
    }
    lines
}

fn service() -> (Folder, Service, Client) {
    let folder = Folder::new();
    let service = Service::start(&folder, "");
    let mut client = service.client();
    assert_eq!(client.post("/write?db=telemetry&precision=s", lines()).status, 204);
    (folder, service, client)
}

fn ask(client: &mut Client, kind: &str, question: &Value) -> Answer {
    client.post(&format!("/api/v1/query/{kind}?epoch=s"), question.to_string()).ok()
}

/// Times and values of one series of an answer.
fn points(series: &Value) -> Vec<(i64, Value)> {
    let rows = series["values"].as_array().unwrap();
    rows.iter().map(|row| (row[0].as_i64().unwrap(), row[1].clone())).collect()
}

fn plot(method: &str, width_px: u32) -> Value {
    json!({ "measurement": "m", "start": START_S, "end": START_S + 86_399, "width_px": width_px, "method": method })
}

#[test]
fn a_plot_has_few_stored_points_and_misses_no_spike() {
    let (_folder, service, mut client) = service();
    client.post("/api/v1/admin/flush", "").ok();
    for (method, most) in [("m4", 400), ("minmax", 200), ("lttb", 100)] {
        let answer = ask(&mut client, "plot", &plot(method, 100)).json();
        let [series] = answer["series"].as_array().unwrap().as_slice() else { panic!("{answer}") };
        assert_eq!((&series["tags"], &series["columns"]), (&json!({ "a": "1" }), &json!(["time", "value"])));
        let points = points(series);
        assert!(points.len() <= most && points.len() > most / 3, "{method}: {}", points.len());
        assert!(points.is_sorted_by_key(|(time, _)| *time), "{method}");
        assert!(points.contains(&(START_S + 10 * SPIKE, json!(99.5))), "{method}");
        for (time, value) in points {
            let i = (time - START_S) / 10;
            let stored = if i == SPIKE { 99.5 } else { ((i * 7) % 40) as f64 / 2.0 };
            assert_eq!((time, value.as_f64()), (START_S + 10 * i, Some(stored)), "{method}");
        }
    }
    service.stop();
}

#[test]
fn fields_of_a_plot_are_series_of_their_own_also_texts() {
    let (_folder, service, mut client) = service();
    let mut question = plot("m4", 1);
    question["fields"] = json!(["state", "value"]);
    let answer = ask(&mut client, "plot", &question).json();
    let [state, value] = answer["series"].as_array().unwrap().as_slice() else { panic!("{answer}") };
    assert_eq!((&state["columns"][1], &value["columns"][1]), (&json!("state"), &json!("value")));
    assert_eq!(points(state), [(START_S, json!("on")), (START_S + 86_390, json!("off"))]);
    assert_eq!(points(value)[1], (START_S + 10 * SPIKE, json!(99.5)));
    service.stop();
}

#[test]
fn answers_tell_what_the_cache_did_and_switches_are_taken() {
    let (_folder, service, mut client) = service();
    let series = json!({ "measurement": "m", "limit": 1, "cacheable": false });
    let aggregate =
        json!({ "aggregate_type": "statistical", "measurement": "m", "cacheable": false, "rollups": false });
    let custom = json!({ "aggregate_type": "custom", "custom_query": "SELECT max(value) FROM m", "cacheable": false, "rollups": false });
    let mut plot = plot("m4", 5);
    (plot["cacheable"], plot["rollups"]) = (json!(false), json!(false));
    for (kind, question) in [("series", series), ("aggregate", aggregate), ("aggregate", custom), ("plot", plot)] {
        let answer = ask(&mut client, kind, &question);
        assert_eq!(answer.header("cache"), "bypass", "{kind}");
        assert_eq!(answer.json()["cache"], "bypass", "{kind}");
    }
    let answer = client.get("/query?db=telemetry&rollups=false&cacheable=false&q=SELECT%20max(value)%20FROM%20m").ok();
    assert_eq!(answer.json()["results"][0]["series"][0]["values"][0][1], json!(99.5));
    service.stop();
}

#[test]
fn a_wrong_plot_is_answered_with_what_is_expected() {
    let (_folder, service, mut client) = service();
    let mut wrong = |question: &str| {
        let answer = client.post("/api/v1/query/plot", question);
        (answer.status, answer.json()["error"].as_str().unwrap().to_owned())
    };
    let (status, message) = wrong(r#"{"measurement": "m", "start": 0, "width_px": 0}"#);
    assert_eq!((status, message.as_str()), (400, "`width_px` is 0: expected a number of pixels from 1 to 10000"));
    let (status, message) = wrong(r#"{"measurement": "m", "width_px": 9}"#);
    assert_eq!((status, message.starts_with("`start` is missing: ")), (400, true), "{message}");
    service.stop();
}
