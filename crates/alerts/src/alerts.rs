//! Alerts at work: threads that look at rules and deliver, and what others may ask of them.

use std::io;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{Builder, JoinHandle};
use std::time::{Duration, Instant};

use model::TimestampNs;
use vfs::Fs;

use crate::Clock;
use crate::channel::{TestError, Tools};
use crate::config::{Config, ConfigError};
use crate::courier::Courier;
use crate::engine::{Expression, Observation, Sight};
use crate::evaluator::{self, Due, Timetable, Watched};
use crate::ledger::Ledger;
use crate::notification::Notification;
use crate::shared::Shared;
use crate::silence::SilenceConfig;
use crate::status::{Listing, Totals};

pub use crate::ledger::SilenceError;

/// How often a stop looks whether threads are through.
const TICK: Duration = Duration::from_millis(5);

/// What alerts need besides their configuration.
pub struct Options {
    /// Where files are.
    pub fs: Arc<dyn Fs>,
    /// The folder of alerts; made when it is missing. Nobody else writes into it.
    pub dir: PathBuf,
    /// What time it is.
    pub clock: Clock,
    /// What channels need.
    pub tools: Tools,
}

/// Why alerts cannot start.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// A setting cannot work.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// The folder cannot be made, or its file cannot be read.
    #[error("open the alerts in {}: {source}", .dir.display())]
    Files {
        /// The folder.
        dir: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// No thread can be started.
    #[error("start a thread of alerts: {0}")]
    Thread(io::Error),
}

/// Rules, their alerts, and those who are told.
pub struct Alerts {
    shared: Arc<Shared>,
    timetable: Arc<Timetable>,
    config: Config,
    clock: Clock,
    tools: Tools,
    threads: Mutex<Vec<JoinHandle<()>>>,
}

impl Alerts {
    /// Takes up what was left the last time: alerts, waiting notifications, silences. From now on notifications are delivered. Alerts of
    /// rules that are gone are over. Rules are looked at once [`Alerts::start`] was called, or by the caller with [`Alerts::due`]
    /// and [`Alerts::observe`].
    ///
    /// # Errors
    /// [`OpenError`]. [`Config::check`] finds wrong settings before.
    pub fn open(config: &Config, options: Options) -> Result<Self, OpenError> {
        let Options { fs, dir, clock, tools } = options;
        let rules = config.rules()?;
        let ledger = Ledger::open(fs, &dir, config, &rules, clock());
        let ledger = ledger.map_err(|source| OpenError::Files { dir: dir.clone(), source })?;
        let timetable = Arc::new(Timetable::new(rules.len(), Instant::now()));
        let names = config.channels.keys().cloned().collect();
        let shared = Shared::new(rules, config.retry.clone(), Arc::clone(&clock), ledger, names);
        let alerts = Self {
            shared: Arc::new(shared),
            timetable,
            config: config.clone(),
            clock,
            tools,
            threads: Mutex::default(),
        };
        alerts.start_couriers()?;
        Ok(alerts)
    }

    fn start_couriers(&self) -> Result<(), OpenError> {
        for (name, channel) in &self.config.channels {
            let opened = channel.open(&self.tools);
            let opened = opened.map_err(|wrong| ConfigError::of_channel(name, channel, wrong))?;
            let thread = Courier::start(name, opened, Arc::clone(&self.shared)).map_err(OpenError::Thread)?;
            self.keep(thread);
        }
        Ok(())
    }

    fn keep(&self, thread: JoinHandle<()>) {
        self.threads.lock().unwrap_or_else(PoisonError::into_inner).push(thread);
    }

    /// Starts the thread that looks at all rules in their intervals.
    ///
    /// # Errors
    /// When the thread cannot be started.
    pub fn start(&self, watched: Arc<dyn Watched>) -> Result<(), OpenError> {
        let (shared, timetable) = (Arc::clone(&self.shared), Arc::clone(&self.timetable));
        let run = move || evaluator::run(&shared, &timetable, &*watched);
        let thread = Builder::new().name("alerts-rules".to_owned()).spawn(run).map_err(OpenError::Thread)?;
        self.keep(thread);
        Ok(())
    }

