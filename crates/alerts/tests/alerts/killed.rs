//! A process that alerts is killed again and again, at any moment.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use alerts::{Alerts, Options, Tools};
use model::TimestampNs;
use serde_json::json;
use tempfile::TempDir;
use vfs::RealFs;

use crate::http::Receiver;
use crate::support::{config, row, wait_for};

const FOLDER: &str = "HISSRV_TEST_ALERTS_FOLDER";
const URL: &str = "HISSRV_TEST_ALERTS_URL";
const FROM: &str = "HISSRV_TEST_ALERTS_FROM";
const ROUNDS: u32 = 20;
/// Alerts of a round; each fires and ends.
const ALERTS: u32 = 30;

/// Not a test: the process that is killed. Prints the number of each alert once it is durable that it fires, and that it is over.
#[test]
fn the_process_that_is_killed() {
    let Ok(folder) = std::env::var(FOLDER) else { return };
    let channel = json!({"webhook": {"url": std::env::var(URL).unwrap()}});
    let since_1970 = || SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_nanos();
    let clock = Arc::new(move || TimestampNs(i64::try_from(since_1970()).unwrap()));
    let dir = Path::new(&folder).join("alerts");
    let options = Options { fs: Arc::new(RealFs), dir, clock, tools: Tools::default() };
    let mut config = config(channel);
    config.max_alerts = 100_000;
    let alerts = Alerts::open(&config, options).unwrap();
    let from: u32 = std::env::var(FROM).unwrap().parse().unwrap();
    for number in from..from + ALERTS {
        for (value, status) in [(11.0, "firing"), (1.0, "resolved")] {
            alerts.observe("hot", Ok(&[row(&number.to_string(), value)]));
            writeln!(std::io::stderr(), "durable {number} {status}").unwrap();
        }
    }
    wait_for("everything is delivered", || alerts.totals().waiting == 0);
    alerts.stop(Duration::from_secs(10));
}

#[test]
fn killed_at_any_moment_every_notification_arrives_and_only_one_a_kill_can_come_twice() {
    let (folder, receiver) = (TempDir::new().unwrap(), Receiver::up());
    let mut durable: Vec<(String, String)> = Vec::new();
    let mut seed = 7u64;
    for round in 0..=ROUNDS {
        let mut command = Command::new(std::env::current_exe().unwrap());
        command.args(["--exact", "killed::the_process_that_is_killed", "--nocapture"]);
        command.env(FOLDER, folder.path()).env(URL, receiver.url()).env(FROM, (round * ALERTS).to_string());
        let mut process = command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
        if round < ROUNDS {
            seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            std::thread::sleep(Duration::from_millis(10 + (seed >> 33) % 60));
            process.kill().unwrap();
        }
        for line in BufReader::new(process.stderr.take().unwrap()).lines().map_while(Result::ok) {
            if let Some((number, status)) = line.strip_prefix("durable ").and_then(|said| said.split_once(' ')) {
                durable.push((number.to_owned(), status.to_owned()));
            }
        }
        let status = process.wait().unwrap();
        assert!(round < ROUNDS || status.success());
    }
    let mut ids: BTreeMap<(String, String), BTreeSet<String>> = BTreeMap::new();
    let mut came: BTreeMap<String, u32> = BTreeMap::new();
    for request in receiver.requests() {
        let text = |value: &serde_json::Value| value.as_str().unwrap().to_owned();
        let (host, status) = (text(&request.body["labels"]["host"]), text(&request.body["status"]));
        let id = text(&request.body["id"]);
        ids.entry((host, status)).or_default().insert(id.clone());
        *came.entry(id).or_default() += 1;
    }
    assert!(durable.len() >= 2 * ALERTS as usize);
    let lost: Vec<_> = durable.iter().filter(|said| !ids.contains_key(*said)).collect();
    assert!(lost.is_empty(), "{lost:?}");
    assert!(ids.values().all(|ids| ids.len() == 1), "{ids:?}");
    let repeated: u32 = came.values().map(|count| count - 1).sum();
    println!("{ROUNDS} kills, {} notifications, {repeated} came twice", came.len());
    assert!(repeated <= ROUNDS, "{repeated} came twice");
}
