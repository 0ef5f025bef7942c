//! A stop in order loses nothing, leaves nothing to replay, and can be cut short.

use std::io::Write;
use std::net::TcpStream;
use std::ops::Range;
use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::support::{Folder, Numbers, Rng, Service, Signal, Writer, check_numbers, lines};

/// Longest that a stop in order takes by its own deadline.
const STOP_MAX: Duration = Duration::from_secs(30);
/// Longest for a stop at once, and for a start with nothing to replay.
const SOON: Duration = Duration::from_secs(10);

/// Writes until the service is stopped by `signal`; the numbers that were acknowledged.
fn write_and_stop(test: &str, folder: &Folder, numbers: &Arc<Numbers>, signal: Signal) -> Vec<Range<u64>> {
    let mut rng = Rng::new(test);
    let service = Service::start(folder, "");
    let writers = [(); 2].map(|()| Writer::start(service.address(), numbers, rng.fork()));
    std::thread::sleep(Duration::from_millis(300));
    service.signal(signal);
    assert_eq!(service.wait(STOP_MAX), Some(0));
    let acknowledged: Vec<Range<u64>> = writers.into_iter().flat_map(Writer::join).collect();
    assert!(!acknowledged.is_empty(), "nothing was acknowledged before the stop");
    acknowledged
}

fn stops_in_order(test: &str, signal: Signal) {
    let (folder, numbers) = (Folder::new(), Arc::new(Numbers::default()));
    let acknowledged = write_and_stop(test, &folder, &numbers, signal);
    let began = Instant::now();
    let service = Service::start(&folder, "");
    assert!(began.elapsed() < SOON, "ready after {:?}", began.elapsed());
    check_numbers(&mut service.client(), &acknowledged, &numbers);
    let status = service.status();
    assert_eq!(status["engine"]["head_values"], 0, "values were replayed: {status}");
    assert_eq!(status["journal"]["consumers"][0]["lag_points"], 0, "the journal was not passed: {status}");
    let stored = acknowledged.iter().map(|range| range.end - range.start).sum::<u64>();
    assert!(status["engine"]["file_values"].as_u64() >= Some(stored * 3), "{status}");
    service.stop();
}

#[test]
fn sigterm_under_load_stops_in_order_and_leaves_nothing_to_replay() {
    stops_in_order("sigterm", Signal::Terminate);
}

#[test]
fn sigint_under_load_stops_in_order_and_leaves_nothing_to_replay() {
    stops_in_order("sigint", Signal::Interrupt);
}

/// A request whose body never comes, so that a stop has something to wait for.
fn hang_a_request(service: &Service) -> TcpStream {
    let mut stream = TcpStream::connect(service.address()).unwrap();
    stream.write_all(b"POST /write?db=telemetry HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\nnumbered ").unwrap();
    stream
}

#[test]
fn a_second_signal_stops_at_once_and_loses_nothing_acknowledged() {
    let (folder, numbers) = (Folder::new(), Arc::new(Numbers::default()));
    let mut acknowledged = Vec::new();
    for (first, second) in [(Signal::Terminate, Signal::Terminate), (Signal::Interrupt, Signal::Interrupt)] {
        let mut service = Service::start(&folder, "");
        let writer = Writer::start(service.address(), &numbers, Rng::new("second signal"));
        let _hanging = hang_a_request(&service);
        std::thread::sleep(Duration::from_millis(200));
        service.signal(first);
        std::thread::sleep(Duration::from_millis(300));
        assert!(service.is_alive(), "the stop did not wait for the request");
        let began = Instant::now();
        service.signal(second);
        assert_eq!(service.wait(SOON), Some(130));
        assert!(began.elapsed() < Duration::from_secs(3), "at once took {:?}", began.elapsed());
        acknowledged.extend(writer.join());
    }
    let service = Service::start(&folder, "");
    check_numbers(&mut service.client(), &acknowledged, &numbers);
    service.stop();
}

#[test]
fn a_request_that_never_ends_does_not_keep_the_service_from_stopping() {
    let (folder, numbers) = (Folder::new(), Numbers::default());
    let service = Service::start(&folder, "");
    let batch = numbers.take(100);
    service.client().post("/write?db=telemetry&precision=ms", lines(batch.clone())).ok();
    let _hanging = hang_a_request(&service);
    std::thread::sleep(Duration::from_millis(100));
    service.signal(Signal::Terminate);
    assert_eq!(service.wait(STOP_MAX), Some(0));
    let service = Service::start(&folder, "");
    check_numbers(&mut service.client(), &[batch], &numbers);
    service.stop();
}
