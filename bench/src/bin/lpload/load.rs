//! Sends the batches over several connections and times each.

use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering::Relaxed};
use std::thread;
use std::time::{Duration, Instant};

use histbench::Result;

use crate::batches::{Batch, Batches};
use crate::http::{Answer, Connection, Target};

/// How to load.
pub(crate) struct Plan {
    pub(crate) target: Target,
    pub(crate) connections: usize,
    /// Offered load; as fast as the server takes it when absent.
    pub(crate) lines_per_second: Option<f64>,
    /// So many errors are printed; all are counted.
    pub(crate) errors_shown: u64,
}

/// What came of it.
#[derive(Default)]
pub(crate) struct Outcome {
    pub(crate) wall: Duration,
    /// Lines of batches answered with 2xx.
    pub(crate) lines_ok: u64,
    /// Batches answered otherwise.
    pub(crate) refused: u64,
    /// Batches without answer.
    pub(crate) broken: u64,
    /// Sorted.
    pub(crate) latencies_ms: Vec<f64>,
}

impl Outcome {
    fn add(&mut self, other: Self) {
        self.lines_ok += other.lines_ok;
        self.refused += other.refused;
        self.broken += other.broken;
        self.latencies_ms.extend(other.latencies_ms);
    }
}

/// Sends all batches; ends when the last was answered or failed.
///
/// # Errors
/// When a loader thread died.
pub(crate) fn run(plan: &Plan, batches: &Batches<'_>) -> Result<Outcome> {
    let shared = Shared { plan, batches, start: Instant::now(), next: AtomicUsize::new(0), shown: AtomicU64::new(0) };
    let mut total = Outcome::default();
    thread::scope(|scope| -> Result<()> {
        let workers: Vec<_> = (0..plan.connections).map(|_| scope.spawn(|| shared.work())).collect();
        for worker in workers {
            total.add(worker.join().map_err(|_| "a loader thread died")?);
        }
        Ok(())
    })?;
    total.wall = shared.start.elapsed();
    total.latencies_ms.sort_by(f64::total_cmp);
    Ok(total)
}

struct Shared<'a> {
    plan: &'a Plan,
    batches: &'a Batches<'a>,
    start: Instant,
    next: AtomicUsize,
    shown: AtomicU64,
}

impl Shared<'_> {
    fn work(&self) -> Outcome {
        let mut outcome = Outcome::default();
        let mut connection = None;
        loop {
            let at = self.next.fetch_add(1, Relaxed);
            let Some(batch) = self.batches.get(at) else { return outcome };
            let due = self.wait_until_due(at);
            let answer = self.send(&mut connection, batch);
            outcome.latencies_ms.push(due.elapsed().as_secs_f64() * 1e3);
            self.count(&mut outcome, batch, answer);
        }
    }

    fn wait_until_due(&self, at: usize) -> Instant {
        let Some(rate) = self.plan.lines_per_second else { return Instant::now() };
        let due = self.start + Duration::from_secs_f64(self.batches.lines_before(at) as f64 / rate);
        thread::sleep(due.saturating_duration_since(Instant::now()));
        due
    }

    fn send(&self, connection: &mut Option<Connection>, batch: Batch<'_>) -> std::io::Result<Answer> {
        let mut open = match connection.take() {
            Some(open) => open,
            None => Connection::open(&self.plan.target)?,
        };
        let answer = open.post(&self.plan.target, batch.text)?;
        if answer.keep_alive {
            *connection = Some(open);
        }
        Ok(answer)
    }

    fn count(&self, outcome: &mut Outcome, batch: Batch<'_>, answer: std::io::Result<Answer>) {
        match answer {
            Ok(answer) if (200..300).contains(&answer.status) => outcome.lines_ok += batch.lines,
            Ok(answer) => {
                outcome.refused += 1;
                self.show(&format!("HTTP {}: {}", answer.status, answer.body.chars().take(400).collect::<String>()));
            }
            Err(error) => {
                outcome.broken += 1;
                self.show(&error.to_string());
            }
        }
    }

    fn show(&self, error: &str) {
        if self.shown.fetch_add(1, Relaxed) < self.plan.errors_shown {
            eprintln!("{error}");
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::{Read, Write};
    use std::net::TcpListener;

    use super::*;

    /// Answers one connection: 204 to the first batch, 503 to the second, then closes without answer.
    fn serve(listener: &TcpListener) {
        let (mut stream, _) = listener.accept().unwrap();
        for answer in ["HTTP/1.1 204 No Content\r\n\r\n", "HTTP/1.1 503 Full\r\nContent-Length: 0\r\n\r\n", ""] {
            let mut request = [0; 4096];
            while !request.windows(2).any(|pair| pair == b"1\n") {
                assert!(stream.read(&mut request).unwrap() > 0);
            }
            stream.write_all(answer.as_bytes()).unwrap();
        }
    }

    #[test]
    fn accepted_refused_and_broken_batches_are_counted_apart() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}/write", listener.local_addr().unwrap());
        let target = Target::new(&url, None).unwrap();
        let plan = Plan { target, connections: 1, lines_per_second: None, errors_shown: 0 };
        let outcome = thread::scope(|scope| {
            scope.spawn(|| serve(&listener));
            run(&plan, &Batches::cut(b"a v=1\nb v=1\nc v=1\n", 1, u64::MAX)).unwrap()
        });
        assert_eq!((outcome.lines_ok, outcome.refused, outcome.broken), (1, 1, 1));
        assert_eq!(outcome.latencies_ms.len(), 3);
    }
}
