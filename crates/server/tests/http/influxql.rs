//! `/query`: what is asked arrives, and answers look as InfluxDB's. The expected bytes are those of InfluxDB 1.6.7.

use std::io::Read;
use std::sync::atomic::Ordering::SeqCst;
use std::thread;
use std::time::Duration;

use flate2::read::GzDecoder;
use model::{ByteSize, HumanDuration};
use server::Modifying;

use crate::client::{Answer, Running, start, start_with};
use crate::fake::wait_until;

const TWO: &str = concat!(
    r#"{"results":[{"statement_id":0,"series":[{"name":"m","tags":{"channel":"a"},"columns":["time","value"],"values":["#,
    r#"["2024-03-10T00:00:00Z",0],["2024-03-10T00:01:00Z",1.5],["2024-03-10T00:02:00Z",3],["2024-03-10T00:03:00Z",4.5],"#,
    r#"["2024-03-10T00:04:00Z",6]]},{"name":"m","tags":{"channel":"b"},"columns":["time","value"],"values":["#,
    r#"["2024-03-10T00:00:00Z",0],["2024-03-10T00:01:00Z",1.5]]}]}]}"#,
    "\n"
);

fn get_with(running: &Running, path: &str, header: &str) -> Answer {
    running.ask(&format!("GET {path} HTTP/1.1\r\nHost: x\r\n{header}\r\n\r\n"))
}

fn post_form(running: &Running, path: &str, kind: &str, body: &str) -> Answer {
    let len = body.len();
    running
        .ask(&format!("POST {path} HTTP/1.1\r\nHost: x\r\nContent-Type: {kind}\r\nContent-Length: {len}\r\n\r\n{body}"))
}

fn inflate(bytes: &[u8]) -> String {
    let mut text = String::new();
    GzDecoder::new(bytes).read_to_string(&mut text).unwrap();
    text
}

#[test]
fn an_answer_is_json_with_the_headers_of_influxdb() {
    let running = start();
    let answer = running.get("/query?db=d&q=two");
    assert_eq!((answer.status, answer.header("content-type")), (200, Some("application/json")));
    assert_eq!(answer.text(), TWO);
    assert!(answer.header("x-influxdb-version").unwrap().starts_with("1."));
    assert_eq!(answer.header("x-influxdb-build"), Some("OSS"));
    assert_eq!(answer.header("request-id"), answer.header("x-request-id"));
}

#[test]
fn what_is_asked_arrives() {
    let running = start();
    assert_eq!(running.get("/query?db=d&rp=r&q=+nothing+&params=%7B%7D&u=x&p=y").status, 200);
    let request = running.fake.requests.lock().unwrap().pop().unwrap();
    assert_eq!((request.text.as_str(), request.database.as_deref()), ("nothing", Some("d")));
    assert_eq!((request.policy.as_deref(), request.parameters.as_deref()), (Some("r"), Some("{}")));
    assert_eq!(request.modifying, Modifying::Deprecated);
}

#[test]
fn a_form_counts_before_the_url_and_may_bring_the_text_as_a_file() {
    let running = start();
    let last = || running.fake.requests.lock().unwrap().pop().unwrap();
    let urlencoded = "application/x-www-form-urlencoded";
    assert_eq!(post_form(&running, "/query?db=url&q=two", urlencoded, "q=not%68ing&rp=").status, 200);
    let request = last();
    assert_eq!((request.text.as_str(), request.database.as_deref()), ("nothing", Some("url")));
    assert_eq!((request.policy, request.modifying), (None, Modifying::Allowed));
    let part =
        "--b\r\nContent-Disposition: form-data; name=\"q\"; filename=\"q.txt\"\r\n\r\nnames;\nnothing\n\r\n--b--\r\n";
    assert_eq!(post_form(&running, "/query", "multipart/form-data; boundary=b", part).status, 200);
    assert_eq!(last().text, "names;\nnothing");
    assert_eq!(post_form(&running, "/query?q=names", "text/plain", "q=two").status, 200);
    assert_eq!(last().text, "names");
    assert_eq!(post_form(&running, "/query", urlencoded, &"x".repeat(2 << 20)).status, 413);
}

