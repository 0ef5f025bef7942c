//! Workers that vanish with a job. They are played by workers whose store is away, so that they keep their jobs: the lease is an hour, and when one has vanished
//! Redis is told that the hour is over.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use backend::WriteError;
use import::spread::{Coordinator, DEATHS, Duties, WorkError, Worked, work};
use import::{Options, Sink, SinkSession, Taken};

use crate::support::{Redis, coordinator, damaged_file, run_worker, run_worker_until, write_files};

const HOUR: Duration = Duration::from_secs(3600);
const HOUR_MS: &[u8] = b"3600000";
const JOBS: &[u8] = b"hissrv:import:test:jobs";
const VANISHED: &[u8] = b"hissrv:import:test:vanished";

struct Away;

impl Sink for Away {
    fn session(&self) -> Box<dyn SinkSession + '_> {
        Box::new(Self)
    }

    fn prepare(&self) -> Result<(), WriteError> {
        Ok(())
    }
}

impl SinkSession for Away {
    fn write(&mut self, _lines: &[u8]) -> Result<Taken, WriteError> {
        Err(WriteError::Away { message: "no route".to_owned() })
    }
}

/// A worker whose store is away.
struct Stuck {
    stop: Arc<AtomicBool>,
    thread: JoinHandle<Result<Worked, WorkError>>,
}

impl Stuck {
    fn start(redis: &Redis, folder: &Path, name: &str) -> Self {
        let stop = Arc::new(AtomicBool::new(false));
        let (mut board, scratch, name, asked) = (redis.board(), folder.join(name), name.to_owned(), Arc::clone(&stop));
        let thread = std::thread::spawn(move || {
            let delay = Duration::from_millis(10);
            let options = Options { workers: 1, delay, max_delay: delay, retries: u32::MAX, ..Options::default() };
            let duties = Duties { name: &name, options: &options, scratch, stop: &asked, tell: &|_| {} };
            work(&mut board, &duties, &mut |_| Ok(Box::new(Away)))
        });
        Self { stop, thread }
    }

    fn stop(self) {
        self.stop.store(true, Relaxed);
        assert_eq!(self.thread.join().unwrap().unwrap(), Worked::default());
    }
}

#[track_caller]
fn wait_for(what: &str, mut is_so: impl FnMut() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(30);
    while !is_so() {
        assert!(Instant::now() < deadline, "waited too long for {what}");
        std::thread::sleep(Duration::from_millis(10));
    }
}

/// Who has which job.
fn holders(redis: &Redis) -> Vec<(String, String)> {
    let rows = redis.client().call(&[b"XPENDING", JOBS, b"workers", b"-", b"+", b"100"]).unwrap();
    rows.list().iter().map(|row| (row.list()[0].text().to_owned(), row.list()[1].text().to_owned())).collect()
}

/// An hour goes by without a word of those who have jobs.
fn pass_hour(redis: &Redis) {
    for (entry, holder) in holders(redis) {
        let (entry, holder) = (entry.as_bytes(), holder.as_bytes());
        let claim = [b"XCLAIM", JOBS, b"workers", holder, b"0", entry, b"IDLE", HOUR_MS, b"JUSTID"];
        redis.client().call(&claim).unwrap();
    }
}

fn vanished(redis: &Redis) -> i64 {
    redis.client().call(&[b"HLEN", VANISHED]).unwrap().integer().unwrap()
}

/// A healthy worker works until so many jobs are done.
fn work_until(redis: &Redis, folder: &Path, coordinator: &mut Coordinator, done: u64) {
    let stop = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let worker = scope.spawn(|| run_worker_until(redis, folder, "good", i64::MAX, &stop));
        wait_for("jobs to be done", || coordinator.look().unwrap().done == done);
        stop.store(true, Relaxed);
        worker.join().unwrap().unwrap();
    });
}

/// Three jobs; two are done, of the first one so many workers die.
fn deadly(redis: &Redis, folder: &Path, deaths: usize) -> (Coordinator, Vec<Stuck>) {
    write_files(folder);
    let mut coordinator = coordinator(redis, folder, HOUR);
    coordinator.look().unwrap();
    let mut dead = Vec::new();
    for number in 1..=deaths {
        let name = format!("dead{number}");
        dead.push(Stuck::start(redis, folder, &name));
        wait_for("the job to be taken", || holders(redis).iter().any(|(_, holder)| *holder == name));
        if number == 1 {
            work_until(redis, folder, &mut coordinator, 2);
        }
        pass_hour(redis);
    }
    (coordinator, dead)
}

