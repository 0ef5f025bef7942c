//! A running source: its threads, its status, its end.

use std::sync::Arc;
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use super::block::BlockQueue;
use super::connection::Dialer;
use super::endpoint::Endpoint;
use super::intake::Intake;
use super::outlet::{BatchLimits, Outlet};
use super::poll::Poller;
use super::poll::requests::Requests;
use super::status::{Shared, SourceStatus};
use super::stop::Stop;
use super::subscriber::Subscriber;
use crate::config::{ConfigError, RedisConfig};
use crate::decode::time::TimeRules;
use crate::decode::{DecodeRules, Decoder};
use crate::sink::{Clock, SinkFactory};

/// Pause between two looks whether a thread has ended.
const JOIN_TICK: Duration = Duration::from_millis(5);

/// What a source is given besides its settings.
#[derive(Debug, Clone)]
pub struct SourceOptions {
    /// Name in status, logs and the tag `source` of `source_gap`.
    pub name: String,
    /// Most bytes of messages that wait to be decoded; beyond them messages are dropped and counted.
    pub queue_bytes: usize,
    /// A batch of so many values is handed on at once; [`super::BATCH_VALUES`] suits most.
    pub batch_values: usize,
    /// Longest time that a value waits for its batch to fill; [`super::BATCH_AGE`] where this is longer.
    pub batch_age: Duration,
    /// Tells the time.
    pub clock: Clock,
}

/// Why a source did not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// A setting cannot work.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// The system gave no thread.
    #[error("start thread {name}: {source}")]
    Thread {
        /// Its name.
        name: String,
        /// The system's answer.
        source: std::io::Error,
    },
}

/// Threads that had not ended in time. They end by themselves; what they held may not have been stored.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("still running after the deadline, or panicked: {}", .0.join(", "))]
pub struct StopError(pub Vec<String>);

/// One Redis being read. Dropping it asks its threads to stop without waiting for them.
pub struct RedisSource {
    endpoint: Endpoint,
    queue: Arc<BlockQueue>,
    queue_bytes: usize,
    limits: BatchLimits,
    shared: Arc<Shared>,
    requests: Arc<Requests>,
    stop: Arc<Stop>,
    drained: Arc<Stop>,
    /// Ends the waiting for a busy sink, at the deadline of the stop.
    give_up: Arc<Stop>,
    readers: Vec<JoinHandle<()>>,
    intake: Option<JoinHandle<()>>,
}

impl RedisSource {
    /// Starts the threads: one per connection, one that decodes, one that polls. Redis may be away.
    ///
    /// # Errors
    /// A wrong setting, or no threads.
    pub fn start(config: &RedisConfig, options: SourceOptions, sinks: &dyn SinkFactory) -> Result<Self, StartError> {
        config.validate()?;
        let endpoint = config.endpoint().map_err(ConfigError::from)?;
        let connections = config.connections.min(config.patterns.len());
        let mut source = Self {
            endpoint,
            queue: Arc::new(BlockQueue::new(options.queue_bytes)),
            queue_bytes: options.queue_bytes,
            limits: BatchLimits::new(options.batch_values, options.batch_age),
            shared: Arc::new(Shared::new(&options.name, options.clock, connections)),
            requests: Arc::default(),
            stop: Arc::default(),
            drained: Arc::default(),
            give_up: Arc::default(),
            readers: Vec::new(),
            intake: None,
        };
        source.spawn_all(config, sinks, connections)?;
        Ok(source)
    }

