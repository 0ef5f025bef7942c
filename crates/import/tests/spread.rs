//! Workers of a spread import that fail, with a real Redis: whose fault it is decides what becomes of the job.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test that cannot go on fails")]

use std::io::Write;
use std::net::TcpListener;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering::Relaxed};
use std::time::{Duration, Instant};

use backend::WriteError;
use formats::{Output, Packing};
use import::spread::{Board, Coordinator, Duties, Task, WorkError, Worked, cut, work};
use import::{Layout, Options, Sink, SinkSession, Taken, find_inputs};
use source::Stop;
use source::redis::Client;
use tls::TlsConfig;

struct Redis {
    child: Child,
    url: String,
}

impl Redis {
    fn start() -> Self {
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port().to_string();
        let mut command = Command::new("redis-server");
        command.args(["--bind", "127.0.0.1", "--port", &port, "--save", "", "--appendonly", "no"]);
        let child = command.stdout(Stdio::null()).spawn().expect("redis-server: apt-get install redis-server");
        let redis = Self { child, url: format!("redis://127.0.0.1:{port}") };
        let deadline = Instant::now() + Duration::from_secs(30);
        while redis.board().task().is_err() {
            assert!(Instant::now() < deadline, "redis-server does not answer");
            std::thread::sleep(Duration::from_millis(20));
        }
        redis
    }

    fn board(&self) -> Board {
        Board::new(&self.url, "test", Arc::new(Stop::default())).unwrap()
    }
}

impl Drop for Redis {
    fn drop(&mut self) {
        self.child.kill().ok();
        self.child.wait().ok();
    }
}

/// A store that takes so many batches, and refuses whatever comes after.
struct Store(Arc<AtomicI64>);

impl Sink for Store {
    fn session(&self) -> Box<dyn SinkSession + '_> {
        Box::new(Self(Arc::clone(&self.0)))
    }

    fn prepare(&self) -> Result<(), WriteError> {
        Ok(())
    }
}

impl SinkSession for Store {
    fn write(&mut self, _lines: &[u8]) -> Result<Taken, WriteError> {
        if self.0.fetch_sub(1, Relaxed) > 0 {
            return Ok(Taken::default());
        }
        Err(WriteError::Denied { message: "wrong password".to_owned() })
    }
}

fn coordinator(redis: &Redis, folder: &Path, lease: Duration) -> Coordinator {
    let inputs = find_inputs(&[folder.join("*.lp*").display().to_string()], None).unwrap();
    let jobs = cut(&inputs, &Layout::default(), 1 << 20).unwrap();
    let task = Task {
        id: "one".to_owned(),
        layout: Layout::default(),
        database: None,
        policy: None,
        max_errors: 1000,
        lease,
        jobs: jobs.len() as u64,
    };
    Coordinator::new(redis.board(), task, jobs, folder.join("spool"))
}

fn run_worker(redis: &Redis, folder: &Path, name: &str, batches: i64) -> Result<Worked, WorkError> {
    run_worker_until(redis, folder, name, batches, &AtomicBool::new(false))
}

fn run_worker_until(
    redis: &Redis,
    folder: &Path,
    name: &str,
    batches: i64,
    stop: &AtomicBool,
) -> Result<Worked, WorkError> {
    let options = Options { workers: 1, delay: Duration::from_millis(10), ..Options::default() };
    let store = Arc::new(AtomicI64::new(batches));
    let duties = Duties { name, options: &options, scratch: folder.join(name), stop, tell: &|_| {} };
    work(&mut redis.board(), &duties, &mut |_| Ok(Box::new(Store(Arc::clone(&store)))))
}

fn write_files(folder: &Path) {
    for file in 0..3 {
        std::fs::write(folder.join(format!("{file}.lp")), format!("m,f={file} v=1 1700000000000000000\n")).unwrap();
    }
}

#[test]
fn a_worker_that_cannot_write_or_see_the_files_ends_and_leaves_all_jobs_to_others() {
    let (redis, folder) = (Redis::start(), tempfile::tempdir().unwrap());
    write_files(folder.path());
    // The lease is longer than the test: what is given back is not waited for.
    let mut coordinator = coordinator(&redis, folder.path(), Duration::from_secs(3600));
    coordinator.look().unwrap();
    for _ in 0..2 {
        let error = run_worker(&redis, folder.path(), "bad", 0).unwrap_err().to_string();
        assert!(error.contains("7 times in a row") && error.contains("wrong password"), "{error}");
    }
    (0..3).for_each(|n| std::fs::remove_file(folder.path().join(format!("{n}.lp"))).unwrap());
    let error = run_worker(&redis, folder.path(), "blind", i64::MAX).unwrap_err().to_string();
    assert!(error.contains("cannot open the file"), "{error}");
    write_files(folder.path());
    let total = coordinator.look().unwrap();
    assert_eq!((total.done, total.running), (0, 0));
    assert_eq!(run_worker(&redis, folder.path(), "good", i64::MAX).unwrap().jobs, 3);
    assert_eq!(coordinator.look().unwrap().counts.points, 3);
    assert!(coordinator.done().values().all(|done| done.failure.is_none() && done.worker == "good"));
}

