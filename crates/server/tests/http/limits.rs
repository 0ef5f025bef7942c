//! Every bound, reached.

use std::sync::atomic::Ordering::SeqCst;
use std::thread;
use std::time::{Duration, Instant};

use model::{ByteSize, HumanDuration};

use crate::client::{post, start, start_with};
use crate::fake::wait_until;

const SHORT: HumanDuration = HumanDuration(Duration::from_millis(300));

#[test]
fn a_body_beyond_the_limit_is_413_announced_or_not_and_the_answer_arrives() {
    let running = start();
    let body = "x".repeat((1 << 20) + 1);
    let answer = running.post("/write?db=a", &body);
    assert_eq!(answer.status, 413);
    assert!(answer.text().contains("Request Entity Too Large"));
    let head = "POST /write?db=a HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n";
    assert_eq!(running.ask(&format!("{head}{:x}\r\n{body}\r\n0\r\n\r\n", body.len())).status, 413);
    assert!(running.fake.writes.lock().unwrap().is_empty());
    let answer = running.post("/api/v1/query/series", &body);
    assert_eq!((answer.status, answer.code().as_str()), (413, "too_large"));
}

#[test]
fn a_small_limit_also_holds_for_small_bodies() {
    let running = start_with(|c| c.max_body = ByteSize(1024));
    assert_eq!(running.post("/write?db=a", &"x".repeat(1024)).status, 204);
    assert_eq!(running.post("/write?db=a", &"x".repeat(1025)).status, 413);
}

#[test]
fn a_header_that_never_ends_is_cut() {
    let running = start_with(|c| c.header_timeout = SHORT);
    let mut silent = running.connect();
    let mut partial = running.connect();
    partial.send(b"GET /ping HTTP/1.1\r\nHos");
    let begun = Instant::now();
    assert!(partial.is_closed() && silent.is_closed());
    assert!(begun.elapsed() < Duration::from_secs(5), "{:?}", begun.elapsed());
    wait_until(|| running.server().metrics().connections() == 0);
    assert!(running.get("/metrics").text().contains("hissrv_http_connections_cut_total 2\n"));
}

#[test]
fn the_second_header_of_a_connection_is_timed_too() {
    let running = start_with(|c| c.header_timeout = SHORT);
    let mut client = running.connect();
    client.send(b"GET /ping HTTP/1.1\r\nHost: x\r\n\r\n");
    assert_eq!(client.answer().status, 204);
    client.send(b"GET /pi");
    assert!(client.is_closed());
}

#[test]
fn a_body_that_stalls_is_408_and_gives_its_memory_back() {
    let running = start_with(|c| c.body_timeout = SHORT);
    let mut client = running.connect();
    client.send(b"POST /write?db=a HTTP/1.1\r\nHost: x\r\nContent-Length: 500000\r\n\r\nm v=1");
    let answer = client.answer();
    assert_eq!(answer.status, 408);
    assert!(client.is_closed());
    assert!(running.get("/metrics").text().contains("hissrv_http_write_memory_free_bytes 2097152\n"));
}

#[test]
fn a_body_that_trickles_is_cut_although_bytes_keep_coming() {
    let running = start_with(|c| c.body_timeout = SHORT);
    let mut client = running.connect();
    client.send(b"POST /write?db=a HTTP/1.1\r\nHost: x\r\nContent-Length: 500000\r\n\r\n");
    let mut writer = client.stream.try_clone().unwrap();
    let trickle = thread::spawn(move || {
        let begun = Instant::now();
        while std::io::Write::write_all(&mut writer, b"x").is_ok() {
            assert!(begun.elapsed() < Duration::from_secs(10), "the server still takes bytes");
            thread::sleep(Duration::from_millis(20));
        }
    });
    assert_eq!(client.answer().status, 408);
    trickle.join().unwrap();
}

#[test]
fn a_client_that_does_not_take_its_answer_is_cut() {
    let running = start();
    let mut client = running.connect();
    client.send(post("/api/v1/query/series", "large").as_bytes());
    wait_until(|| running.server().metrics().connections() == 1);
    wait_until(|| running.server().metrics().connections() == 0);
    assert!(running.get("/metrics").text().contains("hissrv_http_connections_cut_total 1\n"));
}

