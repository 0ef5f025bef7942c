//! Writers of numbered points: point `n` goes to series `n % 8` at `BASE + n` milliseconds with values made of `n`, so that whatever is
//! read back can be judged alone. Each writer keeps which numbers were acknowledged.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::net::SocketAddr;
use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread::JoinHandle;

use super::{Client, Rng, Row, rows_of};

/// Time of point 0, in milliseconds.
const BASE_MS: u64 = 1_700_000_000_000;
const SERIES: u64 = 8;

/// Numbers that are given out once each.
#[derive(Default)]
pub(crate) struct Numbers(AtomicU64);

impl Numbers {
    /// The next `count` numbers.
    pub(crate) fn take(&self, count: u64) -> Range<u64> {
        let first = self.0.fetch_add(count, Ordering::Relaxed);
        first..first + count
    }
}

/// Lines of points, with times in milliseconds.
pub(crate) fn lines(numbers: Range<u64>) -> String {
    let mut text = String::new();
    for n in numbers {
        let (series, time) = (n % SERIES, BASE_MS + n);
        writeln!(text, "numbered,series={series} n={n}i,value={},text=\"t{n}\" {time}", value(n)).unwrap();
    }
    text
}

fn value(n: u64) -> f64 {
    n as f64 / 8.0
}

/// A thread that writes until it is told to stop or the connection breaks.
pub(crate) struct Writer {
    thread: JoinHandle<Vec<Range<u64>>>,
    stop: Arc<AtomicBool>,
}

impl Writer {
    pub(crate) fn start(address: SocketAddr, numbers: &Arc<Numbers>, mut rng: Rng) -> Self {
        let stop = Arc::new(AtomicBool::new(false));
        let (told, numbers) = (Arc::clone(&stop), Arc::clone(numbers));
        let thread = std::thread::spawn(move || {
            let (mut client, mut acknowledged) = (Client::new(address), Vec::new());
            while !told.load(Ordering::Relaxed) {
                let batch = numbers.take(rng.within(3..300));
                let path = "/write?db=telemetry&precision=ms";
                match client.send("POST", path, &[], lines(batch.clone()).as_bytes()) {
                    Ok(answer) if answer.status == 204 => acknowledged.push(batch),
                    // Stopping: what follows is refused too.
                    Ok(answer) if answer.status == 503 => break,
                    Ok(answer) => panic!("status {}: {}", answer.status, answer.text()),
                    Err(_) => break,
                }
            }
            acknowledged
        });
        Self { thread, stop }
    }

    /// Ends the thread; gives the numbers that were answered with success.
    pub(crate) fn join(self) -> Vec<Range<u64>> {
        self.stop.store(true, Ordering::Relaxed);
        self.thread.join().unwrap()
    }
}

/// Reads everything and checks that each acknowledged number is there, that each row is as it was sent, and that none is twice.
#[track_caller]
pub(crate) fn check_numbers(client: &mut Client, acknowledged: &[Range<u64>], given_out: &Numbers) {
    let mut found = BTreeSet::new();
    for row in rows_of(client, "numbered") {
        let n = judge(&row);
        assert!(n < given_out.0.load(Ordering::Relaxed), "{n} was never sent");
        assert!(found.insert(n), "{n} is there twice");
    }
    for n in acknowledged.iter().cloned().flatten() {
        assert!(found.contains(&n), "{n} was acknowledged and is not there; {} are", found.len());
    }
}

/// The number of a row that is as it was sent.
fn judge(row: &Row) -> u64 {
    let n = row.integer("n").unwrap_or_else(|| panic!("no number: {row:?}")) as u64;
    assert_eq!(row.time, (BASE_MS + n) as i64 * 1_000_000, "{row:?}");
    assert_eq!(row.float("value"), Some(value(n)), "{row:?}");
    assert_eq!(row.values["text"], format!("t{n}"), "{row:?}");
    n
}
