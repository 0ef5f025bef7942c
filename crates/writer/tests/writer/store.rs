//! A store in memory that fails as told.

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use backend::{
    Health, Manage, Points, Probe, Query, Session, Step, StorageBackend, Wanted, Write, WriteError, Written,
};
use query::execute::{Options, Sink};
use query::store::{Place, SeriesQuery};
use query::{Cancel, QueryError, QueryResult, Select};

/// Database, policy, series, field, time.
pub(crate) type Key = (String, String, String, String, i64);
/// What a store holds: texts of the values.
pub(crate) type Content = BTreeMap<Key, String>;

/// One request, as a script sees it.
pub(crate) struct Request<'a> {
    pub(crate) points: &'a [(Key, String)],
    /// How many requests were made before.
    pub(crate) number: u64,
}

type Script = Box<dyn FnMut(&Request<'_>) -> Result<(), WriteError> + Send>;

/// The double.
#[derive(Clone)]
pub(crate) struct MemoryStore {
    inner: Arc<Mutex<Inner>>,
    durable_after: Duration,
}

struct Inner {
    content: Content,
    /// What a crash leaves.
    durable: Content,
    recent: Vec<(Instant, Key, String)>,
    script: Script,
    up: bool,
    latency: Duration,
    /// Of requests that fail, every other one is stored in part all the same.
    half_fails: bool,
    random: u64,
    incarnation: u64,
    tells_incarnation: bool,
    requests: u64,
    points: u64,
    probes: u64,
    steps: Vec<Wanted>,
    at_once: usize,
    at_once_max: usize,
    denied_steps: bool,
}

impl MemoryStore {
    pub(crate) fn new() -> Self {
        Self::losing(Duration::ZERO)
    }

    /// A store that loses what it was given in the last `durable_after` when it is killed.
    pub(crate) fn losing(durable_after: Duration) -> Self {
        let inner = Inner {
            content: Content::new(),
            durable: Content::new(),
            recent: Vec::new(),
            script: Box::new(|_| Ok(())),
            up: true,
            latency: Duration::ZERO,
            half_fails: false,
            random: 1,
            incarnation: 1,
            tells_incarnation: true,
            requests: 0,
            points: 0,
            probes: 0,
            steps: Vec::new(),
            at_once: 0,
            at_once_max: 0,
            denied_steps: false,
        };
        Self { inner: Arc::new(Mutex::new(inner)), durable_after }
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What happens to each request from now on, before it is stored.
    pub(crate) fn script(&self, script: impl FnMut(&Request<'_>) -> Result<(), WriteError> + Send + 'static) {
        self.lock().script = Box::new(script);
    }

    pub(crate) fn set_up(&self, up: bool) {
        self.lock().up = up;
    }

    pub(crate) fn set_latency(&self, latency: Duration) {
        self.lock().latency = latency;
    }

    /// Requests take any time up to the latency, and those that fail may be stored in part.
    pub(crate) fn be_erratic(&self) {
        self.lock().half_fails = true;
    }

    pub(crate) fn deny_steps(&self) {
        self.lock().denied_steps = true;
    }

    pub(crate) fn hide_incarnation(&self) {
        self.lock().tells_incarnation = false;
    }

    /// Ends its process and starts it anew: what was not durable is lost.
    pub(crate) fn kill_and_restart(&self) {
        let mut inner = self.lock();
        inner.settle(self.durable_after);
        inner.recent.clear();
        inner.content = inner.durable.clone();
        inner.incarnation += 1;
    }

    pub(crate) fn content(&self) -> Content {
        self.lock().content.clone()
    }

    pub(crate) fn len(&self) -> usize {
        self.lock().content.len()
    }

    pub(crate) fn requests(&self) -> u64 {
        self.lock().requests
    }

    /// Points in all requests that succeeded.
    pub(crate) fn points(&self) -> u64 {
        self.lock().points
    }

    pub(crate) fn probes(&self) -> u64 {
        self.lock().probes
    }

    pub(crate) fn steps(&self) -> Vec<Wanted> {
        self.lock().steps.clone()
    }

    pub(crate) fn at_once_max(&self) -> usize {
        self.lock().at_once_max
    }
}

impl Inner {
    fn draw(&mut self) -> u64 {
        self.random = self.random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        self.random >> 33
    }

    fn draw_latency(&mut self) -> Duration {
        if !self.half_fails {
            return self.latency;
        }
        let part = self.draw() % 1_000;
        self.latency * part as u32 / 1_000
    }

    fn settle(&mut self, durable_after: Duration) {
        let now = Instant::now();
        let safe = self.recent.iter().take_while(|(at, ..)| *at + durable_after <= now).count();
        for (_, key, value) in self.recent.drain(..safe) {
            self.durable.insert(key, value);
        }
    }
}

pub(crate) fn away() -> WriteError {
    WriteError::Away { message: "connection refused".to_owned() }
}

impl StorageBackend for MemoryStore {
    fn name(&self) -> &'static str {
        "memory"
    }
}

impl Query for MemoryStore {
    fn query(&self, _: &Select, _: &Options<'_>, _: Sink<'_>) -> Result<query::Report, QueryError> {
        unreachable!("writers do not ask")
    }

    fn latest(&self, _: &Place, _: SeriesQuery, _: &Cancel) -> Result<QueryResult, QueryError> {
        unreachable!("writers do not ask")
    }
}

impl Health for MemoryStore {
    fn probe(&self) -> Result<Probe, WriteError> {
        let mut inner = self.lock();
        inner.probes += 1;
        if !inner.up {
            return Err(away());
        }
        let incarnation = inner.tells_incarnation.then(|| inner.incarnation.to_string());
        Ok(Probe { version: "Memory 1".to_owned(), incarnation, advice: vec!["forgets".to_owned()] })
    }
}

impl Manage for MemoryStore {
    fn keep_in_step(&self, wanted: &Wanted) -> Result<Vec<Step>, WriteError> {
        let mut inner = self.lock();
        if !inner.up {
            return Err(away());
        }
        if inner.denied_steps {
            return Err(WriteError::Denied { message: "not an administrator".to_owned() });
        }
        inner.steps.push(wanted.clone());
        Ok(Vec::new())
    }
}

impl Write for MemoryStore {
    fn session(&self) -> Box<dyn Session> {
        Box::new(MemorySession { store: self.clone() })
    }

    fn durable_after(&self) -> Duration {
        self.durable_after
    }
}

struct MemorySession {
    store: MemoryStore,
}

impl Session for MemorySession {
    fn write(&mut self, points: &dyn Points, range: Range<usize>) -> Result<Written, WriteError> {
        let place = points.place().clone();
        let mut list = Vec::with_capacity(range.len());
        points.visit(range, &mut |point| {
            let series = String::from_utf8(point.series.to_vec()).unwrap();
            let key = (place.database.clone(), place.policy.clone(), series, point.field.to_owned(), point.time.0);
            list.push((key, format!("{:?}", point.value)));
        });
        let (latency, outcome) = {
            let mut inner = self.store.lock();
            inner.requests += 1;
            inner.at_once += 1;
            inner.at_once_max = inner.at_once_max.max(inner.at_once);
            let number = inner.requests - 1;
            let up = inner.up;
            let outcome = if up { (inner.script)(&Request { points: &list, number }) } else { Err(away()) };
            (inner.draw_latency(), outcome)
        };
        std::thread::sleep(latency);
        let mut inner = self.store.lock();
        inner.at_once -= 1;
        let outcome = if inner.up { outcome } else { Err(away()) };
        if outcome.is_err() && inner.half_fails && inner.up {
            list.truncate(list.len() / 2 * (inner.draw() % 3) as usize);
        } else {
            outcome.clone()?;
        }
        inner.points += list.len() as u64;
        let now = Instant::now();
        for (key, value) in list {
            inner.recent.push((now, key.clone(), value.clone()));
            inner.content.insert(key, value);
        }
        inner.settle(self.store.durable_after);
        outcome.map(|()| Written { filtered: 0 })
    }
}
