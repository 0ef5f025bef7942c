//! Where bytes go: standard output, whose reader may leave early; files, until the user wants it to end; memory for small answers.

use std::io::{self, Write};
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::sync::{Arc, Mutex, PoisonError};

use super::{STOP, progress};

/// Set once nobody reads standard output any more.
static READER_GONE: AtomicBool = AtomicBool::new(false);

/// Standard output.
pub(super) struct Stdout;

/// Whether the reader of standard output has left, as `head` does: it has what it wanted.
pub(super) fn reader_has_gone() -> bool {
    READER_GONE.load(Relaxed)
}

impl Write for Stdout {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        noted(io::stdout().write(bytes))
    }

    fn flush(&mut self) -> io::Result<()> {
        noted(io::stdout().flush())
    }
}

fn noted<T>(result: io::Result<T>) -> io::Result<T> {
    if result.as_ref().is_err_and(|e| e.kind() == io::ErrorKind::BrokenPipe) {
        READER_GONE.store(true, Relaxed);
    }
    result
}

/// Takes bytes until a signal asks to stop.
pub(super) struct Stoppable<W>(pub(super) W);

impl<W: Write> Write for Stoppable<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if STOP.load(Relaxed) {
            return Err(io::Error::other("stopped before the end"));
        }
        let written = self.0.write(bytes)?;
        progress::wrote(written);
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}

/// Bytes kept in memory.
#[derive(Clone, Default)]
pub(super) struct Kept(Arc<Mutex<Vec<u8>>>);

impl Kept {
    pub(super) fn take(&self) -> Vec<u8> {
        std::mem::take(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Write for Kept {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