#[test]
fn an_idle_connection_is_closed_but_not_before_its_time() {
    let running = start_with(|c| {
        c.header_timeout = SHORT;
        c.idle_timeout = HumanDuration(Duration::from_millis(1500));
    });
    let mut client = running.connect();
    client.send(b"GET /ping HTTP/1.1\r\nHost: x\r\n\r\n");
    assert_eq!(client.answer().status, 204);
    // Longer than the header timeout, shorter than the idle timeout.
    thread::sleep(Duration::from_millis(500));
    client.send(b"GET /ping HTTP/1.1\r\nHost: x\r\n\r\n");
    assert_eq!(client.answer().status, 204);
    assert!(client.is_closed());
}

#[test]
fn a_connection_beyond_the_cap_waits_until_one_closes() {
    let running = start_with(|c| c.max_connections = 2);
    let mut first = running.connect();
    let mut second = running.connect();
    for client in [&mut first, &mut second] {
        client.send(b"GET /ping HTTP/1.1\r\nHost: x\r\n\r\n");
        assert_eq!(client.answer().status, 204);
    }
    let mut third = running.connect();
    third.send(b"GET /ping HTTP/1.1\r\nHost: x\r\n\r\n");
    thread::sleep(Duration::from_millis(200));
    assert_eq!(running.server().metrics().connections(), 2);
    drop(first);
    assert_eq!(third.answer().status, 204);
}

#[test]
fn writes_beyond_the_memory_are_503_until_some_is_given_back() {
    let running = start();
    let body = "x".repeat(900_000);
    let mut clients = [running.connect(), running.connect()];
    for client in &mut clients {
        client.send(post("/write?db=slow", &body).as_bytes());
    }
    wait_until(|| running.fake.slow_started.load(SeqCst) == 2);
    let mut third = running.connect();
    third.send(post("/write?db=a", &body).as_bytes());
    let answer = third.answer();
    assert_eq!((answer.status, answer.header("retry-after")), (503, Some("1")));
    running.fake.release.store(true, SeqCst);
    for client in &mut clients {
        assert_eq!(client.answer().status, 204);
    }
    // The refused body was read to its end, so the connection serves the retry.
    third.send(post("/write?db=a", &body).as_bytes());
    assert_eq!(third.answer().status, 204);
}

#[test]
fn memory_of_a_write_is_held_until_it_is_done_although_the_client_has_gone() {
    let running = start();
    let mut client = running.connect();
    client.send(post("/write?db=slow", &"x".repeat(1 << 20)).as_bytes());
    wait_until(|| running.fake.slow_started.load(SeqCst) == 1);
    drop(client);
    wait_until(|| running.server().metrics().in_flight() == 0);
    assert!(running.get("/metrics").text().contains("hissrv_http_write_memory_free_bytes 1048576\n"));
    running.fake.release.store(true, SeqCst);
    wait_until(|| running.get("/metrics").text().contains("hissrv_http_write_memory_free_bytes 2097152\n"));
}

#[test]
fn queries_beyond_the_limit_are_503_and_a_client_that_goes_away_cancels_its_query() {
    let running = start();
    let mut clients = [running.connect(), running.connect()];
    for client in &mut clients {
        client.send(post("/api/v1/query/series", "slow").as_bytes());
    }
    wait_until(|| running.server().metrics().in_flight() == 2);
    let answer = running.post("/api/v1/query/series", "{}");
    assert_eq!((answer.status, answer.code().as_str()), (503, "busy"));
    assert_eq!(answer.header("retry-after"), Some("1"));
    drop(clients);
    wait_until(|| running.fake.cancelled_queries.load(SeqCst) == 2);
    assert_eq!(running.post("/api/v1/query/series", "{}").status, 200);
}

#[test]
fn a_query_that_takes_too_long_is_cancelled_and_408() {
    let running = start_with(|c| c.query_timeout = HumanDuration(Duration::from_millis(100)));
    let answer = running.post("/api/v1/query/series", "slow");
    assert_eq!((answer.status, answer.code().as_str()), (408, "timeout"));
    wait_until(|| running.fake.cancelled_queries.load(SeqCst) == 1);
}
