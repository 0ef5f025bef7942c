//! The statements under way, so that they can be listed and stopped.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use query::Cancel;

/// What is running, by number. Numbers start at 1 and are never used twice.
#[derive(Default)]
pub(crate) struct Running {
    statements: Mutex<BTreeMap<u64, Entry>>,
    started: AtomicU64,
    finished: AtomicU64,
    busy_ns: AtomicU64,
}

struct Entry {
    text: String,
    database: String,
    since: Instant,
    cancel: Cancel,
    killed: bool,
}

/// A statement under way.
pub(crate) struct Shown {
    pub(crate) id: u64,
    pub(crate) text: String,
    pub(crate) database: String,
    pub(crate) duration: Duration,
    pub(crate) killed: bool,
}

/// Totals since the start.
pub(crate) struct Totals {
    pub(crate) active: u64,
    pub(crate) started: u64,
    pub(crate) finished: u64,
    pub(crate) busy_ns: u64,
}

/// Takes a statement off the list when it is dropped.
pub(crate) struct Registered {
    running: Arc<Running>,
    id: u64,
}

impl Running {
    /// Lists a statement until what is returned is dropped.
    pub(crate) fn register(self: &Arc<Self>, text: String, database: Option<&str>, cancel: &Cancel) -> Registered {
        let id = self.started.fetch_add(1, Relaxed) + 1;
        let database = database.unwrap_or_default().to_owned();
        let entry = Entry { text, database, since: Instant::now(), cancel: cancel.clone(), killed: false };
        self.lock().insert(id, entry);
        Registered { running: Arc::clone(self), id }
    }

    /// Stops a statement; `false` when there is none of this number.
    pub(crate) fn kill(&self, id: u64) -> bool {
        match self.lock().get_mut(&id) {
            Some(entry) => {
                entry.killed = true;
                entry.cancel.cancel();
                true
            }
            None => false,
        }
    }

    /// What is under way, oldest first.
    pub(crate) fn list(&self) -> Vec<Shown> {
        let shown = |(id, e): (&u64, &Entry)| Shown {
            id: *id,
            text: e.text.clone(),
            database: e.database.clone(),
            duration: e.since.elapsed(),
            killed: e.killed,
        };
        self.lock().iter().map(shown).collect()
    }

    pub(crate) fn totals(&self) -> Totals {
        Totals {
            active: self.lock().len() as u64,
            started: self.started.load(Relaxed),
            finished: self.finished.load(Relaxed),
            busy_ns: self.busy_ns.load(Relaxed),
        }
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<u64, Entry>> {
        self.statements.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Registered {
    fn drop(&mut self) {
        let gone = self.running.lock().remove(&self.id);
        self.running.finished.fetch_add(1, Relaxed);
        let busy_ns = gone.map_or(0, |entry| entry.since.elapsed().as_nanos() as u64);
        self.running.busy_ns.fetch_add(busy_ns, Relaxed);
    }
}
