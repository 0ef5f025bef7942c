//! The first promise: what was acknowledged survives the death of the process at any moment.

use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::support::{Folder, Numbers, Rng, Service, Writer, check_numbers, output_of};

/// Everything is read back and checked after so many rounds, and at the end.
const CHECK_EVERY: u64 = 10;

/// Small, so that files are written and merged while processes die.
const SMALL: &str = "engine: {head_max: 1MiB, head_max_age: 1s}\njournal: {max_disk: 256MB, fsync: always}\n";
/// Promises the same when the process dies; only a power cut may cost the last interval.
const INTERVAL: &str = "engine: {head_max: 1MiB, head_max_age: 1s}\njournal: {max_disk: 256MB, fsync: interval}\n";

#[test]
fn every_acknowledged_point_survives_kill_9() {
    survives("kill9", SMALL, 50);
}

#[test]
fn every_acknowledged_point_survives_kill_9_also_between_syncs() {
    survives("kill9 between syncs", INTERVAL, 15);
}

fn survives(test: &str, sections: &str, rounds: u64) {
    let (mut rng, folder, numbers) = (Rng::new(test), Folder::new(), Arc::new(Numbers::default()));
    let mut acknowledged = Vec::new();
    let mut files = 0;
    for round in 1..=rounds {
        if rng.within(0..3) == 0 {
            Service::start_and_kill9(&folder, sections, Duration::from_millis(rng.within(5..100)));
        }
        let service = Service::start(&folder, sections);
        let writers = [(); 2].map(|()| Writer::start(service.address(), &numbers, rng.fork()));
        let flush = round == 1 || rng.within(0..3) == 0;
        let flusher = flush.then(|| flush_for_ever(&service));
        std::thread::sleep(Duration::from_millis(rng.within(20..150)));
        service.kill9();
        flusher.into_iter().for_each(|thread| thread.join().unwrap());
        acknowledged.extend(writers.into_iter().flat_map(Writer::join));
        if round % CHECK_EVERY == 0 || round == rounds {
            let service = Service::start(&folder, sections);
            check_numbers(&mut service.client(), &acknowledged, &numbers);
            files = service.status()["engine"]["files"].as_u64().unwrap();
            service.kill9();
        }
    }
    stops_undamaged(&folder, sections);
    let count: u64 = acknowledged.iter().map(|range| range.end - range.start).sum();
    println!("{test}: {rounds} rounds, {count} acknowledged points, {files} files");
    assert!(count > rounds * 50, "only {count} points were acknowledged: the rounds tried nothing");
    assert!(files > 0, "no block file was ever written");
}

/// After all those deaths a stop in order leaves no damage behind.
fn stops_undamaged(folder: &Folder, sections: &str) {
    Service::start(folder, sections).stop();
    let verified = output_of(&["verify", folder.data().to_str().unwrap()]);
    assert_eq!(verified.code, Some(0), "{verified:?}");
}

/// Writes memory to files and merges these, over and over, until the process is gone.
fn flush_for_ever(service: &Service) -> std::thread::JoinHandle<()> {
    let mut client = service.client();
    std::thread::spawn(move || {
        let deadline = Instant::now() + Duration::from_secs(10);
        while client.send("POST", "/api/v1/admin/flush?compact=true", &[], b"").is_ok() {
            assert!(Instant::now() < deadline, "the process was killed and still answers");
        }
    })
}
