//! Whose fault a failure is: that of a job's data, or of the worker, which may be set up wrongly.

use std::time::Duration;

use formats::Error;

use crate::error::ImportError;
use crate::options::Options;

/// A worker that never did a job ends after so many failures of its own in a row.
const FAILURES_IN_A_ROW: u32 = 7;

/// What a worker has shown to be able to do.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Standing {
    /// It did a job: it reaches its store and sees the files.
    is_proven: bool,
    /// Failures of its own since the last job that it did.
    in_a_row: u32,
}

impl Standing {
    /// A job was done.
    pub(super) const fn succeeded(&mut self) {
        *self = Self { is_proven: true, in_a_row: 0 };
    }

    /// The worker failed at its own side; gives the wait before it asks for a job again, or how often it failed when it is not to ask again.
    pub(super) fn failed(&mut self, options: &Options) -> Result<Duration, u32> {
        self.in_a_row += 1;
        if !self.is_proven && self.in_a_row >= FAILURES_IN_A_ROW {
            return Err(self.in_a_row);
        }
        Ok(options.delay.saturating_mul(1 << (self.in_a_row - 1).min(16)).min(options.max_delay))
    }

    /// Whether a failure counts as one of the job.
    pub(super) fn is_try(self, error: &ImportError) -> bool {
        self.is_proven || !is_own(error)
    }
}

/// Whether a failure may be the worker's own: another one may reach its store, and see the file.
pub(super) fn is_own(error: &ImportError) -> bool {
    match error {
        ImportError::Store { .. } | ImportError::Denied(_) | ImportError::Rejects { .. } => true,
        // What the operating system says is about this machine; what is damaged is so everywhere.
        ImportError::File { source: Error::File { source, .. } | Error::Read { source, .. }, .. } => {
            source.raw_os_error().is_some()
        }
        _ => false,
    }
}
