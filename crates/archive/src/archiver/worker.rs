//! The thread that looks what is due.

use std::io;
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::sync::mpsc::{RecvTimeoutError, SyncSender, sync_channel};
use std::thread::JoinHandle;
use std::time::Duration;

use model::TimestampNs;

use super::report::RunReport;
use super::{Scope, Shared, lock};

/// Time between two looks.
const PERIOD: Duration = Duration::from_secs(1);
/// After a run that could not do everything the next one comes so much later, in nanoseconds: 10 minutes.
const PAUSE_NS: i64 = 600_000_000_000;

/// A running thread.
pub(super) struct Worker {
    /// Dropped to end it.
    alive: SyncSender<()>,
    thread: JoinHandle<()>,
}

impl Worker {
    pub(super) fn start(shared: Arc<Shared>, is_ready: impl Fn() -> bool + Send + 'static) -> io::Result<Self> {
        let (alive, ended) = sync_channel::<()>(1);
        let rounds = move || {
            let mut not_before = TimestampNs::MIN;
            while ended.recv_timeout(PERIOD) == Err(RecvTimeoutError::Timeout) {
                if !is_ready() {
                    continue;
                }
                let now = (shared.clock)();
                // A clock that was set back is no reason to wait longer than the pause.
                if now >= not_before || now.0 < not_before.0.saturating_sub(PAUSE_NS) {
                    let is_complete = shared.look(now);
                    not_before = if is_complete { TimestampNs::MIN } else { now.saturating_add(PAUSE_NS) };
                }
            }
        };
        let thread = std::thread::Builder::new().name("archiver".to_owned()).spawn(rounds)?;
        Ok(Self { alive, thread })
    }

    pub(super) fn stop(self) {
        drop(self.alive);
        if self.thread.join().is_err() {
            tracing::error!("the archiver had panicked");
        }
    }
}

impl Shared {
    /// Runs what is due; false when that could not do everything.
    fn look(&self, now: TimestampNs) -> bool {
        let wanted = std::mem::take(&mut *lock(&self.wanted));
        let scope = if self.config.schedule.is_due(self.ledger.last_run(), now) {
            Scope::All
        } else if wanted.is_empty() {
            return true;
        } else {
            Scope::Before(wanted)
        };
        let report = self.run(&scope);
        tell(&report);
        // What is left has been logged; retention asks again.
        report.is_complete() || self.stop.load(Relaxed)
    }
}

fn tell(report: &RunReport) {
    let RunReport { files, rows, bytes, failed, .. } = *report;
    if report.is_complete() && files > 0 {
        tracing::info!(files, rows, bytes, "days were archived");
    } else if !report.is_complete() {
        tracing::warn!(files, failed, "not everything could be archived; tried again in ten minutes");
    }
}
