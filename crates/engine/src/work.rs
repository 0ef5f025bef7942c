//! The two background threads: one writes full heads to files, one merges files.

use std::io;
use std::sync::Arc;
use std::thread::{Builder, JoinHandle};

use crate::state::Shared;

/// Starts both threads. They end when `Shared::stop` is called.
pub(crate) fn start(shared: &Arc<Shared>) -> io::Result<Vec<JoinHandle<()>>> {
    let flusher = Arc::clone(shared);
    let merger = Arc::clone(shared);
    Ok(vec![
        Builder::new().name("engine-flush".to_owned()).spawn(move || flush_loop(&flusher))?,
        Builder::new().name("engine-merge".to_owned()).spawn(move || merge_loop(&merger))?,
    ])
}

fn flush_loop(shared: &Shared) {
    loop {
        if shared.signals.lock().stopping {
            return;
        }
        shared.freeze_when_old();
        let frozen = shared.read_state().frozen.clone();
        let Some(head) = frozen else {
            let flags = shared.signals.lock();
            // Looked at again under the lock, so that a head frozen in between is not slept over.
            if !flags.stopping && shared.read_state().frozen.is_none() {
                drop(shared.signals.wait(flags));
            }
            continue;
        };
        let outcome = shared.write_head(&head);
        let failed = outcome.is_err();
        shared.signals.update(|flags| {
            flags.flushes_ended += 1;
            flags.files_changed += 1;
            flags.last_failure = outcome.as_ref().err().map(ToString::to_string);
        });
        if let Err(e) = outcome {
            tracing::error!(error = %e, "values could not be written to a block file; they stay in memory and in the journal");
        }
        if failed {
            drop(shared.signals.wait(shared.signals.lock()));
        }
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
        if let Err(e) = shared.merge_where_due() {
            tracing::error!(error = %e, "files could not be merged; they stay as they are");
        }
    }
}
