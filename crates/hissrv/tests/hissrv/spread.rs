//! `hissrv import` on several machines: a coordinator, workers and a real Redis, any of which may die.

use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::support::{Finished, Folder, Redis, Rng, Service, hissrv};

/// Points of each file.
const POINTS: u64 = 60_000;
/// Files of one import.
const FILES: u64 = 3;

pub(crate) fn lines(run: u64, file: u64) -> String {
    let line = |n: u64| {
        let number = file * POINTS + n;
        format!(
            "spread,run={run},point={} value=1 {}\n",
            number % 20,
            1_700_000_000_000_000_000 + number * 1_000_000_000
        )
    };
    (0..POINTS).map(line).collect()
}

/// A process in the background; it ends with the test.
pub(crate) struct Running(Option<Child>);

impl Running {
    pub(crate) fn start(folder: &Folder, arguments: &[&str]) -> Self {
        let mut command: Command = hissrv();
        command.current_dir(folder.path()).arg("import").args(arguments).args(["--quiet", "--json"]);
        Self(Some(command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()))
    }

    fn child(&mut self) -> &mut Child {
        self.0.as_mut().unwrap()
    }

    pub(crate) fn id(&self) -> u32 {
        self.0.as_ref().unwrap().id()
    }

    pub(crate) fn has_ended(&mut self) -> bool {
        self.child().try_wait().unwrap().is_some()
    }

    pub(crate) fn kill(mut self) {
        self.child().kill().unwrap();
        self.child().wait().unwrap();
    }

    #[track_caller]
    pub(crate) fn finish(mut self) -> Finished {
        let deadline = Instant::now() + Duration::from_secs(60);
        let is_late = loop {
            if self.has_ended() || Instant::now() > deadline {
                break !self.has_ended();
            }
            std::thread::sleep(Duration::from_millis(10));
        };
        let mut child = self.0.take().unwrap();
        if is_late {
            child.kill().unwrap();
        }
        let output = child.wait_with_output().unwrap();
        assert!(!is_late, "it did not end: {output:?}");
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
        Finished { code: output.status.code(), out: text(output.stdout), err: text(output.stderr) }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        if let Some(mut child) = self.0.take() {
            child.kill().ok();
            child.wait().ok();
        }
    }
}

pub(crate) struct Site {
    pub(crate) folder: Folder,
    pub(crate) redis: Redis,
    service: Option<Service>,
    listen: std::net::SocketAddr,
}

impl Site {
    pub(crate) fn new() -> Self {
        let listen = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        let mut site = Self { folder: Folder::new(), redis: Redis::start(), service: None, listen };
        site.start_service();
        site
    }

    fn start_service(&mut self) {
        let data = self.folder.data();
        let text = format!(
            "data_dir: {}\nredis: {{ enabled: false }}\nserver: {{ listen: \"{}\" }}\n",
            data.display(),
            self.listen
        );
        let config = self.folder.write("service.yaml", &text);
        self.service = Some(Service::run(&self.folder, &["run", "--config", config.to_str().unwrap()]));
    }

    pub(crate) fn coordinator(&self) -> Running {
        self.coordinator_with(&[])
    }

    pub(crate) fn coordinator_with(&self, how: &[&str]) -> Running {
        let redis = self.redis.url();
        let what = ["*.lp", "--coordinator", &redis, "--chunk", "1MiB", "--lease", "1s"];
        Running::start(&self.folder, &[&what, how].concat())
    }

    pub(crate) fn worker(&self) -> Running {
        self.worker_of("500")
    }

    /// A worker that writes so many points at a time.
    pub(crate) fn worker_of(&self, batch: &str) -> Running {
        let (redis, url) = (self.redis.url(), format!("http://{}", self.listen));
        let how = ["--batch", batch, "--retries", "50", "--workers", "1"];
        Running::start(&self.folder, &[&["--worker", "--coordinator", &redis, "--url", &url][..], &how].concat())
    }

    pub(crate) fn count(&self, run: u64) -> u64 {
        let question = json!({
            "aggregate_type": "statistical", "measurement": "spread", "filters": {"run": run.to_string()}, "start": 0, "end": "2100-01-01",
        });
        let answer =
            self.service.as_ref().unwrap().client().post("/api/v1/query/aggregate", question.to_string()).ok().json();
        let of_series = |series: &Value| {
            let at = series["columns"].as_array().unwrap().iter().position(|c| c == "count").unwrap();
            series["values"][0][at].as_u64().unwrap()
        };
        answer["series"].as_array().unwrap().iter().map(of_series).sum()
    }
}

#[test]
fn workers_share_an_import_and_rejects_come_with_their_places() {
    let site = Site::new();
    for file in 0..FILES {
        site.folder.write(&format!("{file}.lp"), &lines(1, file));
    }
    let long = lines(1, 0).lines().count();
    site.folder.write("0.lp", &format!("{}no line\n", lines(1, 0)));
    let workers = [site.worker(), site.worker()];
    let finished = site.coordinator().finish();
    assert_eq!(finished.code, Some(0), "{finished:?}");
    let summary: Value = serde_json::from_str(&finished.out).unwrap();
    assert_eq!((&summary["points"], &summary["refused"]), (&json!(FILES * POINTS), &json!(1)), "{summary}");
    let jobs = summary["jobs"]["complete"].as_u64().unwrap();
    assert!(jobs > FILES, "the files were not cut: {summary}");
    let done: Vec<Value> = workers.map(|worker| serde_json::from_str(&worker.finish().out).unwrap()).into();
    assert_eq!(done.iter().map(|done| done["jobs"]["complete"].as_u64().unwrap()).sum::<u64>(), jobs);
    let rejects = std::fs::read_to_string(site.folder.path().join(summary["rejects"].as_str().unwrap())).unwrap();
    assert!(rejects.contains(&format!("0.lp:{}: ", long + 1)), "{rejects}");
    assert_eq!(site.count(1), FILES * POINTS);
    assert_eq!(site.redis.command(&["KEYS", "hissrv:import:*"]).trim(), "hissrv:import:default:over");
}

