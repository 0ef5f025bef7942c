//! Workers of a spread import that fail or die, with a real Redis: whose fault it is decides what becomes of the job.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, reason = "a test that cannot go on fails")]

mod deaths;
mod support;

use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::time::{Duration, Instant};

use support::{Redis, coordinator, damaged_file, run_worker, run_worker_until, write_files};

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
    let mut client = redis.client();
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
    damaged_file(folder.path());
    let mut coordinator = coordinator(&redis, folder.path(), Duration::from_secs(1));
    coordinator.look().unwrap();
    run_worker(&redis, folder.path(), "only", i64::MAX).unwrap();
    coordinator.look().unwrap();
    assert!(coordinator.done().values().all(|done| done.failure.is_some()) && coordinator.done().len() == 1);
}