    /// Rules whose time has come, for a caller that looks at them itself. Each is given out once an interval.
    pub fn due(&self, now: Instant) -> Vec<Due> {
        self.timetable.due(&self.shared.rules, now)
    }

    /// Tells what was seen of a rule, or why nothing could be. What it changes is durable afterwards, unless the disk fails.
    pub fn observe(&self, rule: &str, seen: Result<&[Observation], String>) {
        if let Some(rule) = self.shared.rules.iter().find(|known| known.name == rule) {
            self.shared.look(rule, seen.map(Sight::Seen));
        }
    }

    /// Tells of events ([`crate::Seen::Event`]; labels `source`, `metric`, `node_id`, `node_type`), best many at a time. Those that came
    /// before change nothing. What they change is durable afterwards, unless the disk fails.
    pub fn events(&self, events: &[Observation]) {
        for rule in self.shared.rules.iter().filter(|rule| matches!(rule.expression, Expression::Event(_))) {
            self.shared.look(rule, Ok(Sight::Seen(events)));
        }
    }

    /// True when some rule is about events.
    pub fn wants_events(&self) -> bool {
        self.shared.rules.iter().any(|rule| matches!(rule.expression, Expression::Event(_)))
    }

    /// Adds a silence, which must have an end, and returns its id. It survives a restart.
    ///
    /// # Errors
    /// [`SilenceError`]: nothing was added.
    pub fn silence(&self, silence: SilenceConfig) -> Result<String, SilenceError> {
        self.shared.lock().ledger.silence(silence)
    }

    /// Takes a silence back that was added; false when there is none of that id. Alerts that it held back are told at the next look.
    pub fn unsilence(&self, id: &str) -> bool {
        self.shared.lock().ledger.unsilence(id)
    }

    /// Everything at a glance.
    pub fn list(&self) -> Listing {
        Listing::new(&self.shared)
    }

    /// Sums only.
    pub fn totals(&self) -> Totals {
        Totals::new(&self.shared.lock().ledger)
    }

    /// Sends a notification about nothing over a channel, once, and waits for the outcome.
    ///
    /// # Errors
    /// [`TestError`]: there is no such channel, or why it failed.
    pub fn test_notification(&self, channel: &str) -> Result<(), TestError> {
        send_test(&self.config, channel, &self.tools, (self.clock)())
    }

    /// Ends all threads. Attempts under way are waited for until the deadline; a notification whose attempt takes longer is sent again
    /// after the next start. Nothing that waits is lost. Returns how many threads were not through.
    pub fn stop(&self, deadline: Duration) -> usize {
        self.shared.stop();
        let end = Instant::now() + deadline;
        let threads = std::mem::take(&mut *self.threads.lock().unwrap_or_else(PoisonError::into_inner));
        while threads.iter().any(|thread| !thread.is_finished()) && Instant::now() < end {
            std::thread::sleep(TICK);
        }
        let (through, late): (Vec<_>, Vec<_>) = threads.into_iter().partition(JoinHandle::is_finished);
        for thread in through {
            if thread.join().is_err() {
                tracing::error!("a thread of alerts had panicked");
            }
        }
        late.len()
    }
}

impl Drop for Alerts {
    /// Threads that nobody stopped end by themselves, after what they are doing.
    fn drop(&mut self) {
        self.shared.stop();
    }
}

/// Sends a notification about nothing over a channel of a configuration, once, and waits for the outcome; for a program beside the one
/// that runs. Touches no files.
///
/// # Errors
/// [`TestError`]: there is no such channel, or why it failed.
pub fn send_test(config: &Config, channel: &str, tools: &Tools, now: TimestampNs) -> Result<(), TestError> {
    let Some(settings) = config.channels.get(channel) else {
        let known: Vec<&str> = config.channels.keys().map(String::as_str).collect();
        return Err(TestError::Unknown { name: channel.to_owned(), known: known.join(", ") });
    };
    let opened = settings.open(tools);
    let opened = opened.map_err(|wrong| ConfigError::of_channel(channel, settings, wrong))?;
    Ok(opened.send(&Notification::test(now))?)
}
