//! The thread that decides everything for one store: what is read from the journal, which values go into the next request and
//! when, what an error means, how far the cursor may move. It never talks to the store itself, so nothing it does takes long; the
//! workers and the care thread do, and report.

mod hearing;
mod keeping;
mod minding;
mod planning;
mod reading;
mod sending;
mod showing;

use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::thread;
use std::time::{Duration, Instant};

use backend::Wanted;
use catalog::Catalog;
use journal::{Consumer, Journal};
use model::TimestampNs;

use crate::account::Account;
use crate::backoff::Backoff;
use crate::breaker::{Breaker, Stage};
use crate::budget::Budget;
use crate::care::Care;
use crate::config::WriterConfig;
use crate::control::Control;
use crate::crew::Crew;
use crate::gate::Gate;
use crate::lanes::Lanes;
use crate::positions::Positions;
use crate::report::Report;
use crate::routes::Routes;
use crate::size::BatchSize;
use crate::task::LaneId;
use crate::worker::Bench;
use hearing::Said;
use minding::Mind;
use planning::Plans;
use showing::Show;

/// Longest time without a look at the journal and at orders, while nothing is heard from the workers.
const NAP: Duration = Duration::from_millis(20);
/// How often the cursor is moved and the books are checked, at least...
const KEEP_EVERY: Duration = Duration::from_secs(1);
/// ...and in so many of the longest waits of a value: where these are short everything is to be quick.
const KEEP_WAITS: u32 = 10;

/// Everything the thread has.
pub(crate) struct Dispatcher {
    pub(crate) journal: Arc<Journal>,
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
    lanes: Lanes,
    routes: Routes,
    account: Account,
    breaker: Breaker,
    gate: Gate,
    size: BatchSize,
    backoff: Backoff,
    positions: Positions,
    mind: Mind,
    show: Show,
    plans: Plans,
    budget: Budget,
    /// The lane of the last task given out.
    last_given: LaneId,
    /// The journal will get no more records, and all were read.
    drained: bool,
    /// Not before then is the journal read again, after an error.
    read_after: Instant,
    /// Not before then is anything sent: the store asked for it.
    quiet_until: Instant,
    /// Points refused since it was said how many, and when that was.
    dead_unsaid: u64,
    dead_said: Said,
    letters_said: Said,
    deletes: u64,
    kept_at: Instant,
}

impl State {
    /// As a writer starts: after the consumer's cursor, for a store that may lose what it got in the last `durable_after`.
    pub(crate) fn new(
        config: &WriterConfig,
        consumer: Consumer,
        journal: &Arc<Journal>,
        catalog: Arc<Catalog>,
        durable_after: Duration,
    ) -> Self {
        let (delay, now) = (config.retry_delay.0, Instant::now());
        Self {
            lanes: Lanes::new(consumer, |after| journal.follower(after), config.num_workers),
            routes: Routes::new(catalog, config.num_workers),
            account: Account::default(),
            breaker: Breaker::new(config.retry_attempts, delay, now),
            gate: Gate::new(config.num_workers),
            size: BatchSize::new(config.batch_size),
            backoff: Backoff::new(delay),
            positions: Positions::new(durable_after),
            mind: Mind::new(now),
            show: Show::default(),
            plans: Plans::default(),
            budget: Budget::new(config.backlog_rate, now),
            last_given: LaneId::Main,
            drained: false,
            read_after: now,
            quiet_until: now,
            dead_unsaid: 0,
            dead_said: Said::default(),
            letters_said: Said::default(),
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
            self.obey(now);
            self.mind(now);
            self.plan();
            if now.duration_since(self.state.kept_at) >= self.keep_every() {
                self.keep(now);
            }
            let has_read = self.read(now);
            self.send(now);
            self.show(now);
            self.hear(if has_read { Duration::ZERO } else { NAP });
        }
        self.keep(Instant::now());
        if self.state.plans.skip.is_some() {
            let store = self.bench.store.name();
            tracing::warn!(
                store,
                "a request was still under way at the deadline, so that nothing was given up; say it again after the start"
            );
        }
        self.show_end();
    }

    /// Takes in what the threads report, after waiting for it.
    fn hear(&mut self, patience: Duration) {
        let mut patience = patience;
        loop {
            match self.reports.recv_timeout(patience) {
                Ok(report) => self.apply(report, Instant::now()),
                Err(RecvTimeoutError::Timeout) => return,
                // All threads have ended, which they do not do by themselves. It must not spin because of that.
                Err(RecvTimeoutError::Disconnected) => return thread::sleep(patience),
            }
            patience = Duration::ZERO;
        }
    }

    /// True when it is to stop, and either nothing more can be done or the time is up.
    fn is_over(&self, now: Instant) -> bool {
        let Some(deadline) = self.control.stop_at() else { return false };
        let under_way = self.crew.under_way();
        let can_send = self.state.breaker.lets_pass(under_way) && !self.control.is_paused();
        let has_more = can_send && !self.state.plans.repair && !self.state.lanes.are_idle();
        now >= deadline || (under_way == 0 && !has_more && self.state.plans.skip.is_none())
    }

    fn keep_every(&self) -> Duration {
        KEEP_EVERY.min(self.config.max_wait.0 * KEEP_WAITS)
    }

    /// True while the store is written to.
    fn is_writing(&self) -> bool {
        !matches!(self.state.breaker.stage(), Stage::Gone(_))
    }
}
