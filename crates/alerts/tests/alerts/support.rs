//! Alerts in a folder of their own, with a clock that tests move.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering::Relaxed};
use std::time::{Duration, Instant};

use alerts::{Alerts, Config, Observation, Options, RedisPublisher, Seen, Tools};
use model::TimestampNs;
use serde_json::{Value, json};
use tempfile::TempDir;
use vfs::RealFs;

pub(crate) const S: i64 = 1_000_000_000;
/// Longest wait for anything.
const PATIENCE: Duration = Duration::from_secs(20);

/// Alerts and what they are made of.
pub(crate) struct Desk {
    pub(crate) alerts: Alerts,
    config: Config,
    now: Arc<AtomicI64>,
    tools: Tools,
    folder: TempDir,
}

/// A rule `hot` (above 10) that tells `channel`, with short pauses between attempts.
pub(crate) fn config(channel: Value) -> Config {
    let config = json!({
        "rules": [{
            "name": "hot", "query": {"database": "d", "text": "q", "above": 10}, "every": "1s", "channels": ["ops"],
            "annotations": {"summary": {"en": "{host} has {value}", "zh": "{host} 当前 {value}"}},
        }],
        "store_outage": false,
        "channels": {"ops": channel},
        "retry": {"first": "10ms", "longest": "50ms"},
    });
    serde_json::from_value(config).unwrap()
}

pub(crate) fn options(dir: &Path, now: &Arc<AtomicI64>, tools: &Tools) -> Options {
    let now = Arc::clone(now);
    let clock = Arc::new(move || TimestampNs(now.load(Relaxed)));
    Options { fs: Arc::new(RealFs), dir: dir.join("alerts"), clock, tools: tools.clone() }
}

impl Desk {
    pub(crate) fn new(config: Config) -> Self {
        Self::with_tools(config, Tools::default())
    }

    pub(crate) fn with_redis(config: Config, redis: Arc<dyn RedisPublisher>) -> Self {
        Self::with_tools(config, Tools { redis: Some(redis) })
    }

    fn with_tools(config: Config, tools: Tools) -> Self {
        config.check(&["store_away"]).unwrap();
        let folder = TempDir::new().unwrap();
        let now = Arc::new(AtomicI64::new(1_700_000_000 * S));
        let alerts = Alerts::open(&config, options(folder.path(), &now, &tools)).unwrap();
        Self { alerts, config, now, tools, folder }
    }

    /// The rule sees these values.
    pub(crate) fn see(&self, values: &[(&str, f64)]) {
        self.now.fetch_add(S, Relaxed);
        let rows: Vec<Observation> = values.iter().map(|(host, value)| row(host, *value)).collect();
        self.alerts.observe("hot", Ok(&rows));
    }

    pub(crate) fn pass(&self, seconds: i64) {
        self.now.fetch_add(seconds * S, Relaxed);
    }

    /// Stops and starts again over the same files.
    pub(crate) fn restart(&mut self) {
        assert_eq!(self.alerts.stop(PATIENCE), 0);
        self.alerts = Alerts::open(&self.config, options(self.folder.path(), &self.now, &self.tools)).unwrap();
    }

    pub(crate) fn wait_until_delivered(&self) {
        wait_for("everything is delivered", || self.alerts.totals().waiting == 0);
    }
}

impl Drop for Desk {
    fn drop(&mut self) {
        self.alerts.stop(PATIENCE);
    }
}

pub(crate) fn row(host: &str, value: f64) -> Observation {
    let labels = [("host".to_owned(), host.to_owned())].into();
    Observation { labels, seen: Seen::Row { time: TimestampNs(0), value: Some(value) } }
}

pub(crate) fn wait_for(what: &str, is_so: impl Fn() -> bool) {
    let end = Instant::now() + PATIENCE;
    while !is_so() {
        assert!(Instant::now() < end, "waited in vain: {what}");
        std::thread::sleep(Duration::from_millis(5));
    }
}
