//! An outage of a store loses nothing: 20 000 points a second flow for a minute while every store is killed, paused and started
//! again, and hissrv itself is killed in between.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use super::peers::{Census, Peer};
use crate::support::{Client, Folder, Service};

const MINUTE: Duration = Duration::from_secs(60);
/// Points of one write, ten of them of each series.
const POINTS: u64 = 2_000;
const SERIES: u64 = 200;
/// Time between two writes: 20 000 points a second.
const TICK: Duration = Duration::from_millis(100);
/// A store that came back has live data not older than this...
const FRESH_MS: i64 = 5_000;
/// ...after so long.
const RETURN: Duration = Duration::from_secs(10);
/// Most memory that hissrv may have used, in bytes: each of the three writers may have 16 MB of values on their way, twice as much
/// while it sends some once more, and lists grow by doubling; the journal, the debug build and HTTP take the rest.
const MEMORY_MAX: u64 = 192 << 20;

pub(super) fn now_ms() -> i64 {
    i64::try_from(SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_millis()).unwrap()
}

/// A source that writes each batch until it is acknowledged, wherever hissrv is at the moment.
struct Source {
    thread: JoinHandle<Census>,
    address: Arc<Mutex<SocketAddr>>,
    stop: Arc<AtomicBool>,
}

impl Source {
    fn start(address: SocketAddr) -> Self {
        let (address, stop) = (Arc::new(Mutex::new(address)), Arc::new(AtomicBool::new(false)));
        let (here, told) = (Arc::clone(&address), Arc::clone(&stop));
        let thread = std::thread::spawn(move || {
            let (start, mut sent, mut time) = (Instant::now(), Census::default(), 0);
            while !told.load(Ordering::Relaxed) {
                // Batches that had to wait come in a burst, and must not have the same times.
                time = now_ms().max(time + TICK.as_millis() as i64);
                let batch = lines(sent.count, time);
                while !acknowledged(*here.lock().unwrap(), &batch) {
                    std::thread::sleep(Duration::from_millis(50));
                }
                sent.sum += (sent.count..sent.count + POINTS).map(|n| n as f64).sum::<f64>();
                sent.count += POINTS;
                let due = TICK * u32::try_from(sent.count / POINTS).unwrap();
                std::thread::sleep(due.saturating_sub(start.elapsed()));
            }
            sent
        });
        Self { thread, address, stop }
    }

    fn moved_to(&self, address: SocketAddr) {
        *self.address.lock().unwrap() = address;
    }

    fn join(self) -> Census {
        self.stop.store(true, Ordering::Relaxed);
        self.thread.join().unwrap()
    }
}

/// Points numbered from `first` on; those of a series are 10 ms apart.
fn lines(first: u64, time: i64) -> String {
    let point = |n: u64| {
        let (series, place) = (n % SERIES, (n - first) / SERIES);
        format!("flow,s={series} value={n} {}\n", time + 10 * place as i64)
    };
    (first..first + POINTS).map(point).collect()
}

fn acknowledged(address: SocketAddr, batch: &str) -> bool {
    let path = "/write?db=telemetry&precision=ms";
    Client::new(address).send("POST", path, &[], batch.as_bytes()).is_ok_and(|answer| answer.status == 204)
}

fn configuration(peers: &[Peer; 3]) -> String {
    let [influxdb, victoriametrics, postgres] = peers.each_ref().map(|peer| peer.server.url());
    format!(
        "influxdb: {{url: \"{influxdb}\"}}\nwriter: {{max_memory: 16MB}}\nstorage:\n  embedded: {{enabled: false}}\n  influxdb: {{enabled: true}}\n  \
         victoriametrics: {{url: \"{victoriametrics}\"}}\n  postgres: {{url: \"{postgres}\"}}\n"
    )
}

