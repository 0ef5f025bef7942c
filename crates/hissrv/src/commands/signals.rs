//! Signals for commands that end in order: the first one asks for it, the second one ends the process.

use std::sync::atomic::{AtomicBool, Ordering::Relaxed};

use tokio::signal::unix::{SignalKind, signal};

/// Exit status after a second signal, as a shell has it for SIGINT.
pub(super) const INTERRUPTED: i32 = 130;

/// Sets `stop` at the first SIGINT or SIGTERM; a second one ends the process at once.
///
/// # Errors
/// The thread that listens cannot be started.
pub(super) fn on_stop(stop: &'static AtomicBool) -> std::io::Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_io().build()?;
    let guard = runtime.enter();
    let (mut interrupt, mut terminate) = (signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?);
    drop(guard);
    std::thread::Builder::new().name("signals".to_owned()).spawn(move || {
        runtime.block_on(async {
            loop {
                tokio::select! {
                    _ = interrupt.recv() => {}
                    _ = terminate.recv() => {}
                }
                if stop.swap(true, Relaxed) {
                    std::process::exit(INTERRUPTED);
                }
            }
        });
    })?;
    Ok(())
}
