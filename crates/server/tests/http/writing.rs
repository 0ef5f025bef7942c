//! `/write` and `/api/v2/write`.

use std::io::Write;

use flate2::Compression;
use flate2::write::GzEncoder;
use model::Precision;
use server::Dialect;

use crate::client::{Answer, Running, post, start};

fn gzip(plain: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(plain).unwrap();
    encoder.finish().unwrap()
}

fn post_gzip(running: &Running, body: &[u8]) -> Answer {
    let mut client = running.connect();
    let len = body.len();
    let head =
        format!("POST /write?db=a HTTP/1.1\r\nHost: x\r\nContent-Encoding: gzip\r\nContent-Length: {len}\r\n\r\n");
    client.send(&[head.as_bytes(), body].concat());
    client.answer()
}

#[test]
fn a_stored_write_is_204_with_the_headers_of_influxdb() {
    let running = start();
    let answer = running.post("/write?db=a&rp=r&precision=s", "m v=1 1");
    assert_eq!((answer.status, answer.body.len()), (204, 0));
    assert!(answer.header("x-influxdb-version").unwrap().starts_with("1.8"));
    assert_eq!(answer.header("x-influxdb-build"), Some("OSS"));
    assert_eq!(answer.header("request-id"), answer.header("x-request-id"));
    assert!(answer.header("date").is_some());
    let write = running.fake.last_write();
    assert_eq!((write.database.as_str(), write.retention_policy.as_deref()), ("a", Some("r")));
    assert_eq!((write.precision, write.dialect), (Precision::Second, Dialect::V1));
    assert_eq!(write.body, "m v=1 1");
}

#[test]
fn a_v2_write_takes_its_database_from_the_bucket() {
    let running = start();
    assert_eq!(running.post("/api/v2/write?org=o&bucket=a/r&precision=ms", "m v=1 1").status, 204);
    let write = running.fake.last_write();
    assert_eq!((write.database.as_str(), write.retention_policy.as_deref()), ("a", Some("r")));
    assert_eq!((write.precision, write.dialect), (Precision::Millisecond, Dialect::V2));
}

#[test]
fn a_body_of_any_size_and_framing_arrives_whole() {
    let running = start();
    for len in [0, 1, 10_000, 70_000, 400_000, 1 << 20] {
        let body: String = (0..len).map(|i| char::from(b'a' + (i % 23) as u8)).collect();
        assert_eq!(running.post("/write?db=a", &body).status, 204, "{len}");
        assert!(running.fake.last_write().body == body, "{len} bytes changed on their way");
        let chunks: String = body.as_bytes().chunks(100_000).map(chunk).collect();
        let head = "POST /write?db=a HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n";
        assert_eq!(running.ask(&format!("{head}{chunks}0\r\n\r\n")).status, 204, "{len} in chunks");
        assert!(running.fake.last_write().body == body, "{len} bytes changed on their way in chunks");
    }
}

fn chunk(bytes: &[u8]) -> String {
    format!("{:x}\r\n{}\r\n", bytes.len(), str::from_utf8(bytes).unwrap())
}

#[test]
fn gzip_is_inflated_and_damage_is_a_400() {
    let running = start();
    let body = "m v=1 1\n".repeat(50_000);
    assert_eq!(post_gzip(&running, &gzip(body.as_bytes())).status, 204);
    assert!(running.fake.last_write().body == body);
    let packed = gzip(body.as_bytes());
    assert_eq!(post_gzip(&running, &packed[..packed.len() - 5]).status, 400);
    assert_eq!(post_gzip(&running, b"m v=1 1").status, 400);
    assert_eq!(running.fake.writes.lock().unwrap().len(), 1);
}

#[test]
fn a_gzip_bomb_is_413_and_gives_its_memory_back() {
    let running = start();
    let bomb = gzip(&vec![b'#'; 100 << 20]);
    for _ in 0..4 {
        assert_eq!(post_gzip(&running, &bomb).status, 413);
    }
    assert!(running.get("/metrics").text().contains("hissrv_http_write_memory_free_bytes 2097152\n"));
    assert!(running.fake.writes.lock().unwrap().is_empty());
}

#[test]
fn an_unknown_encoding_is_415() {
    let running = start();
    let request = "POST /write?db=a HTTP/1.1\r\nHost: x\r\nContent-Encoding: br\r\nContent-Length: 1\r\n\r\nx";
    assert_eq!(running.ask(request).status, 415);
}

#[test]
fn wrong_parameters_are_400_in_each_dialects_shape() {
    let running = start();
    let answer = running.post("/write", "m v=1");
    assert_eq!((answer.status, answer.text().as_str()), (400, r#"{"error":"database is required"}"#));
    assert_eq!(answer.header("x-influxdb-error"), Some("database is required"));
    let answer = running.post("/write?db=a&consistency=bogus", "m v=1");
    assert_eq!((answer.status, answer.text().as_str()), (400, r#"{"error":"invalid consistency level"}"#));
    let answer = running.post("/api/v2/write?org=o", "m v=1");
    assert_eq!((answer.status, answer.json()["code"].as_str()), (400, Some("invalid")));
    assert!(running.fake.writes.lock().unwrap().is_empty());
}

#[test]
fn a_partial_write_is_400_in_each_dialects_shape() {
    let running = start();
    let words = "partial write: unable to parse 'm v=+ 2': invalid boolean (line 2, column 5)\n\
                 field type conflict: x dropped=3";
    let answer = running.post("/write?db=partial", "x");
    assert_eq!((answer.status, answer.header("content-type")), (400, Some("application/json")));
    assert_eq!(answer.json(), serde_json::json!({ "error": words }));
    let answer = running.post("/api/v2/write?bucket=partial", "x");
    assert_eq!(answer.status, 400);
    assert_eq!(answer.json(), serde_json::json!({ "code": "invalid", "message": words }));
}

#[test]
fn every_failure_has_its_status_and_words() {
    let running = start();
    let cases = [
        ("nosuch", 404, r#"database not found: "nosuch""#, 404, "not found"),
        ("nopolicy", 500, "retention policy not found: nope", 404, "not found"),
        ("bad", 400, "the body is wrong", 400, "invalid"),
        ("full", 503, "the journal is full", 503, "unavailable"),
        ("stopping", 503, "the server is stopping", 503, "unavailable"),
        ("broken", 500, "internal error", 500, "internal error"),
        ("forgetful", 500, "internal error", 500, "internal error"),
    ];
    for (database, status_v1, error, status_v2, code) in cases {
        let v1 = running.post(&format!("/write?db={database}"), "m v=1");
        assert_eq!((v1.status, v1.json()["error"].as_str()), (status_v1, Some(error)), "{database}");
        assert_eq!(v1.header("retry-after").is_some(), status_v1 == 503, "{database}");
        let v2 = running.post(&format!("/api/v2/write?bucket={database}"), "m v=1");
        assert_eq!((v2.status, v2.json()["code"].as_str()), (status_v2, Some(code)), "{database}");
    }
}

#[test]
fn a_panic_is_a_500_and_the_connection_lives_on() {
    let running = start();
    let mut client = running.connect();
    for (panics, large) in [(1, false), (2, true)] {
        let body = if large { "x".repeat(100_000) } else { "x".to_owned() };
        client.send(post("/write?db=panic", &body).as_bytes());
        assert_eq!(client.answer().status, 500);
        assert_eq!(running.server().metrics().panics(), panics);
        client.send(post("/write?db=a", "m v=1").as_bytes());
        assert_eq!(client.answer().status, 204);
    }
    assert!(running.get("/metrics").text().contains("hissrv_http_write_memory_free_bytes 2097152\n"));
}
