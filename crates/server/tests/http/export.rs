//! `GET /api/v1/export`: a body that comes as fast as it is read, with what it holds behind it.

use std::sync::atomic::Ordering::SeqCst;
use std::thread;
use std::time::Duration;

use crate::client::start;
use crate::fake::wait_until;

/// More lines than any buffer on the way takes.
const MANY: usize = 50_000_000;

fn request(parameters: &str) -> String {
    format!("GET /api/v1/export?{parameters} HTTP/1.1\r\nHost: x\r\nTE: trailers\r\n\r\n")
}

#[test]
fn an_export_is_chunked_and_says_behind_it_what_it_holds() {
    let running = start();
    let mut client = running.connect();
    client.send(request("format=csv&lines=3").as_bytes());
    let head = client.head();
    assert_eq!((head.status, head.header("content-type")), (200, Some("text/csv; charset=utf-8")));
    assert_eq!(head.header("trailer"), Some("hissrv-export"));
    let mut body = Vec::new();
    while body.len() < 36 {
        body.extend(client.chunk().unwrap());
    }
    assert_eq!(body, b"m value=1 1\n".repeat(3));
    // The last chunk, and the trailers as the head of nothing.
    assert_eq!(client.rest_until("}\r\n\r\n"), "0\r\nhissrv-export: {\"rows\":3}\r\n\r\n");
}

#[test]
fn an_export_that_is_refused_is_an_error_and_one_that_fails_later_is_cut() {
    let running = start();
    let refused = running.get("/api/v1/export?lines=0");
    assert_eq!((refused.status, refused.code().as_str()), (404, "not_found"));
    let mut client = running.connect();
    client.send(request("lines=2&fails=yes").as_bytes());
    assert_eq!(client.head().status, 200);
    while client.chunk().is_some() {}
    assert!(client.is_closed());
}

#[test]
fn an_export_waits_for_its_client_and_ends_with_it() {
    let running = start();
    let mut client = running.connect();
    client.send(request(&format!("lines={MANY}")).as_bytes());
    assert_eq!(client.head().status, 200);
    client.chunk().unwrap();
    let written = || running.fake.exported.load(SeqCst);
    let mut before = 0;
    wait_until(|| {
        // Until nothing moves any more.
        thread::sleep(Duration::from_millis(100));
        std::mem::replace(&mut before.clone(), written()) == written()
    });
    before = written();
    assert!(before < MANY);
    drop(client);
    let queries = running.connect();
    drop(queries);
    wait_until(|| {
        let mut other = running.connect();
        other.send(request("lines=1").as_bytes());
        other.head().status == 200
    });
    thread::sleep(Duration::from_millis(100));
    let after = written();
    thread::sleep(Duration::from_millis(200));
    assert_eq!(written(), after, "nobody reads it, so nothing is written");
    assert!(after < MANY);
}
