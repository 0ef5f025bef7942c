//! Everything but writes: health, questions, pages, methods.

use std::sync::atomic::Ordering::SeqCst;

use crate::client::start;

#[test]
fn ping_is_204_and_verbose_tells_the_version() {
    let running = start();
    let answer = running.get("/ping");
    assert_eq!((answer.status, answer.body.len()), (204, 0));
    assert!(answer.header("x-influxdb-version").unwrap().starts_with("1."));
    let verbose = running.get("/ping?verbose=true");
    assert_eq!(verbose.status, 200);
    assert_eq!(verbose.json()["version"].as_str(), verbose.header("x-influxdb-version"));
    assert_eq!(running.get("/ping?verbose=false").status, 204);
}

#[test]
fn head_is_answered_like_get_without_a_body() {
    let running = start();
    let mut client = running.connect();
    for (path, status) in [("/ping", 204), ("/health", 200), ("/docs", 200), ("/nosuch", 404), ("/write", 405)] {
        client.send(format!("HEAD {path} HTTP/1.1\r\nHost: x\r\n\r\n").as_bytes());
        assert_eq!(client.head().status, status, "{path}");
    }
    client.send(b"GET /ready HTTP/1.1\r\nHost: x\r\n\r\n");
    assert_eq!(client.answer().status, 200);
}

#[test]
fn health_and_readiness_follow_the_historian() {
    let running = start();
    let health = running.get("/health");
    assert_eq!(health.status, 200);
    let json = health.json();
    assert_eq!((json["name"].as_str(), json["status"].as_str()), (Some("hissrv"), Some("pass")));
    assert!(json["version"].is_string());
    assert_eq!(running.get("/ready").json()["status"], "ready");
    running.fake.sick.store(true, SeqCst);
    let health = running.get("/health");
    assert_eq!((health.status, health.json()["status"].as_str()), (503, Some("fail")));
    assert_eq!(health.json()["message"], "the disk is gone");
    let ready = running.get("/ready");
    assert_eq!((ready.status, ready.json()["error"].as_str()), (503, Some("recovering")));
    assert!(ready.header("retry-after").is_some());
    // Answers would lack what is not taken in yet.
    let query = running.get("/query?q=names");
    assert_eq!((query.status, query.header("retry-after").is_some()), (503, true));
}

#[test]
fn metrics_are_those_of_the_historian_and_of_the_server() {
    let running = start();
    running.get("/ping");
    let answer = running.get("/metrics");
    assert!(answer.header("content-type").unwrap().starts_with("text/plain; version=0.0.4"));
    let text = answer.text();
    assert!(text.starts_with("hissrv_fake 1\n"), "{text}");
    assert!(text.contains("hissrv_http_requests_total{route=\"health\",class=\"2xx\"} 1\n"), "{text}");
    for line in text.lines() {
        assert!(line.starts_with('#') || line.split(' ').count() == 2, "{line}");
    }
}