#[test]
fn a_job_that_its_workers_die_of_is_given_up_and_done_by_the_next_run() {
    let (redis, folder) = (Redis::start(), tempfile::tempdir().unwrap());
    let (mut first, dead) = deadly(&redis, folder.path(), DEATHS);
    // The last one may be about to speak.
    assert_eq!(first.look().unwrap().done, 2);
    assert_eq!(holders(&redis)[0].1, "nobody");
    assert_eq!(first.look().unwrap().done, 2);
    pass_hour(&redis);
    let total = first.look().unwrap();
    assert_eq!((total.done, total.running, total.counts.points), (3, 0, 2));
    let failure = first.done()[&0].failure.clone().unwrap();
    assert_eq!(failure.tries, DEATHS as u64);
    assert!(failure.reason.contains("5 workers vanished") && failure.reason.contains("dead1, dead2"), "{failure:?}");
    assert_eq!(vanished(&redis), 0);
    first.end().unwrap();
    dead.into_iter().for_each(Stuck::stop);

    let mut second = coordinator(&redis, folder.path(), HOUR).resuming();
    assert_eq!((second.look().unwrap().done, second.before()), (2, 2));
    assert_eq!(run_worker(&redis, folder.path(), "good", i64::MAX).unwrap().jobs, 1);
    assert_eq!(second.look().unwrap().counts.points, 3);
    assert!(second.done().values().all(|done| done.failure.is_none()));
    second.end().unwrap();
    let keys = redis.client().call(&[b"KEYS", b"*"]).unwrap();
    assert_eq!(keys.list().iter().map(|key| key.text()).collect::<Vec<_>>(), ["hissrv:import:test:over"]);
}

#[test]
fn a_deadly_job_is_given_up_by_workers_while_the_coordinator_is_away() {
    let (redis, folder) = (Redis::start(), tempfile::tempdir().unwrap());
    let (mut coordinator, dead) = deadly(&redis, folder.path(), DEATHS);
    std::thread::scope(|scope| {
        let worker = scope.spawn(|| run_worker(&redis, folder.path(), "healthy", i64::MAX));
        wait_for("the job to rest", || holders(&redis)[0].1 == "nobody");
        pass_hour(&redis);
        assert_eq!(worker.join().unwrap().unwrap().jobs, 0);
    });
    assert!(coordinator.look().unwrap().done == 3 && coordinator.done()[&0].failure.is_some());
    dead.into_iter().for_each(Stuck::stop);
}

#[test]
fn a_worker_that_speaks_again_is_not_dead() {
    let (redis, folder) = (Redis::start(), tempfile::tempdir().unwrap());
    let (mut coordinator, mut dead) = deadly(&redis, folder.path(), DEATHS);
    coordinator.look().unwrap();
    assert_eq!((holders(&redis)[0].1.as_str(), vanished(&redis)), ("nobody", DEATHS as i64));
    // It was cut off only: with the next word it takes its death back, here by asking for a job.
    let last = dead.pop().unwrap();
    last.stop();
    let alive = Stuck::start(&redis, folder.path(), &format!("dead{DEATHS}"));
    wait_for("a death to be taken back", || vanished(&redis) == DEATHS as i64 - 1);
    pass_hour(&redis);
    coordinator.look().unwrap();
    wait_for("the job to be taken again", || holders(&redis)[0].1 == format!("dead{DEATHS}"));
    alive.stop();
    assert_eq!(run_worker(&redis, folder.path(), "healthy", i64::MAX).unwrap().jobs, 1);
    assert_eq!(coordinator.look().unwrap().counts.points, 3);
    dead.into_iter().for_each(Stuck::stop);
}