#[test]
fn a_request_without_a_text_or_with_a_wrong_one_is_400_in_every_format() {
    let running = start();
    for path in ["/query", "/query?db=d", "/query?q=", "/query?q=%20"] {
        let answer = running.get(path);
        assert_eq!(
            (answer.status, answer.text().as_str()),
            (400, "{\"error\":\"missing required parameter \\\"q\\\"\"}\n")
        );
        assert_eq!(answer.header("x-influxdb-error"), Some("missing required parameter \"q\""));
        assert!(answer.header("x-influxdb-version").is_some());
    }
    let answer = running.get("/query?q=wrong");
    assert_eq!((answer.status, answer.header("content-type")), (400, Some("application/json")));
    let message = "error parsing query: found wrong, expected SELECT at line 1, char 1";
    assert_eq!(answer.json(), serde_json::json!({ "error": message }));
    assert_eq!(running.get("/query?q=wrong&chunked=true").json(), answer.json());
    assert_eq!(running.get("/query?q=wrong&async=true").json(), answer.json());
    assert_eq!(
        running.get("/query?pretty=true").text(),
        "{\n    \"error\": \"missing required parameter \\\"q\\\"\"\n}\n"
    );
    let csv = get_with(&running, "/query", "Accept: text/csv");
    assert_eq!((csv.status, csv.header("content-type")), (400, Some("text/csv")));
    assert_eq!(csv.text(), "error\n\"missing required parameter \"\"q\"\"\"\n");
    let msgpack = get_with(&running, "/query", "Accept: application/x-msgpack");
    assert_eq!(msgpack.body, [b"\x81\xa5error\xbe".as_slice(), b"missing required parameter \"q\""].concat());
}

#[test]
fn statements_are_answered_in_order_up_to_the_first_that_fails() {
    let running = start();
    let expected = concat!(
        r#"{"results":[{"statement_id":0},{"statement_id":1,"series":[{"name":"databases","columns":["name"],"values":[["one"],["two"]]}]},"#,
        r#"{"statement_id":2,"series":[{"columns":["name"]}]},{"statement_id":3,"messages":[{"level":"warning","text":"deprecated use of 'warn'"}]},"#,
        r#"{"statement_id":4,"error":"database not found: x"}]}"#,
        "\n"
    );
    assert_eq!(running.get("/query?q=nothing;names;no-users;warn;fail;two").text(), expected);
    assert_eq!(running.get("/query?q=;").text(), "{}\n");
}

#[test]
fn pretty_json_is_indented_also_after_rows_that_were_taken_back() {
    let running = start();
    let expected = r#"{
    "results": [
        {
            "statement_id": 0,
            "series": [
                {
                    "name": "databases",
                    "columns": [
                        "name"
                    ],
                    "values": [
                        [
                            "one"
                        ],
                        [
                            "two"
                        ]
                    ]
                }
            ]
        },
        {
            "statement_id": 1,
            "error": "database not found: x"
        }
    ]
}
"#;
    assert_eq!(running.get("/query?q=names;fail&pretty=true").text(), expected);
    let chunked = running.get("/query?q=nothing;nothing&pretty=true&chunked=true").text();
    let document =
        |id| format!("{{\n    \"results\": [\n        {{\n            \"statement_id\": {id}\n        }}\n    ]\n}}\n");
    assert_eq!(chunked, [document(0), document(1)].concat());
}

