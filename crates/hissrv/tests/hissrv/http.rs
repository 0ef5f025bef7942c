//! The HTTP service as clients meet it: InfluxDB's write protocol, questions, the state of the service, errors.

use std::collections::BTreeSet;
use std::io::Write as _;

use flate2::{Compression, write::GzEncoder};
use serde_json::{Value, json};

use crate::support::{Answer, Client, Folder, Service, rows_of, wait_for};

const WRITE: &str = "/write?db=telemetry";

fn service() -> (Folder, Service) {
    let folder = Folder::new();
    let service = Service::start(&folder, "");
    (folder, service)
}

/// Times and values of a measurement.
fn values(client: &mut Client, measurement: &str) -> Vec<(i64, f64)> {
    rows_of(client, measurement).iter().map(|row| (row.time, row.float("value").unwrap())).collect()
}

#[test]
fn a_write_with_bad_lines_stores_the_good_ones_and_names_line_and_column_of_the_others() {
    let (_folder, service) = service();
    let mut client = service.client();
    let answer = client.post(WRITE, "m,a=1 value=1 1\nm,a=1 value=x 2\n\n# note\nm,a=1 value=3 3\nm,a=1\n");
    assert_eq!(answer.status, 400);
    let message = answer.json()["error"].as_str().unwrap().to_owned();
    assert!(message.starts_with("partial write: unable to parse 'm,a=1 value=x 2': invalid boolean"), "{message}");
    assert!(message.contains("(line 2, column ") && message.contains("(line 6, column "), "{message}");
    assert!(message.ends_with("dropped=0"), "{message}");
    assert_eq!(values(&mut client, "m"), [(1, 1.0), (3, 3.0)]);
    let nothing = client.post(WRITE, "nonsense");
    assert_eq!(nothing.status, 400);
    let message = nothing.json()["error"].as_str().unwrap().to_owned();
    assert!(message.starts_with("unable to parse 'nonsense': missing fields"), "{message}");
    service.stop();
}

#[test]
fn a_field_of_another_type_is_refused_with_influxdbs_words_and_the_rest_is_stored() {
    let (_folder, service) = service();
    let mut client = service.client();
    client.write("m value=1 1");
    let answer = client.post(WRITE, "m value=\"text\" 2\nm value=3 3");
    assert_eq!(answer.status, 400);
    let message = answer.json()["error"].as_str().unwrap().to_owned();
    let words = "partial write: field type conflict: input field \"value\" on measurement \"m\" is type string, already exists as type float";
    assert!(message.starts_with(words) && message.contains("line 1") && message.ends_with("dropped=1"), "{message}");
    assert_eq!(values(&mut client, "m"), [(1, 1.0), (3, 3.0)]);
    service.stop();
}

#[test]
fn bodies_may_be_gzipped_and_times_may_have_any_precision() {
    let (_folder, service) = service();
    let mut client = service.client();
    let mut gzip = GzEncoder::new(Vec::new(), Compression::default());
    gzip.write_all(b"zipped value=1 5\n").unwrap();
    let body = gzip.finish().unwrap();
    let answer = client.send("POST", WRITE, &["Content-Encoding: gzip"], &body).unwrap();
    assert_eq!(answer.status, 204, "{}", answer.text());
    assert_eq!(values(&mut client, "zipped"), [(5, 1.0)]);
    let broken = client.send("POST", WRITE, &["Content-Encoding: gzip"], b"no gzip").unwrap();
    assert_eq!(broken.status, 400, "{}", broken.text());
    let unknown = client.send("POST", WRITE, &["Content-Encoding: br"], b"zipped value=1 6").unwrap();
    assert_eq!(unknown.status, 415, "{}", unknown.text());
    for (precision, unit) in [
        ("ns", 1),
        ("n", 1),
        ("u", 1_000),
        ("ms", 1_000_000),
        ("s", 1_000_000_000),
        ("m", 60_000_000_000),
        ("h", 3_600_000_000_000),
    ] {
        assert_eq!(
            client.post(&format!("{WRITE}&precision={precision}"), format!("p_{precision} value=1 7")).status,
            204
        );
        assert_eq!(values(&mut client, &format!("p_{precision}")), [(7 * unit, 1.0)], "{precision}");
    }
    for (precision, unit) in [("ns", 1), ("us", 1_000), ("ms", 1_000_000), ("s", 1_000_000_000)] {
        let path = format!("/api/v2/write?org=any&bucket=telemetry&precision={precision}");
        assert_eq!(client.post(&path, format!("v2_{precision} value=2 7")).status, 204);
        assert_eq!(values(&mut client, &format!("v2_{precision}")), [(7 * unit, 2.0)], "{precision}");
    }
    service.stop();
}

