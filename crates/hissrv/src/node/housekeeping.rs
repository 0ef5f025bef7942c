//! What is done from time to time, by one thread: continuous queries are run when they are due, values that are older than their
//! retention policy keeps are removed, the books are looked at.

use std::sync::mpsc::{RecvTimeoutError, SyncSender, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use anyhow::Context;
use engine::Removed;
use journal::Journal;
use model::Seq;
use pipeline::Applied;
use rollup::Rollups;
use statements::Statements;

use super::accounts::Accounts;
use super::forecast::Outlook;
use super::now;
use super::retention::Retention;

/// Time between two looks at what is due.
const PERIOD: Duration = Duration::from_secs(1);
/// Time between two removals of old values.
const RETENTION_PERIOD: Duration = Duration::from_secs(60);

/// A thread that wakes up once a period.
pub(super) struct Housekeeping {
    statements: Statements,
    running: Mutex<Option<Running>>,
}

/// What is looked after.
pub(super) struct House {
    pub(super) retention: Arc<Retention>,
    pub(super) statements: Statements,
    pub(super) applied: Arc<Applied>,
    /// What must be visible before a continuous query is run: its windows would miss it.
    pub(super) replay_to: Seq,
    pub(super) journal: Arc<Journal>,
    pub(super) accounts: Arc<Accounts>,
    pub(super) outlook: Arc<Outlook>,
    pub(super) rollups: Option<Arc<Rollups>>,
}

struct Running {
    /// Dropped to end the thread.
    alive: SyncSender<()>,
    thread: JoinHandle<()>,
}

impl Housekeeping {
    pub(super) fn start(house: House) -> anyhow::Result<Self> {
        let (alive, ended) = sync_channel::<()>(1);
        let statements = house.statements.clone();
        let rounds = move || {
            let mut retained = Instant::now();
            while ended.recv_timeout(PERIOD) == Err(RecvTimeoutError::Timeout) {
                house.run_continuous_queries();
                house.accounts.check();
                house.outlook.note(Instant::now(), house.journal.stats().disk);
                if retained.elapsed() >= RETENTION_PERIOD {
                    retained = Instant::now();
                    house.retention.round();
                    house.remove_old_rows();
                }
            }
        };
        let thread = std::thread::Builder::new().name("housekeeping".to_owned()).spawn(rounds);
        let thread = thread.context("start the housekeeping thread")?;
        Ok(Self { statements, running: Mutex::new(Some(Running { alive, thread })) })
    }

    /// Ends the thread; a continuous query under way is given up, the removal of old values finished first.
    pub(super) fn stop(&self) {
        let running = self.running.lock().unwrap_or_else(PoisonError::into_inner).take();
        let Some(Running { alive, thread }) = running else { return };
        self.statements.stop_continuous_queries();
        drop(alive);
        if thread.join().is_err() {
            tracing::error!("the housekeeping thread had panicked");
        }
    }
}

impl House {
    /// Rows of rollups go as the policies do that they stand for.
    fn remove_old_rows(&self) {
        for (bucket, outcome) in self.rollups.iter().flat_map(|rollups| rollups.enforce_retention(now())) {
            match outcome {
                Ok(Removed { files, bytes, .. }) => {
                    tracing::info!(
                        bucket = bucket.0,
                        files,
                        bytes,
                        "rows of rollups past their retention were removed"
                    );
                }
                Err(e) => tracing::warn!(
                    bucket = bucket.0,
                    error = %e,
                    "rows of rollups past their retention could not be removed; tried again in a minute"
                ),
            }
        }
    }

    fn run_continuous_queries(&self) {
        if self.applied.seq() >= self.replay_to {
            self.statements.run_due_queries();
        }
    }
}
