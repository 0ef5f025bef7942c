//! A job of a spread import that its workers die of: it is given up, and the others go on.

use std::time::Duration;

use serde_json::{Value, json};

use crate::spread::{Running, Site, lines};

/// Points of the job that workers die of, and of each other one.
const POINTS: (usize, usize) = (15_000, 100);
/// So many workers may die of one job.
const DEATHS: usize = 5;
const JOBS: &str = "hissrv:import:default:jobs";

/// Who has the first job.
fn holder_of_first(site: &Site) -> Option<u32> {
    let first = site.redis.command(&["XRANGE", JOBS, "-", "+", "COUNT", "1"]);
    let entry = first.lines().next()?;
    let row = site.redis.command(&["XPENDING", JOBS, "workers", entry, entry, "1"]);
    // HOST:PROCESS:NUMBER
    row.lines().nth(1)?.split(':').nth(1)?.parse().ok()
}

fn write_files(site: &Site) {
    for file in 0..3 {
        let points = if file == 0 { POINTS.0 } else { POINTS.1 };
        let text: String = lines(1, file).lines().take(points).flat_map(|line| [line, "\n"]).collect();
        site.folder.write(&format!("{file}.lp"), &text);
    }
}

#[test]
fn a_job_that_kills_its_workers_is_given_up_and_a_run_that_resumes_does_only_that() {
    let site = Site::new();
    write_files(&site);
    let len = std::fs::metadata(site.folder.path().join("0.lp")).unwrap().len();
    let mut coordinator = site.coordinator();
    // Each point is a request, so that the job takes longer than the look at who has it.
    let (mut workers, mut kills) = (vec![site.worker_of("1"), site.worker_of("1")], 0);
    while !coordinator.has_ended() {
        let holder = holder_of_first(&site);
        if let Some(at) = workers.iter().position(|worker| Some(worker.id()) == holder) {
            workers.swap_remove(at).kill();
            kills += 1;
            workers.push(site.worker_of("1"));
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    workers.into_iter().for_each(Running::kill);
    let finished = coordinator.finish();
    assert_eq!(finished.code, Some(1), "{finished:?}");
    assert!(
        finished.err.contains("1 jobs were given up") && finished.err.contains("0.lp, the whole file"),
        "{finished:?}"
    );
    let summary: Value = serde_json::from_str(&finished.out).unwrap();
    assert_eq!((&summary["complete"], &summary["jobs"]["complete"]), (&json!(false), &json!(2)), "{summary}");
    assert_eq!(summary["points"], json!(2 * POINTS.1), "{summary}");
    let given_up = &summary["given_up"][0];
    assert_eq!(given_up["file"], "0.lp", "{summary}");
    assert_eq!((&given_up["start"], &given_up["end"]), (&json!(0), &json!(len)), "{summary}");
    assert!(kills >= DEATHS && given_up["tries"].as_u64().unwrap() as usize >= DEATHS, "{kills} {summary}");
    assert!(given_up["reason"].as_str().unwrap().contains("5 workers vanished"), "{summary}");

    let (worker, coordinator) = (site.worker(), site.coordinator_with(&["--resume"]));
    let finished = coordinator.finish();
    assert_eq!(finished.code, Some(0), "{finished:?}");
    let summary: Value = serde_json::from_str(&finished.out).unwrap();
    assert_eq!(summary["jobs"], json!({"complete": 3, "skipped": 2}), "{summary}");
    let done: Value = serde_json::from_str(&worker.finish().out).unwrap();
    assert_eq!(done["jobs"]["complete"], 1, "{done}");
    assert_eq!(site.count(1), (POINTS.0 + 2 * POINTS.1) as u64);
    assert_eq!(site.redis.command(&["KEYS", "hissrv:import:*"]).trim(), "hissrv:import:default:over");
}