#[test]
fn chunks_have_their_rows_and_say_what_follows() {
    let running = start();
    let answer = running.get("/query?q=two;nothing;names&chunked=true&chunk_size=2&epoch=s");
    assert_eq!((answer.status, answer.header("transfer-encoding")), (200, Some("chunked")));
    let series = |channel: &str, values: &str, flags: &str| {
        let head = r#"{"results":[{"statement_id":0,"series":[{"name":"m","tags":{"channel":""#;
        format!("{head}{channel}\"}},\"columns\":[\"time\",\"value\"],\"values\":[{values}]{flags}}}]}}\n")
    };
    let expected = [
        series("a", "[1710028800,0],[1710028860,1.5]", r#","partial":true}],"partial":true"#),
        series("a", "[1710028920,3],[1710028980,4.5]", r#","partial":true}],"partial":true"#),
        series("a", "[1710029040,6]", r#"}],"partial":true"#),
        series("b", "[1710028800,0],[1710028860,1.5]", "}]"),
        "{\"results\":[{\"statement_id\":1}]}\n".to_owned(),
        "{\"results\":[{\"statement_id\":2,\"series\":[{\"name\":\"databases\",\"columns\":[\"name\"],\"values\":[[\"one\"],[\"two\"]]}]}]}\n".to_owned(),
    ];
    assert_eq!(answer.text(), expected.concat());
    let failed = running.get("/query?q=fail;two&chunked=true&chunk_size=3").text();
    let documents: Vec<&str> = failed.lines().collect();
    assert_eq!(documents.len(), 2, "{failed}");
    assert!(documents[0].ends_with(r#","partial":true}],"partial":true}]}"#), "{failed}");
    assert_eq!(documents[1], r#"{"results":[{"statement_id":0,"error":"database not found: x"}]}"#);
}

#[test]
fn csv_has_a_line_of_names_for_every_statement_with_series() {
    let running = start();
    let rows = "name,tags,time,value\nm,channel=a,1710028800000000000,0\nm,channel=a,1710028860000000000,1.5\n\
                m,channel=a,1710028920000000000,3\nm,channel=a,1710028980000000000,4.5\nm,channel=a,1710029040000000000,6\n\
                m,channel=b,1710028800000000000,0\nm,channel=b,1710028860000000000,1.5\n";
    let expected = format!("{rows}\nname,tags,name\ndatabases,,one\ndatabases,,two\n\nerror\ndatabase not found: x\n");
    for path in ["/query?q=two;nothing;names;fail", "/query?q=two;nothing;names;fail&chunked=true&chunk_size=5"] {
        for kind in ["application/csv", "text/csv"] {
            let answer = get_with(&running, path, &format!("Accept: {kind}"));
            assert_eq!((answer.status, answer.header("content-type")), (200, Some("text/csv")));
            // Rows that were sent cannot be taken back.
            let sent = "\nname,tags,time,value\nm,channel=a,1710028800000000000,0\n";
            assert_eq!(answer.text().replace(sent, "\n"), expected);
        }
    }
    let answer = get_with(&running, "/query?q=names", "Accept: text/csv, application/json");
    assert_eq!(answer.header("content-type"), Some("application/json"));
}

#[test]
fn only_get_and_post_are_answered() {
    let running = start();
    for method in ["HEAD", "PUT", "DELETE"] {
        let mut client = running.connect();
        client.send(format!("{method} /query?q=two HTTP/1.1\r\nHost: x\r\n\r\n").as_bytes());
        let head = client.head();
        assert_eq!(head.status, 405, "{method}");
        assert!(head.header("allow").unwrap().contains("POST"));
    }
    assert_eq!(running.ask("OPTIONS /query HTTP/1.1\r\nHost: x\r\n\r\n").status, 200);
    assert!(running.fake.requests.lock().unwrap().is_empty());
}

#[test]
fn answers_are_compressed_for_those_who_take_it() {
    let running = start();
    let plain = running.get("/query?q=many").text();
    let gzip = "Accept-Encoding: deflate, gzip";
    let packed = get_with(&running, "/query?q=many", gzip);
    assert_eq!(packed.header("content-encoding"), Some("gzip"));
    assert!(packed.body.len() < plain.len() / 3);
    assert_eq!(inflate(&packed.body), plain);
    let chunked = get_with(&running, "/query?q=many&chunked=true", gzip);
    assert_eq!(chunked.header("content-encoding"), Some("gzip"));
    assert_eq!(inflate(&chunked.body), plain);
    let small = get_with(&running, "/query?q=names", gzip);
    assert_eq!((small.header("content-encoding"), small.json()["results"].is_array()), (None, true));
    assert_eq!(inflate(&get_with(&running, "/query?q=;&chunked=true", gzip).body), "");
}

#[test]
fn an_answer_beyond_its_bound_fails_its_statement_but_not_in_chunks() {
    let running = start();
    let answer = running.get("/query?q=names;endless");
    assert_eq!(answer.status, 200);
    let json = answer.json();
    assert_eq!(json["results"][0]["series"][0]["name"], "databases");
    let error = json["results"][1]["error"].as_str().unwrap();
    assert!(error.starts_with("the query would exceed server.max_answer"), "{error}");
    let tables = running.fake.tables.load(SeqCst);
    assert!(tables < 50, "{tables}");
}

#[test]
fn memory_for_answers_is_shared_and_given_back() {
    // Enough for one answer of `many`, which is 330 KB long, but not for two.
    let running = start_with(|c| (c.max_answer, c.answer_memory) = (ByteSize(600_000), ByteSize(600_000)));
    for _ in 0..20 {
        assert_eq!(running.get("/query?q=many").status, 200);
    }
    let mut slow = running.connect();
    slow.send(b"GET /query?q=many;held HTTP/1.1\r\nHost: x\r\n\r\n");
    wait_until(|| running.fake.slow_started.load(SeqCst) == 1);
    let error = running.get("/query?q=many").json()["results"][0]["error"].as_str().unwrap().to_owned();
    assert!(error.contains("server.answer_memory"), "{error}");
    running.fake.release.store(true, SeqCst);
    assert_eq!(slow.answer().status, 200);
    wait_until(|| running.get("/query?q=many").json()["results"][0]["error"].is_null());
}

#[test]
fn a_stream_waits_for_its_client_and_ends_when_it_goes_away() {
    let running = start_with(|c| c.response_timeout = HumanDuration(Duration::from_secs(10)));
    let mut client = running.connect();
    client.send(b"GET /query?q=endless&chunked=true&chunk_size=1000 HTTP/1.1\r\nHost: x\r\n\r\n");
    assert_eq!(client.head().status, 200);
    assert!(client.chunk().unwrap().ends_with(b"\"partial\":true}]}\n"));
    // Neither grows any more once the channel and the buffers of the sockets are full.
    wait_until(|| {
        let before = running.fake.tables.load(SeqCst);
        thread::sleep(Duration::from_millis(300));
        running.fake.tables.load(SeqCst) == before
    });
    let waiting = running.fake.tables.load(SeqCst);
    for _ in 0..waiting + 50 {
        assert!(client.chunk().is_some_and(|chunk| !chunk.is_empty()));
    }
    assert!(running.fake.tables.load(SeqCst) > waiting);
    assert_eq!(running.fake.cancelled_queries.load(SeqCst), 0);
    drop(client);
    wait_until(|| running.fake.cancelled_queries.load(SeqCst) == 1);
}

#[test]
fn a_client_that_goes_away_cancels_its_query() {
    let running = start();
    for (number, path) in ["/query?q=slow", "/query?q=slow&chunked=true"].into_iter().enumerate() {
        let mut client = running.connect();
        client.send(format!("GET {path} HTTP/1.1\r\nHost: x\r\n\r\n").as_bytes());
        wait_until(|| running.fake.requests.lock().unwrap().len() == number + 1);
        drop(client);
        wait_until(|| running.fake.cancelled_queries.load(SeqCst) == number + 1);
    }
}

#[test]
fn queries_beyond_the_limit_are_503_in_influxdbs_shape() {
    let running = start();
    let mut clients = [running.connect(), running.connect()];
    for (client, chunked) in clients.iter_mut().zip(["true", "false"]) {
        client.send(format!("GET /query?q=held&chunked={chunked} HTTP/1.1\r\nHost: x\r\n\r\n").as_bytes());
    }
    wait_until(|| running.fake.slow_started.load(SeqCst) == 2);
    for path in ["/query?q=names", "/query?q=names&chunked=true"] {
        let answer = running.get(path);
        assert_eq!((answer.status, answer.header("retry-after")), (503, Some("1")));
        assert_eq!(answer.json(), serde_json::json!({ "error": "too many queries at a time" }));
    }
    running.fake.release.store(true, SeqCst);
    for client in &mut clients {
        assert_eq!(client.answer().status, 200);
    }
    wait_until(|| running.get("/query?q=names").status == 200);
}

#[test]
fn a_stream_that_is_out_of_time_says_so_at_its_end() {
    let running = start_with(|c| c.query_timeout = HumanDuration(Duration::from_millis(300)));
    let mut client = running.connect();
    client.send(b"GET /query?q=endless&chunked=true HTTP/1.1\r\nHost: x\r\n\r\n");
    let answer = client.answer();
    assert_eq!(answer.status, 200);
    let last = r#"{"results":[{"statement_id":0,"error":"the query was cancelled: its time was up"}]}"#;
    assert_eq!(answer.text().lines().last(), Some(last));
}

#[test]
fn a_panic_is_a_500_or_cuts_the_stream() {
    let running = start();
    for path in ["/query?q=panic", "/query?q=panic&chunked=true", "/query?q=late-panic"] {
        let answer = running.get(path);
        assert_eq!((answer.status, answer.text().as_str()), (500, "{\"error\":\"internal error\"}\n"), "{path}");
    }
    let mut client = running.connect();
    client.send(b"GET /query?q=late-panic&chunked=true HTTP/1.1\r\nHost: x\r\n\r\n");
    assert_eq!(client.head().status, 200);
    assert!(client.chunk().is_some_and(|chunk| !chunk.is_empty()));
    assert_eq!(client.chunk(), None);
    // The stream ends a moment before the panic is counted.
    wait_until(|| running.server().metrics().panics() == 4);
}

#[test]
fn an_asynchronous_request_is_204_and_executed_behind_that() {
    let running = start();
    let answer = running.get("/query?q=held;names;fail&async=true");
    assert_eq!((answer.status, answer.body.len()), (204, 0));
    assert!(answer.header("x-influxdb-version").is_some());
    wait_until(|| running.fake.slow_started.load(SeqCst) == 1);
    running.fake.release.store(true, SeqCst);
    assert_eq!(running.get("/query?q=two&async=true").status, 204);
}

#[test]
fn queries_are_counted_apart() {
    let running = start();
    running.get("/query?q=names");
    running.get("/query");
    let text = running.get("/metrics").text();
    assert!(text.contains("hissrv_http_requests_total{route=\"influxql\",class=\"2xx\"} 1\n"), "{text}");
    assert!(text.contains("hissrv_http_requests_total{route=\"influxql\",class=\"4xx\"} 1\n"), "{text}");
}
