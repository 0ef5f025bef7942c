//! Start, many requests over one connection, stop.

use std::net::TcpStream;
use std::sync::Arc;
use std::sync::atomic::Ordering::SeqCst;
use std::thread;
use std::time::{Duration, Instant};

use server::{Server, ServerConfig, StartError};

use crate::client::{post, start};
use crate::fake::{Fake, wait_until};

#[test]
fn a_connection_serves_many_requests_also_pipelined() {
    let running = start();
    let mut client = running.connect();
    for _ in 0..50 {
        client.send(post("/write?db=a", "m v=1").as_bytes());
        assert_eq!(client.answer().status, 204);
    }
    let ping = "GET /ping HTTP/1.1\r\nHost: x\r\n\r\n";
    client.send(format!("{ping}{}{ping}", post("/write?db=nosuch", "m v=1")).as_bytes());
    let statuses: Vec<u16> = (0..3).map(|_| client.answer().status).collect();
    assert_eq!(statuses, [204, 404, 204]);
    assert_eq!(running.server().metrics().connections(), 1);
}

#[test]
fn connection_close_and_http_1_0_are_honoured() {
    let running = start();
    for request in ["GET /ping HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", "GET /ping HTTP/1.0\r\n\r\n"] {
        let mut client = running.connect();
        client.send(request.as_bytes());
        assert_eq!(client.answer().status, 204);
        assert!(client.is_closed());
    }
}

#[test]
fn expect_100_continue_is_answered_before_the_body_and_not_for_a_refused_one() {
    let running = start();
    let mut client = running.connect();
    client.send(b"POST /write?db=a HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\n");
    assert_eq!(client.head().status, 100);
    client.send(b"m v=1");
    assert_eq!(client.answer().status, 204);
    client.send(b"POST /write?db=a HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 9999999\r\n\r\n");
    assert_eq!(client.answer().status, 413);
}

#[test]
fn stop_lets_a_write_in_flight_end_and_closes_idle_connections_at_once() {
    let mut running = start();
    let mut idle = running.connect();
    idle.send(b"GET /ping HTTP/1.1\r\nHost: x\r\n\r\n");
    assert_eq!(idle.answer().status, 204);
    let mut fresh = running.connect();
    let mut busy = running.connect();
    busy.send(post("/write?db=slow", "m v=1").as_bytes());
    wait_until(|| running.fake.slow_started.load(SeqCst) == 1);
    let release = Arc::clone(&running.fake.release);
    let later = thread::spawn(move || {
        thread::sleep(Duration::from_millis(100));
        release.store(true, SeqCst);
    });
    let begun = Instant::now();
    assert_eq!(running.stop(Duration::from_secs(10)).cut, 0);
    assert!(begun.elapsed() < Duration::from_secs(5), "{:?}", begun.elapsed());
    assert_eq!(busy.answer().status, 204);
    assert!(busy.is_closed() && idle.is_closed() && fresh.is_closed());
    assert!(TcpStream::connect(running.addr).is_err());
    later.join().unwrap();
}

#[test]
fn stop_cuts_what_has_not_ended_by_the_deadline() {
    let mut running = start();
    let mut busy = running.connect();
    busy.send(post("/write?db=slow", "m v=1").as_bytes());
    wait_until(|| running.fake.slow_started.load(SeqCst) == 1);
    assert_eq!(running.stop(Duration::from_millis(100)).cut, 1);
    assert!(busy.is_closed());
    running.fake.release.store(true, SeqCst);
}

#[test]
fn a_taken_address_and_impossible_settings_are_errors_at_the_start() {
    let running = start();
    let try_start = |config| running.runtime.block_on(Server::start(config, Arc::new(Fake::default()))).err().unwrap();
    let taken = try_start(ServerConfig { listen: running.addr.to_string(), ..ServerConfig::default() });
    assert!(matches!(taken, StartError::Listen { .. }), "{taken}");
    let useless = try_start(ServerConfig { max_connections: 0, ..ServerConfig::default() });
    assert!(matches!(useless, StartError::Config(_)), "{useless}");
}
