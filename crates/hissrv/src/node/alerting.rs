//! Alerts: the crate `alerts`, which looks at this node and is told of its events.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::sync::{Arc, Weak};
use std::time::{Duration, Instant};

use alerts::{Alerts, Config, Event, Labels, Level, Observation, OpenError, Options, Seen, Watched};
use query::{Cancel, Shortcuts};
use vfs::Fs;

use super::newest::Newest;
use super::publisher::tools;
use super::{Node, now};

/// Folder of alerts below the data directory.
pub(crate) const ALERTS: &str = "alerts";
/// Longest time of a rule's query: other rules wait for it.
const QUERY_TIME: Duration = Duration::from_secs(30);
/// Time between two looks whether queries are answered yet.
const TICK: Duration = Duration::from_millis(100);
/// Longest time of attempts under way at a stop; what they were to deliver is delivered after the next start.
const STOP_PATIENCE: Duration = Duration::from_secs(5);

/// The alerts of a node.
pub(crate) struct Alerting {
    alerts: Alerts,
    /// Stops a rule's query.
    stopping: Arc<AtomicBool>,
    fs: Arc<dyn Fs>,
    dir: PathBuf,
}

impl Alerting {
    /// Takes up what was left the last time, and delivers what waits.
    pub(super) fn open(fs: &Arc<dyn Fs>, dir: &Path, config: &Config) -> Result<Self, OpenError> {
        let (fs, dir) = (Arc::clone(fs), dir.join(ALERTS));
        let options = Options { fs: Arc::clone(&fs), dir: dir.clone(), clock: Arc::new(now), tools: tools() };
        Ok(Self { alerts: Alerts::open(config, options)?, stopping: Arc::default(), fs, dir })
    }

    /// Bytes that the file system of the data directory has left for us; `None` where it does not tell.
    pub(super) fn free_space(&self) -> Option<u64> {
        self.fs.free_space(&self.dir).ok()
    }

    /// Alerts, silences, what waits.
    pub(crate) fn alerts(&self) -> &Alerts {
        &self.alerts
    }

    /// Tells rules of events, best of many at a time: what they change is durable afterwards. Those that came before change nothing.
    pub(crate) fn take_events(&self, events: &[events::Event]) {
        if self.alerts.wants_events() && !events.is_empty() {
            let observations: Vec<Observation> = events.iter().map(observation).collect();
            self.alerts.events(&observations);
        }
    }

    /// Rules are looked at no more; what waits is delivered after the next start.
    pub(super) fn stop(&self) {
        self.stopping.store(true, Relaxed);
        let late = self.alerts.stop(STOP_PATIENCE);
        if late > 0 {
            tracing::warn!(threads = late, "alerts did not stop in time; what was under way may be delivered again");
        }
    }
}

impl Node {
    /// Begins to look at rules.
    pub(crate) fn start_alerts(self: &Arc<Self>) -> Result<(), OpenError> {
        let stopping = Arc::clone(&self.alerting.stopping);
        self.alerting.alerts.start(Arc::new(Watcher { node: Arc::downgrade(self), stopping }))
    }
}

/// What rules look at. Does not keep the node alive.
struct Watcher {
    node: Weak<Node>,
    stopping: Arc<AtomicBool>,
}

impl Watcher {
    fn node(&self) -> Result<Arc<Node>, String> {
        self.node.upgrade().ok_or_else(|| "stopping".to_owned())
    }

    /// Until the journal is taken in, answers would lack what it holds, and points would seem to be absent.
    fn wait_until_ready(&self, node: &Node) -> Result<(), String> {
        while let Err(reason) = node.ready() {
            if self.stopping.load(Relaxed) || !node.is_running() {
                return Err(reason);
            }
            std::thread::sleep(TICK);
        }
        Ok(())
    }
}

impl Watched for Watcher {
    fn query(&self, database: &str, text: &str) -> Result<Vec<Observation>, String> {
        let node = self.node()?;
        self.wait_until_ready(&node)?;
        let cancel = Cancel::shared(Arc::clone(&self.stopping), Instant::now() + QUERY_TIME);
        let request = statements::Request {
            text,
            database: Some(database),
            policy: None,
            parameters: None,
            cancel: &cancel,
            modifying_is_deprecated: false,
            shortcuts: Shortcuts::ALL,
            tells_origins: false,
        };
        let mut newest = Newest::default();
        node.statements.run(&request, &mut newest).map_err(|e| e.to_string())?;
        newest.into_observations()
    }

    fn fact(&self, name: &str) -> Result<Vec<Observation>, String> {
        self.node()?.fact(name).ok_or_else(|| format!("there is no fact `{name}`"))
    }
}

/// An event as rules see it.
fn observation(event: &events::Event) -> Observation {
    let labels = [
        ("source", event.source.as_str()),
        ("metric", &event.metric),
        ("node_id", &event.node_id),
        ("node_type", &event.node_type),
    ];
    let labels: Labels = labels.into_iter().map(|(key, value)| (key.to_owned(), value.to_owned())).collect();
    let seen = Event {
        time: event.time,
        level: level(event.level),
        value: event.value,
        message: event.message.as_str().into(),
    };
    Observation { labels, seen: Seen::Event(seen) }
}

fn level(level: events::Level) -> Level {
    match level {
        events::Level::Info => Level::Info,
        events::Level::Warning => Level::Warning,
        events::Level::Error => Level::Error,
        events::Level::Critical => Level::Critical,
    }
}

#[cfg(test)]
mod tests {
    use alerts::State;
    use events::{EventId, Source};
    use serde_json::json;
    use vfs::FaultFs;

    use super::*;

    fn event(level: events::Level, seconds_ago: i64) -> events::Event {
        events::Event {
            id: EventId(0),
            time: model::TimestampNs(now().0 - seconds_ago * 1_000_000_000),
            node_id: "vm-0001".to_owned(),
            node_type: "VM".to_owned(),
            metric: "cpu".to_owned(),
            level,
            source: Source::Threshold,
            message: "CPU 97 %".to_owned(),
            value: Some(97.0),
            threshold: Some(95.0),
            duration: None,
        }
    }

    #[test]
    fn an_event_fires_and_one_of_a_lower_level_ends_it() {
        let config = json!({"rules": [{"name": "nodes", "event": {"level": "error", "node": "vm-*"}}]});
        let fs: Arc<dyn Fs> = Arc::new(FaultFs::new());
        let alerting = Alerting::open(&fs, Path::new("/d"), &serde_json::from_value(config).unwrap()).unwrap();
        let listed = || alerting.alerts().list().alerts.into_iter().map(|alert| (alert.state, alert.value)).next();
        alerting.take_events(&[event(events::Level::Warning, 4)]);
        assert_eq!(listed(), None);
        alerting.take_events(&[event(events::Level::Critical, 3), event(events::Level::Critical, 3)]);
        assert_eq!(listed(), Some((State::Firing, Some(97.0))));
        let labels = alerting.alerts().list().alerts[0].labels.clone();
        assert_eq!((labels["node_id"].as_str(), labels["source"].as_str()), ("vm-0001", "threshold"));
        alerting.take_events(&[event(events::Level::Info, 1)]);
        assert_eq!(listed().map(|(state, _)| state), Some(State::Resolved));
        alerting.stop();
    }
}