#[test]
fn a_worker_that_renews_its_job_is_not_dead() {
    let (redis, folder) = (Redis::start(), tempfile::tempdir().unwrap());
    write_files(folder.path());
    coordinator(&redis, folder.path(), Duration::from_secs(1)).look().unwrap();
    let slow = Stuck::start(&redis, folder.path(), "slow");
    wait_for("the job to be taken", || !holders(&redis).is_empty());
    redis.client().call(&[b"HSET", VANISHED, b"slow", b"0"]).unwrap();
    wait_for("a death to be taken back", || vanished(&redis) == 0);
    // Also where somebody else has the job by now.
    let entry = holders(&redis).remove(0).0;
    let other: [&[u8]; 7] = [b"XCLAIM", JOBS, b"workers", b"other", b"0", entry.as_bytes(), b"JUSTID"];
    redis.client().call_all(&[&other, &[b"HSET", VANISHED, b"slow", b"0"]]).unwrap();
    wait_for("a death to be taken back", || vanished(&redis) == 0);
    slow.stop();
}

#[test]
fn outages_of_redis_use_up_nothing() {
    let (redis, folder, lease) = (Redis::start(), tempfile::tempdir().unwrap(), Duration::from_millis(500));
    std::fs::write(folder.path().join("0.lp"), "m v=1 1700000000000000000\n").unwrap();
    let mut coordinator = coordinator(&redis, folder.path(), lease);
    coordinator.look().unwrap();
    // One has the job, the other one would take it over; when Redis is back both are late.
    let workers = ["one", "other"].map(|name| Stuck::start(&redis, folder.path(), name));
    wait_for("the job to be taken", || !holders(&redis).is_empty());
    for _ in 0..DEATHS + 2 {
        redis.halt(lease + lease / 2);
        coordinator.look().unwrap();
        wait_for("both to speak", || vanished(&redis) == 0 && holders(&redis)[0].1 != "nobody");
    }
    workers.into_iter().for_each(Stuck::stop);
    assert_eq!(run_worker(&redis, folder.path(), "good", i64::MAX).unwrap().jobs, 1);
    assert!(coordinator.look().unwrap().done == 1 && coordinator.done()[&0].failure.is_none());
}

#[test]
fn workers_that_are_asked_to_end_or_whose_store_is_away_use_up_nothing() {
    let (redis, folder) = (Redis::start(), tempfile::tempdir().unwrap());
    write_files(folder.path());
    let mut coordinator = coordinator(&redis, folder.path(), HOUR);
    coordinator.look().unwrap();
    for number in 0..4 * DEATHS {
        let name = format!("asked{number}");
        let worker = Stuck::start(&redis, folder.path(), &name);
        wait_for("a job to be taken", || holders(&redis).iter().any(|(_, holder)| *holder == name));
        worker.stop();
    }
    assert!(holders(&redis).iter().all(|(_, holder)| holder == "nobody"));
    assert_eq!(vanished(&redis), 0);
    assert_eq!(run_worker(&redis, folder.path(), "good", i64::MAX).unwrap().jobs, 3);
    assert_eq!(coordinator.look().unwrap().counts.points, 3);
}

#[test]
fn a_run_that_resumes_reads_files_anew_that_were_changed_and_any_other_reads_all() {
    let (redis, folder) = (Redis::start(), tempfile::tempdir().unwrap());
    write_files(folder.path());
    damaged_file(folder.path());
    let mut first = coordinator(&redis, folder.path(), Duration::from_millis(100));
    first.look().unwrap();
    run_worker(&redis, folder.path(), "good", i64::MAX).unwrap();
    assert_eq!(first.look().unwrap().done, 4);
    first.end().unwrap();
    std::thread::sleep(Duration::from_millis(20));
    let path = folder.path().join("1.lp");
    std::fs::write(&path, std::fs::read(&path).unwrap()).unwrap();
    let mut second = coordinator(&redis, folder.path(), Duration::from_millis(100)).resuming();
    assert_eq!((second.look().unwrap().done, second.before()), (2, 2));
    run_worker(&redis, folder.path(), "another", i64::MAX).unwrap();
    assert_eq!(second.look().unwrap().done, 4);
    second.end().unwrap();
    let mut third = coordinator(&redis, folder.path(), Duration::from_millis(100));
    assert_eq!((third.look().unwrap().done, third.before()), (0, 0));
}
