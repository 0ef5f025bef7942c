//! The threads of a store: one for each connection, and those that end what another connection is doing. There are only so many.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use super::error::Failure;

/// Threads at once: of sessions, of queries, and those that a silent server keeps.
const THREADS_MAX: usize = 64;

/// How many threads there are.
#[derive(Clone, Default)]
pub(super) struct Threads(Arc<AtomicUsize>);

impl Threads {
    /// Starts one more.
    ///
    /// # Errors
    /// [`Failure::Crowded`] when there are enough, [`Failure::Thread`] when the system gives none.
    pub(super) fn spawn(&self, work: impl FnOnce() + Send + 'static) -> Result<(), Failure> {
        let place = self.place()?;
        let work = move || {
            let _place = place;
            work();
        };
        let started = thread::Builder::new().name("postgresql".to_owned()).spawn(work);
        started.map(drop).map_err(|_| Failure::Thread)
    }

    fn place(&self) -> Result<Place, Failure> {
        let place = Place(Arc::clone(&self.0));
        if self.0.fetch_add(1, Ordering::Relaxed) >= THREADS_MAX {
            return Err(Failure::Crowded(THREADS_MAX));
        }
        Ok(place)
    }
}

/// One of the threads there may be, free again when dropped.
struct Place(Arc<AtomicUsize>);

impl Drop for Place {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Barrier;

    #[test]
    fn there_are_only_so_many_and_those_that_ended_make_room() {
        let (threads, barrier) = (Threads::default(), Arc::new(Barrier::new(THREADS_MAX + 1)));
        for _ in 0..THREADS_MAX {
            let barrier = Arc::clone(&barrier);
            threads
                .spawn(move || {
                    barrier.wait();
                })
                .unwrap();
        }
        assert!(matches!(threads.spawn(|| {}), Err(Failure::Crowded(_))));
        barrier.wait();
        while threads.0.load(Ordering::Relaxed) > 0 {
            thread::yield_now();
        }
        threads.spawn(|| {}).unwrap();
    }
}