/// Waits until a store that came back has fresh points.
#[track_caller]
fn check_fresh(peer: &Peer, what: &str) {
    let returned = Instant::now();
    loop {
        let age = peer.newest_ms("flow").map(|newest| now_ms() - newest);
        if age.is_some_and(|age| age < FRESH_MS) {
            println!("{} after {what}: {} ms old, {:?} after its return", peer.name, age.unwrap(), returned.elapsed());
            return;
        }
        assert!(returned.elapsed() < RETURN, "{} after {what}: the newest point is {age:?} ms old", peer.name);
        std::thread::sleep(Duration::from_millis(200));
    }
}

fn sleep_until(start: Instant, second: u64) {
    std::thread::sleep((start + Duration::from_secs(second)).saturating_duration_since(Instant::now()));
}

#[test]
fn whatever_dies_each_store_has_every_point_once_in_the_end() {
    let mut peers = [Peer::influxdb(), Peer::victoriametrics(), Peer::postgres()];
    let (folder, sections) = (Folder::new(), configuration(&peers));
    let mut service = Service::start(&folder, &sections);
    let start = Instant::now();
    let source = Source::start(service.address());
    for (n, second) in [(0, 4), (1, 6), (2, 8)] {
        sleep_until(start, second);
        peers[n].server.kill();
    }
    for (n, second) in [(0, 12), (1, 14), (2, 16)] {
        sleep_until(start, second);
        peers[n].server.start_again();
        check_fresh(&peers[n], "kill -9");
    }
    for (n, second) in [(0, 26), (1, 27), (2, 28)] {
        sleep_until(start, second);
        peers[n].server.pause();
    }
    for (n, second) in [(0, 38), (1, 39), (2, 40)] {
        sleep_until(start, second);
        peers[n].server.resume();
        check_fresh(&peers[n], "SIGSTOP");
    }
    let memory = memory_max(&service);
    // hissrv dies with all stores there, and once more while one is away.
    sleep_until(start, 48);
    service.kill9();
    service = Service::start(&folder, &sections);
    source.moved_to(service.address());
    sleep_until(start, 51);
    peers[0].server.kill();
    sleep_until(start, 53);
    service.kill9();
    service = Service::start(&folder, &sections);
    source.moved_to(service.address());
    sleep_until(start, 56);
    peers[0].server.start_again();
    check_fresh(&peers[0], "kill -9 of both");
    std::thread::sleep(MINUTE.saturating_sub(start.elapsed()));
    let sent = source.join();
    assert!(sent.count > 20_000 * 50, "only {} points were sent: the machine is too slow for this test", sent.count);
    wait_until_drained(&service);
    for peer in &peers {
        eventually_has(peer, sent);
    }
    let status = service.status();
    assert_eq!(status["accounting_mismatches"], 0, "{status}");
    let memory = memory.max(memory_max(&service));
    println!("{} MiB of memory at most", memory >> 20);
    assert!(memory < MEMORY_MAX, "{memory} bytes of memory");
    service.stop();
}

fn memory_max(service: &Service) -> u64 {
    let metrics = service.client().get("/metrics").ok().text();
    let line = metrics.lines().find_map(|l| l.strip_prefix("hissrv_process_resident_memory_max_bytes "));
    line.unwrap().parse().unwrap()
}

/// Until no store has anything in the journal that it does not have itself.
fn wait_until_drained(service: &Service) {
    let deadline = Instant::now() + 2 * MINUTE;
    loop {
        let status = service.status();
        let consumers = status["journal"]["consumers"].as_array().unwrap();
        if consumers.iter().all(|consumer| consumer["lag_records"] == 0) {
            return;
        }
        assert!(Instant::now() < deadline, "the stores do not catch up: {status}");
        std::thread::sleep(Duration::from_millis(500));
    }
}

/// VictoriaMetrics shows what it has taken a second or two later.
#[track_caller]
fn eventually_has(peer: &Peer, sent: Census) {
    let deadline = Instant::now() + RETURN;
    loop {
        let found = peer.census("flow");
        if found == sent {
            return;
        }
        assert!(Instant::now() < deadline, "{} has {found:?} of {sent:?}", peer.name);
        std::thread::sleep(Duration::from_millis(500));
    }
}
