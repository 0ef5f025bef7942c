//! What is not HTTP, or barely: a clean 4xx or a closed connection, and the server lives on.

use crate::client::start;

#[test]
fn malformed_requests_are_answered_4xx() {
    let running = start();
    let long_uri = format!("GET /{} HTTP/1.1\r\nHost: x\r\n\r\n", "a".repeat(70_000));
    let large_header = format!("GET /ping HTTP/1.1\r\nHost: x\r\nX: {}\r\n\r\n", "a".repeat(40_000));
    let many_headers = format!("GET /ping HTTP/1.1\r\nHost: x\r\n{}\r\n", "A: b\r\n".repeat(200));
    let requests = [
        "garbage\r\n\r\n",
        "\u{16}\u{3}\u{1}\u{2}\u{0}\u{1}\u{0}\u{1}\r\n\r\n",
        "GET /ping\r\n\r\n",
        "GET /ping HTTP/9.9\r\n\r\n",
        "GET  /ping HTTP/1.1\r\n\r\n",
        "GET /ping HTTP/1.1\r\nNo colon\r\n\r\n",
        "GET /ping HTTP/1.1\r\nA\u{0}: b\r\n\r\n",
        "POST /write?db=a HTTP/1.1\r\nContent-Length: x\r\n\r\n",
        "POST /write?db=a HTTP/1.1\r\nContent-Length: -1\r\n\r\n",
        "POST /write?db=a HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab",
        "POST /write?db=a HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        "POST /write?db=a HTTP/1.1\r\nTransfer-Encoding: strange\r\n\r\n",
        &long_uri,
        &large_header,
        &many_headers,
    ];
    for request in requests {
        let answer = running.ask(request);
        let shown: String = request.chars().take(60).collect();
        assert!((400..500).contains(&answer.status), "{} for {shown:?}", answer.status);
    }
    assert_eq!(running.get("/ping").status, 204);
    assert!(running.fake.writes.lock().unwrap().is_empty());
}

#[test]
fn strange_targets_and_methods_are_answered_4xx() {
    let running = start();
    let requests = [
        ("OPTIONS * HTTP/1.1\r\nHost: x\r\n\r\n", 404),
        ("CONNECT host:1 HTTP/1.1\r\nHost: x\r\n\r\n", 404),
        ("GET /../etc/passwd HTTP/1.1\r\nHost: x\r\n\r\n", 404),
        ("GET /ping%00 HTTP/1.1\r\nHost: x\r\n\r\n", 404),
        ("GET //ping HTTP/1.1\r\nHost: x\r\n\r\n", 404),
        ("GET /ping/ HTTP/1.1\r\nHost: x\r\n\r\n", 404),
        ("BREW /ping HTTP/1.1\r\nHost: x\r\n\r\n", 405),
        ("DELETE /write HTTP/1.1\r\nHost: x\r\n\r\n", 405),
        ("POST /write?db=%ff%00=&&=&db HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n", 204),
        ("GET http://elsewhere/ping HTTP/1.1\r\nHost: x\r\n\r\n", 204),
    ];
    for (request, status) in requests {
        assert_eq!(running.ask(request).status, status, "{request:?}");
    }
}

#[test]
fn bytes_that_end_early_close_the_connection_without_a_write() {
    let running = start();
    for request in ["", "GET", "POST /write?db=a HTTP/1.1\r\nContent-Length: 100\r\n\r\nm v=1"] {
        let mut client = running.connect();
        client.send(request.as_bytes());
        client.stream.shutdown(std::net::Shutdown::Write).unwrap();
        // Whether an answer comes before the end is the server's choice; that the connection ends is not.
        let mut rest = Vec::new();
        std::io::Read::read_to_end(&mut client.stream, &mut rest).unwrap();
    }
    assert!(running.fake.writes.lock().unwrap().is_empty());
    assert_eq!(running.get("/ping").status, 204);
}

#[test]
fn random_bytes_never_stop_the_server() {
    let running = start();
    let mut seed = 0x9e37_79b9_7f4a_7c15_u64;
    for _ in 0..200 {
        let mut client = running.connect();
        let bytes: Vec<u8> = (0..64)
            .map(|_| {
                seed ^= seed << 13;
                seed ^= seed >> 7;
                seed ^= seed << 17;
                seed as u8
            })
            .collect();
        client.send(&[b"GET /".as_slice(), &bytes, b"\r\n\r\n"].concat());
    }
    assert_eq!(running.get("/ping").status, 204);
    assert_eq!(running.server().metrics().panics(), 0);
}
