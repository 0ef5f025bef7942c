//! `GET /api/v1/export`: a body that comes as fast as it is read, with what it holds behind it.

use std::cell::Cell;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::thread;
use std::time::Duration;

use crate::client::{start, start_with};
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
    // The last chunk, and the trailers behind it.
    let rest: Vec<_> = std::iter::from_fn(|| client.line().filter(|line| !line.is_empty())).collect();
    assert_eq!(rest, ["0", "hissrv-export: {\"rows\":3}"]);
}

#[test]
fn an_export_that_is_refused_is_an_error_and_one_that_fails_later_is_cut() {
    let running = start();
    let refused = running.get("/api/v1/export?lines=0");
    assert_eq!((refused.status, refused.code().as_str()), (404, "not_found"));
    let mut client = running.connect();
    client.send(request("lines=200000&fails=yes").as_bytes());
    assert_eq!(client.head().status, 200);
    while client.chunk().is_some() {}
    assert!(client.is_closed());
}

#[test]
fn an_export_waits_for_its_client_and_ends_with_it() {
    let running = start_with(|config| config.max_queries = 1);
    let mut client = running.connect();
    client.send(request(&format!("lines={MANY}")).as_bytes());
    assert_eq!(client.head().status, 200);
    client.chunk().unwrap();
    let before = wait_until_still(&running.fake.exported);
    assert!(before < MANY, "nobody reads it, so nothing more is written");
    drop(client);
    // The one query that may run at a time here has ended.
    assert_eq!(running.get("/api/v1/export?lines=1").status, 200);
}

/// Waits until a count does not change any more; gives it.
fn wait_until_still(count: &AtomicUsize) -> usize {
    let last = Cell::new(usize::MAX);
    wait_until(|| {
        thread::sleep(Duration::from_millis(100));
        let now = count.load(SeqCst);
        last.replace(now) == now
    });
    last.get()
}