#[test]
fn writes_to_unknown_places_are_refused_in_the_words_of_either_version() {
    let (_folder, service) = service();
    let mut client = service.client();
    let v1 = client.post("/write?db=nowhere", "m value=1");
    assert_eq!((v1.status, v1.json()), (404, json!({ "error": "database not found: \"nowhere\"" })));
    let v2 = client.post("/api/v2/write?bucket=nowhere", "m value=1");
    assert_eq!((v2.status, &v2.json()["code"]), (404, &json!("not found")));
    let policy = client.post(&format!("{WRITE}&rp=nowhere"), "m value=1");
    assert_eq!((policy.status, policy.json()), (500, json!({ "error": "retention policy not found: nowhere" })));
    assert_eq!(client.post("/write", "m value=1").json(), json!({ "error": "database is required" }));
    service.stop();
}

#[test]
fn ping_health_and_ready_say_how_it_is() {
    let (_folder, service) = service();
    let mut client = service.client();
    for method in ["GET", "HEAD"] {
        let ping = client.send(method, "/ping", &[], b"").unwrap();
        assert_eq!(ping.status, 204);
        assert!(ping.header("x-influxdb-version").starts_with("1."), "{ping:?}");
        assert_eq!(ping.header("x-influxdb-build"), "OSS");
    }
    assert!(client.get("/ping?verbose=true").ok().json()["version"].is_string());
    let health = client.get("/health").ok().json();
    assert_eq!((&health["status"], &health["name"]), (&json!("pass"), &json!("hissrv")));
    assert_eq!(client.get("/ready").ok().json()["status"], "ready");
    let status = client.get("/api/v1/status").ok().json();
    for key in ["version", "uptime_s", "ready", "sources", "intake", "journal", "engine"] {
        assert!(status.get(key).is_some(), "{key} is missing: {status}");
    }
    let openapi = client.get("/api/v1/openapi.json").ok().json();
    assert!(openapi["openapi"].as_str().unwrap().starts_with("3.") && openapi["paths"]["/write"].is_object());
    for page in ["/", "/docs"] {
        assert!(client.get(page).ok().header("content-type").starts_with("text/html"));
    }
    service.stop();
}

/// A sample of Prometheus text: its name, labels as text, value.
fn samples(text: &str) -> Vec<(String, String, f64)> {
    let sample = |line: &str| {
        let (key, value) = line.rsplit_once(' ').unwrap_or_else(|| panic!("no value: {line}"));
        let (name, labels) = key.split_once('{').unwrap_or((key, ""));
        (
            name.to_owned(),
            labels.trim_end_matches('}').to_owned(),
            value.parse().unwrap_or_else(|e| panic!("{e}: {line}")),
        )
    };
    text.lines().filter(|line| !line.starts_with('#')).map(sample).collect()
}

#[test]
fn metrics_are_prometheus_text_and_account_for_every_value() {
    let (_folder, service) = service();
    let mut client = service.client();
    client.write("m value=1,other=2 1\nm value=2 2");
    assert_eq!(client.post(WRITE, "m value=3 3\nnonsense\nm value=\"x\" 4").status, 400);
    let answer = client.get("/metrics").ok();
    assert!(answer.header("content-type").starts_with("text/plain; version=0.0.4"));
    let text = answer.text();
    let described = |kind: &str| -> BTreeSet<String> {
        let names = text.lines().filter_map(|line| line.strip_prefix(kind)?.split(' ').next());
        let list: Vec<String> = names.map(str::to_owned).collect();
        let set: BTreeSet<String> = list.iter().cloned().collect();
        assert_eq!(list.len(), set.len(), "{kind} is given twice");
        set
    };
    let (help, types) = (described("# HELP "), described("# TYPE "));
    assert_eq!(help, types);
    let samples = samples(&text);
    assert!(samples.len() > 40, "{text}");
    let mut seen = BTreeSet::new();
    for (name, labels, _) in &samples {
        let stem = ["_sum", "_count", "_bucket"].iter().find_map(|end| name.strip_suffix(end)).unwrap_or(name);
        assert!(help.contains(name) || help.contains(stem), "{name} has no HELP and TYPE");
        assert!(seen.insert((name, labels)), "{name}{{{labels}}} is given twice");
    }
    let count = |result: &str| {
        let labels = format!("origin=\"http\",result=\"{result}\"");
        let found = samples.iter().find(|(name, l, _)| name == "hissrv_ingest_values_total" && *l == labels);
        found.unwrap_or_else(|| panic!("no {labels}")).2
    };
    assert_eq!((count("journaled"), count("rejected"), count("dropped")), (4.0, 2.0, 0.0));
    assert_eq!(count("received"), count("journaled") + count("rejected") + count("dropped"));
    service.stop();
}

