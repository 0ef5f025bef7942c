//! The two background threads: one writes full heads to files, one merges files.

use std::io;
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::thread::{Builder, JoinHandle};
use std::time::{Duration, Instant};

use crate::error::EngineError;
use crate::flush::Written;
use crate::head::Head;
use crate::state::Shared;

/// Wait after a failed flush: writing is waiting for it.
const FLUSH_PAUSE: Duration = Duration::from_secs(1);
/// Wait after a failed merge. A merge reads and writes much, and on a full disk it fails again soon.
const MERGE_PAUSE: Duration = Duration::from_secs(60);

/// Starts both threads. They end when `Shared::stop` is called.
pub(crate) fn start(shared: &Arc<Shared>) -> io::Result<Vec<JoinHandle<()>>> {
    let flusher = StopsAll(Arc::clone(shared));
    let flusher = Builder::new().name("engine-flush".to_owned()).spawn(move || flush_loop(&flusher.0))?;
    let merger = StopsAll(Arc::clone(shared));
    let merger = Builder::new().name("engine-merge".to_owned()).spawn(move || merge_loop(&merger.0))?;
    Ok(vec![flusher, merger])
}

/// Stops the engine when dropped: should a thread panic, nobody waits for it in vain.
struct StopsAll(Arc<Shared>);

impl Drop for StopsAll {
    fn drop(&mut self) {
        self.0.stop();
    }
}

fn flush_loop(shared: &Shared) {
    let mut written = Written::default();
    while !shared.is_stopping() {
        shared.freeze_when_old();
        let frozen = shared.read_state().frozen.clone();
        match frozen {
            Some(head) => flush(shared, &head, &mut written),
            None => wait_for_head(shared),
        }
    }
}

fn wait_for_head(shared: &Shared) {
    let flags = shared.signals.lock();
    // Looked at again under the lock, so that a head frozen in between is not slept over.
    if !flags.stopping && shared.read_state().frozen.is_none() {
        drop(shared.signals.wait(flags));
    }
}

fn flush(shared: &Shared, head: &Arc<Head>, written: &mut Written) {
    let failure = shared.write_head(head, written).err();
    shared.signals.update(|flags| {
        flags.flushes_ended += 1;
        flags.files_changed += 1;
        flags.last_failure = failure.as_ref().map(ToString::to_string);
    });
    if let Some(e) = failure {
        shared.counters.flush_failures.fetch_add(1, Relaxed);
        tracing::error!(error = %e, "values could not be written to a block file; they stay in memory and in the journal");
        pause(shared, FLUSH_PAUSE);
    }
}

fn merge_loop(shared: &Shared) {
    let mut seen = 0;
    loop {
        let flags = shared.signals.lock();
        if flags.stopping {
            return;
        }
        let changed = flags.files_changed;
        let flags = if changed == seen { shared.signals.wait(flags) } else { flags };
        drop(flags);
        seen = changed;
        match shared.merge_where_due() {
            Ok(()) | Err(EngineError::Stopping) => {}
            Err(e) => {
                tracing::error!(error = %e, "files could not be merged; they stay as they are");
                pause(shared, MERGE_PAUSE);
            }
        }
    }
}

/// Waits, but not longer than until the engine stops.
fn pause(shared: &Shared, length: Duration) {
    let started = Instant::now();
    let mut flags = shared.signals.lock();
    while !flags.stopping && started.elapsed() < length {
        flags = shared.signals.wait(flags);
    }
}
