//! How an import goes about it.

use std::time::Duration;

/// How an import goes about it.
#[derive(Debug, Clone)]
pub struct Options {
    /// Threads that convert and write, each with a connection of its own. At least 1.
    pub workers: usize,
    /// Lines of one batch, about: a store that answers slowly gets no more at a time. At least 1.
    pub batch: usize,
    /// A batch that failed for a reason that may pass is tried again so often before the import ends.
    pub retries: u32,
    /// The wait before the first of them; each further one is twice as long, up to [`Options::max_delay`], give or take a half.
    pub delay: Duration,
    /// The longest wait.
    pub max_delay: Duration,
    /// The import ends when more records than this were refused.
    pub max_errors: u64,
}

impl Default for Options {
    fn default() -> Self {
        let cpus = std::thread::available_parallelism().map_or(1, usize::from);
        Self {
            workers: 2 * cpus,
            batch: 5000,
            retries: 10,
            delay: Duration::from_millis(500),
            max_delay: Duration::from_secs(30),
            max_errors: 1000,
        }
    }
}