#[test]
fn a_job_is_taken_over_also_behind_many_that_are_under_way() {
    let (redis, folder) = (Redis::start(), tempfile::tempdir().unwrap());
    for file in 10..50 {
        std::fs::write(folder.path().join(format!("{file}.lp")), "m v=1 1700000000000000000\n").unwrap();
    }
    let mut coordinator = coordinator(&redis, folder.path(), Duration::from_secs(3600));
    coordinator.look().unwrap();
    // Somebody has all but the last one.
    let mut client = Client::new(&redis.url, TlsConfig::default(), Arc::new(Stop::default())).unwrap();
    let key = &b"hissrv:import:test:jobs"[..];
    client.call(&[b"XREADGROUP", b"GROUP", b"workers", b"busy", b"COUNT", b"39", b"STREAMS", key, b">"]).unwrap();
    run_worker(&redis, folder.path(), "bad", 0).unwrap_err();
    let stop = AtomicBool::new(false);
    std::thread::scope(|scope| {
        scope.spawn(|| run_worker_until(&redis, folder.path(), "good", i64::MAX, &stop));
        let deadline = Instant::now() + Duration::from_secs(30);
        while coordinator.look().unwrap().done == 0 && Instant::now() < deadline {
            std::thread::sleep(Duration::from_millis(20));
        }
        stop.store(true, Relaxed);
    });
    assert_eq!(coordinator.done().keys().collect::<Vec<_>>(), [&39]);
}

#[test]
fn failures_of_a_worker_that_did_a_job_count() {
    let (redis, folder) = (Redis::start(), tempfile::tempdir().unwrap());
    write_files(folder.path());
    let mut coordinator = coordinator(&redis, folder.path(), Duration::from_secs(3600));
    coordinator.look().unwrap();
    run_worker(&redis, folder.path(), "once", 1).unwrap();
    assert_eq!(coordinator.look().unwrap().done, 3);
    assert_eq!(coordinator.done().values().filter(|done| done.failure.is_some()).count(), 2);
}

#[test]
fn rejects_outlive_a_redis_that_lost_them() {
    let (redis, folder) = (Redis::start(), tempfile::tempdir().unwrap());
    write_files(folder.path());
    std::fs::write(folder.path().join("3.lp"), "no line\n").unwrap();
    let mut first = coordinator(&redis, folder.path(), Duration::from_secs(3600));
    first.look().unwrap();
    run_worker(&redis, folder.path(), "good", i64::MAX).unwrap();
    let seen = first.look().unwrap();
    redis.board().clear().unwrap();
    // Posted again with what is known; a second coordinator reads it from there.
    assert_eq!(first.look().unwrap(), seen);
    let mut second = coordinator(&redis, folder.path(), Duration::from_secs(3600));
    assert_eq!((second.look().unwrap(), seen.done, seen.counts.refused), (seen.clone(), 4, 1));
    let path = folder.path().join("rejects");
    second.write_rejects(&path).unwrap();
    let written = std::fs::read_to_string(&path).unwrap();
    assert!(written.contains("3.lp:1: ") && written.ends_with("no line\n"), "{written}");
}

#[test]
fn a_damaged_file_is_given_up_by_whatever_worker() {
    let (redis, folder) = (Redis::start(), tempfile::tempdir().unwrap());
    let path = folder.path().join("a.lp.gz");
    let mut packed = Output::new(Box::new(std::fs::File::create(&path).unwrap()), Packing::Gzip).unwrap();
    packed.write_all(b"m v=1 1700000000000000000\n").unwrap();
    packed.finish().unwrap();
    let bytes = std::fs::read(&path).unwrap();
    std::fs::write(&path, &bytes[..bytes.len() - 4]).unwrap();
    let mut coordinator = coordinator(&redis, folder.path(), Duration::from_secs(1));
    coordinator.look().unwrap();
    run_worker(&redis, folder.path(), "only", i64::MAX).unwrap();
    coordinator.look().unwrap();
    assert!(coordinator.done().values().all(|done| done.failure.is_some()) && coordinator.done().len() == 1);
}
