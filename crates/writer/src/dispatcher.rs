//! The thread that decides everything for one store: what is read from the journal, which values go into the next request and
//! when, what an error means, how far the cursor may move. It never talks to the store itself, so nothing it does takes long; the
//! workers and the care thread do, and report.

mod hearing;
mod keeping;
mod minding;
mod reading;
mod sending;
mod showing;

use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::time::{Duration, Instant};

use backend::Wanted;
use catalog::Catalog;
use journal::{Consumer, Journal};
use model::TimestampNs;

use crate::account::Account;
use crate::backoff::Backoff;
use crate::breaker::{Breaker, Stage};
use crate::care::Care;
use crate::config::WriterConfig;
use crate::control::{Control, Order};
use crate::crew::Crew;
use crate::gate::Gate;
use crate::positions::Positions;
use crate::report::Report;
use crate::routes::Routes;
use crate::seen::Seen;
use crate::size::BatchSize;
use crate::slots::Slots;
use crate::task::Task;
use crate::worker::Bench;
use minding::Mind;
use showing::Show;

/// Longest time without a look at the journal and at orders, while nothing is heard from the workers.
const NAP: Duration = Duration::from_millis(20);
/// How often the cursor is moved and the books are checked.
const KEEP_EVERY: Duration = Duration::from_secs(1);

/// Everything the thread has.
pub(crate) struct Dispatcher {
    pub(crate) journal: Arc<Journal>,
    pub(crate) consumer: Consumer,
    pub(crate) catalog: Arc<Catalog>,
    pub(crate) config: WriterConfig,
    pub(crate) clock: fn() -> TimestampNs,
    pub(crate) wanted: Box<dyn Fn() -> Wanted + Send>,
    pub(crate) control: Arc<Control>,
    pub(crate) bench: Arc<Bench>,
    pub(crate) crew: Crew,
    pub(crate) care: Care,
    pub(crate) reports: Receiver<Report>,
    pub(crate) state: State,
}

/// What changes while it runs.
pub(crate) struct State {
    slots: Slots,
    routes: Routes,
    seen: Seen,
    account: Account,
    /// Tasks that wait for their retry.
    held: Vec<Box<Task>>,
    breaker: Breaker,
    gate: Gate,
    size: BatchSize,
    backoff: Backoff,
    positions: Positions,
    mind: Mind,
    show: Show,
    /// The lanes are to start again from the committed position, once nothing is under way.
    start_over: bool,
    /// The journal will get no more records, and all were read.
    drained: bool,
    /// Not before then is the journal read again, after an error.
    read_after: Instant,
    deletes: u64,
    kept_at: Instant,
}

impl State {
    pub(crate) fn new(config: &WriterConfig, catalog: Arc<Catalog>, durable_after: Duration, now: Instant) -> Self {
        let delay = config.retry_delay.0;
        Self {
            slots: Slots::new(config.num_workers),
            routes: Routes::new(catalog, config.num_workers),
            seen: Seen::default(),
            account: Account::default(),
            held: Vec::new(),
            breaker: Breaker::new(config.retry_attempts, delay, now),
            gate: Gate::new(config.num_workers),
            size: BatchSize::new(config.batch_size),
            backoff: Backoff::new(delay),
            positions: Positions::new(durable_after),
            mind: Mind::new(now),
            show: Show::new(now),
            start_over: false,
            drained: false,
            read_after: now,
            deletes: 0,
            kept_at: now,
        }
    }
}

impl Dispatcher {
    /// Runs until it is told to stop.
    pub(crate) fn run(mut self) {
        while !self.is_over(Instant::now()) {
            let now = Instant::now();
            self.obey();
            self.mind(now);
            if now.duration_since(self.state.kept_at) >= KEEP_EVERY {
                self.keep(now);
            }
            let has_read = self.read(now);
            self.send(now);
            self.show(now);
            self.hear(if has_read { Duration::ZERO } else { NAP });
        }
        self.keep(Instant::now());
        self.show_end();
    }

    /// Takes in what the threads report, after waiting for it.
    fn hear(&mut self, patience: Duration) {
        let mut patience = patience;
        loop {
            match self.reports.recv_timeout(patience) {
                Ok(report) => self.apply(report, Instant::now()),
                Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => return,
            }
            patience = Duration::ZERO;
        }
    }

    fn obey(&mut self) {
        if self.control.take(Order::Skip) {
            self.skip();
        }
    }

    /// True when it is to stop, and either nothing more can be done or the time is up.
    fn is_over(&self, now: Instant) -> bool {
        let Some(deadline) = self.control.stop_at() else { return false };
        let under_way = self.crew.under_way();
        let can_send = self.state.breaker.lets_pass(under_way) && !self.control.is_paused() && !self.state.start_over;
        let has_more = can_send && (!self.state.slots.is_empty() || !self.state.held.is_empty());
        now >= deadline || (under_way == 0 && !has_more)
    }

    /// True while the store is written to.
    fn is_writing(&self) -> bool {
        !matches!(self.state.breaker.stage(), Stage::Gone(_))
    }
}