    fn spawn_all(
        &mut self,
        config: &RedisConfig,
        sinks: &dyn SinkFactory,
        connections: usize,
    ) -> Result<(), StartError> {
        let rules = DecodeRules {
            time: TimeRules { unit: config.time_unit, zone: config.zone()? },
            decoders: config.decoders.clone(),
        };
        let patterns: Arc<[String]> = config.patterns.as_slice().into();
        let intake = Intake {
            queue: Arc::clone(&self.queue),
            decoder: Decoder::new(rules.clone()),
            outlet: self.outlet(sinks),
            patterns: Arc::clone(&patterns),
            // Without polling there is nobody to answer a notice.
            requests: if config.snapshot.enabled { Arc::clone(&self.requests) } else { Arc::default() },
            shared: Arc::clone(&self.shared),
            drained: Arc::clone(&self.drained),
        };
        self.intake = Some(spawn("redis-decode".to_owned(), move || intake.run())?);
        if !config.snapshot.include.is_empty() {
            let poller = self.poller(config, rules, sinks);
            self.readers.push(spawn("redis-poll".to_owned(), move || poller.run())?);
        }
        for link in 0..connections {
            let subscriber = self.subscriber(config, &patterns, link, connections);
            self.readers.push(spawn(format!("redis-sub-{link}"), move || subscriber.run())?);
        }
        Ok(())
    }

    fn outlet(&self, sinks: &dyn SinkFactory) -> Outlet {
        Outlet::new(sinks.sink(&self.shared.name), self.limits, Arc::clone(&self.shared), Arc::clone(&self.give_up))
    }

    fn dialer(&self, config: &RedisConfig) -> Dialer {
        Dialer { endpoint: self.endpoint.clone(), tls: config.tls.clone(), stop: Arc::clone(&self.stop) }
    }

    fn poller(&self, config: &RedisConfig, rules: DecodeRules, sinks: &dyn SinkFactory) -> Poller {
        Poller {
            dialer: self.dialer(config),
            config: config.snapshot.clone(),
            decoder: Decoder::new(rules.clone()),
            rules,
            outlet: self.outlet(sinks),
            requests: Arc::clone(&self.requests),
            shared: Arc::clone(&self.shared),
            keys: Vec::new(),
            scanned: None,
        }
    }

    fn subscriber(&self, config: &RedisConfig, patterns: &Arc<[String]>, link: usize, of: usize) -> Subscriber {
        let count = u16::try_from(patterns.len()).unwrap_or(u16::MAX);
        Subscriber {
            link,
            dialer: self.dialer(config),
            patterns: Arc::clone(patterns),
            ours: (0..count).filter(|i| usize::from(*i) % of == link).collect(),
            queue: Arc::clone(&self.queue),
            requests: Arc::clone(&self.requests),
            shared: Arc::clone(&self.shared),
        }
    }

    /// How it is doing. Cheap; never waits for Redis.
    pub fn status(&self) -> SourceStatus {
        self.shared.status(self.endpoint.to_string(), self.queue.size(), self.queue_bytes)
    }

    /// Reads every polled key now, without waiting for the interval. Returns at once.
    pub fn poll_now(&self) {
        self.requests.everything();
    }

    /// Stops reading, decodes and hands on what was read, and ends the threads. Blocks until `deadline` at most.
    ///
    /// # Errors
    /// [`StopError`] names the threads that had not ended by then.
    pub fn stop(mut self, deadline: Instant) -> Result<(), StopError> {
        self.stop.request();
        self.requests.stop();
        let mut late = join(std::mem::take(&mut self.readers), deadline);
        self.drained.request();
        late.extend(join(self.intake.take().into_iter().collect(), deadline));
        if late.is_empty() { Ok(()) } else { Err(StopError(late)) }
    }
}

impl Drop for RedisSource {
    fn drop(&mut self) {
        self.stop.request();
        self.requests.stop();
        self.drained.request();
        self.give_up.request();
    }
}

fn spawn(name: String, run: impl FnOnce() + Send + 'static) -> Result<JoinHandle<()>, StartError> {
    thread::Builder::new().name(name.clone()).spawn(run).map_err(|source| StartError::Thread { name, source })
}

/// Waits for threads; the names of those that are late or panicked.
fn join(threads: Vec<JoinHandle<()>>, deadline: Instant) -> Vec<String> {
    let mut late = Vec::new();
    for thread in threads {
        while !thread.is_finished() && Instant::now() < deadline {
            thread::sleep(JOIN_TICK);
        }
        let name = thread.thread().name().unwrap_or("unnamed").to_owned();
        if !thread.is_finished() || thread.join().is_err() {
            late.push(name);
        }
    }
    late
}
