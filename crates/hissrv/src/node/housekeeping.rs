//! What is done from time to time: values that are older than their retention policy keeps are removed.

use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use anyhow::Context;
use catalog::Catalog;
use engine::Engine;

use super::now;

/// Time between two rounds.
const PERIOD: Duration = Duration::from_secs(60);

/// A thread that wakes up once a period.
pub(super) struct Housekeeping {
    running: Mutex<Option<Running>>,
}

struct Running {
    /// Dropped to end the thread.
    alive: Sender<()>,
    thread: JoinHandle<()>,
}

impl Housekeeping {
    pub(super) fn start(catalog: &Arc<Catalog>, engine: &Arc<Engine>) -> anyhow::Result<Self> {
        let (alive, ended) = channel::<()>();
        let (catalog, engine) = (Arc::clone(catalog), Arc::clone(engine));
        let rounds = move || {
            while ended.recv_timeout(PERIOD) == Err(RecvTimeoutError::Timeout) {
                enforce_retention(&catalog, &engine);
            }
        };
        let thread = std::thread::Builder::new().name("housekeeping".to_owned()).spawn(rounds);
        let thread = thread.context("start the thread that enforces retention policies")?;
        Ok(Self { running: Mutex::new(Some(Running { alive, thread })) })
    }

    /// Ends the thread; a round under way is finished first.
    pub(super) fn stop(&self) {
        let running = self.running.lock().unwrap_or_else(PoisonError::into_inner).take();
        let Some(Running { alive, thread }) = running else { return };
        drop(alive);
        if thread.join().is_err() {
            tracing::error!("the thread that enforces retention policies had panicked");
        }
    }
}

fn enforce_retention(catalog: &Catalog, engine: &Engine) {
    for (bucket, outcome) in pipeline::enforce_retention(catalog, engine, now()) {
        match outcome {
            Ok(removed) => tracing::info!(
                bucket = bucket.0,
                files = removed.files,
                bytes = removed.bytes,
                "values past their retention were removed"
            ),
            Err(e) => tracing::warn!(
                bucket = bucket.0,
                error = %e,
                "values past their retention could not be removed; tried again in a minute"
            ),
        }
    }
}