#[test]
fn questions_pass_through_with_their_options() {
    let running = start();
    let answer = running.post("/api/v1/query/series?epoch=ms", "{}");
    assert_eq!((answer.status, answer.header("content-type")), (200, Some("application/json")));
    assert_eq!(answer.text(), r#"{"series":2,"epoch":"Some(Millisecond)"}"#);
    assert_eq!(running.post("/api/v1/query/series", "{}").json()["epoch"], "None");
    assert_eq!(running.post("/api/v1/query/series?epoch=x", "{}").code(), "bad_request");
    for (kind, cache) in [("series", "bypass"), ("aggregate", "hit"), ("plot", "partial")] {
        let answer = running.post(&format!("/api/v1/query/{kind}"), r#"{"a":1}"#);
        assert_eq!(answer.header("cache"), Some(cache), "{kind}");
        assert!(kind == "series" || answer.text() == r#"{"a":1}"#, "{kind}");
    }
    let answer = running.get("/api/v1/latest?measurement=m&epoch=s&tag.channel=10%2001");
    assert_eq!(answer.text(), r#"[["measurement","m"],["tag.channel","10 01"]]"#);
    for path in ["measurements", "tags", "fields"] {
        assert_eq!(running.get(&format!("/api/v1/{path}?db=x")).text(), r#"[["db","x"]]"#);
    }
    assert_eq!(running.get("/api/v1/status").json()["uptime_seconds"], 1);
}

#[test]
fn errors_have_message_code_and_hint() {
    let running = start();
    let answer = running.post("/api/v1/query/series", "wrong");
    assert_eq!(answer.status, 400);
    let expected = serde_json::json!({ "error": "what is wrong", "code": "bad_request", "hint": "what to do" });
    assert_eq!(answer.json(), expected);
    let panic = running.post("/api/v1/query/series", "panic");
    assert_eq!((panic.status, panic.code().as_str()), (500, "internal"));
    assert!(!panic.text().contains("as the test asked"));
}

#[test]
fn flush_takes_true_or_false() {
    let running = start();
    assert_eq!(running.post("/api/v1/admin/flush", "").json()["compact"], false);
    assert_eq!(running.post("/api/v1/admin/flush?compact=true", "").json()["compact"], true);
    assert_eq!(running.post("/api/v1/admin/flush?compact=yes", "").code(), "bad_request");
}

#[test]
fn retention_takes_two_flags_and_nothing_else() {
    let running = start();
    let flags = |query: &str| {
        let answer = running.post(&format!("/api/v1/admin/retention{query}"), "").json();
        (answer["dry"].as_bool(), answer["forced"].as_bool())
    };
    assert_eq!(flags(""), (Some(false), Some(false)));
    assert_eq!(flags("?dry_run=true"), (Some(true), Some(false)));
    assert_eq!(flags("?dry_run=false&force=true"), (Some(false), Some(true)));
    for wrong in ["?dry_run=1", "?dryrun=true", "?force=yes"] {
        assert_eq!(running.post(&format!("/api/v1/admin/retention{wrong}"), "").code(), "bad_request", "{wrong}");
    }
    let request = "POST /api/v1/admin/retention HTTP/1.1\r\nHost: x\r\nOrigin: http://y\r\nContent-Length: 0\r\n\r\n";
    assert_eq!(running.ask(request).code(), "bad_request");
}

#[test]
fn archiving_takes_no_parameter_and_no_page_of_another_site() {
    let running = start();
    assert_eq!(running.post("/api/v1/admin/archive", "").json()["files"], 2);
    assert_eq!(running.post("/api/v1/admin/archive?from=2026-01-01", "").code(), "bad_request");
    let request = "POST /api/v1/admin/archive HTTP/1.1\r\nHost: x\r\nOrigin: http://y\r\nContent-Length: 0\r\n\r\n";
    assert_eq!(running.ask(request).code(), "bad_request");
}

#[test]
fn pages_of_other_sites_cannot_administer() {
    let running = start();
    let path = "/api/v1/admin/store?name=x&action=pause";
    let from = |origin: &str| {
        running.ask(&format!("POST {path} HTTP/1.1\r\nHost: x\r\nOrigin: {origin}\r\nContent-Length: 0\r\n\r\n"))
    };
    assert_eq!(from("http://evil.example").code(), "bad_request");
    assert_eq!(from("null").code(), "bad_request");
    assert_eq!(from("http://x").status, 200);
    assert_eq!(running.post("/api/v1/admin/store?name=x&action=skip", "").json()["x"], "Skip");
    assert_eq!(running.post("/api/v1/admin/store?name=x&action=stop", "").code(), "bad_request");
    assert_eq!(running.post("/api/v1/admin/dead-letters?action=retry&store=x", "").text(), "Retry [[\"store\",\"x\"]]");
    assert_eq!(running.post("/api/v1/admin/dead-letters?store=x", "").code(), "bad_request");
}

#[test]
fn alerts_are_listed_and_silenced() {
    let running = start();
    assert_eq!(running.get("/api/v1/alerts").text(), "{\"alerts\":[]}");
    assert_eq!(running.get("/api/v1/alerts?state=firing").code(), "bad_request");
    assert_eq!(running.post("/api/v1/admin/silence", "{\"labels\":{}}").text(), "{\"labels\":{}}");
    assert_eq!(running.post("/api/v1/admin/unsilence?id=ab", "").text(), "ab");
    assert_eq!(running.post("/api/v1/admin/unsilence", "").code(), "bad_request");
}

#[test]
fn pages_are_html_and_the_openapi_document_is_json() {
    let running = start();
    for path in ["/", "/docs"] {
        let page = running.get(path);
        assert_eq!((page.status, page.header("content-type")), (200, Some("text/html; charset=utf-8")));
        assert!(page.header("content-security-policy").unwrap().starts_with("default-src 'none'"));
        assert!(page.text().contains("</html>"));
    }
    assert_eq!(running.get("/api/v1/openapi.json").json()["openapi"], "3.1.0");
}

#[test]
fn an_unknown_route_is_404_and_a_wrong_method_405_with_allow() {
    let running = start();
    let answer = running.get("/nosuch");
    assert_eq!((answer.status, answer.code().as_str()), (404, "not_found"));
    let answer = running.get("/write");
    assert_eq!((answer.status, answer.header("allow")), (405, Some("POST")));
    assert_eq!(answer.code(), "method_not_allowed");
    let answer = running.post("/ping", "");
    assert_eq!((answer.status, answer.header("allow")), (405, Some("GET,HEAD")));
    let answer = running.ask("OPTIONS /write HTTP/1.1\r\nHost: x\r\n\r\n");
    assert_eq!((answer.status, answer.header("allow")), (200, Some("POST")));
    assert_eq!(answer.header("access-control-allow-origin"), None);
}

#[test]
fn a_request_id_is_taken_over_or_made() {
    let running = start();
    let answer = running.ask("GET /ping HTTP/1.1\r\nHost: x\r\nX-Request-Id: mine\r\n\r\n");
    assert_eq!(answer.header("request-id"), Some("mine"));
    let (a, b) = (running.get("/ping"), running.get("/ping"));
    assert_ne!(a.header("request-id"), b.header("request-id"));
    let long = "x".repeat(200);
    let answer = running.ask(&format!("GET /ping HTTP/1.1\r\nHost: x\r\nX-Request-Id: {long}\r\n\r\n"));
    assert_eq!(answer.header("request-id").unwrap().len(), 36);
}