#[test]
fn how_many_rejects_are_too_many_is_said_by_the_coordinator_and_none_is_lost() {
    let site = Site::new();
    // More than a worker takes by itself, and no text.
    let bad = [b"no \xc0 line\n".repeat(1500), lines(1, 0).into_bytes()].concat();
    std::fs::write(site.folder.path().join("0.lp"), bad).unwrap();
    let worker = site.worker();
    let redis = site.redis.url();
    let finished = Running::start(&site.folder, &["*.lp", "--coordinator", &redis, "--max-errors", "1500"]).finish();
    assert_eq!(finished.code, Some(0), "{finished:?}");
    let summary: Value = serde_json::from_str(&finished.out).unwrap();
    assert_eq!((&summary["points"], &summary["refused"]), (&json!(POINTS), &json!(1500)), "{summary}");
    let rejects = std::fs::read_to_string(site.folder.path().join(summary["rejects"].as_str().unwrap())).unwrap();
    assert!(rejects.starts_with("# 0.lp:1: "), "{rejects}");
    worker.finish();
    let worker = site.worker();
    let finished = Running::start(&site.folder, &["*.lp", "--coordinator", &redis, "--max-errors", "1499"]).finish();
    assert!(finished.code == Some(1) && finished.err.contains("more than 1499 records were refused"), "{finished:?}");
    worker.finish();
}

#[test]
fn workers_wait_for_a_board_that_redis_has_lost() {
    let site = Site::new();
    site.folder.write("0.lp", &lines(1, 0));
    let (coordinator, mut worker) = (site.coordinator(), site.worker());
    crate::support::wait_for("a job to be done", || {
        site.redis.command(&["HLEN", "hissrv:import:default:done"]).trim() != "0"
    });
    coordinator.kill();
    site.redis.command(&["FLUSHALL"]);
    std::thread::sleep(Duration::from_secs(3));
    assert!(!worker.has_ended(), "{:?}", worker.finish());
    let finished = site.coordinator().finish();
    assert_eq!(finished.code, Some(0), "{finished:?}");
    assert_eq!(worker.finish().code, Some(0));
    assert_eq!(site.count(1), POINTS);
}

#[test]
fn whoever_dies_every_point_is_there_once() {
    let (mut site, mut rng) = (Site::new(), Rng::new("spread"));
    let (mut kills, mut run) = ([0; 4], 0);
    while kills.iter().sum::<u32>() < 25 {
        run += 1;
        for file in 0..FILES {
            site.folder.write(&format!("{file}.lp"), &lines(run, file));
        }
        let mut workers = vec![site.worker(), site.worker()];
        let mut coordinator = site.coordinator();
        loop {
            std::thread::sleep(Duration::from_millis(rng.within(50..500)));
            if coordinator.has_ended() {
                break;
            }
            let victim = rng.within(0..4) as usize;
            kills[victim] += 1;
            match victim {
                0 => {
                    workers.swap_remove(rng.within(0..2) as usize).kill();
                    workers.push(site.worker());
                }
                1 => {
                    coordinator.kill();
                    coordinator = site.coordinator();
                }
                2 => {
                    site.redis.kill();
                    site.redis.launch();
                }
                _ => {
                    site.service.take().unwrap().kill9();
                    site.start_service();
                }
            }
        }
        let finished = coordinator.finish();
        assert_eq!(finished.code, Some(0), "{finished:?}");
        // A worker that was started when all was over waits for the next import.
        workers.into_iter().for_each(Running::kill);
        assert_eq!(site.count(run), FILES * POINTS, "run {run}");
    }
    println!(
        "{run} imports; killed: workers {}, coordinators {}, Redis {}, service {}",
        kills[0], kills[1], kills[2], kills[3]
    );
}

#[test]
fn another_import_under_the_same_name_is_refused_until_the_first_is_given_up() {
    let site = Site::new();
    site.folder.write("a.lp", "m v=1 1\n");
    let first = site.coordinator();
    crate::support::wait_for("the task to be posted", || {
        !site.redis.command(&["KEYS", "hissrv:import:*:task"]).trim().is_empty()
    });
    first.kill();
    site.folder.write("b.lp", "m v=2 2\n");
    let second = site.coordinator().finish();
    assert_eq!(second.code, Some(2), "{second:?}");
    assert!(second.err.contains("another"), "{second:?}");
    let worker = site.worker();
    let redis = site.redis.url();
    let third = Running::start(&site.folder, &["*.lp", "--coordinator", &redis, "--anew"]).finish();
    assert_eq!(third.code, Some(0), "{third:?}");
    assert_eq!(worker.finish().code, Some(0));
}