/// Ten points a second apart of two channels, at 2023-11-14T22:13:20Z and after.
fn with_points() -> (Folder, Service) {
    let (folder, service) = service();
    let mut lines = String::new();
    for i in 0..10 {
        for channel in [1001, 1002] {
            let (value, time) = (channel - 1001 + i, 1_700_000_000 + i);
            lines += &format!("measurement,channel={channel},point=1,type=m value={value} {time}\n");
        }
    }
    assert_eq!(service.client().post(&format!("{WRITE}&precision=s"), lines).status, 204);
    (folder, service)
}

fn series(client: &mut Client, question: &Value) -> Value {
    client.post("/api/v1/query/series?epoch=s", question.to_string()).ok().json()
}

fn aggregate(client: &mut Client, question: &Value) -> Value {
    client.post("/api/v1/query/aggregate?epoch=s", question.to_string()).ok().json()
}

#[test]
fn stored_points_are_found_by_tags_time_order_and_limit() {
    let (_folder, service) = with_points();
    let mut client = service.client();
    let mut question = json!({
        "measurement": "measurement", "fields": ["value"], "tags": { "channel": "1002" }, "group_by": ["channel"],
        "start": "2023-11-14T22:13:22Z", "end": 1_700_000_005, "order": "desc", "limit": 3,
    });
    let answer = series(&mut client, &question);
    let expected = json!([{
        "name": "measurement", "tags": { "channel": "1002" }, "columns": ["time", "value"],
        "values": [[1_700_000_005, 6], [1_700_000_004, 5], [1_700_000_003, 4]],
    }]);
    assert_eq!((&answer["series"], &answer["rows"]), (&expected, &json!(3)));
    question["offset"] = json!(3);
    assert_eq!(series(&mut client, &question)["series"][0]["values"], json!([[1_700_000_002, 3]]));
    let both = series(&mut client, &json!({ "measurement": "measurement", "tags": { "channel": ["1001", "1002"] } }));
    assert_eq!((&both["rows"], both["series"].as_array().map(Vec::len)), (&json!(20), Some(1)), "{both}");
    let rfc3339 = client.post("/api/v1/query/series", r#"{"measurement":"measurement","limit":1}"#).ok().json();
    assert_eq!(rfc3339["series"][0]["values"][0][0], "2023-11-14T22:13:29Z", "{rfc3339}");
    service.stop();
}

#[test]
fn windows_of_switches_and_texts_have_the_columns_that_their_types_allow() {
    let (_folder, service) = with_points();
    let mut client = service.client();
    client.write("switch on=true 1700000000000000000\nswitch on=false 1700000001000000000");
    let question = |function: &str| {
        json!({
            "aggregate_type": "time_window", "function": function, "measurement": "switch", "fields": ["on"],
            "interval": "1h", "start": "2023-11-14T22:00:00Z", "end": "2023-11-14T22:59:59Z",
        })
    };
    let last = aggregate(&mut client, &question("last"));
    assert_eq!(last["series"][0]["columns"], json!(["time", "value", "count", "min", "max"]), "{last}");
    assert_eq!(last["series"][0]["values"][0][1], json!(false), "{last}");
    let refused = client.post("/api/v1/query/aggregate", question("mean").to_string());
    assert_eq!(refused.status, 400, "{}", refused.text());
    service.stop();
}

#[test]
fn aggregates_are_computed_by_window_and_over_all() {
    let (_folder, service) = with_points();
    let mut client = service.client();
    let windows = aggregate(
        &mut client,
        &json!({
            "aggregate_type": "time_window", "function": "sum", "measurement": "measurement", "interval": "5s",
            "start": "2023-11-14T22:13:20Z", "end": "2023-11-14T22:13:29Z", "filters": { "channel": "1001" },
        }),
    );
    let rows = &windows["series"][0]["values"];
    assert_eq!((&rows[0][0], &rows[0][1]), (&json!(1_700_000_000), &json!(10)), "{windows}");
    assert_eq!((&rows[1][0], &rows[1][1]), (&json!(1_700_000_005), &json!(35)), "{windows}");
    assert_eq!(rows.as_array().unwrap().len(), 2, "{windows}");
    let all = aggregate(
        &mut client,
        &json!({ "aggregate_type": "statistical", "measurement": "measurement", "group_by": ["channel"] }),
    );
    let one = &all["series"][1];
    assert_eq!(one["tags"]["channel"], "1002", "{all}");
    let columns = one["columns"].as_array().unwrap();
    let value = |name: &str| &one["values"][0][columns.iter().position(|c| c == name).unwrap()];
    assert_eq!(
        (value("count"), value("mean"), value("min"), value("max")),
        (&json!(10), &json!(5.5), &json!(1), &json!(10))
    );
    assert_eq!(
        (value("sum"), value("first"), value("last"), value("spread")),
        (&json!(55), &json!(1), &json!(10), &json!(9))
    );
    service.stop();
}

#[test]
fn a_single_selector_tells_the_time_of_its_point_and_a_custom_query_is_influxql() {
    let (_folder, service) = with_points();
    let mut client = service.client();
    let question = json!({
        "aggregate_type": "statistical", "function": "max", "measurement": "measurement", "filters": { "channel": "1001" },
    });
    let largest = aggregate(&mut client, &question);
    assert_eq!(largest["series"][0]["columns"], json!(["time", "max"]), "{largest}");
    assert_eq!(largest["series"][0]["values"][0][0], json!(1_700_000_009), "{largest}");
    let text = r#"SELECT max(value) - min(value) AS span FROM "measurement" WHERE time < now() GROUP BY channel"#;
    let spans = aggregate(&mut client, &json!({ "aggregate_type": "custom", "custom_query": text }));
    assert_eq!(spans["series"][1]["tags"], json!({ "channel": "1002" }), "{spans}");
    assert_eq!(spans["series"][1]["columns"], json!(["time", "span"]), "{spans}");
    assert_eq!(spans["series"][1]["values"], json!([[0, 9]]), "{spans}");
    service.stop();
}

#[test]
fn the_newest_values_and_all_names_are_listed() {
    let (_folder, service) = with_points();
    let mut client = service.client();
    let latest = client.get("/api/v1/latest?measurement=measurement&tag.channel=1002&epoch=s").ok().json();
    assert_eq!(latest["series"].as_array().unwrap().len(), 1, "{latest}");
    assert_eq!(latest["series"][0]["values"], json!([[1_700_000_009, 10]]));
    assert_eq!(client.get("/api/v1/measurements").ok().json(), json!({ "measurements": ["measurement"] }));
    let tags = client.get("/api/v1/tags?measurement=measurement").ok().json();
    assert_eq!(tags["tags"], json!({ "channel": ["1001", "1002"], "point": ["1"], "type": ["m"] }));
    let fields = client.get("/api/v1/fields?measurement=measurement").ok().json();
    assert_eq!(fields["fields"], json!([{ "name": "value", "type": "float" }]));
    service.stop();
}

fn assert_error(answer: &Answer, status: u16, code: &str, word: &str) {
    let body = answer.json();
    assert_eq!((answer.status, &body["code"]), (status, &json!(code)), "{body}");
    assert!(body["error"].as_str().is_some_and(|text| text.contains(word)), "{word}: {body}");
    assert!(body["hint"].is_string(), "{body}");
}

#[test]
fn errors_of_the_api_carry_error_code_and_hint() {
    let (_folder, service) = with_points();
    let mut client = service.client();
    let question = "/api/v1/query/series";
    assert_error(&client.post(question, "{"), 400, "bad_request", "line 1");
    assert_error(
        &client.post(question, r#"{"measurement":"measurement","feilds":["value"]}"#),
        400,
        "bad_request",
        "feilds",
    );
    assert_error(
        &client.post(question, r#"{"measurement":"measurement","start":"yesterday"}"#),
        400,
        "bad_request",
        "start",
    );
    assert_error(
        &client.post(
            "/api/v1/query/aggregate",
            r#"{"aggregate_type":"statistical","measurement":"measurement","function":"avarage"}"#,
        ),
        400,
        "bad_request",
        "avarage",
    );
    assert_error(&client.get("/api/v1/latest"), 400, "bad_request", "measurement");
    assert_error(&client.get("/api/v1/latest?measurement=measurement&epoch=h"), 400, "bad_request", "epoch");
    assert_error(&client.get("/api/v1/tags?measurement=nothing"), 404, "not_found", "nothing");
    assert_error(&client.get("/api/v1/measurements?db=nowhere"), 404, "not_found", "nowhere");
    assert_error(&client.get("/api/v1/nothing"), 404, "not_found", "/api/v1/nothing");
    assert_error(&client.get(question), 405, "method_not_allowed", "GET");
    assert_error(&client.post("/api/v1/admin/flush?compact=maybe", ""), 400, "bad_request", "compact");
    service.stop();
}

#[test]
fn a_full_journal_refuses_writes_until_it_has_made_room_by_itself() {
    let folder = Folder::new();
    let service = Service::start(&folder, "journal: {max_disk: 64KB, when_full: block}\n");
    let mut client = service.client();
    let mut stored = 0_i64;
    let refused = loop {
        assert!(stored < 100_000, "the journal never got full");
        let lines: String = (stored..stored + 500).map(|n| format!("m value={n} {n}\n")).collect();
        let answer = client.post(WRITE, lines);
        if answer.status != 204 {
            break answer;
        }
        stored += 500;
    };
    assert_eq!(refused.status, 503, "{}", refused.text());
    assert!(refused.header("retry-after").parse::<u32>().is_ok_and(|s| s > 0), "{refused:?}");
    assert!(refused.json()["error"].as_str().unwrap().contains("journal full"), "{}", refused.text());
    assert_eq!(values(&mut client, "m").len() as i64, stored);
    wait_for("room in the journal", || client.post(WRITE, "m value=-1 -1").status == 204);
    assert_eq!(values(&mut client, "m").len() as i64, stored + 1);
    let text = client.get("/metrics").ok().text();
    let http = |result: &str| {
        let labels = format!("origin=\"http\",result=\"{result}\"");
        samples(&text).into_iter().find(|(name, l, _)| name == "hissrv_ingest_values_total" && *l == labels).unwrap().2
    };
    assert!(http("dropped") > 0.0);
    assert_eq!(http("received"), http("journaled") + http("rejected") + http("dropped"));
    service.stop();
}

#[test]
fn a_continuous_query_writes_what_comes_in_second_by_second_and_is_counted() {
    let (_folder, service) = service();
    let mut client = service.client();
    let text =
        "CREATE CONTINUOUS QUERY c ON telemetry BEGIN SELECT count(value) INTO seconds FROM m GROUP BY time(1s) END";
    let encoded = text.replace(' ', "%20");
    client.post(&format!("/query?q={encoded}"), "").ok();
    wait_for("a row of the continuous query", || {
        client.post(WRITE, "m value=1").ok();
        let answer = client.get("/query?db=telemetry&q=SELECT%20*%20FROM%20seconds").ok().json();
        answer["results"][0]["series"][0]["columns"] == json!(["time", "count"])
    });
    let metrics = client.get("/metrics").ok().text();
    assert!(metrics.contains("hissrv_continuous_query_failures_total 0"), "{metrics}");
    assert!(!metrics.contains("hissrv_continuous_query_runs_total 0"), "{metrics}");
    assert!(!service.log().contains("a continuous query failed"));
    service.stop();
}

/// Rows of SHOW RETENTION POLICIES: name and duration.
fn policies(client: &mut Client) -> Vec<(String, String)> {
    let answer = client.get("/query?db=telemetry&q=SHOW%20RETENTION%20POLICIES").ok().json();
    let rows = answer["results"][0]["series"][0]["values"].as_array().unwrap().clone();
    let text = |cell: &Value| cell.as_str().unwrap().to_owned();
    rows.iter().map(|row| (text(&row[0]), text(&row[1]))).collect()
}

#[test]
fn policies_of_the_configuration_are_those_that_influxql_shows_and_follow_it() {
    let folder = Folder::new();
    let service = Service::start(&folder, "retention: { policies: [{ name: week, duration: 7d }] }\n");
    let mut client = service.client();
    let expected = |week: &str| vec![("autogen".to_owned(), "0s".to_owned()), ("week".to_owned(), week.to_owned())];
    assert_eq!(policies(&mut client), expected("168h0m0s"));
    assert_eq!(client.post("/write?db=telemetry&rp=week", "m value=1").status, 204);
    service.stop();
    let service = Service::start(&folder, "retention: { policies: [{ name: week, duration: 14d }] }\n");
    assert_eq!(policies(&mut service.client()), expected("336h0m0s"));
    service.stop();
}
